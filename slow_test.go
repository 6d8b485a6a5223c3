package linktrack_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestVisitorsWaitForASlowStoreSoThatNoClickIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Bool
		store := &trackertest.FaultyStore{Store: memstore.New(), Takes: func(b linktrack.Batch) time.Duration {
			if !begun.Swap(true) {
				return 5 * time.Second // for its first batch; then it takes a thousand clicks a second
			}
			return time.Duration(len(b.Clicks)) * time.Millisecond
		}}
		f := trackertest.Follow(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{MaxPending: 5000}}, linktrack.NewLink{})
		var answered atomic.Int64
		var visitors sync.WaitGroup
		end := time.Now().Add(time.Minute)
		for range 64 {
			visitors.Go(func() {
				for time.Now().Before(end) {
					start := time.Now()
					f.Passes(linktrack.Visit{})
					if time.Since(start) > 4*time.Second {
						t.Errorf("a visitor waited %v", time.Since(start))
					}
					answered.Add(1)
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		visitors.Wait()
		require.NoError(t, f.Tracker.Close(t.Context()))
		require.Zero(t, f.Tracker.Stats().Dropped)
		require.Equal(t, answered.Load(), f.Counts().People)
		require.Greater(t, answered.Load(), int64(30_000), "the store is kept busy")
	})
}
