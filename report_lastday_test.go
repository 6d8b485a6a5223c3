package linktrack_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// A countingStore counts reads of roll-ups, and fails while it is down.
type countingStore struct {
	*memstore.Store
	reads, most, sum atomic.Int64
	down             bool
}

func (s *countingStore) Rollups(ctx context.Context, of linktrack.RollupOf, first, last linktrack.Day) ([]linktrack.Rollup, error) {
	s.sum.Add(1)
	n := s.reads.Add(1)
	defer s.reads.Add(-1)
	for m := s.most.Load(); n > m && !s.most.CompareAndSwap(m, n); m = s.most.Load() {
	}
	if s.down {
		return nil, errors.New("no connection")
	}
	return s.Store.Rollups(ctx, of, first, last)
}

func TestTheLastDayReadsFewAtATimeAndOnlyWhatWasClicked(t *testing.T) {
	store := &countingStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	for i := range 50 {
		l := s.AddLink(linktrack.NewLink{})
		if i%2 == 0 {
			s.Record(linktrack.Click{ID: linktrack.NewClickID(time.Now()), Link: l.ID})
		}
	}
	links, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{})
	require.NoError(t, err)
	_, err = s.Tracker.LastDay(t.Context(), s.Account, links)
	require.NoError(t, err)
	require.Equal(t, int64(25), store.sum.Load())
	require.LessOrEqual(t, store.most.Load(), int64(4))
	store.down = true
	_, err = s.Tracker.LastDay(t.Context(), s.Account, links)
	require.ErrorIs(t, err, linktrack.ErrUnavailable)
}
