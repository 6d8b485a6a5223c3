package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// changeLister returns the store as a ChangeLister. Without this ability, which is
// optional, the test is skipped.
func changeLister(t *testing.T, s linktrack.Store) linktrack.ChangeLister {
	t.Helper()
	c, ok := s.(linktrack.ChangeLister)
	if !ok {
		t.Skip("the store does not list changes")
	}
	return c
}

// A changeReader remembers which changes it has read.
type changeReader struct {
	lister linktrack.ChangeLister
	read   map[int64]bool // by their IDs
}

func readerOf(t *testing.T, s linktrack.Store) *changeReader {
	return &changeReader{changeLister(t, s), make(map[int64]bool)}
}

// next returns the changes that were not read yet, without their IDs.
func (r *changeReader) next(t *testing.T) (changes []linktrack.Change) {
	t.Helper()
	found, err := r.lister.Changes(t.Context(), time.Minute, 1000)
	require.NoError(t, err, "changes can be listed at any time")
	for _, c := range found {
		if !r.read[c.ID] {
			r.read[c.ID] = true
			c.ID = 0
			changes = append(changes, c)
		}
	}
	return changes
}

var changes = []rule{
	{"each edit, release and purge of a link makes a change", func(t *testing.T, s linktrack.Store) {
		reader := readerOf(t, s)
		l := create(t, s, plain("sale"))
		reader.next(t)
		named := func(keys ...string) (all []linktrack.Change) {
			for _, key := range keys {
				all = append(all, linktrack.Change{Link: l.ID, Name: linktrack.LinkName{Host: host, Key: key}})
			}
			return all
		}
		check := func(why string, keys ...string) {
			t.Helper()
			require.Equal(t, named(keys...), reader.next(t), why)
		}
		for why, change := range map[string]func(l *linktrack.Link){
			"a destination": func(l *linktrack.Link) { l.ExternalURL = "https://example.org/" },
			"a limit":       func(l *linktrack.Link) { l.DeactivateAt = 5 },
			"a password":    func(l *linktrack.Link) { l.PasswordHash = []byte("x") },
			"a switch":      func(l *linktrack.Link) { l.Disabled = true },
			"a move":        func(l *linktrack.Link) { l.Account++ },
		} {
			edit(t, s, l.ID, change)
			check(why, "sale")
		}
		edit(t, s, l.ID, func(l *linktrack.Link) { l.Path = "Summer" })
		check("a renamed link is named as it is now", "summer")
		require.NoError(t, s.ReleasePaths(t.Context(), l.ID, []linktrack.LinkName{{Host: host, Key: "sale"}}), "a former path can be released")
		check("a released path", "sale")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeletedAt = noon })
		check("a deletion", "summer")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeletedAt = time.Time{} })
		check("a restoration", "summer")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeletedAt = noon })
		check("a deletion", "summer")
		require.NoError(t, s.PurgeLink(t.Context(), l.ID, false), "a deleted link can be purged")
		check("a purge", "summer")
	}},
	{"what changes nothing makes no change", func(t *testing.T, s linktrack.Store) {
		reader := readerOf(t, s)
		l := create(t, s, limited("sale", 5))
		reader.next(t)
		_, err := s.UpdateLink(t.Context(), l.ID, func(*linktrack.Link) error { return linktrack.ErrForbidden })
		require.ErrorIs(t, err, linktrack.ErrForbidden, "the edit is refused")
		requireGrant(t, s, l, 2, 2, "two of five")
		send(t, s, people(l.ID, 2, noon)...)
		require.Empty(t, reader.next(t), "a refused edit, a reservation, and clicks")
	}},
	{"if there are too many changes, as many as asked for are listed", func(t *testing.T, s linktrack.Store) {
		lister := changeLister(t, s)
		made := createMany(t, s, 3)
		for i := range made {
			edit(t, s, made[i].ID, func(l *linktrack.Link) { l.Title = "new" })
		}
		found, err := lister.Changes(t.Context(), time.Minute, 2)
		require.NoError(t, err, "changes can be listed at any time")
		require.Len(t, found, 2, "two are asked for")
		require.NotEqual(t, found[0].ID, found[1].ID, "each change has an ID of its own")
	}},
	{"changes that were made before are not listed", func(t *testing.T, s linktrack.Store) {
		lister := changeLister(t, s)
		l := create(t, s, plain("sale"))
		edit(t, s, l.ID, func(l *linktrack.Link) { l.Title = "new" })
		require.Eventually(t, func() bool {
			found, err := lister.Changes(t.Context(), 0, 10)
			require.NoError(t, err, "changes can be listed at any time")
			return len(found) == 0
		}, 10*time.Second, 100*time.Millisecond, "it was made some seconds ago")
		found, err := lister.Changes(t.Context(), time.Minute, 10)
		require.NoError(t, err, "changes can be listed at any time")
		require.Len(t, found, 1, "it was made within a minute")
	}},
}
