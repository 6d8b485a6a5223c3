package storetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var searches = []rule{
	{"a search finds links by any text that an owner knows them by", func(t *testing.T, s linktrack.Store) {
		for _, l := range []linktrack.Link{
			{Path: ".1", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/Spring%20Sale?a_b=100%"}},
			{Path: ".2", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.org/", Title: `It's a "back\slash" 😀`}},
			{Path: "Vanity_Name", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.org/"}},
			{Path: ".3", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.org/", Notes: strings.Repeat("x", 9_000) + "\nthe end"}},
			{Path: ".4", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.org/", Group: "Über uns"}},
			{Path: ".5", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.org/", Description: "the end of a description"}},
			{Path: ".6", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/spring"}, Account: owner + 1},
		} {
			if l.Account == 0 {
				l.Account = owner
			}
			l.Host, l.CreatedAt = host, noon
			create(t, s, l)
		}
		for _, c := range []struct {
			text, why string
			want      []string
		}{
			{"spring", "the destination is searched, ASCII letters without case, another account's is not", []string{".1"}},
			{"a \"BACK\\", "the title is searched, and no sign has a meaning", []string{".2"}},
			{"😀", "a character beyond the basic plane is found", []string{".2"}},
			{"y_n", "the path is searched", []string{"Vanity_Name"}},
			{"THE END", "notes are searched to their end, descriptions are not", []string{".3"}},
			{"Über U", "the group is searched", []string{".4"}},
			{"0%", "a percent sign stands for itself", []string{".1"}},
			{"a_b", "an underscore stands for itself", []string{".1"}},
			{"axb", "and for no other", nil},
			{"'", "a quote stands for itself", []string{".2"}},
			{"a\u0308", "a letter with a mark is not another way to write it", nil},
			{".org/", "many links may fit", []string{".2", "Vanity_Name", ".3", ".4", ".5"}},
			{"", "no text leaves none out", []string{".1", ".2", "Vanity_Name", ".3", ".4", ".5"}},
		} {
			found := paths(list(t, s, linktrack.LinkFilter{Search: c.text}))
			require.Equal(t, append([]string{}, c.want...), found, "%q: %s", c.text, c.why)
		}
	}},
	{"a search finds links that have all its words, in any of their texts and in any order", func(t *testing.T, s linktrack.Store) {
		for _, l := range []linktrack.Link{
			{Path: ".1", Host: host, LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/sale", Title: "Spring in Paris", Notes: "for Ada"}},
			{Path: "Spring", Host: host, LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/paris"}},
			{Path: "spring", Host: otherHost, LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.org/", Group: "Paris", Notes: "see go.example.com/.1"}},
			{Path: ".2", Host: otherHost, LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.org/", Title: "Springtime"}},
		} {
			l.Account, l.CreatedAt = owner, noon
			create(t, s, l)
		}
		one, two, three, four := host+"/.1", host+"/Spring", otherHost+"/spring", otherHost+"/.2"
		for _, c := range []struct {
			text, why string
			want      []string
		}{
			{"paris spring", "words need not stand together, nor in this order, nor in one text", []string{one, two, three}},
			{"Ada SALE paris", "each may be in another text", []string{one}},
			{"spring none", "all of them are wanted", nil},
			{"  spring \t\n spring  ", "what is between words does not count, nor does a word that comes again", []string{one, two, three, four}},
			{" \t ", "no words leave none out", []string{one, two, three, four}},
			{"spring\u00a0paris", "white space is that of Unicode", []string{one, two, three}},
			{host, "a host fits the links on it", []string{one, two, three}},
			{strings.ToUpper(otherHost) + " spring", "in any case, and among other words", []string{three, four}},
			{"other.example", "a part of a host fits none", nil},
			{"GO.example.com/sp", "host and path are searched together", []string{two}},
			{otherHost + "/.2", "so a link's address finds it", []string{four}},
			{host + "/.1", "and texts that have that address in them", []string{one, three}},
			{".com/spring", "from within the host on, too", []string{two, three}},
			{strings.Repeat("e", 200), "a long word is one word", nil},
		} {
			var found []string
			for _, l := range list(t, s, linktrack.LinkFilter{Search: c.text, Ascending: true}) {
				found = append(found, l.Host+"/"+l.Path)
			}
			require.Equal(t, append([]string{}, c.want...), append([]string{}, found...), "%q: %s", c.text, c.why)
		}
		require.Len(t, list(t, s, linktrack.LinkFilter{Search: "a e i s p r n g t h : / . c o m x l"}), 3, "many words are as good as few")
	}},
	{"a search goes together with names, groups and every sort", func(t *testing.T, s linktrack.Store) {
		someLinks(t, s)
		require.Equal(t, []string{alpha1, alpha2}, on(list(t, s, linktrack.LinkFilter{Search: "ALPH"})), "both links fit")
		require.Equal(t, []string{alpha2}, on(list(t, s, linktrack.LinkFilter{Search: "alph", Groups: []string{"sport"}})), "one is in the group")
		require.Empty(t, list(t, s, linktrack.LinkFilter{Search: "alph", Names: []linktrack.LinkName{{Key: "gamma"}}}), "no link of the name fits")
		for _, o := range orders {
			require.Equal(t, 2, len(list(t, s, linktrack.LinkFilter{Search: "alph", Sort: o.sort})), "a search sorted by %s", o.sort)
		}
	}},
	{"an offset leaves out the first links of every order", func(t *testing.T, s linktrack.Store) {
		sixLinks(t, s)
		for _, o := range orders {
			for _, q := range []linktrack.LinkFilter{
				{Sort: o.sort, Ascending: true},
				{Sort: o.sort},
				{Sort: o.sort, Search: "https"},
			} {
				all := paths(list(t, s, q))
				require.Len(t, all, 6, "without an offset all links are found")
				for offset := range 8 {
					for _, limit := range []int{1, 2, 6} {
						q.Offset, q.Limit = offset, limit
						from := min(offset, 6)
						want := slices.Clone(all[from:min(from+limit, 6)])
						require.Equal(t, append([]string{}, want...), paths(list(t, s, q)),
							"%s (ascending: %v, search %q): %d links behind the first %d", o.sort, q.Ascending, q.Search, limit, offset)
					}
				}
			}
		}
	}},
	{"groups are listed in order, each account's own", func(t *testing.T, s linktrack.Store) {
		for i, name := range []string{"zoo", "Äpfel", "apples", "ZOO", "Bananas", ""} {
			create(t, s, grouped(pathOf(i), name))
		}
		other := grouped(".other", "theirs")
		other.Account = owner + 1
		create(t, s, other)
		edit(t, s, list(t, s, linktrack.LinkFilter{Groups: []string{"apples"}})[0].ID, func(l *linktrack.Link) { l.Group = "" })
		for _, c := range []struct {
			account linktrack.AccountID
			limit   int
			want    []string
		}{
			{owner, 100, []string{"apples", "Bananas", "zoo", "Äpfel"}},
			{owner, 2, []string{"apples", "Bananas"}},
			{owner + 1, 100, []string{"theirs"}},
			{owner + 2, 100, []string{}},
		} {
			names, err := s.Groups(t.Context(), c.account, c.limit)
			require.NoError(t, err, "a list of groups has no errors of its own")
			require.Equal(t, c.want, append([]string{}, names...), "account %d, limit %d", c.account, c.limit)
		}
	}},
}
