package linktrack_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// A closable store records the calls that it gets after its Tracker is closed.
// There must be none, because the host closes the store then.
type closable struct {
	linktrack.Store
	applied atomic.Int64
	closed  atomic.Bool
	late    atomic.Int64
	failing atomic.Bool
	panics  atomic.Bool
	prune   func(context.Context)
	takes   atomic.Int64 // nanoseconds of an ApplyClicks
	running atomic.Int64
	crowded atomic.Bool // two ran at a time
}

func (c *closable) ApplyClicks(ctx context.Context, zone *time.Location, daySince time.Time) (linktrack.LogSize, error) {
	if c.closed.Load() {
		c.late.Add(1)
	}
	c.applied.Add(1)
	if c.running.Add(1) > 1 {
		c.crowded.Store(true)
	}
	defer c.running.Add(-1)
	select {
	case <-time.After(time.Duration(c.takes.Load())):
	case <-ctx.Done():
		return linktrack.LogSize{}, ctx.Err()
	}
	if c.panics.Load() {
		panic("a bug of the store's")
	}
	if c.failing.Load() {
		return linktrack.LogSize{}, trackertest.ErrDown
	}
	return c.Store.ApplyClicks(ctx, zone, daySince)
}

func (c *closable) PruneClicks(ctx context.Context, before time.Time) error {
	if c.prune != nil {
		c.prune(ctx)
	}
	return c.Store.PruneClicks(ctx, before)
}

func TestCloseAppliesTheLogAndThenTheStoreIsLeftAlone(t *testing.T) {
	for name, failing := range map[string]bool{"a store that works": false, "a store that fails": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &closable{Store: memstore.New()}
				store.failing.Store(failing)
				f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
				f.Passes(linktrack.Visit{})
				time.Sleep(1500 * time.Millisecond)
				require.EqualValues(t, 1, store.applied.Load(), "a second after the click")
				f.Passes(linktrack.Visit{})
				require.NoError(t, f.Tracker.Close(t.Context()))
				require.EqualValues(t, 2, store.applied.Load(), "what was put off is finished at the end")
				store.closed.Store(true)
				require.NoError(t, f.Tracker.Close(t.Context()))
				time.Sleep(time.Hour)
				require.Zero(t, store.late.Load())
			})
		})
	}
}

func TestASlowStoreAppliesItsLogOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &closable{Store: memstore.New()}
		store.takes.Store(int64(10 * time.Second))
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		for range 99 {
			f.Passes(linktrack.Visit{})
			time.Sleep(time.Second)
		}
		require.False(t, store.crowded.Load())
		require.EqualValues(t, 9, store.applied.Load(), "in 99 seconds")
		time.Sleep(time.Minute)
		applied := store.applied.Load()
		time.Sleep(time.Hour)
		require.LessOrEqual(t, store.applied.Load(), applied+60, "it asks once a minute when there is nothing new")
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestManyReadersShareTheCallsThatApplyTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &closable{Store: memstore.New()}
		store.takes.Store(int64(time.Second))
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		before := store.applied.Load()
		f.Passes(linktrack.Visit{})
		var readers sync.WaitGroup
		for range 100 {
			readers.Go(func() {
				l, err := f.Tracker.Link(t.Context(), f.Account, f.Path)
				assert.NoError(t, err)
				assert.EqualValues(t, 1, l.Counts.People, "a read finds the clicks that were answered before it")
			})
		}
		readers.Wait()
		require.LessOrEqual(t, store.applied.Load(), before+3)
		require.False(t, store.crowded.Load())
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestAReaderDoesNotWaitLongForALogThatIsNotApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &closable{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{Logger: slog.New(slog.DiscardHandler)}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		require.EqualValues(t, 1, f.Counts().People)
		store.takes.Store(int64(time.Hour))
		f.Passes(linktrack.Visit{})
		start := time.Now()
		require.EqualValues(t, 1, f.Counts().People, "the reader gets what was applied")
		require.Equal(t, 3*time.Second, time.Since(start))
		time.Sleep(time.Minute)
		start = time.Now()
		require.EqualValues(t, 1, f.Counts().People)
		require.Equal(t, 100*time.Millisecond, time.Since(start), "it is known that the log is behind")
		store.takes.Store(0)
		time.Sleep(time.Minute)
		require.EqualValues(t, 2, f.Counts().People)
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestAStoreThatPanicsWhenItAppliesHasFailedAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		store := &closable{Store: memstore.New()}
		store.panics.Store(true)
		f := trackertest.Follow(t, store, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		time.Sleep(10 * time.Second)
		store.panics.Store(false)
		time.Sleep(2 * time.Second)
		require.Equal(t, 1, strings.Count(log.String(), "is not applied in time"))
		require.Contains(t, log.String(), "is applied again")
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

// A filling store has a log that nobody applies.
type filling struct {
	linktrack.Store
	size atomic.Pointer[linktrack.LogSize]
}

func (s *filling) ApplyClicks(context.Context, *time.Location, time.Time) (linktrack.LogSize, error) {
	return *s.size.Load(), nil
}

func TestALogThatIsFullDropsClicksAndCountsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		store := &filling{Store: memstore.New()}
		store.size.Store(&linktrack.LogSize{})
		f := trackertest.Follow(t, store, linktrack.Options{
			Recording: linktrack.RecordingOptions{MaxLogBytes: 1 << 20},
			Logger:    slog.New(slog.NewTextHandler(&log, nil)),
		}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		require.Zero(t, f.Tracker.Stats().Dropped)
		store.size.Store(&linktrack.LogSize{Clicks: 4000, Bytes: 1 << 20, Oldest: time.Now().Add(-5 * time.Minute), Quarantined: 7})
		time.Sleep(2 * time.Second)
		for range 10 {
			f.Passes(linktrack.Visit{})
		}
		s := f.Tracker.Stats()
		require.EqualValues(t, 10, s.Dropped, "redirects go on")
		require.EqualValues(t, 4000, s.LogClicks)
		require.EqualValues(t, 1<<20, s.LogBytes)
		require.EqualValues(t, 7, s.LogQuarantined)
		require.Equal(t, 5*time.Minute+2*time.Second, s.LogAge)
		require.Equal(t, 1, strings.Count(log.String(), "click log is full"), log.String())
		require.Equal(t, 1, strings.Count(log.String(), "is not applied in time"), log.String())
		store.size.Store(&linktrack.LogSize{})
		time.Sleep(2 * time.Minute)
		f.Passes(linktrack.Visit{})
		require.EqualValues(t, 10, f.Tracker.Stats().Dropped)
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestClicksAreWrittenAtTheEndThoughAPruningDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		store := &closable{Store: memstore.New(), prune: func(context.Context) { <-over }}
		f := trackertest.Follow(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckBuffered, FlushInterval: time.Hour}}, linktrack.NewLink{})
		time.Sleep(2 * time.Minute) // the pruning begins, and does not heed its context
		f.Passes(linktrack.Visit{})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		require.NoError(t, f.Tracker.Close(ctx), "the click is stored first")
		require.EqualValues(t, 1, f.Counts().People)
		close(over)
	})
}

