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

func TestTheLastDayAddsUpToItsCount(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{})
		for range 3 {
			l := s.AddLink(linktrack.NewLink{})
			s.Record(someClicks(l.ID, 500, time.Now().Add(-48*time.Hour), 2)...)
		}
		s.AddLink(linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: "quiet"}})
		links, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{})
		require.NoError(t, err)
		hours, err := s.Tracker.LastDay(t.Context(), s.Account, links)
		require.NoError(t, err)
		require.Len(t, hours, 4)
		require.Nil(t, hours[0], "nobody clicked")
		for i, l := range links[1:] {
			periods := hours[i+1]
			require.Len(t, periods, 25)
			var people int64
			for j, p := range periods {
				people += p.People
				if j > 0 {
					require.Equal(t, time.Hour, p.Start.Sub(periods[j-1].Start))
				}
			}
			require.Equal(t, l.Counts.Day, people)
			require.Less(t, time.Since(periods[24].Start), time.Hour+time.Minute)
		}
		hours, err = s.Tracker.LastDay(t.Context(), linktrack.Account{ID: s.Account.ID + 1}, links)
		require.NoError(t, err)
		require.Equal(t, make([][]linktrack.Period, 4), hours, "they are another account's")
	})
}

// A countingStore counts reads of roll-ups, and fails while it is down.
type countingStore struct {
	*memstore.Store
	reads, most, sum atomic.Int64
	down             bool
}

func (s *countingStore) Rollups(ctx context.Context, link int64, first, last linktrack.Day) ([]linktrack.Rollup, error) {
	s.sum.Add(1)
	n := s.reads.Add(1)
	defer s.reads.Add(-1)
	for m := s.most.Load(); n > m && !s.most.CompareAndSwap(m, n); m = s.most.Load() {
	}
	if s.down {
		return nil, errors.New("no connection")
	}
	return s.Store.Rollups(ctx, link, first, last)
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
