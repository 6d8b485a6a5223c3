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

// since returns the changes after an ID, without theirs.
func since(t *testing.T, c linktrack.ChangeLister, after int64) (changes []linktrack.Change, last int64) {
	t.Helper()
	last = after
	found, err := c.Changes(t.Context(), after, 1000)
	require.NoError(t, err, "changes can be listed at any time")
	for _, one := range found {
		require.Greater(t, one.ID, last, "changes are in the order of their IDs")
		last = one.ID
		one.ID = 0
		changes = append(changes, one)
	}
	return changes, last
}

var changes = []rule{
	{"each edit, release and purge of a link makes a change", func(t *testing.T, s linktrack.Store) {
		lister := changeLister(t, s)
		l := create(t, s, plain("sale"))
		_, last := since(t, lister, 0)
		named := func(keys ...string) (all []linktrack.Change) {
			for _, key := range keys {
				all = append(all, linktrack.Change{Link: l.ID, Name: linktrack.LinkName{Host: host, Key: key}})
			}
			return all
		}
		check := func(why string, keys ...string) {
			t.Helper()
			var found []linktrack.Change
			found, last = since(t, lister, last)
			require.Equal(t, named(keys...), found, why)
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
		lister := changeLister(t, s)
		l := create(t, s, limited("sale", 5))
		_, last := since(t, lister, 0)
		_, err := s.UpdateLink(t.Context(), l.ID, func(*linktrack.Link) error { return linktrack.ErrForbidden })
		require.ErrorIs(t, err, linktrack.ErrForbidden, "the edit is refused")
		requireGrant(t, s, l, 2, 2, "two of five")
		send(t, s, people(l.ID, 2, noon)...)
		found, _ := since(t, lister, last)
		require.Empty(t, found, "a refused edit, a reservation, and clicks")
	}},
	{"if there are too many changes, the newest are listed", func(t *testing.T, s linktrack.Store) {
		lister := changeLister(t, s)
		made := createMany(t, s, 3)
		for i := range made {
			edit(t, s, made[i].ID, func(l *linktrack.Link) { l.Title = "new" })
		}
		found, err := lister.Changes(t.Context(), 0, 2)
		require.NoError(t, err, "changes can be listed at any time")
		require.Len(t, found, 2, "two are asked for")
		require.Equal(t, []int64{made[1].ID, made[2].ID}, []int64{found[0].Link, found[1].Link}, "in the order of their IDs")
		found, err = lister.Changes(t.Context(), found[1].ID, 2)
		require.NoError(t, err, "changes can be listed at any time")
		require.Empty(t, found, "there is none after the newest")
	}},
}
