package linktrack_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// A closable store notes calls that it must not get once its Tracker is closed,
// for then whoever opened it closes it.
type closable struct {
	linktrack.Store
	rolled  atomic.Int64
	closed  atomic.Bool
	late    atomic.Int64
	failing atomic.Bool
	panics  atomic.Bool
	prune   func(context.Context)
	takes   time.Duration // a RollUp
	running atomic.Int64
	crowded atomic.Bool // two ran at a time
}

func (c *closable) RollUp(ctx context.Context, daySince time.Time) error {
	if c.closed.Load() {
		c.late.Add(1)
	}
	c.rolled.Add(1)
	if c.running.Add(1) > 1 {
		c.crowded.Store(true)
	}
	defer c.running.Add(-1)
	time.Sleep(c.takes)
	if c.panics.Load() {
		panic("a bug of the store's")
	}
	if c.failing.Load() {
		return trackertest.ErrDown
	}
	return c.Store.RollUp(ctx, daySince)
}

func (c *closable) PruneClicks(ctx context.Context, before time.Time) error {
	if c.prune != nil {
		c.prune(ctx)
	}
	return c.Store.PruneClicks(ctx, before)
}

func TestCloseFinishesTheRollUpAndThenTheStoreIsLeftAlone(t *testing.T) {
	for name, failing := range map[string]bool{"a store that works": false, "a store that fails": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &closable{Store: memstore.New()}
				store.failing.Store(failing)
				f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
				f.Passes(linktrack.Visit{})
				time.Sleep(1500 * time.Millisecond)
				require.EqualValues(t, 1, store.rolled.Load(), "a second after the click")
				f.Passes(linktrack.Visit{})
				require.NoError(t, f.Tracker.Close(t.Context()))
				require.EqualValues(t, 2, store.rolled.Load(), "what was put off is finished at the end")
				store.closed.Store(true)
				require.NoError(t, f.Tracker.Close(t.Context()))
				time.Sleep(time.Hour)
				require.Zero(t, store.late.Load())
			})
		})
	}
}

func TestASlowStoreRollsUpOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &closable{Store: memstore.New(), takes: 10 * time.Second}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		for range 99 {
			f.Passes(linktrack.Visit{})
			time.Sleep(time.Second)
		}
		require.False(t, store.crowded.Load())
		require.EqualValues(t, 9, store.rolled.Load(), "in 99 seconds")
		time.Sleep(time.Minute)
		rolled := store.rolled.Load()
		time.Sleep(time.Hour)
		require.Equal(t, rolled, store.rolled.Load(), "it rests when there is nothing new")
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestAStoreThatPanicsWhenItRollsUpHasFailedAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		store := &closable{Store: memstore.New()}
		store.panics.Store(true)
		f := trackertest.Follow(t, store, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		time.Sleep(10 * time.Second)
		store.panics.Store(false)
		time.Sleep(2 * time.Second)
		require.Equal(t, 1, strings.Count(log.String(), "fall behind"))
		require.Contains(t, log.String(), "up to date again")
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

func TestAConversionIsRolledUpThoughNobodyClicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &closable{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{}, trackertest.Convertible)
		click := f.Clicks()
		time.Sleep(time.Minute)
		before := store.rolled.Load()
		require.True(t, f.Convert(linktrack.Conversion{Click: click}))
		time.Sleep(time.Minute)
		require.Equal(t, before+1, store.rolled.Load())
		require.False(t, f.Convert(linktrack.Conversion{Click: click}))
		time.Sleep(time.Minute)
		require.Equal(t, before+1, store.rolled.Load(), "one that was counted before leaves nothing to do")
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}
