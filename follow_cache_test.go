package linktrack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// A shelf is a LinkStore that has a link of the largest size under every path
// but those that begin with "none".
type shelf struct {
	LinkStore
	down    bool
	lookups int
}

func (s *shelf) LinkByPath(_ context.Context, host, key string) (Link, error) {
	s.lookups++
	switch {
	case s.down:
		return Link{}, errors.New("connection refused")
	case strings.HasPrefix(key, "none"):
		return Link{}, ErrNotFound
	}
	return Link{ID: 1, Host: host, Path: key, LinkSettings: LinkSettings{ExternalURL: "https://example.com/" + strings.Repeat("x", 4000), Title: strings.Repeat("x", 255)}}, nil
}

func (s *shelf) LinksByPath(context.Context, []LinkName) (map[LinkName]Link, error) {
	if s.down {
		return nil, errors.New("connection refused")
	}
	return nil, nil
}

func newShelf() (*shelf, *linkCache) {
	s := &shelf{}
	return s, newLinkCache(s, 5*time.Second, slog.New(slog.DiscardHandler), func(l Link) *entry {
		return &entry{link: l, location: []string{l.ExternalURL}}
	})
}

func TestTheCacheIsBoundedInBytes(t *testing.T) {
	_, c := newShelf()
	for i := range 30_000 {
		_, err := c.get(t.Context(), "go.example.com", fmt.Sprint(i), now())
		require.NoError(t, err)
	}
	c.entries.CleanUp()
	require.LessOrEqual(t, c.entries.WeightedSize(), uint64(cacheBytes))
	require.LessOrEqual(t, c.entries.EstimatedSize(), cacheBytes/4000)
	require.Greater(t, c.entries.EstimatedSize(), cacheBytes/4000/4, "it is used")
}

func TestPathsThatAreNoneAreFewInTheCache(t *testing.T) {
	s, c := newShelf()
	for i := range 30_000 {
		_, err := c.get(t.Context(), "go.example.com", fmt.Sprint("none", i), now())
		require.ErrorIs(t, err, ErrNotFound)
	}
	c.entries.CleanUp()
	require.LessOrEqual(t, c.entries.EstimatedSize(), absentPaths)
	before := s.lookups
	for range 2 {
		_, err := c.get(t.Context(), "go.example.com", "none", now())
		require.ErrorIs(t, err, ErrNotFound)
	}
	require.Equal(t, before+1, s.lookups, "and known for a moment all the same")
}

func TestALinkIsLookedUpAgainWhenTheClockWasSetBack(t *testing.T) {
	s, c := newShelf()
	look := func(at time.Time) int {
		before := s.lookups
		_, err := c.get(t.Context(), "go.example.com", "spring", at)
		require.NoError(t, err)
		return s.lookups - before
	}
	require.Equal(t, 1, look(now()))
	require.Equal(t, 0, look(now()))
	require.Equal(t, 0, look(now().Add(-time.Second)), "clocks are set back a little all the time")
	e, known := c.entries.GetIfPresent(LinkName{Host: "go.example.com", Key: "spring"})
	require.True(t, known)
	require.True(t, c.fresh(e, e.loaded))
	require.False(t, c.fresh(e, e.loaded.Add(5*time.Second)), "it is old")
	require.False(t, c.fresh(e, e.loaded.Add(-5*time.Second)), "it is of a time to come")
	require.False(t, c.fresh(e, e.loaded.Add(-time.Hour)))
}

func TestTheStoreIsAskedAgainWhenTheClockWasSetBackSinceItFailed(t *testing.T) {
	s, c := newShelf()
	s.down = true
	_, err := c.get(t.Context(), "go.example.com", "spring", now())
	require.ErrorIs(t, err, ErrUnavailable)
	s.down = false
	before := s.lookups
	_, err = c.get(t.Context(), "go.example.com", "spring", now())
	require.ErrorIs(t, err, ErrUnavailable)
	require.Equal(t, before, s.lookups, "it failed a moment ago")
	_, err = c.get(t.Context(), "go.example.com", "spring", now().Add(-time.Hour))
	require.NoError(t, err, "a clock that was set back by an hour would leave it alone for an hour")
}

func TestTheHostOfAReferrerIsACopy(t *testing.T) {
	c := Click{Referrer: "https://www.example.com/page"}
	tr := encodingTracker(t)
	newCompleter(&tr.opts, &tr.locator).complete(&c)
	require.Equal(t, "www.example.com", c.ReferrerHost)
	referrer := uintptr(unsafe.Pointer(unsafe.StringData(c.Referrer)))
	host := uintptr(unsafe.Pointer(unsafe.StringData(c.ReferrerHost)))
	require.False(t, referrer <= host && host < referrer+uintptr(len(c.Referrer)), "a part of it would keep all of it where only the host is wanted")
}
