package linktrack_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestATrackerIsReadyWhileItsStoreAnswersAndUntilItIsClosed(t *testing.T) {
	store := &trackertest.FaultyStore{Store: memstore.New()}
	tracker, _ := trackertest.Open(t, store, linktrack.Options{})
	account := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
	l, err := tracker.MakeLink(t.Context(), account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
	require.NoError(t, err)
	_, err = tracker.Follow(t.Context(), linktrack.Visit{Path: l.Path})
	require.NoError(t, err)
	require.NoError(t, tracker.Ready(t.Context()))

	store.Down.Store(true)
	err = tracker.Ready(t.Context())
	require.ErrorIs(t, err, linktrack.ErrUnavailable, "although the cache still answers")
	require.ErrorIs(t, err, trackertest.ErrDown)
	require.ErrorContains(t, err, "the store does not answer")

	store.Down.Store(false)
	require.NoError(t, tracker.Ready(t.Context()))
	store.PanicOnLookup.Store(true)
	require.ErrorContains(t, tracker.Ready(t.Context()), "panicked")
	store.PanicOnLookup.Store(false)

	require.NoError(t, tracker.Close(t.Context()))
	err = tracker.Ready(t.Context())
	require.ErrorIs(t, err, linktrack.ErrUnavailable)
	require.ErrorContains(t, err, "shutting down")
}

func TestAStoreThatHangsIsNotReadyWithinTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &deafStore{Store: memstore.New(), answer: make(chan struct{})}
		tracker, _ := trackertest.Open(t, store, linktrack.Options{})
		began := time.Now()
		require.ErrorIs(t, tracker.Ready(t.Context()), context.DeadlineExceeded)
		require.Equal(t, 2*time.Second, time.Since(began))

		for range 100 {
			soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			require.ErrorIs(t, tracker.Ready(soon), linktrack.ErrUnavailable)
			cancel()
		}
		synctest.Wait()
		require.Equal(t, 1, store.calls, "the calls under way")
		require.Equal(t, 2*time.Second+100*time.Millisecond, time.Since(began), "the caller's own bound holds")

		close(store.answer)
		require.NoError(t, tracker.Ready(t.Context()))
	})
}

// A deafStore does not answer look-ups until answer is closed, whatever their context is.
type deafStore struct {
	linktrack.Store
	answer chan struct{}
	calls  int
}

func (s *deafStore) LinkByPath(context.Context, string, string) (linktrack.Link, error) {
	s.calls++
	<-s.answer
	return linktrack.Link{}, linktrack.ErrNotFound
}

func TestATrackerThatCannotStoreClicksIsNotReadyUntilItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fullStore{Store: memstore.New()}
		store.full.Store(true)
		tracker, _ := trackertest.Open(t, store, linktrack.Options{})
		account := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
		l, err := tracker.MakeLink(t.Context(), account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
		require.NoError(t, err)
		_, err = tracker.Follow(t.Context(), linktrack.Visit{Path: l.Path})
		require.NoError(t, err)
		time.Sleep(90 * time.Second)
		err = tracker.Ready(t.Context())
		require.ErrorIs(t, err, linktrack.ErrUnavailable)
		require.ErrorContains(t, err, "clicks cannot be stored; 1 wait, the oldest for 1m30s")

		store.full.Store(false)
		time.Sleep(10 * time.Second)
		require.NoError(t, tracker.Ready(t.Context()))
	})
}

// A fullStore answers reads, and takes no clicks while it is full.
type fullStore struct {
	linktrack.Store
	full atomic.Bool
}

func (s *fullStore) AppendClicks(ctx context.Context, b linktrack.Batch) error {
	if s.full.Load() {
		return errors.New("the disk is full")
	}
	return s.Store.AppendClicks(ctx, b)
}
