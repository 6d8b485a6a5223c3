package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

const otherHost = "other.example.com"

// someLinks makes links of two accounts on two hosts, in two groups.
func someLinks(t *testing.T, s linktrack.Store) {
	t.Helper()
	for i, l := range []linktrack.Link{
		{Path: "Alpha", Host: host, LinkSettings: linktrack.LinkSettings{Group: "News"}},
		{Path: ".beta", Host: host, LinkSettings: linktrack.LinkSettings{Group: "Sport"}},
		{Path: "alpha", Host: otherHost, LinkSettings: linktrack.LinkSettings{Group: "Sport"}},
		{Path: "gamma", Host: host},
		{Path: "theirs", Host: host, LinkSettings: linktrack.LinkSettings{Group: "News"}, Account: owner + 1},
		{Path: "gamma", Host: otherHost, LinkSettings: linktrack.LinkSettings{Group: "Sport"}, Account: owner + 1},
	} {
		l.ExternalURL, l.CreatedAt = "https://example.com/", noon.Add(time.Duration(i)*time.Second)
		if l.Account == 0 {
			l.Account = owner
		}
		create(t, s, l)
	}
}

// on names links as "path@host", in the order given.
func on(links []linktrack.Link) []string {
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.Path + "@" + l.Host
	}
	return names
}

const (
	alpha1 = "Alpha@" + host
	alpha2 = "alpha@" + otherHost
	beta   = ".beta@" + host
	gamma  = "gamma@" + host
)

