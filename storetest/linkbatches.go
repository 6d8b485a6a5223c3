package storetest

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func createAll(t *testing.T, s linktrack.Store, links []linktrack.Link) []linktrack.Link {
	t.Helper()
	made, err := s.CreateLinks(t.Context(), links)
	require.NoError(t, err, "links that clash with no others are made")
	require.Len(t, made, len(links), "each link is returned")
	return made
}

func lookUp(t *testing.T, s linktrack.Store, names ...linktrack.LinkName) []linktrack.Link {
	t.Helper()
	found, err := s.LinksByPath(t.Context(), names)
	require.NoError(t, err, "a look-up has no errors of its own, even if nothing is found")
	var links []linktrack.Link
	for name, l := range found {
		require.Contains(t, names, name, "only what was asked for is found")
		require.Equal(t, name, linktrack.LinkName{Host: l.Host, Key: l.Key()}, "a link is found by its name")
		links = append(links, l)
	}
	return links
}

var linkBatches = []rule{
	{"links made together are as those made one by one", func(t *testing.T, s linktrack.Store) {
		one := create(t, s, plain("before"))
		want := []linktrack.Link{full("Spring_Sale-1"), plain(".b2"), full("a"), {Account: owner, Host: otherHost, Path: "a", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}}}
		want[2].ID, want[2].Counts = 4711, linktrack.Counts{People: 2, Used: 6, LastClick: noon}
		made := createAll(t, s, want)
		want[2].Counts = linktrack.Counts{}
		last := one.ID
		for i := range want {
			require.Greater(t, made[i].ID, last, "their IDs rise in the order in which they were given")
			last = made[i].ID
			want[i].ID = made[i].ID
			require.Equal(t, want[i], made[i], "CreateLinks returns the links with their IDs")
			require.Equal(t, want[i], look(t, s, want[i]), "what was given is kept")
		}
		require.Len(t, list(t, s, linktrack.LinkFilter{Archived: linktrack.WithArchived}), 5, "the account's list has them")
	}},
	{"links made together count, have limits and are edited as others", func(t *testing.T, s linktrack.Store) {
		l := plain("limited")
		l.DeactivateAt, l.AlertAt = 2, 1
		made := createAll(t, s, []linktrack.Link{plain("first"), l})
		granted, err := reserveFor(t.Context(), s, made[1].ID, 3)
		require.NoError(t, err)
		require.Equal(t, 2, granted, "the limit holds")
		send(t, s, visitor(made[1].ID, noon))
		require.EqualValues(t, 1, look(t, s, l).Counts.People, "clicks count")
		require.EqualValues(t, 1, dayCount(t, s, l, noon.Add(-time.Hour)), "clicks count for the day")
		p, err := s.LeaseAlert(t.Context(), noon, noon.Add(time.Minute))
		require.NoError(t, err)
		require.Equal(t, made[1].ID, p.Link.ID, "the alert comes due")
		edit(t, s, made[0].ID, func(l *linktrack.Link) { l.Title = "edited" })
	}},
	{"of links made together none is kept if one is taken", func(t *testing.T, s linktrack.Store) {
		first := plain("sale")
		first.Account = owner + 1
		create(t, s, first)
		for _, taken := range []string{"sale", "SALE", "Twin"} {
			links := []linktrack.Link{plain("one"), plain("twin"), plain(taken)}
			links[0].Group = "Never made"
			_, err := s.CreateLinks(t.Context(), links)
			require.ErrorIs(t, err, linktrack.ErrTaken, "%s is taken", taken)
		}
		require.Empty(t, list(t, s, linktrack.LinkFilter{}), "no link of the refused calls is kept")
		groups, err := s.Groups(t.Context(), owner, 10)
		require.NoError(t, err)
		require.Empty(t, groups, "nor is a group")
	}},
	{"groups of links made together are made on first use", func(t *testing.T, s linktrack.Store) {
		known := plain("known")
		known.Group = "News"
		create(t, s, known)
		links := []linktrack.Link{plain("a"), plain("b"), plain("c"), plain("d"), plain("e")}
		for i, g := range []string{"NEWS", "Zebra", "zebra", "", "Äpfel"} {
			links[i].Group = g
		}
		made := createAll(t, s, links)
		for i, g := range []string{"News", "Zebra", "Zebra", "", "Äpfel"} {
			require.Equal(t, g, made[i].Group, "a group keeps the name it was made with")
			require.Equal(t, g, look(t, s, made[i]).Group, "and so do its links")
		}
		require.Equal(t, []string{"known", "a"}, paths(list(t, s, linktrack.LinkFilter{Groups: []string{"news"}})), "a group has its links")
	}},
	{"a thousand large links are not too many", func(t *testing.T, s linktrack.Store) {
		links := make([]linktrack.Link, 1000)
		names := make([]linktrack.LinkName, len(links))
		for i := range links {
			links[i] = plain(fmt.Sprint("large", i))
			links[i].Group = fmt.Sprint("group ", i%50)
			links[i].Notes = strings.Repeat("😀", i*10)
			names[i] = linktrack.LinkName{Host: host, Key: links[i].Key()}
		}
		made := createAll(t, s, links)
		require.Equal(t, made[999], look(t, s, links[999]), "the last is kept like the first")
		require.ElementsMatch(t, made, lookUp(t, s, names...), "a thousand names are not too many")
	}},
	{"of many concurrent callers that make the same links, one makes them", func(t *testing.T, s linktrack.Store) {
		var made atomic.Int32
		err := together(8, func(i int) error {
			links := []linktrack.Link{plain("a"), plain("b"), plain("c")}
			if i%2 == 1 {
				links[0], links[2] = links[2], links[0]
			}
			_, err := s.CreateLinks(t.Context(), links)
			if err == nil {
				made.Add(1)
			}
			return err
		})
		require.ErrorIs(t, err, linktrack.ErrTaken, "all others get ErrTaken")
		require.EqualValues(t, 1, made.Load(), "exactly one caller makes them")
		require.Len(t, list(t, s, linktrack.LinkFilter{}), 3, "each link is kept once")
	}},
	{"links of all accounts are looked up by host and key", func(t *testing.T, s linktrack.Store) {
		someLinks(t, s)
		found := lookUp(t, s, linktrack.LinkName{Host: host, Key: "alpha"}, linktrack.LinkName{Host: otherHost, Key: "gamma"},
			linktrack.LinkName{Host: host, Key: "alpha"}, linktrack.LinkName{Host: otherHost, Key: ".beta"}, linktrack.LinkName{Key: "theirs"})
		require.ElementsMatch(t, []string{alpha1, "gamma@" + otherHost}, on(found), "what exists is found once, on its host")
		require.Empty(t, lookUp(t, s, linktrack.LinkName{Host: host, Key: "none"}), "what does not exist is not found")
		want := create(t, s, full("full"))
		require.Equal(t, []linktrack.Link{want}, lookUp(t, s, linktrack.LinkName{Host: host, Key: "full"}), "it is returned whole")
	}},
	{"all links of an account are read part by part", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 7)
		theirs := plain("theirs")
		theirs.Account++
		create(t, s, theirs)
		older := plain("older")
		older.CreatedAt = noon.AddDate(-1, 0, 0)
		made = append(made, create(t, s, older))
		var read []string
		for q := (linktrack.LinkFilter{Sort: linktrack.SortID, Ascending: true, Limit: 3}); len(read) <= len(made); {
			part := list(t, s, q)
			if len(part) == 0 {
				break
			}
			require.LessOrEqual(t, len(part), 3, "the limit holds")
			after := linktrack.CursorOf(part[len(part)-1], q.Sort)
			read, q.After = append(read, paths(part)...), &after
		}
		require.Equal(t, paths(made), read, "each link is read once, in the order of IDs")
		require.Equal(t, []string{"older", made[6].Path}, paths(list(t, s, linktrack.LinkFilter{Sort: linktrack.SortID, Limit: 2})), "descending, the newest ID comes first")
		found := list(t, s, linktrack.LinkFilter{Sort: linktrack.SortID, Ascending: true, After: &linktrack.LinkCursor{ID: made[6].ID - 1}, Limit: 1})
		require.Equal(t, []string{made[6].Path}, paths(found), "a place between two links is a place")
	}},
}
