//go:build unix

package journal_test

import (
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/journal"
)

func init() { children["full"] = fillTheDisk }

func TestAFullDiskRefusesClicksAndNothingElse(t *testing.T) {
	for _, buffered := range []string{"false", "true"} {
		out, err := child(t, "full", t.TempDir(), buffered).CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

// fillTheDisk makes this process unable to write beyond the first 4 MiB of a
// file, which is how a full disk looks to it.
func fillTheDisk(args []string) error {
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = 4 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	o := quiet
	o.OSBuffered = args[1] == "true"
	j, err := journal.Open(args[0], o)
	if err != nil {
		return err
	}
	var want, got int64 // links of the next click
	fill := func() error {
		for failures := 0; failures < 5; {
			err := j.Append(numbered(int(want), int(want)+50))
			switch {
			case errors.Is(err, linktrack.ErrJournalFull):
				return errors.New("the journal is full before the disk is")
			case err != nil:
				failures++
			default:
				want += 50
			}
		}
		return nil
	}
	drain := func(most int) error {
		b, err := j.Next(most)
		if err != nil {
			return fmt.Errorf("a full disk holds up the drain: %w", err)
		}
		for _, c := range b.Clicks {
			if c.Link != got {
				return fmt.Errorf("click %d instead of %d", c.Link, got)
			}
			got++
		}
		if len(b.Clicks) == 0 {
			return nil
		}
		return j.Done()
	}
	if err := fill(); err != nil {
		return err
	}
	if want < 5000 {
		return fmt.Errorf("only %d clicks before the disk was full", want)
	}
	for range 10 { // a part is drained and filled again, with a restart between
		for range 4 {
			if err := drain(500); err != nil {
				return err
			}
		}
		before := want
		if err := fill(); err != nil {
			return err
		}
		if want == before {
			return errors.New("what was drained made no room")
		}
		if size := j.Size(); size.Clicks != want-got {
			return fmt.Errorf("%d clicks wait instead of %d", size.Clicks, want-got)
		}
		if err := j.Close(); err != nil {
			return err
		}
		if j, err = journal.Open(args[0], o); err != nil {
			return err
		}
	}
	limit.Cur = limit.Max // there is room again
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := j.Append(numbered(int(want), int(want)+20_000)); err != nil {
		return err
	}
	want += 20_000
	for got < want {
		if err := drain(5000); err != nil {
			return err
		}
	}
	if size := j.Size(); size.Clicks != 0 {
		return fmt.Errorf("%d clicks are left", size.Clicks)
	}
	return j.Close()
}
