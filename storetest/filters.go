package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func count(t *testing.T, s linktrack.Store, q linktrack.LinkFilter) int64 {
	t.Helper()
	if q.Account == 0 {
		q.Account = owner
	}
	n, err := s.CountLinks(t.Context(), q)
	require.NoError(t, err, "links can be counted, even if there are none")
	return n
}

// requireFound requires that a query finds these paths, in every sort, and counts them.
func requireFound(t *testing.T, s linktrack.Store, q linktrack.LinkFilter, want []string, why string) {
	t.Helper()
	for _, sort := range append(everySort, linktrack.SortID) {
		q.Sort = sort
		require.ElementsMatch(t, want, paths(list(t, s, q)), "%s (sorted by %s)", why, sort)
	}
	require.EqualValues(t, len(want), count(t, s, q), "%s (counted)", why)
}

var filters = []rule{
	{"links are found by host", func(t *testing.T, s linktrack.Store) {
		someLinks(t, s)
		requireFound(t, s, linktrack.LinkFilter{Host: host}, []string{"Alpha", ".beta", "gamma"}, "the host's links")
		requireFound(t, s, linktrack.LinkFilter{Host: otherHost}, []string{"alpha"}, "another host's link")
		requireFound(t, s, linktrack.LinkFilter{Host: "no.example"}, nil, "a host without links")
		requireFound(t, s, linktrack.LinkFilter{Host: host, Groups: []string{"sport"}}, []string{".beta"}, "both conditions hold")
		requireFound(t, s, linktrack.LinkFilter{Host: host, Names: []linktrack.LinkName{{Key: "alpha"}}}, []string{"Alpha"}, "both conditions hold")
	}},
	{"links are found by tags without case", func(t *testing.T, s linktrack.Store) {
		createAll(t, s, []linktrack.Link{tagged("a", "News", "Sport"), tagged("b", "sport"), tagged("c", "Zoo"), plain("d")})
		theirs := tagged("theirs", "news")
		theirs.Account++
		create(t, s, theirs)
		for _, c := range []struct {
			tags []string
			want []string
			why  string
		}{
			{[]string{"nEWS"}, []string{"a"}, "a tag has its links"},
			{[]string{"SPORT"}, []string{"a", "b"}, "a tag has all its links"},
			{[]string{"news", "sport", "Sport"}, []string{"a", "b"}, "a link that has two of the tags is returned once"},
			{[]string{"none", "zoo"}, []string{"c"}, "an unknown tag beside a known one takes nothing away"},
			{[]string{"none", "Zo", "%", ""}, nil, "unknown tags match nothing"},
			{[]string{}, nil, "tags that are not nil and none match nothing"},
		} {
			requireFound(t, s, linktrack.LinkFilter{Tags: c.tags}, c.want, c.why)
		}
		edit(t, s, list(t, s, linktrack.LinkFilter{Tags: []string{"zoo"}})[0].ID, func(l *linktrack.Link) { l.Tags = []string{"SPORT"} })
		requireFound(t, s, linktrack.LinkFilter{Tags: []string{"zoo"}}, nil, "an edit takes the link out of its tags")
		requireFound(t, s, linktrack.LinkFilter{Tags: []string{"sport"}}, []string{"a", "b", "c"}, "an edit adds the link to its tags")
		l := list(t, s, linktrack.LinkFilter{Tags: []string{"news"}})[0]
		move(t, s, l.ID, buyer)
		requireFound(t, s, linktrack.LinkFilter{Tags: []string{"news"}}, nil, "a move takes the link out of the tags")
		requireFound(t, s, linktrack.LinkFilter{Account: buyer, Tags: []string{"news"}}, []string{"a", "theirs"}, "a moved link has tags of the new account")
	}},
	{"links are found by state", func(t *testing.T, s linktrack.Store) {
		make := func(path string, change func(l *linktrack.Link)) linktrack.Link {
			l := plain(path)
			change(&l)
			return create(t, s, l)
		}
		make("active", func(*linktrack.Link) {})
		make("limited", func(l *linktrack.Link) { l.DeactivateAt, l.StartsAt, l.ExpiresAt = 3, noon, noon.Add(time.Microsecond) })
		make("off", func(l *linktrack.Link) { l.Disabled, l.ExpiresAt, l.StartsAt = true, noon, noon.Add(time.Hour) })
		make("expired", func(l *linktrack.Link) { l.ExpiresAt, l.StartsAt = noon, noon.Add(time.Hour) })
		later := make("later", func(l *linktrack.Link) { l.StartsAt, l.DeactivateAt = noon.Add(time.Microsecond), 2 })
		used := make("used", func(l *linktrack.Link) { l.DeactivateAt = 2 })
		reserved := make("reserved", func(l *linktrack.Link) { l.DeactivateAt, l.StartsAt = 1, noon.Add(time.Hour) })
		send(t, s, person(used.ID, noon), person(used.ID, noon), person(later.ID, noon), bot(later.ID, noon))
		_, err := reserveFor(t.Context(), s, reserved.ID, 1)
		require.NoError(t, err)
		for state, want := range map[linktrack.LinkState][]string{
			"":                       {"active", "limited", "off", "expired", "later", "used", "reserved"},
			linktrack.StateActive:    {"active", "limited"},
			linktrack.StateInactive:  {"off"},
			linktrack.StateExpired:   {"expired"},
			linktrack.StateNotYet:    {"later"},
			linktrack.StateUsedUp:    {"used", "reserved"},
			linktrack.LinkState("?"): nil,
		} {
			q := linktrack.LinkFilter{State: state, Now: noon}
			requireFound(t, s, q, want, "the links that are "+string(state))
			for _, l := range list(t, s, q) {
				require.True(t, state.Has(&l, noon), "LinkState.Has says the same of %s", l.Path)
			}
			q.Names = []linktrack.LinkName{{Key: "none"}}
			requireFound(t, s, q, nil, "both conditions hold")
		}
		requireFound(t, s, linktrack.LinkFilter{State: linktrack.StateActive, Now: noon.Add(time.Hour)}, []string{"active", "later"}, "states hold for a time")
	}},
	{"deleted links are in those lists that ask for them", func(t *testing.T, s linktrack.Store) {
		made := createAll(t, s, []linktrack.Link{grouped("a", "G"), grouped("b", "G"), plain("c")})
		for _, l := range made[:2] {
			edit(t, s, l.ID, func(l *linktrack.Link) { l.DeletedAt, l.IsArchived = noon, l.ID == made[0].ID })
		}
		for _, archived := range []linktrack.Archived{linktrack.WithoutArchived, linktrack.WithArchived, linktrack.OnlyArchived} {
			requireFound(t, s, linktrack.LinkFilter{Deleted: true, Archived: archived}, []string{"a", "b"}, "deleted links, archived or not")
			requireFound(t, s, linktrack.LinkFilter{Deleted: true, Archived: archived, Groups: []string{"g"}}, []string{"a", "b"}, "deleted links of a group")
		}
		requireFound(t, s, linktrack.LinkFilter{Archived: linktrack.WithArchived}, []string{"c"}, "no other list has them")
		requireFound(t, s, linktrack.LinkFilter{Groups: []string{"g"}, Archived: linktrack.WithArchived}, nil, "no other list has them")
		requireFound(t, s, linktrack.LinkFilter{Search: "example.com", Archived: linktrack.WithArchived}, []string{"c"}, "no search finds them")
		edit(t, s, made[0].ID, func(l *linktrack.Link) { l.DeletedAt = time.Time{} })
		requireFound(t, s, linktrack.LinkFilter{Archived: linktrack.OnlyArchived}, []string{"a"}, "a restored link is where it was")
		requireFound(t, s, linktrack.LinkFilter{Deleted: true}, []string{"b"}, "a restored link is not deleted")
	}},
	{"archived links are in those lists that ask for them", func(t *testing.T, s linktrack.Store) {
		made := createAll(t, s, []linktrack.Link{grouped("a", "G"), grouped("b", "G"), plain("c")})
		archive := func(l linktrack.Link, yes bool) {
			require.Equal(t, yes, edit(t, s, l.ID, func(l *linktrack.Link) { l.IsArchived = yes }).IsArchived)
		}
		archive(made[0], true)
		archived := plain("d")
		archived.IsArchived = true
		create(t, s, archived)
		send(t, s, person(made[0].ID, noon))
		for _, c := range []struct {
			q    linktrack.LinkFilter
			want []string
		}{
			{linktrack.LinkFilter{}, []string{"b", "c"}},
			{linktrack.LinkFilter{Archived: linktrack.WithArchived}, []string{"a", "b", "c", "d"}},
			{linktrack.LinkFilter{Archived: linktrack.OnlyArchived}, []string{"a", "d"}},
			{linktrack.LinkFilter{Groups: []string{"g"}}, []string{"b"}},
			{linktrack.LinkFilter{Groups: []string{"g"}, Archived: linktrack.WithArchived}, []string{"a", "b"}},
			{linktrack.LinkFilter{Search: "example.com"}, []string{"b", "c"}},
			{linktrack.LinkFilter{Search: "example.com", Archived: linktrack.OnlyArchived}, []string{"a", "d"}},
			{linktrack.LinkFilter{Names: []linktrack.LinkName{{Key: "a"}, {Key: "b"}}}, []string{"b"}},
			{linktrack.LinkFilter{State: linktrack.StateActive, Archived: linktrack.OnlyArchived}, []string{"a", "d"}},
		} {
			requireFound(t, s, c.q, c.want, "archived links are in lists that ask for them")
		}
		require.EqualValues(t, 1, look(t, s, made[0]).Counts.People, "an archived link is found by its path, and counts")
		archive(made[0], false)
		requireFound(t, s, linktrack.LinkFilter{}, []string{"a", "b", "c"}, "a link comes back from the archive")
	}},
}
