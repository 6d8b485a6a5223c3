package journal_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/journal"
)

// The tests in this file start the test binary again, as another process.
const asChild = "JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(asChild); what != "" {
		if err := children[what](os.Args[1:]); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var children = map[string]func(args []string) error{
	"append": appendForEver,
	"open":   openOnly,
}

func child(t *testing.T, what string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asChild+"="+what)
	return cmd
}

func openOnly(args []string) error {
	j, err := journal.Open(args[0], quiet)
	if err != nil {
		return err
	}
	return j.Close()
}

func TestASecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, quiet)
	require.NoError(t, j.Append(typical(10)))
	out, err := child(t, "open", dir).CombinedOutput()
	require.Error(t, err)
	require.Equal(t, "error: journal: "+dir+": another process uses the journal in this folder\n", string(out))
	_, err = journal.Open(dir, quiet)
	require.ErrorContains(t, err, "another process", "nor is the same one allowed twice")
	require.Len(t, drain(t, j, 10), 10, "the first is not disturbed")
	require.NoError(t, os.Remove(filepath.Join(dir, "journal.position")))
	_, err = journal.Open(dir, quiet)
	require.ErrorContains(t, err, "another process", "the folder is refused, not the file only")

	require.NoError(t, j.Close())
	out, err = child(t, "open", dir).CombinedOutput()
	require.NoError(t, err, string(out))
}

// appendForEver appends clicks with rising numbers. After each Append it prints
// the number of the next click: "a 17". At the same time it drains the journal to
// the reader of its output: "b 5 12 17" is the batch with Seq 5, which has the
// clicks from 12 to 16.
func appendForEver(args []string) error {
	o := quiet
	o.OSBuffered = args[1] == "true"
	from, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	j, err := journal.Open(args[0], o)
	if err != nil {
		return err
	}
	failed := make(chan error)
	go func() {
		for n := from; ; {
			to := n + 1 + rand.IntN(20)
			if err := j.Append(numbered(n, to)); err != nil {
				failed <- err
				return
			}
			n = to
			fmt.Printf("a %d\n", n)
		}
	}()
	go func() {
		for {
			b, err := j.Next(1 + rand.IntN(100))
			if err != nil {
				failed <- err
				return
			}
			if len(b.Clicks) == 0 {
				continue
			}
			line := fmt.Sprintf("b %d", b.Seq)
			for _, c := range b.Clicks {
				line += fmt.Sprintf(" %d", c.Link)
			}
			fmt.Println(line)
			if rand.IntN(4) == 0 {
				continue // the answer was lost: once more
			}
			if err := j.Done(); err != nil {
				failed <- err
				return
			}
		}
	}()
	return <-failed
}

func TestKillLosesNothingAcknowledgedAndCountsNothingTwice(t *testing.T) {
	for name, buffered := range map[string]bool{"with fsync": false, "left to the system": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			o := quiet
			o.OSBuffered = buffered
			acknowledged := map[int]int{} // where a round began: how far it came
			stored := map[int]int{}       // click: how often
			var highest int64
			apply := func(seq int64, links []string) {
				if seq <= highest {
					return
				}
				highest = seq
				for _, l := range links {
					n, err := strconv.Atoi(l)
					require.NoError(t, err)
					stored[n]++
				}
			}
			for round := range 20 {
				from := (round + 1) * 1_000_000
				cmd := child(t, "append", dir, strconv.FormatBool(buffered), strconv.Itoa(from))
				pipe, err := cmd.StdoutPipe()
				require.NoError(t, err)
				require.NoError(t, cmd.Start())
				out := bufio.NewReader(pipe)
				var timer *time.Timer
				for {
					line, err := out.ReadString('\n')
					if err != nil {
						break // what came of a last line never arrived
					}
					if timer == nil { // it runs
						timer = time.AfterFunc(time.Duration(rand.IntN(60))*time.Millisecond, func() { cmd.Process.Kill() })
					}
					words := strings.Fields(line)
					n, err := strconv.Atoi(words[1])
					require.NoError(t, err, line)
					switch words[0] {
					case "a":
						acknowledged[from] = n
					case "b":
						apply(int64(n), words[2:])
					default:
						t.Fatal(line)
					}
				}
				require.ErrorContains(t, cmd.Wait(), "killed")
			}
			j := open(t, dir, o)
			for {
				b := next(t, j, 1000)
				if len(b.Clicks) == 0 {
					break
				}
				var links []string
				for _, c := range b.Clicks {
					links = append(links, strconv.FormatInt(c.Link, 10))
				}
				apply(b.Seq, links)
				require.NoError(t, j.Done())
			}
			total := 0
			for from, to := range acknowledged {
				for n := from; n < to; n++ {
					require.Equal(t, 1, stored[n], "click %d", n)
				}
				total += to - from
			}
			for n, times := range stored {
				require.Equal(t, 1, times, "click %d", n)
			}
			assert.GreaterOrEqual(t, len(stored), total)
			assert.LessOrEqual(t, len(stored), total+20*20, "at most one Append a round was on its way")
			t.Logf("%d clicks acknowledged, %d stored", total, len(stored))
			require.Empty(t, kept(t, dir), "nothing is damaged")
		})
	}
}
