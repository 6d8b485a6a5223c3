package linktrack_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/journal"
	"github.com/linktrackhq/linktrack/memstore"
)

// A watcher keeps the batches that it sees, and answers as the test sets.
type watcher struct {
	mu      sync.Mutex
	batches []linktrack.Batch
	answer  func(ctx context.Context, b linktrack.Batch) error // nil: it takes everything
}

func (w *watcher) see(ctx context.Context, b linktrack.Batch) error {
	w.mu.Lock()
	w.batches = append(w.batches, b)
	answer := w.answer
	w.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(ctx, b)
}

func (w *watcher) does(answer func(context.Context, linktrack.Batch) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

func (w *watcher) saw() []linktrack.Batch {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]linktrack.Batch{}, w.batches...)
}

// clicks are the different clicks that it saw, and how often it saw each.
func (w *watcher) clicks() map[linktrack.ClickID]int {
	all := map[linktrack.ClickID]int{}
	for _, b := range w.saw() {
		for _, c := range b.Clicks {
			all[c.ID]++
		}
	}
	return all
}

func fails(context.Context, linktrack.Batch) error { return trackertest.ErrDown }

func TestOnClickSeesTheBatchesThatWereStored(t *testing.T) {
	for _, ack := range []linktrack.Ack{linktrack.AckStored, linktrack.AckBuffered} {
		t.Run(ack.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, store := &watcher{}, &trackertest.FaultyStore{Store: memstore.New()}
				f := trackertest.Follow(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{Ack: ack, OnClick: w.see}}, linktrack.NewLink{})
				w.does(func(_ context.Context, b linktrack.Batch) error {
					_, err := store.Store.ApplyClicks(context.Background(), nil, time.Time{})
					assert.NoError(t, err)
					l, err := store.Store.LinkByPath(context.Background(), "localhost:8080", f.Path)
					assert.NoError(t, err)
					assert.GreaterOrEqual(t, l.Counts.People, int64(len(w.clicks())), "a batch is stored before it is shown")
					return nil
				})
				for i := range 100 {
					if i == 50 {
						time.Sleep(time.Second)
						store.Down.Store(true)
					}
					f.Passes(linktrack.Visit{Query: fmt.Sprint(i)})
				}
				time.Sleep(3 * time.Second)
				require.Len(t, w.clicks(), 50, "a batch that is not stored is not shown")
				store.Down.Store(false)
				time.Sleep(time.Minute)
				f.Close()
				seq, i := int64(0), 0
				for _, b := range w.saw() {
					require.Equal(t, w.batches[0].Source, b.Source)
					require.Greater(t, b.Seq, seq, "batches come in the order of Seq")
					seq = b.Seq
					for _, c := range b.Clicks {
						require.Equal(t, fmt.Sprint(i), c.Query, "each click comes once")
						require.Equal(t, "Firefox", c.Browser, "and whole")
						i++
					}
				}
				require.Equal(t, 100, i)
				require.Zero(t, f.Tracker.Stats().Missed)
			})
		})
	}
}

func TestNobodyWaitsForOnClick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{}
		w.does(func(ctx context.Context, _ linktrack.Batch) error { <-ctx.Done(); return ctx.Err() })
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{Recording: linktrack.RecordingOptions{OnClick: w.see}}, linktrack.NewLink{})
		start := time.Now()
		for range 100 {
			f.Passes(linktrack.Visit{})
		}
		require.Zero(t, time.Since(start))
		require.EqualValues(t, 100, f.Counts().People)
		require.EqualValues(t, 100, f.Tracker.Stats().Unseen)
		time.Sleep(time.Hour)
		require.Greater(t, len(w.saw()), 60, "what hangs is given up, and tried again")
		require.Len(t, w.clicks(), 1, "until the first batch was seen, none behind it is shown")
		w.does(nil)
		time.Sleep(time.Minute)
		require.Len(t, w.clicks(), 100)
		require.Zero(t, f.Tracker.Stats().Unseen)
		f.Close()
	})
}

