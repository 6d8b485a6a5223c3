package linktrack_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestAChangeIsSeenByAnotherProcessInHalfASecond(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, s linktrack.Store, by *linktrack.Tracker, a linktrack.Account, l linktrack.Link)
		path   string // "": the link's
		want   error
		leads  string
	}{
		"a destination": {change: func(t *testing.T, _ linktrack.Store, by *linktrack.Tracker, a linktrack.Account, l linktrack.Link) {
			_, err := by.UpdateLink(t.Context(), a, l.Path, func(e *linktrack.LinkEdit) { e.ExternalURL = "https://example.org/" })
			require.NoError(t, err)
		}, leads: "https://example.org/"},
		"switched off": {change: func(t *testing.T, _ linktrack.Store, by *linktrack.Tracker, a linktrack.Account, l linktrack.Link) {
			_, err := by.UpdateLink(t.Context(), a, l.Path, func(e *linktrack.LinkEdit) { e.Disabled = true })
			require.NoError(t, err)
		}, want: linktrack.ErrInactive},
		"deleted": {change: func(t *testing.T, s linktrack.Store, _ *linktrack.Tracker, _ linktrack.Account, l linktrack.Link) {
			edited(t, s, l, func(l *linktrack.Link) { l.DeletedAt = time.Now() })
		}, want: linktrack.ErrDeleted},
		"renamed": {change: func(t *testing.T, s linktrack.Store, _ *linktrack.Tracker, _ linktrack.Account, l linktrack.Link) {
			edited(t, s, l, func(l *linktrack.Link) { l.Path = "later" })
		}, path: "later", leads: "https://example.com/spring"},
		"renamed, under its old name": {change: func(t *testing.T, s linktrack.Store, _ *linktrack.Tracker, _ linktrack.Account, l linktrack.Link) {
			edited(t, s, l, func(l *linktrack.Link) { l.Path, l.ExternalURL = "later", "https://example.org/" })
		}, leads: "https://example.org/"},
		"renamed and released": {change: func(t *testing.T, s linktrack.Store, _ *linktrack.Tracker, _ linktrack.Account, l linktrack.Link) {
			edited(t, s, l, func(l *linktrack.Link) { l.Path = "later" })
			require.NoError(t, s.ReleasePaths(t.Context(), l.ID, []linktrack.LinkName{{Host: l.Host, Key: l.Key()}}))
		}, want: linktrack.ErrNotFound},
		"purged": {change: func(t *testing.T, s linktrack.Store, _ *linktrack.Tracker, _ linktrack.Account, l linktrack.Link) {
			edited(t, s, l, func(l *linktrack.Link) { l.DeletedAt = time.Now() })
			require.NoError(t, s.PurgeLink(t.Context(), l.ID, false))
		}, want: linktrack.ErrNotFound},
		"a new limit": {change: func(t *testing.T, s linktrack.Store, _ *linktrack.Tracker, _ linktrack.Account, l linktrack.Link) {
			edited(t, s, l, func(l *linktrack.Link) { l.DeactivateAt = 1 })
		}, want: linktrack.ErrUsedUp},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := memstore.New()
				f := trackertest.Follow(t, store, linktrack.Options{Links: linktrack.LinkOptions{CacheTTL: time.Minute}}, linktrack.NewLink{})
				other, err := linktrack.New(store, linktrack.Options{})
				require.NoError(t, err)
				defer other.Close(t.Context())
				f.Passes(linktrack.Visit{})
				f.Refused(linktrack.ErrNotFound, linktrack.Visit{Path: "later"})
				time.Sleep(time.Second)
				f.Passes(linktrack.Visit{})
				f.Refused(linktrack.ErrNotFound, linktrack.Visit{Path: "later"})
				l, err := other.Link(t.Context(), f.Account, f.Path)
				require.NoError(t, err)
				c.change(t, store, other, f.Account, l)
				time.Sleep(500 * time.Millisecond)
				path := f.Path
				if c.path != "" {
					path = c.path
				}
				if c.want != nil {
					f.Refused(c.want, linktrack.Visit{Path: path})
					return
				}
				require.Equal(t, c.leads, f.Passes(linktrack.Visit{Path: path}).Location)
			})
		})
	}
}

// edited edits a link as another process does.
func edited(t *testing.T, s linktrack.Store, l linktrack.Link, change func(l *linktrack.Link)) {
	t.Helper()
	_, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { change(l); return nil })
	require.NoError(t, err)
}