var queries = []rule{
	{"an account sees its own links and no other's", func(t *testing.T, s linktrack.Store) {
		someLinks(t, s)
		require.Equal(t, []string{alpha1, beta, alpha2, gamma}, on(list(t, s, linktrack.LinkFilter{})),
			"without names and groups all of the account's links are found")
		require.Equal(t, []string{"theirs@" + host, "gamma@" + otherHost}, on(list(t, s, linktrack.LinkFilter{Account: owner + 1})),
			"another account has other links")
		require.Empty(t, list(t, s, linktrack.LinkFilter{Account: owner + 2}), "an account without links has none")
		require.Empty(t, list(t, s, linktrack.LinkFilter{Names: []linktrack.LinkName{{Key: "theirs"}, {Host: host, Key: "theirs"}}}),
			"another account's link is not found by its name")
		require.Equal(t, []string{alpha1}, on(list(t, s, linktrack.LinkFilter{Groups: []string{"News"}})),
			"another account's group of the same name is not meant")
	}},
	{"links are found by key on one host or on any", func(t *testing.T, s linktrack.Store) {
		someLinks(t, s)
		for _, c := range []struct {
			why   string
			names []linktrack.LinkName
			want  []string
		}{
			{"a name on one host fits one link", []linktrack.LinkName{{Host: host, Key: "alpha"}}, []string{alpha1}},
			{"a name on any host fits the link on each", []linktrack.LinkName{{Key: "alpha"}}, []string{alpha1, alpha2}},
			{"a link of any name is returned", []linktrack.LinkName{{Host: otherHost, Key: "alpha"}, {Key: ".beta"}}, []string{beta, alpha2}},
			{"a link that two names fit is returned once", []linktrack.LinkName{{Key: "alpha"}, {Host: host, Key: "alpha"}, {Key: "alpha"}}, []string{alpha1, alpha2}},
			{"a name on any host does not reach other accounts", []linktrack.LinkName{{Key: "gamma"}}, []string{gamma}},
			{"unknown names match nothing", []linktrack.LinkName{{Key: "unknown"}, {Host: otherHost, Key: ".beta"}, {Key: ""}, {Key: "%"}, {Key: "alph_"}}, nil},
			{"an unknown name beside a known one takes nothing away", []linktrack.LinkName{{Key: "unknown"}, {Key: "gamma"}}, []string{gamma}},
			{"the dot is a part of the key", []linktrack.LinkName{{Key: "beta"}, {Key: ".gamma"}}, nil},
			{"names that are not nil and none match nothing", []linktrack.LinkName{}, nil},
		} {
			require.Equal(t, append([]string{}, c.want...), on(list(t, s, linktrack.LinkFilter{Names: c.names})), c.why)
		}
	}},
	{"links are found by group without case", func(t *testing.T, s linktrack.Store) {
		someLinks(t, s)
		for _, c := range []struct {
			why    string
			groups []string
			want   []string
		}{
			{"a group has its links", []string{"Sport"}, []string{beta, alpha2}},
			{"groups are compared without case", []string{"sPORT"}, []string{beta, alpha2}},
			{"a link in any of the groups is returned, once", []string{"sport", "NEWS", "Sport"}, []string{alpha1, beta, alpha2}},
			{"unknown groups match nothing", []string{"unknown", "Spor", "Sport ", "%", "Spor_"}, nil},
			{"an unknown group beside a known one takes nothing away", []string{"unknown", "news"}, []string{alpha1}},
			{"no group is no group's name", []string{""}, nil},
			{"groups that are not nil and none match nothing", []string{}, nil},
		} {
			require.Equal(t, append([]string{}, c.want...), on(list(t, s, linktrack.LinkFilter{Groups: c.groups})), c.why)
		}
	}},
	{"with names and groups both must hold", func(t *testing.T, s linktrack.Store) {
		someLinks(t, s)
		alphas := []linktrack.LinkName{{Key: "alpha"}}
		for _, c := range []struct {
			why    string
			groups []string
			want   []string
		}{
			{"the name fits two links, the group one of them", []string{"sport"}, []string{alpha2}},
			{"the name fits two links, each in one of the groups", []string{"sport", "news"}, []string{alpha1, alpha2}},
			{"no group fits the links of the name", []string{"unknown"}, nil},
			{"no groups at all match nothing, whatever the names", []string{}, nil},
		} {
			require.Equal(t, append([]string{}, c.want...), on(list(t, s, linktrack.LinkFilter{Names: alphas, Groups: c.groups})), c.why)
		}
		require.Empty(t, list(t, s, linktrack.LinkFilter{Names: []linktrack.LinkName{}, Groups: []string{"news"}}),
			"no names at all match nothing, whatever the groups")
	}},
	{"a thousand names and a thousand groups are not too many", func(t *testing.T, s linktrack.Store) {
		someLinks(t, s)
		var q linktrack.LinkFilter
		for i := range 999 {
			q.Names = append(q.Names, linktrack.LinkName{Host: []string{"", host, otherHost}[i%3], Key: fmt.Sprintf("unknown%d", i)})
			q.Groups = append(q.Groups, fmt.Sprintf("unknown %d", i))
		}
		q.Names = append(q.Names, linktrack.LinkName{Key: "alpha"})
		q.Groups = append(q.Groups, "news")
		require.Equal(t, []string{alpha1}, on(list(t, s, q)), "the last of a thousand counts like the first")
	}},
	{"the limit is kept after sorting", func(t *testing.T, s linktrack.Store) {
		someLinks(t, s)
		for _, c := range []struct {
			ascending bool
			limit     int
			want      []string
		}{
			{true, 1, []string{alpha1}},
			{true, 3, []string{alpha1, beta, alpha2}},
			{true, 4, []string{alpha1, beta, alpha2, gamma}},
			{true, 1000, []string{alpha1, beta, alpha2, gamma}},
			{false, 1, []string{gamma}},
			{false, 2, []string{gamma, alpha2}},
		} {
			q := linktrack.LinkFilter{Sort: linktrack.SortCreated, Ascending: c.ascending, Limit: c.limit}
			require.Equal(t, c.want, on(list(t, s, q)), "the first %d of the order are returned (ascending: %v)", c.limit, c.ascending)
		}
	}},
	{"links come with their counts", func(t *testing.T, s linktrack.Store) {
		l, other := create(t, s, plain("sale")), create(t, s, plain("other"))
		send(t, s, visitor(l.ID, noon), person(l.ID, noon.Add(-48*time.Hour)), bot(l.ID, noon.Add(time.Minute)))
		want := linktrack.Counts{Day: 1, People: 2, Unique: 1, Bots: 1, LastClick: noon.Add(time.Minute)}
		for _, q := range []linktrack.LinkFilter{{}, {Names: []linktrack.LinkName{{Key: "sale"}, {Key: "other"}}}} {
			found := list(t, s, q)
			require.Equal(t, []string{"sale", "other"}, paths(found), "both links are found")
			require.Equal(t, want, found[0].Counts, "each link has its own counts")
			require.Zero(t, found[1].Counts, "link %d was never clicked", other.ID)
		}
	}},
}
