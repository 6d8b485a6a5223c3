package storetest

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func external(path, id string) linktrack.Link {
	l := plain(path)
	l.ExternalID = id
	return l
}

// requireIDTaken requires the error of an external id that is in use.
func requireIDTaken(t *testing.T, err error, why string) {
	t.Helper()
	require.ErrorIs(t, err, linktrack.ErrExternalIDTaken, why)
	require.ErrorIs(t, err, linktrack.ErrTaken, "it is an ErrTaken")
}

var externalIDs = []rule{
	{"an external id that the account has is taken, byte by byte", func(t *testing.T, s linktrack.Store) {
		for i, id := range []string{"a", "A", "a ", "á", "a\u0301", "%", "_", "0", ""} {
			create(t, s, external(pathOf(i), id))
		}
		create(t, s, external("none", ""))
		_, err := createOne(t.Context(), s, external("more", "a"))
		requireIDTaken(t, err, "another link has it")
		_, err = createOne(t.Context(), s, external(pathOf(0), "A"))
		requireIDTaken(t, err, "that the path is taken, too, makes no difference")
		_, err = createOne(t.Context(), s, external(pathOf(0), "new"))
		require.ErrorIs(t, err, linktrack.ErrTaken)
		require.NotErrorIs(t, err, linktrack.ErrExternalIDTaken, "only the path is taken")
		theirs := external("theirs", "a")
		theirs.Account++
		create(t, s, theirs)
		require.Len(t, list(t, s, linktrack.LinkFilter{}), 10, "nothing of what was refused is kept")
	}},
	{"of links made together none is kept if one has an external id that is taken", func(t *testing.T, s linktrack.Store) {
		create(t, s, external("sale", "x"))
		for _, links := range [][]linktrack.Link{
			{external("a", "1"), external("b", "x")},
			{external("a", "1"), external("b", "1")},
			{external("sale", "1"), external("b", "x")},
		} {
			links[0].Tags = []string{"Never made"}
			_, err := s.CreateLinks(t.Context(), links)
			requireIDTaken(t, err, "one is taken, or two are the same")
		}
		require.Len(t, list(t, s, linktrack.LinkFilter{}), 1, "no link of the refused calls is kept")
		requireTags(t, s, owner)
		createAll(t, s, []linktrack.Link{external("a", "1"), external("b", ""), external("c", "")})
	}},
	{"links are found by their external ids, byte by byte, also deleted ones, and no others", func(t *testing.T, s linktrack.Store) {
		a, lower := create(t, s, external("a", "A")), create(t, s, external("b", "a"))
		create(t, s, plain("none"))
		theirs := external("theirs", "B")
		theirs.Account++
		theirs = create(t, s, theirs)
		a, err := s.UpdateLink(t.Context(), a.ID, func(l *linktrack.Link) error { l.DeletedAt = noon; return nil })
		require.NoError(t, err)
		find := func(account linktrack.AccountID, ids ...string) map[string]linktrack.Link {
			found, err := s.LinksByExternalID(t.Context(), account, ids)
			require.NoError(t, err)
			require.NotNil(t, found)
			return found
		}
		require.Equal(t, map[string]linktrack.Link{"A": a, "a": lower}, find(owner, "A", "B", "a", "A", "", "a "))
		require.Equal(t, map[string]linktrack.Link{"B": theirs}, find(theirs.Account, "A", "B"))
		require.Empty(t, find(owner, ""), "links without an external id are not found by an empty one")
		require.Empty(t, find(owner+9, "A"))
		many := make([]string, 1000)
		for i := range many {
			many[i] = strings.Repeat("x", i%255+1)
		}
		many[999] = "A"
		require.Equal(t, map[string]linktrack.Link{"A": a}, find(owner, many...))
	}},
	{"an update takes an external id that is free, and gives back the old one", func(t *testing.T, s linktrack.Store) {
		a, b := create(t, s, external("a", "1")), create(t, s, external("b", "2"))
		_, err := s.UpdateLink(t.Context(), b.ID, func(l *linktrack.Link) error {
			l.ExternalID, l.Group, l.Tags, l.Title = "1", "never made", []string{"never made"}, "new"
			return nil
		})
		requireIDTaken(t, err, "another link has it")
		require.Equal(t, b, look(t, s, b), "nothing is changed")
		groups, err := s.Groups(t.Context(), owner, 10)
		require.NoError(t, err)
		require.Empty(t, groups, "no group is made")
		requireTags(t, s, owner)

		require.Equal(t, "2", edit(t, s, b.ID, func(l *linktrack.Link) { l.Title = "own" }).ExternalID, "a link's own id is not taken")
		edit(t, s, a.ID, func(l *linktrack.Link) { l.ExternalID = "3" })
		require.Equal(t, "1", edit(t, s, b.ID, func(l *linktrack.Link) { l.ExternalID = "1" }).ExternalID, "an id that was given back is free")
		edit(t, s, a.ID, func(l *linktrack.Link) { l.ExternalID = "" })
		create(t, s, external("c", "3"))
		create(t, s, external("d", "2"))
	}},
	{"a move takes the external id in the new account", func(t *testing.T, s linktrack.Store) {
		theirs := external("theirs", "x")
		theirs.Account = buyer
		create(t, s, theirs)
		l, other := create(t, s, external("sale", "x")), create(t, s, external("other", "y"))
		_, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.Account = buyer; return nil })
		requireIDTaken(t, err, "a link of the new account has it")
		require.Equal(t, l, look(t, s, l), "nothing is moved")
		require.Len(t, list(t, s, linktrack.LinkFilter{Account: buyer}), 1)

		edit(t, s, l.ID, func(l *linktrack.Link) { l.Account, l.ExternalID = buyer, "" })
		require.Equal(t, "y", move(t, s, other.ID, buyer).ExternalID)
		createAll(t, s, []linktrack.Link{external("a", "x"), external("b", "y")})
		again := external("c", "y")
		again.Account = buyer
		_, err = createOne(t.Context(), s, again)
		requireIDTaken(t, err, "the moved link has it")
		both := create(t, s, plain("both"))
		both = edit(t, s, both.ID, func(l *linktrack.Link) { l.Account, l.ExternalID = owner+2, "x" })
		require.Equal(t, "x", look(t, s, both).ExternalID, "an id that a link of the old account has is free in the new one")
	}},
	{"of many concurrent callers that use an external id, one gets it", func(t *testing.T, s linktrack.Store) {
		edited := create(t, s, plain("edited"))
		var got atomic.Int32
		err := together(12, func(i int) error {
			var err error
			if i%4 == 0 {
				_, err = s.UpdateLink(t.Context(), edited.ID, func(l *linktrack.Link) error { l.ExternalID = "x"; return nil })
			} else {
				_, err = createOne(t.Context(), s, external(pathOf(i), "x"))
			}
			switch {
			case err == nil && (i%4 != 0 || i == 0):
				got.Add(1)
			case errors.Is(err, linktrack.ErrExternalIDTaken):
				return nil
			}
			return err
		})
		require.NoError(t, err, "all others get ErrExternalIDTaken")
		holders := 0
		for _, l := range list(t, s, linktrack.LinkFilter{}) {
			if l.ExternalID == "x" {
				holders++
			}
		}
		require.Equal(t, 1, holders, "one link has it")
		require.LessOrEqual(t, got.Load(), int32(1), "no second caller was told that it has it")
	}},
}
