package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func grouped(path, group string) linktrack.Link {
	l := plain(path)
	l.Group = group
	return l
}

var groups = []rule{
	{"a group keeps the name of its first use", func(t *testing.T, s linktrack.Store) {
		require.Equal(t, "Ärger 😀", create(t, s, grouped(".1", "Ärger 😀")).Group, "a new group has the name given")
		second := create(t, s, grouped(".2", "äRGER 😀"))
		require.Equal(t, "Ärger 😀", second.Group, "CreateLinks returns the name that the group was made with")
		require.Equal(t, "Ärger 😀", look(t, s, second).Group, "the link is in the group that was there")

		third := create(t, s, plain(".3"))
		edited := edit(t, s, third.ID, func(l *linktrack.Link) { l.Group = "ÄRGER 😀" })
		require.Equal(t, "Ärger 😀", edited.Group, "UpdateLink uses a group as CreateLinks does, and returns its name")
		require.Equal(t, "Ärger 😀", look(t, s, third).Group, "the edited link is in the group that was there")
	}},
	{"groups are the same without case and in no other way", func(t *testing.T, s linktrack.Store) {
		for i, name := range []string{"arger", "ärger", "ärger ", "a\u0308rger", "ſ", "s", "ß", "ss", "%", "_", "😀", "😁"} {
			l := create(t, s, grouped(pathOf(i), name))
			require.Equal(t, name, l.Group, "%q has a GroupKey of its own", name)
			require.Equal(t, []string{l.Path}, paths(list(t, s, linktrack.LinkFilter{Groups: []string{name}})), "%q has one link", name)
		}
	}},
	{"a group belongs to its account", func(t *testing.T, s linktrack.Store) {
		create(t, s, grouped(".1", "News"))
		other := grouped(".2", "NEWS")
		other.Account = owner + 1
		require.Equal(t, "NEWS", create(t, s, other).Group, "another account's group is no group of this one")
		require.Equal(t, "News", create(t, s, grouped(".3", "news")).Group, "the first account's group is as it was")
	}},
	{"an update makes a group that is new, and can leave it", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, grouped(".1", "one"))
		edited := edit(t, s, l.ID, func(l *linktrack.Link) { l.Group = "Two" })
		require.Equal(t, "Two", edited.Group, "UpdateLink makes a group on first use")
		require.Equal(t, "Two", create(t, s, grouped(".2", "two")).Group, "the group made by UpdateLink is there for all")
		require.Empty(t, edit(t, s, l.ID, func(l *linktrack.Link) { l.Group = "" }).Group, "a link can leave its group")
		require.Empty(t, look(t, s, l).Group, "a link can leave its group")
		require.Equal(t, "one", create(t, s, grouped(".3", "ONE")).Group, "a group without links keeps its name")
	}},
	{"what fails makes no group", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		_, err := createOne(t.Context(), s, grouped("SALE", "REFUSED"))
		require.ErrorIs(t, err, linktrack.ErrTaken, "the path is taken")
		require.Equal(t, "Refused", create(t, s, grouped(".1", "Refused")).Group, "a link that is refused makes no group")
		_, err = s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.Group = "UNDONE"; return errChange })
		require.ErrorIs(t, err, errChange, "change's error is returned")
		require.Equal(t, "Undone", create(t, s, grouped(".2", "Undone")).Group, "an update that is refused makes no group")
	}},
	{"of many concurrent callers that use a new group, one names it", func(t *testing.T, s linktrack.Store) {
		names := []string{"NEWS", "News", "news", "nEWS"}
		err := together(16, func(i int) error {
			_, err := createOne(t.Context(), s, grouped(pathOf(i), names[i%len(names)]))
			return err
		})
		require.NoError(t, err, "everyone gets their link")
		found := list(t, s, linktrack.LinkFilter{Groups: []string{"news"}})
		require.Len(t, found, 16, "all links are in one group")
		for _, l := range found {
			require.Equal(t, found[0].Group, l.Group, "the group has one name")
		}
	}},
}
