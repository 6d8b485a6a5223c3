package linktrack

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A nameStore is a LinkStore of links by all their names.
type nameStore struct {
	LinkStore
	links map[string]Link
	fails bool // it cannot be reached
}

func (s *nameStore) LinkByPath(_ context.Context, _, key string) (Link, error) {
	if s.fails {
		return Link{}, errors.New("connection refused")
	}
	if l, ok := s.links[key]; ok {
		return l, nil
	}
	return Link{}, ErrNotFound
}

func (s *nameStore) LinksByPath(context.Context, []LinkName) (map[LinkName]Link, error) {
	return nil, nil
}

func (s *nameStore) FormerPaths(_ context.Context, id int64) (names []LinkName, err error) {
	for key, l := range s.links {
		if l.ID == id && l.Path != key {
			names = append(names, LinkName{Host: l.Host, Key: key})
		}
	}
	return names, nil
}

// rename gives the link a present and any former paths.
func (s *nameStore) rename(id int64, present string, former ...string) Link {
	l := Link{ID: id, Host: "go.example.com", Path: present}
	for _, key := range append(former, present) {
		s.links[key] = l
	}
	return l
}

func newNames() (*nameStore, *linkCache, func(key string) (id int64, path string, err error)) {
	s := &nameStore{links: map[string]Link{}}
	c := newLinkCache(s, time.Hour, slog.New(slog.DiscardHandler), func(l Link) *entry {
		return &entry{link: l, location: []string{""}}
	})
	return s, c, func(key string) (int64, string, error) {
		e, err := c.get(context.Background(), "go.example.com", key, time.Now())
		if err != nil {
			return 0, "", err
		}
		return e.link.ID, e.link.Path, nil
	}
}

func TestALinkThatThisProcessRenamedIsFoundByAllItsNamesAtOnce(t *testing.T) {
	s, c, get := newNames()
	found := func(key, path string) {
		t.Helper()
		id, at, err := get(key)
		require.NoError(t, err, key)
		require.Equal(t, []any{int64(1), path}, []any{id, at}, key)
	}
	s.rename(1, "a")
	found("a", "a")
	_, _, err := get("b")
	require.ErrorIs(t, err, ErrNotFound)
	c.forgetAll(t.Context(), s.rename(1, "b", "a"))
	found("a", "b")
	found("b", "b")
	c.forgetAll(t.Context(), s.rename(1, "c", "a", "b"))
	found("a", "c")
	found("b", "c")
	found("c", "c")
	c.forgetAll(t.Context(), s.rename(1, "a", "b", "c"))
	found("b", "a")
	found("c", "a")
	found("a", "a")
}

func TestALinkIsFoundByAllItsNamesAfterAnotherProcessRenamedIt(t *testing.T) {
	for _, order := range [][]string{{"a", "b", "c"}, {"c", "b", "a"}, {"b", "a", "c"}} {
		s, c, get := newNames()
		s.rename(1, "b", "a")
		for _, key := range []string{"a", "b"} {
			_, _, err := get(key)
			require.NoError(t, err)
		}
		s.rename(1, "c", "a", "b")
		for _, key := range order {
			id, _, err := get(key)
			require.NoError(t, err, "%s, before its entry is old", key)
			require.EqualValues(t, 1, id)
		}
		c.forgetNames(LinkName{Host: "go.example.com", Key: "b"}) // its entry is old now
		for _, key := range order {
			id, _, err := get(key)
			require.NoError(t, err, key)
			require.EqualValues(t, 1, id)
		}
	}
}

func TestAReleasedPathIsNotFoundOnceItIsForgotten(t *testing.T) {
	s, c, get := newNames()
	s.rename(1, "b", "a")
	for _, key := range []string{"a", "b"} {
		_, _, err := get(key)
		require.NoError(t, err)
	}
	delete(s.links, "a")
	c.forgetNames(LinkName{Host: "go.example.com", Key: "a"})
	_, _, err := get("a")
	require.ErrorIs(t, err, ErrNotFound)
	s.rename(2, "a") // by anybody
	c.forgetNames(LinkName{Host: "go.example.com", Key: "a"})
	id, _, err := get("a")
	require.NoError(t, err)
	require.EqualValues(t, 2, id)
	id, _, err = get("b")
	require.NoError(t, err)
	require.EqualValues(t, 1, id)
}

func TestAFormerPathOfALinkWhosePathIsAnotherOnesNowIsNotFollowedThere(t *testing.T) {
	s, c, get := newNames()
	s.rename(1, "b", "a")
	_, _, err := get("a")
	require.NoError(t, err)
	s.rename(1, "c", "a") // another process renamed it, released b, and gave it away
	s.rename(2, "b")
	c.forgetNames(LinkName{Host: "go.example.com", Key: "b"})
	id, path, err := get("a")
	require.NoError(t, err)
	require.Equal(t, []any{int64(1), "c"}, []any{id, path})
}
