package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var sums = []rule{
	{"the sums of an account, a group and a tag are those of its links", func(t *testing.T, s linktrack.Store) {
		made := []linktrack.Link{
			summed(t, s, "a", "News", "Red", "Blue"), summed(t, s, "b", "News", "Red"), summed(t, s, "c", ""),
		}
		other := plain("other")
		other.Account = owner + 1
		other = create(t, s, other)
		var clicks []linktrack.Click
		for i, l := range append(made, other) {
			for n := range 3 + i {
				k := visitor(l.ID, noon.Add(time.Duration(n)*20*time.Hour))
				k.ReferrerHost = fmt.Sprint("r", n)
				clicks = append(clicks, k, bot(l.ID, noon))
			}
		}
		send(t, s, clicks...)
		c := conversion(made[0], "order")
		c.Value, c.Currency = 25000, "EUR"
		_, err := s.RecordConversion(t.Context(), c, time.UTC)
		require.NoError(t, err, "a conversion is counted")
		apply(t, s, time.UTC)
		for _, of := range []struct {
			linktrack.RollupOf
			links []linktrack.Link
		}{
			{linktrack.RollupOf{Account: owner}, made},
			{linktrack.RollupOf{Account: owner, Group: "nEWS"}, made[:2]},
			{linktrack.RollupOf{Account: owner, Tag: "RED"}, made[:2]},
			{linktrack.RollupOf{Account: owner, Tag: "blue"}, made[:1]},
			{linktrack.RollupOf{Account: owner, Tag: "News"}, nil},
			{linktrack.RollupOf{Account: owner, Group: "unknown"}, nil},
			{linktrack.RollupOf{Account: owner + 1}, []linktrack.Link{other}},
			{linktrack.RollupOf{Account: owner + 1, Group: "News"}, nil},
			{linktrack.RollupOf{Account: owner + 2}, nil},
		} {
			require.Equal(t, addedUp(t, s, of.links), sumsOf(t, s, of.RollupOf), "%+v", of.RollupOf)
		}
		all := sumsOf(t, s, linktrack.RollupOf{Account: owner})
		require.Equal(t, all[1:2], sumsBetween(t, s, linktrack.RollupOf{Account: owner}, all[1].Day, all[1].Day), "first and last are included")
	}},
	{"past sums stay where they were counted when a link changes", func(t *testing.T, s linktrack.Store) {
		l := summed(t, s, "a", "News", "Red")
		send(t, s, people(l.ID, 3, noon)...)
		before := sumsOf(t, s, linktrack.RollupOf{Account: owner})
		edit(t, s, l.ID, func(l *linktrack.Link) { l.Group, l.Tags = "Other", []string{"Blue"} })
		send(t, s, people(l.ID, 2, noon)...)
		edit(t, s, l.ID, func(l *linktrack.Link) { l.Account, l.Group, l.Tags = owner+1, "News", nil })
		send(t, s, people(l.ID, 4, noon)...)
		for of, want := range map[linktrack.RollupOf]int64{
			{Account: owner}: 5, {Account: owner, Group: "News"}: 3, {Account: owner, Group: "Other"}: 2,
			{Account: owner, Tag: "Red"}: 3, {Account: owner, Tag: "Blue"}: 2,
			{Account: owner + 1}: 4, {Account: owner + 1, Group: "News"}: 4,
		} {
			got := sumsOf(t, s, of)
			require.Len(t, got, 1, "%+v", of)
			require.Equal(t, want, got[0].People, "%+v", of)
		}
		require.Equal(t, int64(3), before[0].People, "what was returned is the caller's")
		require.Equal(t, int64(9), sumsOf(t, s, linktrack.RollupOf{Link: l.ID})[0].People, "the sums of a link go with it")
	}},
	{"the past of a deleted link stays in the sums", func(t *testing.T, s linktrack.Store) {
		l := summed(t, s, "a", "News", "Red")
		send(t, s, people(l.ID, 3, noon)...)
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeletedAt = noon })
		for _, of := range []linktrack.RollupOf{{Account: owner}, {Account: owner, Group: "News"}, {Account: owner, Tag: "Red"}} {
			require.Equal(t, int64(3), sumsOf(t, s, of)[0].People, "%+v", of)
		}
	}},
	{"the sums of an account have at most 100 values of a property, and the sum is exact", func(t *testing.T, s linktrack.Store) {
		one, two := summed(t, s, "a", ""), summed(t, s, "b", "")
		for step := range 3 {
			var clicks []linktrack.Click
			for i := range 90 {
				for _, l := range []linktrack.Link{one, two} {
					k := person(l.ID, noon)
					k.ReferrerHost = fmt.Sprint(l.ID, "-", step, "-", i)
					clicks = append(clicks, k)
				}
			}
			send(t, s, clicks...)
		}
		day := sumsOf(t, s, linktrack.RollupOf{Account: owner})[0]
		require.Len(t, day.Referrers.Top, 100, "the size of a roll-up is bounded")
		sum := day.Referrers.Other
		for _, n := range day.Referrers.Top {
			sum += n
		}
		require.Equal(t, int64(540), sum, "no click is lost")
		require.Equal(t, int64(540), day.People, "no click is lost")
	}},
	{"a conversion that is taken back is taken from the sums", func(t *testing.T, s linktrack.Store) {
		l := summed(t, s, "a", "News", "Red")
		forged, trusted := conversion(l, "order"), conversion(l, "order")
		forged.Value, forged.Currency = 1_000_000, "USD"
		trusted.Value, trusted.Currency, trusted.Trusted = 25000, "EUR", true
		for _, c := range []linktrack.Conversion{forged, trusted} {
			counted, err := s.RecordConversion(t.Context(), c, time.UTC)
			require.NoError(t, err, "a conversion is counted")
			require.True(t, counted, "a trusted conversion replaces one that is not")
			apply(t, s, time.UTC)
		}
		for _, of := range []linktrack.RollupOf{{Account: owner}, {Account: owner, Group: "News"}, {Account: owner, Tag: "Red"}} {
			require.Equal(t, addedUp(t, s, []linktrack.Link{l}), sumsOf(t, s, of), "%+v", of)
			require.Equal(t, map[string]int64{"EUR": 25000}, sumsOf(t, s, of)[0].Values, "%+v", of)
		}
	}},
	{"clicks that are re-classified move in the sums, too", func(t *testing.T, s linktrack.Store) {
		r, ok := s.(linktrack.ClickReclassifier)
		if !ok {
			t.Skip("the store does not re-classify clicks")
		}
		l := summed(t, s, "a", "News", "Red")
		sent := people(l.ID, 3, noon)
		send(t, s, sent...)
		_, err := r.ReclassifyClicks(t.Context(), []linktrack.Verdict{{Click: linktrack.ClickRef{Link: l.ID, ID: sent[1].ID}, Bot: true}}, time.UTC)
		require.NoError(t, err, "a click of the history is re-classified")
		for _, of := range []linktrack.RollupOf{{Account: owner}, {Account: owner, Group: "News"}, {Account: owner, Tag: "Red"}} {
			require.Equal(t, addedUp(t, s, []linktrack.Link{l}), sumsOf(t, s, of), "%+v", of)
			require.Equal(t, int64(1), sumsOf(t, s, of)[0].Bots, "%+v", of)
		}
	}},
}

