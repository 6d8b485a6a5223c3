package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// order is a sort and the names of sixLinks in its ascending order.
type order struct {
	sort linktrack.Sort
	want string
	why  string
}

var orders = []order{
	{linktrack.SortExternalURL, "c b f a d e", "destinations sort by code point: upper case first, é last"},
	{linktrack.SortPath, "b e d c a f", "paths sort by key: without case, the dot first, then _"},
	{linktrack.SortCreated, "f d b a c e", "creation sorts to the microsecond"},
	{linktrack.SortDay, "a c e d b f", "the trailing day counts, not the total"},
	{linktrack.SortTotal, "a e b c f d", "people count, bots do not"},
	{linktrack.SortLastClick, "a c b f d e", "never clicked is longest ago; a bot's click is a click"},
	{linktrack.SortTitle, "a c b d f e", "a missing title is empty text; text sorts by code point, not by UTF-16 or by language"},
	{linktrack.SortGroup, "a c b e d f", "a missing group is empty text; groups sort by their names of first use"},
}

// sixLinks makes links called a to f, in that order of ID, that sort
// differently by every property and tie in each but the path.
func sixLinks(t *testing.T, s linktrack.Store) (names map[int64]string) {
	t.Helper()
	names = map[int64]string{}
	var clicks []linktrack.Click
	today, before := noon.Add(-time.Hour), noon.Add(-50*time.Hour)
	for _, l := range []struct {
		name, path, url, title, group string
		created                       time.Duration
		clicks                        func(id int64) []linktrack.Click
	}{
		{"a", "Delta", "https://b.example/", "", "", 2, func(int64) []linktrack.Click { return nil }},
		{"b", ".alpha", "https://a.example/", "zebra", "Zoo", 1, func(id int64) []linktrack.Click { return people(id, 3, today) }},
		{"c", "charlie", "https://B.example/", "Zebra", "", 2, func(id int64) []linktrack.Click { return people(id, 3, before) }},
		{"d", "Bravo", "https://b.example/", "éclair", "apes", 0, func(id int64) []linktrack.Click {
			return append(people(id, 5, before), person(id, noon))
		}},
		{"e", "_e", "https://é.example/", "😀", "zoo", 3, func(id int64) []linktrack.Click {
			return []linktrack.Click{bot(id, noon), bot(id, noon.Add(time.Microsecond)), bot(id, before)}
		}},
		{"f", "echo", "https://a.example/x", "～", "😀", -1, func(id int64) []linktrack.Click { return people(id, 3, today) }},
	} {
		made := create(t, s, linktrack.Link{
			Account: owner, Host: host, Path: l.path, LinkSettings: linktrack.LinkSettings{ExternalURL: l.url, Title: l.title, Group: l.group},
			CreatedAt: noon.Add(l.created * time.Microsecond),
		})
		names[made.ID] = l.name
		clicks = append(clicks, l.clicks(made.ID)...)
	}
	send(t, s, clicks...)
	return names
}

var sorts = []rule{
	{"every sort has its order, and ties follow by ID in the same direction", func(t *testing.T, s linktrack.Store) {
		names := sixLinks(t, s)
		get := func(q linktrack.LinkFilter) string {
			var got []string
			for _, l := range list(t, s, q) {
				got = append(got, names[l.ID])
			}
			return strings.Join(got, " ")
		}
		for _, o := range orders {
			q := linktrack.LinkFilter{Sort: o.sort, Ascending: true}
			require.Equal(t, o.want, get(q), "%s ascending: %s", o.sort, o.why)
			q.Limit = 3
			require.Equal(t, o.want[:5], get(q), "%s ascending, limited: the first of the order are returned", o.sort)

			reverse := strings.Fields(o.want)
			slices.Reverse(reverse)
			want := strings.Join(reverse, " ")
			q = linktrack.LinkFilter{Sort: o.sort}
			require.Equal(t, want, get(q), "%s descending: the reverse of ascending, ties and all", o.sort)
			q.Limit = 3
			require.Equal(t, want[:5], get(q), "%s descending, limited: the first of the order are returned", o.sort)
		}
	}},
	{"long destinations sort to their end", func(t *testing.T, s linktrack.Store) {
		stem := "https://example.com/" + strings.Repeat("x", 3000)
		for i, end := range []string{"c", "a", "d", "b"} {
			l := plain(pathOf(i))
			l.ExternalURL = stem + end
			create(t, s, l)
		}
		var got string
		for _, l := range list(t, s, linktrack.LinkFilter{Sort: linktrack.SortExternalURL, Ascending: true}) {
			got += strings.TrimPrefix(l.ExternalURL, stem)
		}
		require.Equal(t, "abcd", got, "destinations that are the same for 3,000 characters still have an order")
	}},
	{"text sorts with spaces at its end", func(t *testing.T, s linktrack.Store) {
		for i, title := range []string{"a ", "a", "a\u00a0", "a!"} {
			l := plain(pathOf(i))
			l.Title = title
			create(t, s, l)
		}
		var got []string
		for _, l := range list(t, s, linktrack.LinkFilter{Sort: linktrack.SortTitle, Ascending: true}) {
			got = append(got, l.Title)
		}
		require.Equal(t, []string{"a", "a ", "a!", "a\u00a0"}, got, "a text sorts before the longer one that begins with it")
	}},
	{"links sort by what an update and new clicks made of them", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 3)
		edit(t, s, made[0].ID, func(l *linktrack.Link) { l.Title, l.Group = "b", "B" })
		edit(t, s, made[1].ID, func(l *linktrack.Link) { l.Title, l.Group = "c", "C" })
		edit(t, s, made[2].ID, func(l *linktrack.Link) { l.Title, l.Group = "a", "A" })
		send(t, s, people(made[1].ID, 2, noon)...)
		send(t, s, people(made[0].ID, 1, noon.Add(-time.Hour))...)
		for _, c := range []struct {
			sort linktrack.Sort
			want []int
		}{
			{linktrack.SortTitle, []int{2, 0, 1}},
			{linktrack.SortGroup, []int{2, 0, 1}},
			{linktrack.SortTotal, []int{2, 0, 1}},
			{linktrack.SortDay, []int{2, 0, 1}},
			{linktrack.SortLastClick, []int{2, 0, 1}},
		} {
			var want []string
			for _, i := range c.want {
				want = append(want, made[i].Path)
			}
			require.Equal(t, want, paths(list(t, s, linktrack.LinkFilter{Sort: c.sort, Ascending: true})), "%s sorts by what is true now", c.sort)
		}
	}},
}
