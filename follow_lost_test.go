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

// limitOf30 returns a link that lets 30 people pass.
func limitOf30(t *testing.T) (*trackertest.FaultyStore, *trackertest.Follower) {
	store := &trackertest.FaultyStore{Store: memstore.New()}
	return store, trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{DeactivateAt: 30}})
}

func TestAnswersThatAreLostUseUpNothing(t *testing.T) {
	for name, fail := range map[string]func(*trackertest.FaultyStore, bool){
		"the connection dies at the commit": func(s *trackertest.FaultyStore, yes bool) { s.LoseAnswers.Store(yes) },
		"the commit hangs":                  func(s *trackertest.FaultyStore, yes bool) { s.HangAnswers.Store(yes) },
		"the store is down":                 func(s *trackertest.FaultyStore, yes bool) { s.Down.Store(yes) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, f := limitOf30(t)
				passed := 0
				for visit := 0; passed < 30; visit++ {
					require.Less(t, visit, 200)
					fail(store, visit%3 == 1 || passed == 29 && visit%3 != 0) // also of the last one
					_, err := f.Visit(linktrack.Visit{})
					if err == nil {
						passed++
						continue
					}
					require.ErrorIs(t, err, linktrack.ErrUnavailable, "after %d", passed)
				}
				fail(store, false)
				for range 3 {
					f.Refused(linktrack.ErrUsedUp, linktrack.Visit{})
				}
				require.EqualValues(t, 30, f.Counts().Used)
				require.EqualValues(t, 30, f.Counts().People)
			})
		})
	}
}

func TestTheLastPlaceIsNotLostWithItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, f := limitOf30(t)
		for range 29 {
			f.Passes(linktrack.Visit{})
		}
		store.HangAnswers.Store(true)
		f.Refused(linktrack.ErrUnavailable, linktrack.Visit{})
		store.HangAnswers.Store(false)
		time.Sleep(time.Minute) // the cache loads the link again, which is used up for all others
		other, err := linktrack.New(store, linktrack.Options{})
		require.NoError(t, err)
		_, err = other.Follow(t.Context(), linktrack.Visit{Path: f.Path})
		require.ErrorIs(t, err, linktrack.ErrUsedUp)
		f.Passes(linktrack.Visit{})
		f.Refused(linktrack.ErrUsedUp, linktrack.Visit{})
	})
}

func TestAnAnswerThatIsLostOnceIsNotNoticedByTheVisitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, f := limitOf30(t)
		store.LoseAnswers.Store(true)
		time.AfterFunc(time.Millisecond, func() { store.LoseAnswers.Store(false) })
		passed := make(chan struct{})
		go func() { defer close(passed); f.Passes(linktrack.Visit{}) }()
		<-passed
		require.EqualValues(t, 1, f.Counts().Used)
	})
}
