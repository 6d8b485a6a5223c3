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
	"github.com/linktrackhq/linktrack/memstore"
)

// A sluggishStore takes its time to record clicks.
type sluggishStore struct {
	linktrack.Store
	takes time.Duration
}

func (s *sluggishStore) RecordClicks(ctx context.Context, b linktrack.Batch) error {
	select {
	case <-time.After(s.takes):
		return s.Store.RecordClicks(ctx, b)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Visitors leave after AckTimeout, and the write goes on: the owner of the store
// must not close it before.
func TestCloseWaitsForTheWriteThatVisitorsNoLongerWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &sluggishStore{Store: memstore.New(), takes: 1500 * time.Millisecond}
		f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		var visitors sync.WaitGroup
		for range 6 {
			visitors.Go(func() {
				_, err := f.tracker.Follow(context.Background(), linktrack.Visit{Path: f.path})
				assert.NoError(t, err)
			})
			synctest.Wait()
		}
		visitors.Wait() // as http.Server.Shutdown does
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.NoError(t, f.tracker.Close(ctx))
		require.EqualValues(t, 6, f.counts().People)
	})
}

func TestCloseDoesNotWaitForAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &sluggishStore{Store: memstore.New(), takes: time.Hour}
		f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.passes(linktrack.Visit{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		var left *linktrack.PendingError
		require.ErrorAs(t, f.tracker.Close(ctx), &left)
		require.EqualValues(t, 1, left.Lost)
		require.LessOrEqual(t, time.Since(began), 10*time.Second)
		time.Sleep(time.Hour)
	})
}

// Another process may have made the link since.
func TestAPathThatWasNoneOnceIsNotCalledNoneWhileTheStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := memstore.New()
		store := &flaky{Store: kept}
		f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		visit := linktrack.Visit{Path: "spring"}
		_, err := f.tracker.Follow(t.Context(), visit)
		require.ErrorIs(t, err, linktrack.ErrNotFound)
		time.Sleep(time.Hour)
		store.down.Store(true)
		for range 3 { // the store is asked; then it is known to be down
			_, err = f.tracker.Follow(t.Context(), visit)
			require.ErrorIs(t, err, linktrack.ErrUnavailable)
		}
		require.NotErrorIs(t, err, linktrack.ErrNotFound)
		store.down.Store(false)
		require.NoError(t, f.tracker.Close(t.Context()))
	})
}
