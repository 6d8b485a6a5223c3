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
	"github.com/linktrackhq/linktrack/memstore"
)

func TestARedirectIsAnsweredAfterItsClickIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: memstore.New(), gate: make(chan struct{})}
		f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		var answered atomic.Int64
		for range 100 {
			go func() {
				f.passes(linktrack.Visit{})
				answered.Add(1)
			}()
		}
		synctest.Wait()
		require.Zero(t, answered.Load(), "nothing is stored yet")
		store.gate <- struct{}{}
		synctest.Wait()
		require.EqualValues(t, 1, answered.Load(), "the first wrote alone")
		require.EqualValues(t, 1, f.counts().People)
		store.gate <- struct{}{}
		synctest.Wait()
		require.EqualValues(t, 100, answered.Load(), "who came meanwhile went together")
		require.Len(t, store.batches, 2)
		require.NoError(t, f.tracker.Close(t.Context()))
	})
}

func TestAVisitorWaitsNoLongerThanTheAckTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: memstore.New()}
		f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.passes(linktrack.Visit{})
		store.hang.Store(true)
		var wg sync.WaitGroup
		start := time.Now()
		for range 10 {
			wg.Go(func() {
				f.passes(linktrack.Visit{})
				assert.LessOrEqual(t, time.Since(start), 2*time.Second)
			})
		}
		wg.Wait()
		start = time.Now()
		f.passes(linktrack.Visit{})
		require.Zero(t, time.Since(start), "while the store is known to fail nobody waits for it")
		store.hang.Store(false)
		time.Sleep(time.Minute)
		require.EqualValues(t, 12, f.counts().People)
	})
}

func TestClicksSurviveAStoreThatIsDownAndAreCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		store := &flaky{Store: memstore.New()}
		f := follow(t, store, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, linktrack.NewLink{})
		paths := []string{f.path}
		for range 5 { // on more than one lane
			l, err := f.tracker.MakeLink(t.Context(), f.account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}})
			require.NoError(t, err)
			paths = append(paths, l.Path)
			f.passes(linktrack.Visit{Path: l.Path})
		}
		f.passes(linktrack.Visit{})
		store.down.Store(true)
		for i := range 12_000 {
			f.passes(linktrack.Visit{Path: paths[i%len(paths)]})
		}
		store.down.Store(false)
		store.lost.Store(true) // what is written now is sent again
		time.Sleep(time.Minute)
		f.passes(linktrack.Visit{})
		store.lost.Store(false)
		time.Sleep(time.Minute)
		require.EqualValues(t, 2002, f.counts().People)
		for _, f.path = range paths[1:] {
			require.EqualValues(t, 2001, f.counts().People)
		}
		require.NoError(t, f.tracker.Close(t.Context()))

		type number struct {
			source linktrack.Source
			seq    int64
		}
		sent := map[number]linktrack.Batch{}
		highest := map[linktrack.Source]int64{}
		for _, b := range store.batches {
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
		var log logBuffer
		store := &flaky{Store: memstore.New()}
		f := follow(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{MaxPending: 10}, Logger: slog.New(slog.NewTextHandler(&log, nil))}, linktrack.NewLink{})
		f.passes(linktrack.Visit{})
		store.down.Store(true)
		for range 100 {
			f.passes(linktrack.Visit{})
		}
		store.down.Store(false)
		time.Sleep(time.Minute)
		require.EqualValues(t, 11, f.counts().People)
		require.Equal(t, 1, strings.Count(log.String(), "the memory for clicks is full"))
		f.passes(linktrack.Visit{})
		require.EqualValues(t, 12, f.counts().People)
	})
}

func TestCloseWritesWhatIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: memstore.New(), gate: make(chan struct{})}
		f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		var answered atomic.Int64
		for range 50 {
			go func() {
				if _, err := f.visit(linktrack.Visit{}); err == nil {
					answered.Add(1)
				}
			}()
		}
		synctest.Wait()
		closed := make(chan error)
		go func() { closed <- f.tracker.Close(context.Background()) }()
		synctest.Wait()
		f.refused(linktrack.ErrUnavailable, linktrack.Visit{})
		close(store.gate)
		require.NoError(t, <-closed)
		synctest.Wait()
		require.EqualValues(t, 50, answered.Load())
		require.EqualValues(t, 50, f.counts().People)
		require.NoError(t, f.tracker.Close(t.Context()), "twice")
	})
}

func TestCloseWhileTheStoreIsDownSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: memstore.New()}
		f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.passes(linktrack.Visit{})
		store.down.Store(true)
		for range 3 {
			f.passes(linktrack.Visit{})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		err := f.tracker.Close(ctx)
		require.ErrorContains(t, err, "3 clicks")
		var pending *linktrack.PendingError
		require.ErrorAs(t, err, &pending)
		require.Equal(t, linktrack.PendingError{Lost: 3}, *pending)
		require.Equal(t, 10*time.Second, time.Since(start))
		require.ErrorContains(t, f.tracker.Close(t.Context()), "3 clicks", "twice")
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
		for name, flip := range map[string]func(*flaky, bool){
			"it refuses": func(f *flaky, b bool) { f.down.Store(b) },
			"it hangs":   func(f *flaky, b bool) { f.hang.Store(b) },
		} {
			store := &flaky{Store: memstore.New()}
			f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
			f.passes(linktrack.Visit{})
			limited, err := f.tracker.MakeLink(t.Context(), f.account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", DeactivateAt: 5}})
			require.NoError(t, err)
			f.passes(linktrack.Visit{Path: limited.Path})
			flip(store, true)
			for i := range 10 {
				start := time.Now()
				f.passes(linktrack.Visit{})
				require.LessOrEqual(t, time.Since(start), 3*time.Second, name)
				start = time.Now()
				f.refused(linktrack.ErrUnavailable, linktrack.Visit{Path: limited.Path})
				require.LessOrEqual(t, time.Since(start), 2*time.Second, name)
				start = time.Now()
				f.refused(linktrack.ErrUnavailable, linktrack.Visit{Path: "/unknown"})
				require.LessOrEqual(t, time.Since(start), time.Second, name)
				time.Sleep(time.Duration(i) * 7 * time.Second)
			}
			flip(store, false)
			time.Sleep(time.Minute)
			f.passes(linktrack.Visit{})
			f.passes(linktrack.Visit{Path: limited.Path})
			f.refused(linktrack.ErrNotFound, linktrack.Visit{Path: "/unknown"})
			require.EqualValues(t, 12, f.counts().People)
			require.NoError(t, f.tracker.Close(t.Context()))
		}
	})
}

func TestOneLookUpServesAllWhoAskAtOnceAndThenTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: memstore.New()}
		f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		visitAll := func() {
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() { f.passes(linktrack.Visit{}) })
			}
			wg.Wait()
		}
		visitAll()
		require.EqualValues(t, 1, store.lookups.Load())
		before := store.lookups.Load()
		for range 49 {
			time.Sleep(100 * time.Millisecond)
			visitAll()
		}
		require.Equal(t, before, store.lookups.Load(), "within the CacheTTL nothing is asked")
		time.Sleep(time.Second)
		visitAll()
		require.Equal(t, before+1, store.lookups.Load(), "one asks again for all")
		before = store.lookups.Load()
		for range 100 {
			f.refused(linktrack.ErrNotFound, linktrack.Visit{Path: "/none"})
		}
		require.Equal(t, before+1, store.lookups.Load(), "that there is none is known, too")
	})
}

func TestCloseTriesAtOnceThoughTheLastTryWasLongToWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: memstore.New()}
		f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.passes(linktrack.Visit{})
		store.down.Store(true)
		f.passes(linktrack.Visit{})
		time.Sleep(time.Minute) // by now it waits five seconds between tries
		store.down.Store(false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, f.tracker.Close(ctx))
	})
}

func TestAStoreThatPanicsHasFailedAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: memstore.New()}
		f := follow(t, store, linktrack.Options{}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{DeactivateAt: 3}})
		store.panics.Store(true)
		f.refused(linktrack.ErrUnavailable, linktrack.Visit{})
		store.panics.Store(false)
		f.passes(linktrack.Visit{})
		store.panics.Store(true)
		unlimited, err := f.tracker.MakeLink(t.Context(), f.account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}})
		require.NoError(t, err)
		f.passes(linktrack.Visit{Path: unlimited.Path})
		store.panics.Store(false)
		f.path = unlimited.Path
		f.passes(linktrack.Visit{})
		time.Sleep(time.Minute)
		require.EqualValues(t, 2, f.counts().People)
		require.NoError(t, f.tracker.Close(t.Context()))
	})
}

func TestClicksThatWaitDoNotKeepLongRequestsInMemory(t *testing.T) {
	store := &flaky{Store: memstore.New()}
	f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
	f.passes(linktrack.Visit{})
	store.down.Store(true)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 200 {
		f.passes(linktrack.Visit{Query: strings.Repeat("x", 900_000)})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(200*50_000))
	store.down.Store(false)
	require.NoError(t, f.tracker.Close(t.Context()))
	require.EqualValues(t, 201, f.counts().People)
}

func TestABatchThatIsRejectedDoesNotBlockThoseBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		store := &flaky{Store: memstore.New()}
		f := follow(t, store, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, linktrack.NewLink{})
		f.passes(linktrack.Visit{})
		store.down.Store(true)
		for i := range 1000 {
			query := ""
			if i == 500 {
				query = "poison"
			}
			f.passes(linktrack.Visit{Query: query})
		}
		store.rejects.Store(true)
		store.down.Store(false)
		time.Sleep(5 * time.Minute)
		f.passes(linktrack.Visit{})
		time.Sleep(5 * time.Minute)
		require.EqualValues(t, 1001, f.counts().People, "all but the one at fault")
		require.Contains(t, log.String(), "the store rejects a batch")
		store.rejects.Store(false)
		f.passes(linktrack.Visit{})
		time.Sleep(5 * time.Minute)
		require.NoError(t, f.tracker.Close(t.Context()))
		require.EqualValues(t, 1003, f.counts().People, "and that, too, once the store takes it")
	})
}

func TestABatchIsRejectedThreeTimesAndThenSentInPartsThatGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: memstore.New()}
		f := follow(t, store, linktrack.Options{}, linktrack.NewLink{})
		f.passes(linktrack.Visit{})
		store.down.Store(true)
		for i := range 1000 { // the first of them is a batch of its own
			query := ""
			if i == 500 {
				query = "poison"
			}
			f.passes(linktrack.Visit{Query: query})
		}
		store.rejects.Store(true)
		store.mu.Lock()
		before := len(store.batches)
		store.mu.Unlock()
		store.down.Store(false)
		time.Sleep(30 * time.Second)
		var sizes []int
		store.mu.Lock()
		for _, b := range store.batches[before:] {
			sizes = append(sizes, len(b.Clicks))
		}
		store.mu.Unlock()
		require.Equal(t, []int{1, 999, 999, 999, 99, 198}, sizes[:6], "in tenths, and then twice as many each time")
		require.Equal(t, []int{396, 396, 396, 39, 78, 156, 312, 312, 312}, sizes[6:15], "the part with the click at fault likewise, behind the others")
		require.Equal(t, []int{1, 1, 1}, sizes[len(sizes)-3:], "until it is alone")
		require.EqualValues(t, 1000, f.counts().People)
		require.EqualValues(t, 1, f.tracker.Stats().Quarantined)
		store.rejects.Store(false)
		require.NoError(t, f.tracker.Close(t.Context()))
	})
}