func summed(t *testing.T, s linktrack.Store, path, group string, tags ...string) linktrack.Link {
	t.Helper()
	l := plain(path)
	l.Group, l.Tags = group, tags
	return create(t, s, l)
}

func sumsOf(t *testing.T, s linktrack.Store, of linktrack.RollupOf) []linktrack.Rollup {
	t.Helper()
	return sumsBetween(t, s, of, 0, 1<<30)
}

func sumsBetween(t *testing.T, s linktrack.Store, of linktrack.RollupOf, first, last linktrack.Day) []linktrack.Rollup {
	t.Helper()
	found, err := s.Rollups(t.Context(), of, first, last)
	require.NoError(t, err, "roll-ups can be read at any time")
	return found
}

// addedUp returns the sums of the roll-ups of links by day.
func addedUp(t *testing.T, s linktrack.Store, links []linktrack.Link) []linktrack.Rollup {
	t.Helper()
	all := []linktrack.Rollup{}
	for day := linktrack.DayOf(noon) - 5; day < linktrack.DayOf(noon)+20; day++ {
		sum := linktrack.Rollup{Day: day}
		for _, l := range links {
			for _, r := range sumsBetween(t, s, linktrack.RollupOf{Link: l.ID}, day, day) {
				sum.Merge(r)
			}
		}
		if sum.Trim() {
			all = append(all, sum)
		}
	}
	return all
}
