package linktrack_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

// A slow store takes a thousand clicks a second, and a few seconds for its
// first batch.
type slow struct {
	linktrack.Store
	begun atomic.Bool
}

func (s *slow) RecordClicks(ctx context.Context, b linktrack.Batch) error {
	takes := time.Duration(len(b.Clicks)) * time.Millisecond
	if !s.begun.Swap(true) {
		takes = 5 * time.Second
	}
	select {
	case <-time.After(takes):
		return s.Store.RecordClicks(ctx, b)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestVisitorsWaitForASlowStoreSoThatNoClickIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t, &slow{Store: memstore.New()}, linktrack.Options{Recording: linktrack.RecordingOptions{MaxPending: 5000}}, linktrack.NewLink{})
		var answered atomic.Int64
		var visitors sync.WaitGroup
		end := time.Now().Add(time.Minute)
		for range 64 {
			visitors.Go(func() {
				for time.Now().Before(end) {
					start := time.Now()
					f.passes(linktrack.Visit{})
					if time.Since(start) > 4*time.Second {
						t.Errorf("a visitor waited %v", time.Since(start))
					}
					answered.Add(1)
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		visitors.Wait()
		require.NoError(t, f.tracker.Close(t.Context()))
		require.Zero(t, f.tracker.Stats().Dropped)
		require.Equal(t, answered.Load(), f.counts().People)
		require.Greater(t, answered.Load(), int64(30_000), "the store is kept busy")
	})
}
