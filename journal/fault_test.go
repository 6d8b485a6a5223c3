package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	errIll    = errors.New("the disk is ill")
	discarded = slog.New(slog.DiscardHandler)
)

// faults is a disk on which something happens at one of its operations.
type faults struct {
	op     int // number of the next operation
	before func(op int) (partly bool, err error)
	after  func(op int) error
}

func (f *faults) disk() disk {
	return disk{
		write: func(file *os.File, b []byte, at int64) error {
			op := f.op
			f.op++
			if partly, err := f.before(op); err != nil {
				if partly {
					_ = realDisk.write(file, b[:len(b)/2], at)
				}
				return err
			}
			if err := realDisk.write(file, b, at); err != nil {
				return err
			}
			return f.after(op)
		},
		sync: func(*os.File) error {
			op := f.op
			f.op++
			if _, err := f.before(op); err != nil {
				return err
			}
			return f.after(op)
		},
	}
}

// everyMoment calls do for each operation of a disk, of which there are
// the number that it returns, and each way to fail.
func everyMoment(t *testing.T, do func(t *testing.T, way string, at int) (operations int)) {
	t.Helper()
	for _, way := range []string{"before it", "in the middle of it", "after it"} {
		for at, operations := 0, 1; at < operations; at++ {
			t.Run(fmt.Sprintf("%s/%d", way, at), func(t *testing.T) { operations = do(t, way, at) })
		}
	}
}

func TestAProcessMayBeKilledAtAnyMoment(t *testing.T) {
	everyMoment(t, func(t *testing.T, way string, at int) int {
		dir, left := t.TempDir(), t.TempDir()
		l := newLife()
		var then *life
		kill := func() {
			require.NoError(t, os.CopyFS(left, os.DirFS(dir)))
			then = l.copy()
		}
		f := &faults{}
		real := f.disk()
		d := disk{
			write: func(file *os.File, b []byte, offset int64) error {
				if f.op == at && way == "in the middle of it" {
					_ = realDisk.write(file, b[:len(b)/2], offset)
					kill()
				}
				return real.write(file, b, offset)
			},
			sync: real.sync,
		}
		f.before = func(op int) (bool, error) {
			if op == at && way == "before it" {
				kill()
			}
			return false, nil
		}
		f.after = func(op int) error {
			if op == at && way == "after it" {
				kill()
			}
			return nil
		}
		j, err := openOn(dir, Options{Logger: discarded}, d)
		require.NoError(t, err)
		l.live(j)
		require.NoError(t, j.Close())
		if then != nil {
			then.end(t, left)
		}
		l.end(t, dir)
		return f.op
	})
}

func TestADiskMayFailAtAnyMomentOnceOrForGood(t *testing.T) {
	for name, until := range map[string]int{"once": 1, "twice": 2, "three times": 3, "for good": 1 << 30} {
		t.Run(name, func(t *testing.T) {
			everyMoment(t, func(t *testing.T, way string, at int) int {
				dir := t.TempDir()
				l := newLife()
				opened := 1 << 30
				fails := func(op int) bool { return op >= opened+at && op-opened-at < until }
				f := &faults{
					before: func(op int) (bool, error) {
						if fails(op) && way != "after it" {
							return way == "in the middle of it", errIll
						}
						return false, nil
					},
					after: func(op int) error {
						if fails(op) && way == "after it" {
							return errIll
						}
						return nil
					},
				}
				j, err := openOn(dir, Options{Logger: discarded}, f.disk())
				require.NoError(t, err)
				opened = f.op
				l.live(j)
				operations := f.op - opened
				for tries := 0; until < 10; tries++ {
					if err := l.drain(j, 9); err == nil {
						break
					}
					require.Less(t, tries, until, "it goes on")
				}
				_ = j.Close()
				l.end(t, dir)
				return operations
			})
		})
	}
}

