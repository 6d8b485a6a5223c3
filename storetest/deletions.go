package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func remove(t *testing.T, s linktrack.Store, l linktrack.Link) linktrack.Link {
	t.Helper()
	return edit(t, s, l.ID, func(l *linktrack.Link) { l.DeletedAt = noon.Add(time.Hour) })
}

func restore(t *testing.T, s linktrack.Store, l linktrack.Link) linktrack.Link {
	t.Helper()
	return edit(t, s, l.ID, func(l *linktrack.Link) { l.DeletedAt = time.Time{} })
}

var deletions = []rule{
	{"a link is deleted and restored, and keeps all else", func(t *testing.T, s linktrack.Store) {
		was := create(t, s, full("sale"))
		want := was
		want.DeletedAt = noon.Add(time.Hour)
		require.Equal(t, want, remove(t, s, want), "UpdateLink returns the link as it was kept")
		require.Equal(t, want, edit(t, s, want.ID, func(*linktrack.Link) {}), "a link stays deleted")
		require.Equal(t, was, restore(t, s, want), "a link is restored as it was")
		require.Equal(t, was, look(t, s, want), "a link is restored as it was")
	}},
	{"a deleted link is found by its path, and its path stays taken", func(t *testing.T, s linktrack.Store) {
		l := remove(t, s, create(t, s, full("sale")))
		require.Equal(t, l, look(t, s, l), "LinkByPath returns deleted links")
		found, err := s.LinksByPath(t.Context(), []linktrack.LinkName{{Host: l.Host, Key: l.Key()}})
		require.NoError(t, err)
		require.Equal(t, map[linktrack.LinkName]linktrack.Link{{Host: l.Host, Key: l.Key()}: l}, found, "LinksByPath returns deleted links")
		_, err = createOne(t.Context(), s, plain("SALE"))
		require.ErrorIs(t, err, linktrack.ErrTaken, "the path stays the deleted link's")
	}},
	{"a deleted link is only in the list of deleted links", func(t *testing.T, s linktrack.Store) {
		gone, stays := create(t, s, grouped("gone", "news")), create(t, s, grouped("stays", "news"))
		gone = remove(t, s, gone)
		for _, sort := range everySort {
			for name, q := range map[string]linktrack.LinkFilter{
				"all":    {},
				"group":  {Groups: []string{"news"}},
				"search": {Search: "example"},
				"name":   {Names: []linktrack.LinkName{{Key: "gone"}, {Key: "stays"}}},
				"a page": {Limit: 1},
			} {
				q.Sort = sort
				require.Equal(t, []linktrack.Link{stays}, list(t, s, q), "%s, sorted by %s", name, sort)
				q.Deleted = true
				require.Equal(t, []linktrack.Link{gone}, list(t, s, q), "deleted: %s, sorted by %s", name, sort)
			}
		}
		gone = restore(t, s, gone)
		require.Empty(t, list(t, s, linktrack.LinkFilter{Deleted: true}), "no link is deleted any more")
		for _, sort := range everySort {
			require.ElementsMatch(t, []linktrack.Link{gone, stays}, list(t, s, linktrack.LinkFilter{Sort: sort}), "sorted by %s", sort)
		}
	}},
	{"a deleted link moves like any other", func(t *testing.T, s linktrack.Store) {
		l := move(t, s, remove(t, s, create(t, s, plain("sale"))).ID, buyer)
		require.Equal(t, []linktrack.Link{l}, list(t, s, linktrack.LinkFilter{Account: buyer, Deleted: true}))
		require.Empty(t, list(t, s, linktrack.LinkFilter{Deleted: true}))
		require.Empty(t, list(t, s, linktrack.LinkFilter{Account: buyer}))
	}},
	{"a deleted link lets nobody pass", func(t *testing.T, s linktrack.Store) {
		l, free := create(t, s, limited("sale", 5)), create(t, s, plain("free"))
		requireGrant(t, s, l, 2, 2, "two of five may pass")
		remove(t, s, l)
		remove(t, s, free)
		requireGrant(t, s, l, 2, 0, "it is deleted")
		requireGrant(t, s, free, 2, 0, "it is deleted")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 6 })
		requireGrant(t, s, l, 2, 0, "it is still deleted")
		require.EqualValues(t, 2, look(t, s, l).Counts.Used, "what is refused uses nothing")
		restore(t, s, l)
		restore(t, s, free)
		requireGrant(t, s, l, 5, 4, "four of six may still pass")
		requireGrant(t, s, free, 2, 2, "a link without a limit lets all pass")
	}},
	{"a click that is applied after the deletion counts", func(t *testing.T, s linktrack.Store) {
		l := remove(t, s, create(t, s, plain("sale")))
		send(t, s, visitor(l.ID, noon), bot(l.ID, noon))
		require.Len(t, recorded(t, s, l.ID), 2, "the history goes on")
		c := restore(t, s, l).Counts
		require.EqualValues(t, []int64{1, 1, 1}, []int64{c.People, c.Unique, c.Bots})
		require.EqualValues(t, 1, list(t, s, linktrack.LinkFilter{Sort: linktrack.SortTotal})[0].Counts.Day)
	}},
}
