package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// A sum is what a link must have counted, and its history.
type sum struct {
	counts linktrack.Counts
	clicks []linktrack.Click // in any order
}

// tally counts clicks the plain way, by link.
func tally(clicks []linktrack.Click) map[int64]sum {
	sums := map[int64]sum{}
	for _, k := range clicks {
		s := sums[k.Link]
		s.clicks = append(s.clicks, k)
		switch {
		case k.Bot:
			s.counts.Bots++
		case k.Unique:
			s.counts.People++
			s.counts.Unique++
		default:
			s.counts.People++
		}
		if at := k.ID.Time(); at.After(s.counts.LastClick) {
			s.counts.LastClick = at
		}
		sums[k.Link] = s
	}
	return sums
}

// requireTally checks that a link's counters, history and hourly sums are what
// its clicks add up to. Used is not looked at.
func requireTally(t *testing.T, s linktrack.Store, l linktrack.Link, want sum) {
	t.Helper()
	got := look(t, s, l).Counts
	got.Used, got.Day = 0, 0
	require.Equal(t, want.counts, got, "the counters of %s are the sums of its clicks", l.Path)
	require.Equal(t, append([]linktrack.Click{}, inOrder(want.clicks)...), append([]linktrack.Click{}, recorded(t, s, l.ID)...),
		"the history of %s is its clicks, each once, in the order of ids", l.Path)
	for _, back := range []int{0, 1, 7, 24, 48} {
		since := noon.Add(-time.Duration(back) * time.Hour).Truncate(time.Hour)
		var day int64
		for _, k := range want.clicks {
			if !k.Bot && !k.ID.Time().Before(since) {
				day++
			}
		}
		require.Equal(t, day, dayCount(t, s, l, since), "the hours of %s since %v are the people's clicks in its history", l.Path, since)
	}
}
