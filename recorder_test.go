package linktrack_test

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestARedirectIsAnsweredAfterItsClickIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New(), Gate: make(chan struct{})}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		var answered atomic.Int64
		for range 100 {
			go func() {
				f.Passes(linktrack.Visit{})
				answered.Add(1)
			}()
		}
		synctest.Wait()
		require.Zero(t, answered.Load(), "nothing is stored yet")
		store.Gate <- struct{}{}
		synctest.Wait()
		require.EqualValues(t, 1, answered.Load(), "the first wrote alone")
		require.EqualValues(t, 1, f.Counts().People)
		store.Gate <- struct{}{}
		synctest.Wait()
		require.EqualValues(t, 100, answered.Load(), "who came meanwhile went together")
		require.Len(t, store.Batches(), 2)
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestAVisitorWaitsNoLongerThanTheAckTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		store.Hang.Store(true)
		var wg sync.WaitGroup
		start := time.Now()
		for range 10 {
			wg.Go(func() {
				f.Passes(linktrack.Visit{})
				assert.LessOrEqual(t, time.Since(start), 2*time.Second)
			})
		}
		wg.Wait()
		start = time.Now()
		f.Passes(linktrack.Visit{})
		require.Zero(t, time.Since(start), "while the store is known to fail nobody waits for it")
		store.Hang.Store(false)
		time.Sleep(time.Minute)
		require.EqualValues(t, 12, f.Counts().People)
	})
}

func TestClicksSurviveAStoreThatIsDownAndAreCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		store := &trackertest.FaultyStore{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, linktrack.NewLink{})
		paths := []string{f.Path}
		for range 5 { // on more than one lane
			l, err := f.Tracker.MakeLink(t.Context(), f.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}})
			require.NoError(t, err)
			paths = append(paths, l.Path)
			f.Passes(linktrack.Visit{Path: l.Path})
		}
		f.Passes(linktrack.Visit{})
		store.Down.Store(true)
		for i := range 12_000 {
			f.Passes(linktrack.Visit{Path: paths[i%len(paths)]})
		}
		store.Down.Store(false)
		store.LoseAnswers.Store(true) // what is written now is sent again
		time.Sleep(time.Minute)
		f.Passes(linktrack.Visit{})
		store.LoseAnswers.Store(false)
		time.Sleep(time.Minute)
		require.EqualValues(t, 2002, f.Counts().People)
		for _, f.Path = range paths[1:] {
			require.EqualValues(t, 2001, f.Counts().People)
		}
		require.NoError(t, f.Tracker.Close(t.Context()))

		type number struct {
			source linktrack.Source
			seq    int64
		}
		sent := map[number]linktrack.Batch{}
		highest := map[linktrack.Source]int64{}
		for _, b := range store.Batches() {
			if same, again := sent[number{b.Source, b.Seq}]; again {
				require.Equal(t, same, b, "a batch that is sent again is the same")
			} else {
				require.Equal(t, highest[b.Source]+1, b.Seq, "batches come in order")
				highest[b.Source] = b.Seq
			}
			sent[number{b.Source, b.Seq}] = b
			require.LessOrEqual(t, len(b.Clicks), 5000)
		}
		require.Equal(t, 1, strings.Count(log.String(), "clicks cannot be stored"), "logged once, not per click: %s", log.String())
		require.Equal(t, 1, strings.Count(log.String(), "all clicks are stored again"))
	})
}

func TestTheBufferIsBoundedAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		store := &trackertest.FaultyStore{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{MaxPending: 10}, Logger: slog.New(slog.NewTextHandler(&log, nil))}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		store.Down.Store(true)
		for range 100 {
			f.Passes(linktrack.Visit{})
		}
		store.Down.Store(false)
		time.Sleep(time.Minute)
		require.EqualValues(t, 11, f.Counts().People)
		require.Equal(t, 1, strings.Count(log.String(), "the memory for clicks is full"))
		f.Passes(linktrack.Visit{})
		require.EqualValues(t, 12, f.Counts().People)
	})
}

func TestCloseWritesWhatIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New(), Gate: make(chan struct{})}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		var answered atomic.Int64
		for range 50 {
			go func() {
				if _, err := f.Visit(linktrack.Visit{}); err == nil {
					answered.Add(1)
				}
			}()
		}
		synctest.Wait()
		closed := make(chan error)
		go func() { closed <- f.Tracker.Close(context.Background()) }()
		synctest.Wait()
		f.Refused(linktrack.ErrUnavailable, linktrack.Visit{})
		close(store.Gate)
		require.NoError(t, <-closed)
		synctest.Wait()
		require.EqualValues(t, 50, answered.Load())
		require.EqualValues(t, 50, f.Counts().People)
		require.NoError(t, f.Tracker.Close(t.Context()), "twice")
	})
}

func TestCloseWhileTheStoreIsDownSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		store.Down.Store(true)
		for range 3 {
			f.Passes(linktrack.Visit{})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		err := f.Tracker.Close(ctx)
		require.ErrorContains(t, err, "3 clicks")
		var pending *linktrack.PendingError
		require.ErrorAs(t, err, &pending)
		require.Equal(t, linktrack.PendingError{Lost: 3}, *pending)
		require.Equal(t, 10*time.Second, time.Since(start))
		require.ErrorContains(t, f.Tracker.Close(t.Context()), "3 clicks", "twice")
	})
}

func TestCloseBeforeAnythingHappened(t *testing.T) {
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
	require.NoError(t, err)
	require.NoError(t, tracker.Close(t.Context()))
	require.NoError(t, tracker.Close(t.Context()))
}

func TestRedirectsGoOnWhileTheStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, flip := range map[string]func(*trackertest.FaultyStore, bool){
			"it refuses": func(f *trackertest.FaultyStore, b bool) { f.Down.Store(b) },
			"it hangs":   func(f *trackertest.FaultyStore, b bool) { f.Hang.Store(b) },
		} {
			store := &trackertest.FaultyStore{Store: memstore.New()}
			f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
			f.Passes(linktrack.Visit{})
			limited, err := f.Tracker.MakeLink(t.Context(), f.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", DeactivateAt: 5}})
			require.NoError(t, err)
			f.Passes(linktrack.Visit{Path: limited.Path})
			flip(store, true)
			for i := range 10 {
				start := time.Now()
				f.Passes(linktrack.Visit{})
				require.LessOrEqual(t, time.Since(start), 3*time.Second, name)
				start = time.Now()
				f.Refused(linktrack.ErrUnavailable, linktrack.Visit{Path: limited.Path})
				require.LessOrEqual(t, time.Since(start), 2*time.Second, name)
				start = time.Now()
				f.Refused(linktrack.ErrUnavailable, linktrack.Visit{Path: "/unknown"})
				require.LessOrEqual(t, time.Since(start), time.Second, name)
				time.Sleep(time.Duration(i) * 7 * time.Second)
			}
			flip(store, false)
			time.Sleep(time.Minute)
			f.Passes(linktrack.Visit{})
			f.Passes(linktrack.Visit{Path: limited.Path})
			f.Refused(linktrack.ErrNotFound, linktrack.Visit{Path: "/unknown"})
			require.EqualValues(t, 12, f.Counts().People)
			require.NoError(t, f.Tracker.Close(t.Context()))
		}
	})
}

func TestOneLookUpServesAllWhoAskAtOnceAndThenTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		visitAll := func() {
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() { f.Passes(linktrack.Visit{}) })
			}
			wg.Wait()
		}
		visitAll()
		require.EqualValues(t, 1, store.Lookups.Load())
		before := store.Lookups.Load()
		for range 49 {
			time.Sleep(100 * time.Millisecond)
			visitAll()
		}
		require.Equal(t, before, store.Lookups.Load(), "within the CacheTTL nothing is asked")
		time.Sleep(time.Second)
		visitAll()
		require.Equal(t, before+1, store.Lookups.Load(), "one asks again for all")
		before = store.Lookups.Load()
		for range 100 {
			f.Refused(linktrack.ErrNotFound, linktrack.Visit{Path: "/none"})
		}
		require.Equal(t, before+1, store.Lookups.Load(), "that there is none is known, too")
	})
}

