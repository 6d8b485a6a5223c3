//go:build unix

package journal_test

import (
	"errors"
	"fmt"
	"os/exec"
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
		t.Run("files may not grow, buffered "+buffered, func(t *testing.T) {
			out, err := child(t, "full", t.TempDir(), buffered, "limit").CombinedOutput()
			require.NoError(t, err, string(out))
		})
		t.Run("the disk has 4 MiB, buffered "+buffered, func(t *testing.T) {
			dir := t.TempDir()
			if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m", "none", dir).CombinedOutput(); err != nil {
				t.Skip("no disk can be mounted here: ", string(out))
			}
			defer exec.Command("umount", dir).Run()
			out, err := child(t, "full", dir, buffered, "disk").CombinedOutput()
			require.NoError(t, err, string(out))
		})
	}
}

// fillTheDisk fills a folder in which there are 4 MiB, or, if this process sets
// itself that limit, in which a file can have 400 KiB. So a write ends in the middle.
func fillTheDisk(args []string) error {
	makeRoom := func() error { return exec.Command("mount", "-o", "remount,size=64m", args[0]).Run() }
	if args[2] == "limit" {
		signal.Ignore(syscall.SIGXFSZ)
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		limit.Cur = 400 << 10
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		makeRoom = func() error {
			limit.Cur = limit.Max
			return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
		}
	}
	o := quiet
	o.OSBuffered = args[1] == "true"
	if args[2] == "disk" {
		o.MaxBytes = 64 << 20 // for small segments: room is made by the segment
	}
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
	if err := makeRoom(); err != nil {
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
