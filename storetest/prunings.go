package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// midnight is where the day (UTC) of noon begins.
var midnight = noon.Truncate(24 * time.Hour)

func prune(t *testing.T, s linktrack.Store, before time.Time) {
	t.Helper()
	require.NoError(t, s.PruneClicks(t.Context(), before), "history can be pruned, whatever there is of it")
}

func sumsAround(t *testing.T, s linktrack.Store, l linktrack.Link) []linktrack.Rollup {
	t.Helper()
	day := linktrack.DayOf(noon)
	found, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: l.ID}, day-1, day+1)
	require.NoError(t, err, "sums by the day can be read")
	return found
}

var prunings = []rule{
	{"pruning removes the clicks of whole days and nothing else", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 2)
		var all []linktrack.Click
		for d := -2; d <= 1; d++ {
			start := midnight.AddDate(0, 0, d)
			for _, at := range []time.Time{start, start.Add(24*time.Hour - time.Microsecond)} {
				all = append(all, person(made[0].ID, at))
			}
		}
		send(t, s, all...)
		send(t, s, person(made[1].ID, midnight.AddDate(0, 0, -1)))
		for _, c := range []struct {
			why    string
			before time.Time
			left   int // of all
		}{
			{"the zero time is before all days", time.Time{}, 8},
			{"no day had ended by then", midnight.AddDate(0, 0, -2), 8},
			{"the day has not ended", midnight.AddDate(0, 0, -1).Add(-time.Microsecond), 8},
			{"a day that ended at the moment given is removed", midnight.AddDate(0, 0, -1), 6},
			{"days are those of UTC", midnight.In(time.FixedZone("", -6*3600)), 4},
			{"what is gone can be pruned again", midnight, 4},
			{"the day of the moment given stays", noon, 4},
			{"of a day that has nearly ended all stays", midnight.Add(24*time.Hour - time.Microsecond), 4},
			{"all days may go", midnight.AddDate(0, 0, 2), 0},
		} {
			prune(t, s, c.before)
			require.Equal(t, append([]linktrack.Click{}, all[len(all)-c.left:]...), append([]linktrack.Click{}, recorded(t, s, made[0].ID)...), c.why)
		}
		require.Empty(t, recorded(t, s, made[1].ID), "the clicks of all links go")
	}},
	{"pruning leaves counts and limits as they are", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 10))
		granted, err := reserveFor(t.Context(), s, l.ID, 4)
		require.NoError(t, err, "some may pass")
		require.Equal(t, 4, granted, "some may pass")
		send(t, s, visitor(l.ID, noon), person(l.ID, noon), bot(l.ID, noon), person(l.ID, noon.Add(time.Minute)))
		before, days := look(t, s, l), sumsAround(t, s, l)
		prune(t, s, midnight.AddDate(0, 0, 2))
		require.Empty(t, recorded(t, s, l.ID), "the history is gone")
		require.Equal(t, before, look(t, s, l), "the counts are not")
		require.EqualValues(t, 3, dayCount(t, s, l, noon.Add(-time.Hour)), "nor are the sums by the hour")
		require.Equal(t, days, sumsAround(t, s, l), "nor are the sums by the day")
	}},
	{"clicks that come after their day was pruned are recorded, and can be pruned", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		send(t, s, person(l.ID, noon))
		prune(t, s, midnight.AddDate(0, 0, 1))
		late, new := person(l.ID, noon), person(l.ID, noon.AddDate(0, 0, 1))
		send(t, s, late, new)
		require.EqualValues(t, 3, look(t, s, l).Counts.People, "they count")
		prune(t, s, midnight.AddDate(0, 0, 1))
		require.Equal(t, []linktrack.Click{new}, recorded(t, s, l.ID), "a late click is not kept forever")
	}},
}
