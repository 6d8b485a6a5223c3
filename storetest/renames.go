package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func rename(s linktrack.Store, t *testing.T, id int64, host, path string) (linktrack.Link, error) {
	t.Helper()
	return s.UpdateLink(t.Context(), id, func(l *linktrack.Link) error { l.Host, l.Path = host, path; return nil })
}

func requireFormer(t *testing.T, s linktrack.Store, id int64, want ...linktrack.LinkName) {
	t.Helper()
	names, err := s.FormerPaths(t.Context(), id)
	require.NoError(t, err)
	require.ElementsMatch(t, want, names)
}

func named(key string) linktrack.LinkName { return linktrack.LinkName{Host: host, Key: key} }

var renames = []rule{
	{"a renamed link is found by its former paths, too", func(t *testing.T, s linktrack.Store) {
		want := create(t, s, full("Sale"))
		first := want
		want.Host, want.Path = "other.example.com", "New"
		got, err := rename(s, t, want.ID, want.Host, want.Path)
		require.NoError(t, err)
		require.Equal(t, want, got, "UpdateLink returns the link as it was kept")
		require.Equal(t, want, look(t, s, want), "it has the new path")
		require.Equal(t, want, look(t, s, first), "the former path leads to it")
		requireFormer(t, s, want.ID, named("sale"))
		found, err := s.LinksByPath(t.Context(), []linktrack.LinkName{named("sale"), {Host: want.Host, Key: "new"}, named("new")})
		require.NoError(t, err)
		require.Equal(t, map[linktrack.LinkName]linktrack.Link{named("sale"): want, {Host: want.Host, Key: "new"}: want}, found)
		listed := func(key string) []linktrack.Link {
			return list(t, s, linktrack.LinkFilter{Names: []linktrack.LinkName{{Key: key}}, Archived: linktrack.WithArchived})
		}
		require.Empty(t, listed("sale"), "Links has present paths only")
		require.Equal(t, []linktrack.Link{want}, listed("new"))

		edit(t, s, want.ID, func(l *linktrack.Link) { l.Path = "NEW" })
		require.Equal(t, "NEW", look(t, s, want).Path)
		requireFormer(t, s, want.ID, named("sale"))
		got, err = rename(s, t, want.ID, first.Host, first.Path)
		require.NoError(t, err, "a link gets its own former path back")
		require.Equal(t, first, got)
		requireFormer(t, s, want.ID, linktrack.LinkName{Host: want.Host, Key: "new"})
	}},
	{"former paths are listed in the order of host and key", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("b"))
		for _, name := range []linktrack.LinkName{{Host: "a.example.com", Key: "c"}, {Host: host, Key: "a"}, {Host: host, Key: "_"}, {Host: "b.example.com", Key: "-"}, {Host: "last.example.com", Key: "x"}} {
			_, err := rename(s, t, l.ID, name.Host, name.Key)
			require.NoError(t, err)
		}
		names, err := s.FormerPaths(t.Context(), l.ID)
		require.NoError(t, err)
		require.Equal(t, []linktrack.LinkName{{Host: "a.example.com", Key: "c"}, {Host: "b.example.com", Key: "-"}, named("_"), named("a"), named("b")}, names)
		requireFormer(t, s, 1<<40)
	}},
	{"clicks that come by a former path count on the link", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		send(t, s, visitor(l.ID, noon))
		_, err := rename(s, t, l.ID, host, "new")
		require.NoError(t, err)
		by, err := s.LinkByPath(t.Context(), host, "sale")
		require.NoError(t, err)
		send(t, s, visitor(by.ID, noon.Add(time.Second)))
		require.EqualValues(t, 2, look(t, s, plain("new")).Counts.People)
		require.Len(t, recorded(t, s, l.ID), 2)
	}},
	{"a link that moves takes its former paths along", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("first"))
		_, err := rename(s, t, l.ID, host, "second")
		require.NoError(t, err)
		want, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.Account, l.Path = buyer, "third"; return nil })
		require.NoError(t, err, "it may be renamed at the same time")
		requireFormer(t, s, l.ID, named("first"), named("second"))
		for _, path := range []string{"first", "second", "third"} {
			require.Equal(t, want, look(t, s, plain(path)))
			_, err = createOne(t.Context(), s, plain(path))
			require.ErrorIs(t, err, linktrack.ErrTaken, "not even the old account can take %s", path)
		}
		_, err = rename(s, t, l.ID, host, "first")
		require.NoError(t, err)
	}},
	{"a rename says whether the path or the external id is taken", func(t *testing.T, s linktrack.Store) {
		other := plain("other")
		other.ExternalID = "id"
		other = create(t, s, other)
		_, err := rename(s, t, other.ID, host, "present")
		require.NoError(t, err)
		l := create(t, s, plain("sale"))
		for _, c := range []struct {
			path, id string
			want     error
		}{
			{"other", "", linktrack.ErrTaken},
			{"other", "free", linktrack.ErrTaken},
			{"present", "free", linktrack.ErrTaken},
			{"other", "id", linktrack.ErrExternalIDTaken},
			{"present", "id", linktrack.ErrExternalIDTaken},
			{"free", "id", linktrack.ErrExternalIDTaken},
			{"sale", "id", linktrack.ErrExternalIDTaken},
		} {
			_, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.Path, l.ExternalID = c.path, c.id; return nil })
			require.ErrorIs(t, err, c.want, c)
			require.Equal(t, c.want == linktrack.ErrExternalIDTaken, errors.Is(err, linktrack.ErrExternalIDTaken), c)
			require.Equal(t, l, look(t, s, l), "nothing is changed")
			added := plain(c.path)
			if added.ExternalID = c.id; c.path != l.Path {
				_, err = createOne(t.Context(), s, added)
				require.ErrorIs(t, err, c.want, c)
				require.Equal(t, c.want == linktrack.ErrExternalIDTaken, errors.Is(err, linktrack.ErrExternalIDTaken), c)
			}
		}
		_, err = s.LinkByPath(t.Context(), host, "free")
		require.ErrorIs(t, err, linktrack.ErrNotFound)
		_, err = s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.Path, l.ExternalID = "free", "free"; return nil })
		require.NoError(t, err)
	}},
	{"a path that a link has or had is taken until it is released", func(t *testing.T, s linktrack.Store) {
		l, other := create(t, s, plain("sale")), create(t, s, plain("other"))
		_, err := rename(s, t, l.ID, host, "new")
		require.NoError(t, err)
		before := look(t, s, other)
		for _, path := range []string{"NEW", "Sale"} {
			_, err := createOne(t.Context(), s, plain(path))
			require.ErrorIs(t, err, linktrack.ErrTaken, path)
			_, err = s.CreateLinks(t.Context(), []linktrack.Link{plain("free"), plain(path)})
			require.ErrorIs(t, err, linktrack.ErrTaken, path)
			_, err = s.UpdateLink(t.Context(), other.ID, func(l *linktrack.Link) error { l.Path, l.Title, l.Group = path, "new", "new"; return nil })
			require.ErrorIs(t, err, linktrack.ErrTaken, path)
		}
		require.Equal(t, before, look(t, s, other), "nothing is changed")
		requireFormer(t, s, other.ID)
		names, err := s.Groups(t.Context(), owner, 10)
		require.NoError(t, err)
		require.Empty(t, names, "nothing is made")

		require.NoError(t, s.ReleasePaths(t.Context(), other.ID, []linktrack.LinkName{named("sale")}), "it is another link's")
		require.NoError(t, s.ReleasePaths(t.Context(), l.ID, []linktrack.LinkName{named("new"), named("unknown")}), "neither is a former path")
		require.NoError(t, s.ReleasePaths(t.Context(), 1<<40, nil))
		requireFormer(t, s, l.ID, named("sale"))
		require.Equal(t, "new", look(t, s, plain("new")).Path)
		require.NoError(t, s.ReleasePaths(t.Context(), l.ID, []linktrack.LinkName{named("sale")}))
		requireFormer(t, s, l.ID)
		_, err = s.LinkByPath(t.Context(), host, "sale")
		require.ErrorIs(t, err, linktrack.ErrNotFound)
		create(t, s, plain("sale"))
	}},
	{"a purged link leaves its former paths", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		l, err := rename(s, t, l.ID, host, "new")
		require.NoError(t, err)
		purge(t, s, l)
		requireFormer(t, s, l.ID)
		for _, path := range []string{"sale", "new"} {
			_, err := s.LinkByPath(t.Context(), host, path)
			require.ErrorIs(t, err, linktrack.ErrNotFound)
			create(t, s, plain(path))
		}
	}},
	{"of many concurrent callers that take a path, one gets it", func(t *testing.T, s linktrack.Store) {
		links := createMany(t, s, 8)
		var got atomic.Int32
		err := together(24, func(i int) error {
			var err error
			switch i % 3 {
			case 0: // its former path, if another caller was faster
				_, err = s.UpdateLink(t.Context(), links[i/3].ID, func(l *linktrack.Link) error { l.Path = "x"; return nil })
				if err == nil {
					_, err = s.UpdateLink(t.Context(), links[i/3].ID, func(l *linktrack.Link) error { l.Path = pathOf(100); return nil })
				}
			case 1:
				_, err = createOne(t.Context(), s, plain("x"))
			case 2:
				_, err = s.CreateLinks(t.Context(), []linktrack.Link{plain(pathOf(200 + i)), plain("x")})
			}
			if errors.Is(err, linktrack.ErrTaken) {
				return nil
			}
			if err == nil {
				got.Add(1)
			}
			return err
		})
		require.NoError(t, err, "all others get ErrTaken")
		require.EqualValues(t, 1, got.Load(), "one link has or had the path")
	}},
	{"links that want each other's paths at the same time get ErrTaken", func(t *testing.T, s linktrack.Store) {
		links := createMany(t, s, 4)
		err := together(16, func(i int) error {
			for round := range 8 {
				l := links[(i+round)%4]
				_, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error {
					l.Path, l.Group = links[(i+1)%4].Path, pathOf(i)
					return nil
				})
				if err != nil && !errors.Is(err, linktrack.ErrTaken) {
					return err
				}
				made := []linktrack.Link{plain(pathOf(300 + 10*i + round)), links[i%4]}
				made[0].Group, made[1].ExternalID = pathOf(15-i), ""
				if _, err = s.CreateLinks(t.Context(), made); !errors.Is(err, linktrack.ErrTaken) {
					return fmt.Errorf("a path that was always some link's could be taken: %v", err)
				}
			}
			return nil
		})
		require.NoError(t, err, "no other error")
		for _, l := range links {
			require.Equal(t, l.ID, look(t, s, l).ID, "each still has its path")
		}
	}},
	{"a link is found by both paths at any time while it is renamed to and fro", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("one"))
		_, err := rename(s, t, l.ID, host, "two")
		require.NoError(t, err)
		var done atomic.Bool
		err = together(5, func(i int) error {
			if i == 0 {
				defer done.Store(true)
				for round := range 60 {
					if _, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.Path = []string{"one", "two"}[round%2]; return nil }); err != nil {
						return err
					}
				}
				return nil
			}
			for !done.Load() {
				for _, key := range []string{"one", "two"} {
					if _, err := s.LinkByPath(t.Context(), host, key); err != nil {
						return err
					}
					found, err := s.LinksByPath(t.Context(), []linktrack.LinkName{named(key)})
					if err != nil || len(found) != 1 {
						return fmt.Errorf("%d links by %s: %w", len(found), key, errors.Join(err, linktrack.ErrNotFound))
					}
				}
			}
			return nil
		})
		require.NoError(t, err)
	}},
}