// After a failed fsync the content of the disk is unknown: the bytes may be there
// later although the file was truncated before them.
func TestAnAppendWhoseFsyncFailedDoesNotComeBackWithItsBytes(t *testing.T) {
	for name, loses := range map[string]int{"one": 1, "two in a row": 2} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			failing := 0
			var lost [][]byte
			var names []string
			var offsets []int64
			d := realDisk
			d.write = func(f *os.File, b []byte, at int64) error {
				if failing > 0 && filepath.Ext(f.Name()) == segmentSuffix {
					lost, names, offsets = append(lost, append([]byte(nil), b...)), append(names, f.Name()), append(offsets, at)
				}
				return realDisk.write(f, b, at)
			}
			d.sync = func(f *os.File) error {
				if failing > 0 && filepath.Ext(f.Name()) == segmentSuffix {
					return errIll
				}
				return realDisk.sync(f)
			}
			j, err := openOn(dir, Options{Logger: discarded}, d)
			require.NoError(t, err)
			require.NoError(t, j.Append(links(0, 10)))
			failing = 1
			for range loses {
				require.ErrorIs(t, j.Append(links(100, 150)), errIll)
			}
			failing = 0
			require.Equal(t, int64(10), j.Size().Clicks)
			require.NoError(t, j.Append(links(10, 20)))
			require.NoError(t, j.Append(links(20, 30)))
			require.NoError(t, j.Close())
			require.Len(t, lost, loses)
			for i, b := range lost {
				f, err := os.OpenFile(names[i], os.O_WRONLY|os.O_CREATE, 0o600)
				require.NoError(t, err)
				_, err = f.WriteAt(b, offsets[i])
				require.NoError(t, err)
				require.NoError(t, f.Close())
			}
			j, err = Open(dir, Options{Logger: discarded})
			require.NoError(t, err)
			defer j.Close()
			require.Equal(t, int64(30), j.Size().Clicks)
			b, err := j.Next(1000)
			require.NoError(t, err)
			require.Equal(t, links(0, 30), b.Clicks)
		})
	}
}

func TestAnImportMayBeInterruptedAtAnyMoment(t *testing.T) {
	old := OldFile(t)
	everyMoment(t, func(t *testing.T, way string, at int) int {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, oldName), old, 0o600))
		f := &faults{
			before: func(op int) (bool, error) {
				if op >= at && way != "after it" {
					return way == "in the middle of it", errIll
				}
				return false, nil
			},
			after: func(op int) error {
				if op >= at && way == "after it" {
					return errIll
				}
				return nil
			},
		}
		j, err := openOn(dir, Options{Logger: discarded}, f.disk())
		if err != nil {
			require.ErrorIs(t, err, errIll)
		} else {
			_ = j.Close()
		}
		operations := f.op
		if err != nil {
			operations = at + 2
		}
		l := newLife()
		for n := int64(20); n < 200; n++ {
			l.kept[n] = true
		}
		l.end(t, dir)
		return operations
	})
}

func TestQuarantineAfterAFailureNeverTakesAnotherBatch(t *testing.T) {
	failing := false
	d := realDisk
	d.sync = func(f *os.File) error {
		if failing && filepath.Base(f.Name()) == positionName {
			return errIll
		}
		return realDisk.sync(f)
	}
	j, err := openOn(t.TempDir(), Options{Logger: discarded}, d)
	require.NoError(t, err)
	defer j.Close()
	require.NoError(t, j.Append(links(0, 20)))
	_, err = j.Next(10)
	require.NoError(t, err)
	failing = true
	require.ErrorIs(t, j.Quarantine(), errIll, "it may be done nevertheless")
	_, err = j.Next(10)
	require.ErrorIs(t, err, errIll, "Next returns no batch that may be in quarantine")
	require.ErrorIs(t, j.Done(), errIll)
	failing = false
	require.NoError(t, j.Quarantine())
	require.Equal(t, int64(10), j.Size().Quarantined)
	b, err := j.Next(10)
	require.NoError(t, err)
	require.Equal(t, links(10, 20), b.Clicks)
}

func TestNumbersLeapAfterATimeWithoutFsync(t *testing.T) {
	for _, osBuffered := range []bool{true, false} {
		dir := t.TempDir()
		start := func(osBuffered bool) *Journal {
			j, err := Open(dir, Options{OSBuffered: osBuffered, Logger: discarded})
			require.NoError(t, err)
			return j
		}
		j := start(true)
		require.NoError(t, j.Append(links(0, 20)))
		b, err := j.Next(10)
		require.NoError(t, err)
		require.NoError(t, j.Close())
		require.NoError(t, start(osBuffered).Close(), "a start without a batch forgets nothing")
		j = start(osBuffered)
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
		require.NoError(t, j.Close())
	}
}

func TestAFileThatIsCutInUseLosesItsClicksAndNoOthers(t *testing.T) {
	for _, left := range []int64{0, 100, segmentHead, 20_000} {
		dir := t.TempDir()
		j, err := Open(dir, Options{OSBuffered: true, Logger: discarded})
		require.NoError(t, err)
		for n := range int64(200) {
			require.NoError(t, j.Append(links(n*100, n*100+100)))
		}
		require.NoError(t, os.Truncate(j.clicks.path(1), left))
		require.NoError(t, j.Append(links(20_000, 20_100)))
		b, err := j.Next(100_000)
		require.NoError(t, err)
		n := len(b.Clicks)
		require.GreaterOrEqual(t, n, 100)
		require.Less(t, n, 2000)
		require.Equal(t, append(links(0, int64(n-100)), links(20_000, 20_100)...), b.Clicks)
		require.NoError(t, j.Done())
		require.Zero(t, j.Size().Clicks)
		require.NoError(t, j.Append(links(0, 1)))
		require.NoError(t, j.Close())
	}
}
