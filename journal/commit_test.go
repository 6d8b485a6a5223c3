package journal

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/linktrackhq/linktrack"
)

func links(from, to int64) []linktrack.Click {
	var c []linktrack.Click
	for n := from; n < to; n++ {
		c = append(c, linktrack.Click{Link: n})
	}
	return c
}

func start(t *testing.T, dir string) *Journal {
	j, err := Open(dir, Options{OSBuffered: true, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	return j
}

// A commit whose last fsync fails may be in the file or not.
func TestAnAppendThatFailedIsNotKeptWhateverBecameOfItsTransaction(t *testing.T) {
	for name, disk := range map[string]struct {
		commit func(*bbolt.Tx) error
		fails  int
	}{
		"it is not in the file":                {(*bbolt.Tx).Rollback, 1},
		"it is in the file":                    {(*bbolt.Tx).Commit, 1},
		"it is, and at first cannot be undone": {(*bbolt.Tx).Commit, 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := start(t, dir)
			require.NoError(t, j.Append(links(0, 10)))
			fail := errors.New("the disk is ill")
			failing := disk.fails
			j.file.commit = func(tx *bbolt.Tx) error {
				if failing--; failing < 0 {
					return tx.Commit()
				}
				return errors.Join(fail, disk.commit(tx))
			}
			require.ErrorIs(t, j.Append(links(10, 20)), fail)
			b, err := j.Next(100)
			require.NoError(t, err)
			require.Equal(t, links(0, 10), b.Clicks)
			require.NoError(t, j.Append(links(20, 30)))
			require.NoError(t, j.Close())

			j = start(t, dir)
			again, err := j.Next(100)
			require.NoError(t, err)
			require.Equal(t, b, again)
			require.NoError(t, j.Done())
			b, err = j.Next(100)
			require.NoError(t, err)
			require.Equal(t, links(20, 30), b.Clicks)
		})
	}
}

// An Append and a Next that share a transaction which fails, and is in the file
// nevertheless, leave a batch there that nobody was given.
func TestABatchOfClicksWhoseAppendFailedIsUndone(t *testing.T) {
	for _, waiting := range []int64{0, 10} {
		dir := t.TempDir()
		j := start(t, dir)
		if waiting > 0 {
			require.NoError(t, j.Append(links(0, waiting)))
		}
		failing := true
		fail := errors.New("the disk is ill")
		j.file.commit = func(tx *bbolt.Tx) error {
			err := tx.Commit()
			if failing {
				failing = false
				return fail
			}
			return err
		}
		parts, size := split(links(100, 120))
		g := &group{parts: parts, size: size, written: make(chan struct{})}
		turn := &turn{kind: next, most: 1000, done: make(chan error, 1), result: func(*state, [][]byte) {}}
		j.mu.Lock()
		j.forming, j.turn, j.queued = g, turn, size
		j.mu.Unlock()
		j.rouse()
		<-g.written
		require.ErrorIs(t, g.err, fail)
		require.NoError(t, <-turn.done, "the drain is tried alone")
		require.Equal(t, waiting, j.Size().Clicks)
		require.NoError(t, j.Append(links(200, 210)))
		var got []linktrack.Click
		for {
			b, err := j.Next(1000)
			require.NoError(t, err)
			if len(b.Clicks) == 0 {
				break
			}
			got = append(got, b.Clicks...)
			require.NoError(t, j.Done())
		}
		require.Equal(t, append(links(0, waiting), links(200, 210)...), got)
		require.Zero(t, j.used())
		require.NoError(t, j.Close())
		require.NoError(t, examine(j.file.path))
	}
}

func TestSetAsideAfterAFailureNeverTakesAnotherBatch(t *testing.T) {
	j := start(t, t.TempDir())
	require.NoError(t, j.Append(links(0, 10)))
	require.NoError(t, j.Append(links(10, 20)))
	_, err := j.Next(10)
	require.NoError(t, err)
	fail := errors.New("the disk is ill")
	failing := 2
	j.file.commit = func(tx *bbolt.Tx) error {
		err := tx.Commit()
		if failing--; failing >= 0 {
			return fail
		}
		return err
	}
	require.ErrorIs(t, j.Quarantine(), fail, "it is done nevertheless")
	_, err = j.Next(10)
	require.ErrorIs(t, err, fail, "and there is a new batch, which nobody was given")
	require.NoError(t, j.Quarantine())
	require.Equal(t, int64(10), j.Size().Quarantined)
	b, err := j.Next(10)
	require.NoError(t, err)
	require.Equal(t, links(10, 20), b.Clicks)
}

func TestAFileThatBreaksInUseGivesErrorsAndNoCrash(t *testing.T) {
	for _, left := range []int64{0, 100, 3 * pageSize, 64 * pageSize} {
		dir := t.TempDir()
		j := start(t, dir)
		for n := range int64(200) {
			require.NoError(t, j.Append(links(n*100, n*100+100)))
		}
		path := filepath.Join(dir, fileName)
		require.NoError(t, os.Truncate(path, left))
		var failed error
		for range 200 {
			if _, err := j.Next(1000); err != nil {
				failed = err
				break
			}
			if err := j.Append(links(0, 100)); err != nil {
				failed = err
			}
			if err := j.Done(); err != nil {
				failed = err
			}
		}
		require.Error(t, failed)
		require.Error(t, j.Append(links(0, 1)))
		j.Size()
		j.Close()
		j = start(t, dir)
		require.NoError(t, j.Append(links(0, 1)))
		names, err := filepath.Glob(filepath.Join(dir, "journal.damaged-*"))
		require.NoError(t, err)
		require.Len(t, names, 1)
	}
}

func TestNumbersLeapAfterATimeWithoutFsync(t *testing.T) {
	dir := t.TempDir()
	j := start(t, dir)
	require.NoError(t, j.Append(links(0, 10)))
	require.NoError(t, j.Append(links(10, 20)))
	b, err := j.Next(10)
	require.NoError(t, err)
	require.NoError(t, j.Close())
	j = start(t, dir)
	again, err := j.Next(10)
	require.NoError(t, err)
	require.Equal(t, b, again, "the batch that may have been sent keeps its number")
	require.NoError(t, j.Done())
	later, err := j.Next(10)
	require.NoError(t, err)
	require.Equal(t, b.Seq+leap+1, later.Seq)
	require.NoError(t, j.Done())
	require.NoError(t, j.Append(links(20, 30)))
	last, err := j.Next(10)
	require.NoError(t, err)
	require.Equal(t, later.Seq+1, last.Seq, "once")
}