func TestAConversionIsAppliedThoughNobodyClicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &closable{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{}, trackertest.Convertible)
		click := f.Clicks()
		time.Sleep(10 * time.Second)
		before := store.applied.Load()
		require.True(t, f.Convert(linktrack.Conversion{Click: click}))
		time.Sleep(10 * time.Second)
		require.Equal(t, before+1, store.applied.Load())
		require.False(t, f.Convert(linktrack.Conversion{Click: click}))
		time.Sleep(10 * time.Second)
		require.Equal(t, before+1, store.applied.Load(), "one that was counted before leaves nothing to do")
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestALogThatIsFullGetsNoClicksThatAFullJournalDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := &filling{Store: memstore.New()}
		full.size.Store(&linktrack.LogSize{Clicks: 4000, Bytes: 1 << 20, Oldest: time.Now()})
		store, journal := &trackertest.FaultyStore{Store: full}, newLockedJournal()
		f := trackertest.Follow(t, store, linktrack.Options{
			Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: journal, MaxLogBytes: 1 << 20},
			Logger:    slog.New(slog.DiscardHandler),
		}, linktrack.NewLink{})
		time.Sleep(2 * time.Second)
		journal.full = true
		for range 10 {
			f.Passes(linktrack.Visit{})
		}
		require.Empty(t, store.Batches(), "the log is at its bound")
		require.EqualValues(t, 10, f.Tracker.Stats().Dropped)
		require.Zero(t, f.Tracker.Stats().Pending)
		require.Zero(t, f.Tracker.Stats().PendingBytes)
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

// A partial store applies clicks and never gets to the end of its log.
type partial struct{ linktrack.Store }

func (s *partial) ApplyClicks(ctx context.Context, zone *time.Location, daySince time.Time) (linktrack.LogSize, error) {
	_, err := s.Store.ApplyClicks(ctx, zone, daySince)
	if err == nil {
		err = trackertest.ErrDown
	}
	return linktrack.LogSize{Clicks: 1, Bytes: 100, Oldest: time.Now(), Quarantined: 5}, err
}

func TestALogThatIsAppliedInPartIsNotTakenForFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := trackertest.Follow(t, &partial{memstore.New()}, linktrack.Options{
			Recording: linktrack.RecordingOptions{MaxLogBytes: 1 << 20},
			Logger:    slog.New(slog.DiscardHandler),
		}, linktrack.NewLink{})
		for range 100 {
			for range 100 {
				f.Passes(linktrack.Visit{})
			}
			time.Sleep(2 * time.Second)
		}
		s := f.Tracker.Stats()
		require.Zero(t, s.Dropped)
		require.EqualValues(t, 5, s.LogQuarantined)
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestAClosedTrackerAppliesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &closable{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		require.NoError(t, f.Tracker.Close(t.Context()))
		store.closed.Store(true)
		f.Counts()
		synctest.Wait()
		require.Zero(t, store.late.Load())
	})
}
