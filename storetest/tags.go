package storetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func tagged(path string, tags ...string) linktrack.Link {
	l := plain(path)
	l.Tags = tags
	return l
}

func requireTags(t *testing.T, s linktrack.Store, account linktrack.AccountID, want ...string) {
	t.Helper()
	names, err := s.Tags(t.Context(), account, 100)
	require.NoError(t, err, "tags can be listed")
	require.Equal(t, append([]string{}, want...), append([]string{}, names...), "the account's tags, in the order of their keys")
}

var tags = []rule{
	{"a tag keeps the name of its first use", func(t *testing.T, s linktrack.Store) {
		require.Equal(t, []string{"Ärger 😀"}, create(t, s, tagged(".1", "Ärger 😀")).Tags, "a new tag has the name given")
		second := create(t, s, tagged(".2", "äRGER 😀", "Zoo"))
		require.Equal(t, []string{"Zoo", "Ärger 😀"}, second.Tags, "CreateLinks returns the name that the tag was made with")
		require.Equal(t, second, look(t, s, second), "the link has the tag that was there")
		require.Equal(t, []linktrack.Link{second}, list(t, s, linktrack.LinkFilter{Names: []linktrack.LinkName{{Key: ".2"}}}), "Links returns the tags")

		third := create(t, s, plain(".3"))
		edited := edit(t, s, third.ID, func(l *linktrack.Link) { l.Tags = []string{"ZOO", "ÄRGER 😀", "New"} })
		require.Equal(t, []string{"New", "Zoo", "Ärger 😀"}, edited.Tags, "UpdateLink uses tags as CreateLinks does, and returns their names")
		require.Equal(t, edited, look(t, s, third), "the edited link has the tags that were there")
		requireTags(t, s, owner, "New", "Zoo", "Ärger 😀")
	}},
	{"a link has each tag once, in the order of keys", func(t *testing.T, s linktrack.Store) {
		want := []string{"1", "a", "B", "c"}
		l := create(t, s, tagged(".1", "c", "B", "a", "b", "1", "A", "C"))
		require.Equal(t, want, l.Tags, "the first of two spellings is kept")
		require.Equal(t, want, look(t, s, l).Tags)
		edited := edit(t, s, l.ID, func(l *linktrack.Link) { l.Tags = []string{"z", "C", "Z", "c"} })
		require.Equal(t, []string{"c", "z"}, edited.Tags)
		require.Equal(t, edited, look(t, s, l))
		require.Nil(t, edit(t, s, l.ID, func(l *linktrack.Link) { l.Tags = nil }).Tags, "a link can lose its tags")
		require.Empty(t, look(t, s, l).Tags)
		requireTags(t, s, owner, "1", "a", "B", "c", "z")
	}},
	{"tags are the same without case and in no other way", func(t *testing.T, s linktrack.Store) {
		names := []string{"arger", "ärger", "ärger ", "a\u0308rger", "ſ", "s", "ß", "ss", "%", "_", "😀", "😁", "a,b", "a", "b", `"`}
		for i, name := range names {
			l := create(t, s, tagged(pathOf(i), name))
			require.Equal(t, []string{name}, l.Tags, "%q has a GroupKey of its own", name)
			require.Equal(t, []string{name}, look(t, s, l).Tags)
		}
		found, err := s.Tags(t.Context(), owner, 100)
		require.NoError(t, err)
		require.ElementsMatch(t, names, found)
	}},
	{"a tag belongs to its account and is no group", func(t *testing.T, s linktrack.Store) {
		create(t, s, tagged(".1", "News"))
		other := tagged(".2", "NEWS")
		other.Account = owner + 1
		require.Equal(t, []string{"NEWS"}, create(t, s, other).Tags, "another account's tag is no tag of this one")
		require.Equal(t, "nEWS", create(t, s, grouped(".3", "nEWS")).Group, "a group of that name is another thing")
		require.Equal(t, []string{"News"}, create(t, s, tagged(".4", "news")).Tags, "the first account's tag is as it was")
		requireTags(t, s, owner, "News")
		requireTags(t, s, owner+1, "NEWS")
		requireTags(t, s, owner+2)
		first, err := s.Tags(t.Context(), owner, 1)
		require.NoError(t, err)
		require.Len(t, first, 1, "at most limit names are returned")
	}},
	{"what fails makes no tag", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, tagged("sale", "kept"))
		_, err := createOne(t.Context(), s, tagged("SALE", "REFUSED"))
		require.ErrorIs(t, err, linktrack.ErrTaken, "the path is taken")
		_, err = s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error {
			l.Tags[0] = "UNDONE"
			l.Tags = append(l.Tags, "undone, too")
			return errChange
		})
		require.ErrorIs(t, err, errChange, "change's error is returned")
		require.Equal(t, l, look(t, s, l), "the link keeps its tags")
		requireTags(t, s, owner, "kept")
	}},
	{"tags of links made together are made on first use", func(t *testing.T, s linktrack.Store) {
		create(t, s, tagged("known", "News"))
		links := []linktrack.Link{tagged("a", "NEWS"), tagged("b", "zebra", "news"), tagged("c", "ZEBRA"), plain("d"), tagged("e", "Äpfel", "zebra")}
		links[4].Group = "Fruit"
		made := createAll(t, s, links)
		for i, want := range [][]string{{"News"}, {"News", "zebra"}, {"zebra"}, nil, {"zebra", "Äpfel"}} {
			require.Equal(t, want, made[i].Tags, "a tag keeps the name it was made with")
			require.Equal(t, made[i], look(t, s, made[i]), "and so do its links")
		}
		requireTags(t, s, owner, "News", "zebra", "Äpfel")
	}},
	{"of many concurrent callers that use a new tag, one names it", func(t *testing.T, s linktrack.Store) {
		names := []string{"NEWS", "News", "news", "nEWS"}
		moved := create(t, s, plain("moved"))
		err := together(16, func(i int) error {
			if i == 0 {
				_, err := s.UpdateLink(t.Context(), moved.ID, func(l *linktrack.Link) error { l.Tags = []string{"b", "nEwS", "a"}; return nil })
				return err
			}
			_, err := createOne(t.Context(), s, tagged(pathOf(i), names[i%len(names)], fmt.Sprint(i%3)))
			return err
		})
		require.NoError(t, err, "everyone gets their link")
		found, err := s.Tags(t.Context(), owner, 100)
		require.NoError(t, err)
		require.Len(t, found, 6, "each tag was made once")
		news := found[5]
		for _, l := range list(t, s, linktrack.LinkFilter{}) {
			require.Equal(t, news, l.Tags[len(l.Tags)-1], "the tag has one name")
		}
	}},
	{"tags are not moved, and the new account's are used", func(t *testing.T, s linktrack.Store) {
		theirs := tagged("theirs", "News")
		theirs.Account = buyer
		create(t, s, theirs)
		l := create(t, s, tagged("sale", "NEWS", "Own"))
		got := edit(t, s, l.ID, func(l *linktrack.Link) {
			require.Equal(t, []string{"NEWS", "Own"}, l.Tags, "change gets the link with its tags")
			l.Account = buyer
		})
		require.Equal(t, []string{"News", "Own"}, got.Tags, "the tags are those of the new account")
		require.Equal(t, got, look(t, s, l))
		requireTags(t, s, buyer, "News", "Own")
		requireTags(t, s, owner, "NEWS", "Own")
	}},
}
