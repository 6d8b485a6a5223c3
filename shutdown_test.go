package linktrack_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// Visitors leave after AckTimeout, and the write goes on: the owner of the store
// must not close it before.
func TestCloseWaitsForTheWriteThatVisitorsNoLongerWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New(), Takes: func(linktrack.Batch) time.Duration { return 1500 * time.Millisecond }}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		var visitors sync.WaitGroup
		for range 6 {
			visitors.Go(func() {
				_, err := f.Tracker.Follow(context.Background(), linktrack.Visit{Path: f.Path})
				assert.NoError(t, err)
			})
			synctest.Wait()
		}
		visitors.Wait() // as http.Server.Shutdown does
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.NoError(t, f.Tracker.Close(ctx))
		require.EqualValues(t, 6, f.Counts().People)
	})
}

func TestCloseDoesNotWaitForAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New(), Takes: func(linktrack.Batch) time.Duration { return time.Hour }}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		var left *linktrack.PendingError
		require.ErrorAs(t, f.Tracker.Close(ctx), &left)
		require.EqualValues(t, 1, left.Lost)
		require.LessOrEqual(t, time.Since(began), 10*time.Second)
		time.Sleep(time.Hour)
	})
}

// Another process may have made the link since.
func TestAPathThatWasNoneOnceIsNotCalledNoneWhileTheStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := memstore.New()
		store := &trackertest.FaultyStore{Store: kept}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		visit := linktrack.Visit{Path: "spring"}
		_, err := f.Tracker.Follow(t.Context(), visit)
		require.ErrorIs(t, err, linktrack.ErrNotFound)
		time.Sleep(time.Hour)
		store.Down.Store(true)
		for range 3 { // the store is asked; then it is known to be down
			_, err = f.Tracker.Follow(t.Context(), visit)
			require.ErrorIs(t, err, linktrack.ErrUnavailable)
		}
		require.NotErrorIs(t, err, linktrack.ErrNotFound)
		store.Down.Store(false)
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}
