package linktrack

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A tape is a store whose changes a test makes in any order.
type tape struct {
	nameStore
	all  []Change
	down bool
}

func (s *tape) Changes(_ context.Context, after int64, limit int) ([]Change, error) {
	if s.down {
		return nil, errors.New("connection refused")
	}
	found := slices.DeleteFunc(slices.Clone(s.all), func(c Change) bool { return c.ID <= after })
	slices.SortFunc(found, func(a, b Change) int { return int(a.ID - b.ID) })
	return found[max(0, len(found)-limit):], nil
}

func newTape() (*tape, *changeFeed, func(key string) string) {
	s := &tape{nameStore: nameStore{links: map[string]Link{}}}
	c := newLinkCache(s, time.Hour, slog.New(slog.DiscardHandler), func(l Link) *entry {
		return &entry{link: l, location: []string{""}}
	})
	f := &changeFeed{store: s, cache: c, seen: map[int64]bool{}}
	return s, f, func(key string) string {
		e, err := c.get(context.Background(), "go.example.com", key, time.Now())
		if err != nil {
			return err.Error()
		}
		return e.link.Title
	}
}

// change changes the title of a link, with the ID of the change.
func (s *tape) change(id, link int64, key, title string) {
	s.links[key] = Link{ID: link, Host: "go.example.com", Path: key, LinkSettings: LinkSettings{Title: title}}
	if id > 0 {
		s.all = append(s.all, Change{ID: id, Link: link, Name: LinkName{Host: "go.example.com", Key: key}})
	}
}

func TestAChangeThatIsCommittedAfterALaterOneIsNotMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f, title := newTape()
		s.change(10, 1, "a", "old")
		s.change(0, 2, "b", "old")
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, []string{"old", "old"}, []string{title("a"), title("b")})
		s.change(31, 1, "a", "new")
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, []string{"new", "old"}, []string{title("a"), title("b")})
		time.Sleep(20 * time.Second)
		require.NoError(t, f.poll(t.Context()))
		s.change(22, 2, "b", "new")
		require.Equal(t, "old", title("b"))
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, "new", title("b"))
		for range 100 {
			time.Sleep(time.Second)
			require.NoError(t, f.poll(t.Context()))
		}
		require.EqualValues(t, 31, f.low)
		require.Empty(t, f.seen, "it remembers half a minute")
		require.LessOrEqual(t, len(f.highs), 32)
	})
}

func TestAProcessThatWasAwayForLongForgetsAllLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f, title := newTape()
		s.change(1, 1, "a", "old")
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, "old", title("a"))
		s.down = true
		time.Sleep(changeReach)
		require.Error(t, f.poll(t.Context()))
		s.down, s.all = false, nil
		s.change(0, 1, "a", "new") // the change is not kept any more
		require.Equal(t, "old", title("a"))
		time.Sleep(time.Second)
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, "new", title("a"))
	})
}

func TestAStoreThatWasDownTellsOfTheChangesSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f, title := newTape()
		s.change(1, 1, "a", "old")
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, "old", title("a"))
		s.down = true
		time.Sleep(time.Minute)
		require.Error(t, f.poll(t.Context()))
		s.down = false
		s.change(2, 1, "a", "new")
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, "new", title("a"))
	})
}

func TestMoreChangesThanAreReadAtOnceMakeTheCacheForgetAll(t *testing.T) {
	s, f, title := newTape()
	s.change(1, 1, "a", "old")
	require.NoError(t, f.poll(t.Context()))
	require.Equal(t, "old", title("a"))
	s.change(2, 1, "a", "new")
	for id := range int64(changesAtOnce) {
		s.all = append(s.all, Change{ID: 3 + id, Link: 2})
	}
	require.NoError(t, f.poll(t.Context()))
	require.Equal(t, "new", title("a"))
}

func TestEntriesOfChangedLinksDoNotStayInTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f, title := newTape()
		s.change(1, 1, "a", "old")
		s.change(0, 2, "b", "old")
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, []string{"old", "old"}, []string{title("a"), title("b")})
		s.all = append(s.all, Change{ID: 2, Link: 1, Name: LinkName{Key: "another name"}})
		require.NoError(t, f.poll(t.Context()))
		f.cache.sweep(time.Now())
		require.Equal(t, 2, f.cache.entries.EstimatedSize())
		time.Sleep(changeKept + time.Second)
		f.cache.sweep(time.Now())
		require.Equal(t, 1, f.cache.entries.EstimatedSize())
		require.Empty(t, f.cache.changes.links)
	})
}

// A feed begins a moment after the first links were loaded. They were right, so a store that
// fails then takes none of them away.
func TestAFeedThatBeginsTakesNoLinkAwayFromAStoreThatFails(t *testing.T) {
	s, f, title := newTape()
	s.change(1, 1, "a", "first")
	s.change(2, 2, "b", "first")
	require.Equal(t, []string{"first", "first"}, []string{title("a"), title("b")})
	for range 3 {
		require.NoError(t, f.poll(t.Context()))
	}
	s.fails = true
	require.Equal(t, []string{"first", "first"}, []string{title("a"), title("b")})
}