func TestABatchThatOnClickFailsOnIsShownAgainAndNotCountedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		w, store := &watcher{}, &trackertest.FaultyStore{Store: memstore.New()}
		f := trackertest.Follow(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{OnClick: w.see}, Logger: slog.New(slog.NewTextHandler(&log, nil))}, linktrack.NewLink{})
		w.does(fails)
		f.Passes(linktrack.Visit{})
		time.Sleep(30 * time.Second)
		require.Greater(t, len(w.saw()), 8)
		w.does(func(context.Context, linktrack.Batch) error { panic("a bug of the host's") })
		time.Sleep(29 * time.Second)
		w.does(nil)
		time.Sleep(6 * time.Second)
		n := len(w.saw())
		require.Less(t, n, 30, "it is tried less and less often")
		for _, b := range w.saw() {
			require.Equal(t, w.batches[0], b, "it is the same batch each time")
		}
		time.Sleep(time.Hour)
		require.Len(t, w.saw(), n, "it was seen")
		require.Len(t, store.Batches(), 1, "it is stored once")
		require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), log.String())
		require.Equal(t, 1, strings.Count(log.String(), "works again"), log.String())
		f.Close()
	})
}

func TestWhatWaitsForOnClickIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		w := &watcher{}
		w.does(fails)
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{
			Recording: linktrack.RecordingOptions{OnClick: w.see, MaxPending: 10}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}, linktrack.NewLink{})
		for range 25 {
			f.Passes(linktrack.Visit{})
		}
		require.EqualValues(t, 25, f.Counts().People, "all of them are stored")
		require.EqualValues(t, 10, f.Tracker.Stats().Unseen)
		require.EqualValues(t, 15, f.Tracker.Stats().Missed)
		require.Equal(t, 1, strings.Count(log.String(), "is too slow"), log.String())
		w.does(nil)
		f.Close()
		require.Len(t, w.clicks(), 10, "Close shows what waits")
	})
}

func TestCloseEndsWhatOnClickDoesWhenItWaitsNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{}
		w.does(func(ctx context.Context, _ linktrack.Batch) error { <-ctx.Done(); return ctx.Err() })
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{Recording: linktrack.RecordingOptions{OnClick: w.see}}, linktrack.NewLink{})
		f.Passes(linktrack.Visit{})
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		require.NoError(t, f.Tracker.Close(ctx), "the click is stored")
		require.Equal(t, 2*time.Second, time.Since(start))
		require.NoError(t, f.Tracker.Close(t.Context()))
		synctest.Wait()
		require.Len(t, w.saw(), 1)
	})
}

func TestAJournalKeepsABatchUntilOnClickHasSeenIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	store, w := memstore.New(), &watcher{}
	open := func() *journal.Journal {
		j, err := journal.Open(path, journal.Options{})
		require.NoError(t, err)
		return j
	}
	j := open()
	w.does(fails)
	f := trackertest.Follow(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: j, OnClick: w.see}}, linktrack.NewLink{})
	start := time.Now()
	for range 10 {
		f.Passes(linktrack.Visit{})
	}
	require.Less(t, time.Since(start), 5*time.Second)
	require.Eventually(t, func() bool { return len(w.saw()) > 1 }, 10*time.Second, time.Millisecond)
	first := w.saw()[0]
	require.EqualValues(t, len(first.Clicks), f.Counts().People, "a batch is stored before it is shown")
	var left *linktrack.PendingError
	require.ErrorAs(t, f.Tracker.Close(t.Context()), &left)
	require.Equal(t, linktrack.PendingError{Journaled: 10}, *left, "the journal has them all")
	require.NoError(t, j.Close())
	for _, b := range w.saw() {
		require.Equal(t, first, b, "what is behind the batch waits")
	}

	// So it is after a crash, too: another process finds what the first left.
	w.does(nil)
	before := len(w.saw())
	j = open()
	tracker, err := linktrack.New(store, linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: j, OnClick: w.see}})
	require.NoError(t, err)
	require.NoError(t, tracker.Close(t.Context()))
	require.NoError(t, j.Close())
	require.Len(t, w.clicks(), 10, "all of them were seen")
	again := w.saw()[before]
	require.Equal(t, [2]any{first.Source, first.Seq}, [2]any{again.Source, again.Seq}, "the batch comes again under its number")
	require.EqualValues(t, 10, f.Counts().People, "and counts once")
}