func TestCloseTriesAtOnceThoughTheLastTryWasLongToWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		store.Down.Store(true)
		f.Passes(linktrack.Visit{})
		time.Sleep(time.Minute) // by now it waits five seconds between tries
		store.Down.Store(false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, f.Tracker.Close(ctx))
	})
}

func TestAStoreThatPanicsHasFailedAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{DeactivateAt: 3}})
		store.Panic.Store(true)
		f.Refused(linktrack.ErrUnavailable, linktrack.Visit{})
		store.Panic.Store(false)
		f.Passes(linktrack.Visit{})
		store.Panic.Store(true)
		unlimited, err := f.Tracker.MakeLink(t.Context(), f.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}})
		require.NoError(t, err)
		f.Passes(linktrack.Visit{Path: unlimited.Path})
		store.Panic.Store(false)
		f.Path = unlimited.Path
		f.Passes(linktrack.Visit{})
		time.Sleep(time.Minute)
		require.EqualValues(t, 2, f.Counts().People)
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestClicksThatWaitDoNotKeepLongRequestsInMemory(t *testing.T) {
	store := &trackertest.FaultyStore{Store: memstore.New()}
	f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
	f.Passes(linktrack.Visit{})
	store.Down.Store(true)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 200 {
		f.Passes(linktrack.Visit{Query: strings.Repeat("x", 900_000)})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(200*50_000))
	store.Down.Store(false)
	require.NoError(t, f.Tracker.Close(t.Context()))
	require.EqualValues(t, 201, f.Counts().People)
}

func TestABatchThatIsRejectedDoesNotBlockThoseBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		store := &trackertest.FaultyStore{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		store.Down.Store(true)
		for i := range 1000 {
			query := ""
			if i == 500 {
				query = "poison"
			}
			f.Passes(linktrack.Visit{Query: query})
		}
		store.RejectPoison.Store(true)
		store.Down.Store(false)
		time.Sleep(5 * time.Minute)
		f.Passes(linktrack.Visit{})
		time.Sleep(5 * time.Minute)
		require.EqualValues(t, 1001, f.Counts().People, "all but the one at fault")
		require.Contains(t, log.String(), "the store rejects a batch")
		store.RejectPoison.Store(false)
		f.Passes(linktrack.Visit{})
		time.Sleep(5 * time.Minute)
		require.NoError(t, f.Tracker.Close(t.Context()))
		require.EqualValues(t, 1003, f.Counts().People, "and that, too, once the store takes it")
	})
}

func TestABatchIsRejectedThreeTimesAndThenSentInPartsThatGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &trackertest.FaultyStore{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		store.Down.Store(true)
		for i := range 1000 { // the first of them is a batch of its own
			query := ""
			if i == 500 {
				query = "poison"
			}
			f.Passes(linktrack.Visit{Query: query})
		}
		store.RejectPoison.Store(true)
		before := len(store.Batches())
		store.Down.Store(false)
		time.Sleep(30 * time.Second)
		var sizes []int
		for _, b := range store.Batches()[before:] {
			sizes = append(sizes, len(b.Clicks))
		}
		require.Equal(t, []int{1, 999, 999, 999, 99, 198}, sizes[:6], "in tenths, and then twice as many each time")
		require.Equal(t, []int{396, 396, 396, 39, 78, 156, 312, 312, 312}, sizes[6:15], "the part with the click at fault likewise, behind the others")
		require.Equal(t, []int{1, 1, 1}, sizes[len(sizes)-3:], "until it is alone")
		require.EqualValues(t, 1000, f.Counts().People)
		require.EqualValues(t, 1, f.Tracker.Stats().Quarantined)
		store.RejectPoison.Store(false)
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}
