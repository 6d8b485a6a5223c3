package storetest

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var history = []rule{
	{"every field of a click comes back as it was given", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		var want []linktrack.Click
		for i, ip := range []netip.Addr{
			netip.MustParseAddr("203.0.113.255"),
			netip.MustParseAddr("2001:db8::ff00:42:8329"),
			netip.MustParseAddr("0.0.0.0"),
			netip.MustParseAddr("::"),
			{},
		} {
			at := noon.Add(time.Duration(i) * time.Microsecond)
			want = append(want, linktrack.Click{
				ID: linktrack.NewClickID(at), Link: l.ID, IP: ip,
				Referrer:     "https://example.com/?" + odd,
				ReferrerHost: "exämple.com",
				UserAgent:    "agent " + odd,
				Browser:      "browser " + odd,
				Platform:     "platform " + odd,
				Query:        "utm=%20&x=" + odd,
				Unique:       i%2 == 0,
			})
		}
		want = append(want, bot(l.ID, noon.Add(time.Second)))
		send(t, s, want...)
		got := recorded(t, s, l.ID)
		require.Equal(t, want, got, "the history has what was recorded: text as it was, a version 4 address as one, no address as none")
		require.Equal(t, noon, got[0].ID.Time(), "the time of a click is kept to the microsecond")
	}},
	{"a click comes back with its class and its reason", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		var want []linktrack.Click
		for i := range 256 {
			k := person(l.ID, noon.Add(time.Duration(i)*time.Second))
			k.Bot = i%2 == 0
			k.Class, k.Reason = linktrack.ClickClass(i), linktrack.ClickReason(255-i)
			want = append(want, k)
		}
		send(t, s, want...)
		require.Equal(t, want, recorded(t, s, l.ID), "0 is a click without a class, and numbers that are not known yet are kept")
	}},
	{"each text of a click is its own", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		want := []linktrack.Click{{ID: linktrack.NewClickID(noon), Link: l.ID}}
		for i := range 6 {
			k := linktrack.Click{ID: linktrack.NewClickID(noon.Add(time.Duration(i+1) * time.Second)), Link: l.ID}
			*[]*string{&k.Referrer, &k.ReferrerHost, &k.UserAgent, &k.Browser, &k.Platform, &k.Query}[i] = "text"
			want = append(want, k)
		}
		send(t, s, want...)
		require.Equal(t, want, recorded(t, s, l.ID), "what a click does not have comes back as \"\"")
	}},
	{"values of maximal length are kept whole", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		var want []linktrack.Click
		for i, char := range []string{"x", "é", "😀"} {
			k := person(l.ID, noon.Add(time.Duration(i)*time.Second))
			k.Referrer = strings.Repeat(char, 2048)
			k.ReferrerHost = strings.Repeat(char, 255)
			k.UserAgent = strings.Repeat(char, 1024)
			k.Browser = strings.Repeat(char, 255)
			k.Platform = strings.Repeat(char, 255)
			k.Query = strings.Repeat(char, 2048)
			want = append(want, k)
		}
		send(t, s, want...)
		require.Equal(t, want, recorded(t, s, l.ID), "long values are not truncated; their lengths are in characters")
	}},
	{"a history is one link's, in the order of ids", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 2)
		var mine, theirs []linktrack.Click
		for i := range 200 {
			at := noon.Add(time.Duration(i*37%50) * time.Microsecond) // four in each microsecond
			mine = append(mine, person(made[0].ID, at))
			theirs = append(theirs, person(made[1].ID, at))
		}
		for i := 0; i < len(mine); i += 20 {
			send(t, s, slices.Concat(theirs[i:i+20], mine[i:i+20])...)
		}
		want := inOrder(mine)
		require.Equal(t, want, recorded(t, s, made[0].ID), "oldest first, by id where the time is the same")
		slices.Reverse(want)
		require.Equal(t, want, clicks(t, s, linktrack.ClickFilter{Link: made[0].ID, Limit: 1000}), "newest first is the reverse")
	}},
	{"a link that was not clicked, or is not there, has no history", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		for _, id := range []int64{l.ID, l.ID + 1, 0, -1} {
			require.Empty(t, clicks(t, s, linktrack.ClickFilter{Link: id, Limit: 10}), "nothing is an empty slice and no error")
		}
	}},
	{"a part of a history is where all its bounds hold", func(t *testing.T, s linktrack.Store) {
		l, other := create(t, s, plain("sale")), create(t, s, plain("other"))
		const n = 10
		var all []linktrack.Click
		second := func(i int) time.Time { return noon.Add(time.Duration(i) * time.Second) }
		for i := range n {
			all = append(all, person(l.ID, second(i)))
		}
		send(t, s, all...)
		send(t, s, people(other.ID, n, noon)...)
		after := func(i int) time.Time { return second(i).Add(time.Microsecond) }
		before := func(i int) time.Time { return second(i).Add(-time.Microsecond) }
		for _, c := range []struct {
			why      string
			q        linktrack.ClickFilter
			from, to int // of all
		}{
			{"without bounds all are in it", linktrack.ClickFilter{}, 0, n},
			{"From is inclusive", linktrack.ClickFilter{From: second(3)}, 3, n},
			{"From is exact to the microsecond", linktrack.ClickFilter{From: after(3)}, 4, n},
			{"From is exact to the microsecond", linktrack.ClickFilter{From: before(3)}, 3, n},
			{"To is exclusive", linktrack.ClickFilter{To: second(3)}, 0, 3},
			{"To is exact to the microsecond", linktrack.ClickFilter{To: after(3)}, 0, 4},
			{"To is exact to the microsecond", linktrack.ClickFilter{To: before(3)}, 0, 3},
			{"From and To hold together", linktrack.ClickFilter{From: second(3), To: second(7)}, 3, 7},
			{"From and To at the same time leave nothing", linktrack.ClickFilter{From: second(3), To: second(3)}, 0, 0},
			{"From behind To leaves nothing", linktrack.ClickFilter{From: second(7), To: second(3)}, 0, 0},
			{"From behind all leaves nothing", linktrack.ClickFilter{From: second(n)}, 0, 0},
			{"To before all leaves nothing", linktrack.ClickFilter{To: second(0)}, 0, 0},
			{"Before excludes its id", linktrack.ClickFilter{Before: all[4].ID}, 0, 4},
			{"After excludes its id", linktrack.ClickFilter{After: all[4].ID}, 5, n},
			{"Before and After hold together", linktrack.ClickFilter{After: all[2].ID, Before: all[6].ID}, 3, 6},
			{"After the last is nothing", linktrack.ClickFilter{After: all[n-1].ID}, 0, 0},
			{"Before the first is nothing", linktrack.ClickFilter{Before: all[0].ID}, 0, 0},
			{"Before need not be the id of a click", linktrack.ClickFilter{Before: linktrack.FirstClickID(second(4))}, 0, 4},
			{"After need not be the id of a click", linktrack.ClickFilter{After: linktrack.FirstClickID(second(4))}, 4, n},
			{"the nearer of From and After holds", linktrack.ClickFilter{From: second(2), After: all[4].ID}, 5, n},
			{"the nearer of From and After holds", linktrack.ClickFilter{From: second(6), After: all[4].ID}, 6, n},
			{"the nearer of To and Before holds", linktrack.ClickFilter{To: second(8), Before: all[6].ID}, 0, 6},
			{"the nearer of To and Before holds", linktrack.ClickFilter{To: second(4), Before: all[6].ID}, 0, 4},
			{"all four hold together", linktrack.ClickFilter{From: second(1), To: second(9), After: all[2].ID, Before: all[7].ID}, 3, 7},
		} {
			for _, limit := range []int{1, 2, 4, n, 1000} {
				q := c.q
				q.Link, q.Limit, q.Ascending = l.ID, limit, true
				want := append([]linktrack.Click{}, all[c.from:c.to]...)
				require.Equal(t, want[:min(limit, len(want))], append([]linktrack.Click{}, clicks(t, s, q)...), "oldest first, limit %d: %s", limit, c.why)
				slices.Reverse(want)
				q.Ascending = false
				require.Equal(t, want[:min(limit, len(want))], append([]linktrack.Click{}, clicks(t, s, q)...), "newest first, limit %d: %s", limit, c.why)
			}
		}
	}},
	{"a history can be read page by page", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		send(t, s, people(l.ID, 1500, noon)...)
		send(t, s, people(l.ID, 1500, noon)...) // a second one in each microsecond
		all := recorded(t, s, l.ID)
		require.Len(t, all, 3000, "all clicks are in the history")
		var got []linktrack.Click
		for q := (linktrack.ClickFilter{Link: l.ID, Ascending: true, Limit: 70}); ; q.After = got[len(got)-1].ID {
			page := clicks(t, s, q)
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		require.Equal(t, all, got, "pages forward by After have each click once")
		got = nil
		for q := (linktrack.ClickFilter{Link: l.ID, Limit: 70}); ; q.Before = got[len(got)-1].ID {
			page := clicks(t, s, q)
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		slices.Reverse(got)
		require.Equal(t, all, got, "pages backward by Before have each click once")
	}},
}
