package linktrack

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A tape is a store whose changes a test makes in any order.
type tape struct {
	nameStore
	all  []tapedChange
	down bool
}

type tapedChange struct {
	Change
	made time.Time
}

func (s *tape) Changes(_ context.Context, within time.Duration, limit int) (found []Change, err error) {
	if s.down {
		return nil, errors.New("connection refused")
	}
	for _, c := range s.all {
		if time.Since(c.made) <= within && len(found) < limit {
			found = append(found, c.Change)
		}
	}
	return found, nil
}

func (s *tape) add(c Change, made time.Time) { s.all = append(s.all, tapedChange{c, made}) }

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
		s.add(Change{ID: id, Link: link, Name: LinkName{Host: "go.example.com", Key: key}}, time.Now())
	}
}

// Servers that give the IDs from ranges of their own give them in any order.
func TestAChangeWithALowerIDIsNotMissedHoweverMuchLaterItIsMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f, title := newTape()
		s.change(0, 2, "b", "old")
		for id := range int64(100) {
			s.change(1_000_001+id, 1, "a", "new")
			require.NoError(t, f.poll(t.Context()))
			time.Sleep(time.Second)
		}
		require.Equal(t, "old", title("b"))
		s.change(7, 2, "b", "new")
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, "new", title("b"))
		s.change(3, 2, "b", "newer")
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, "newer", title("b"))
	})
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
		made := time.Now()
		time.Sleep(20 * time.Second)
		require.NoError(t, f.poll(t.Context()))
		s.change(0, 2, "b", "new")
		s.add(Change{ID: 22, Link: 2, Name: LinkName{Host: "go.example.com", Key: "b"}}, made)
		require.Equal(t, "old", title("b"))
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, "new", title("b"))
		for range 100 {
			time.Sleep(time.Second)
			require.NoError(t, f.poll(t.Context()))
		}
		require.Empty(t, f.seen, "it remembers half a minute")
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
		s.add(Change{ID: 3 + id, Link: 2}, time.Now().Add(-10*time.Second))
	}
	require.NoError(t, f.poll(t.Context()))
	require.Equal(t, "new", title("a"))
	// It goes on with those that are made from then on.
	require.NoError(t, f.poll(t.Context()))
	require.LessOrEqual(t, len(f.seen), 2, "those before are not read again")
	require.Equal(t, changePollLong, f.pause(nil), "the cache is not emptied five times a second")
	s.change(1_000_001, 1, "a", "newer")
	require.NoError(t, f.poll(t.Context()))
	require.Equal(t, "newer", title("a"))
}

func TestEntriesOfChangedLinksDoNotStayInTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f, title := newTape()
		s.change(1, 1, "a", "old")
		s.change(0, 2, "b", "old")
		require.NoError(t, f.poll(t.Context()))
		require.Equal(t, []string{"old", "old"}, []string{title("a"), title("b")})
		s.add(Change{ID: 2, Link: 1, Name: LinkName{Key: "another name"}}, time.Now())
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
