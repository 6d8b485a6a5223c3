package linktrack_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/journal"
	"github.com/linktrackhq/linktrack/memstore"
)

// longVisit is one of whose texts all is kept that may be.
func longVisit(i int) linktrack.Visit {
	return linktrack.Visit{
		Referrer:  "https://example.com/" + strings.Repeat("\U0001F600", 2500),
		UserAgent: trackertest.Firefox + fmt.Sprint(i) + strings.Repeat("\U0001F600", 1500),
		Query:     strings.Repeat("\U0001F600", 2500),
	}
}

const longClick = (2048 + 1024 + 2048) * 4 // bytes

func TestWhatWaitsForTheStoreIsBoundedInBytes(t *testing.T) {
	for _, ack := range []linktrack.Ack{linktrack.AckStored, linktrack.AckBuffered} {
		t.Run(ack.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log trackertest.LogBuffer
				store := &trackertest.FaultyStore{Store: memstore.New()}
				f := trackertest.Follow(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{Ack: ack, MaxPendingBytes: 1 << 20}, Logger: slog.New(slog.NewTextHandler(&log, nil))}, linktrack.NewLink{})
				f.Passes(linktrack.Visit{})
				time.Sleep(time.Second)
				store.Down.Store(true)
				for i := range 200 {
					f.Passes(longVisit(i))
				}
				stats := f.Tracker.Stats()
				require.InDelta(t, 1<<20, stats.PendingBytes, 2*longClick)
				require.LessOrEqual(t, stats.PendingBytes, int64(1<<20))
				require.InDelta(t, (1<<20)/longClick, stats.Pending, 2)
				require.EqualValues(t, 200, stats.Pending+stats.Dropped, "what is dropped is counted")
				require.Equal(t, 1, strings.Count(log.String(), "the memory for clicks is full"), log.String())
				store.Down.Store(false)
				time.Sleep(time.Minute)
				require.EqualValues(t, 1+stats.Pending, f.Counts().People)
				require.Zero(t, f.Tracker.Stats().Pending)
				require.Zero(t, f.Tracker.Stats().PendingBytes, "all room is given back")
				require.NoError(t, f.Tracker.Close(t.Context()))
			})
		})
	}
}

func TestClicksThatAnUnansweringStoreOrDiskKeepsWaitingAreBounded(t *testing.T) {
	for name, ack := range map[string]linktrack.Ack{"the store": linktrack.AckStored, "the journal": linktrack.AckJournaled} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &trackertest.FaultyStore{Store: memstore.New(), Gate: make(chan struct{})}
				disk := &hanging{gate: make(chan struct{})}
				o := linktrack.Options{Recording: linktrack.RecordingOptions{Ack: ack, MaxPending: 10}}
				if ack == linktrack.AckJournaled {
					o.Recording.Journal = disk
				}
				f := trackertest.Follow(t, store, o, linktrack.NewLink{})
				for range 25 {
					go f.Passes(linktrack.Visit{})
				}
				time.Sleep(10 * time.Second)
				require.EqualValues(t, 10, f.Tracker.Stats().Pending)
				require.EqualValues(t, 15, f.Tracker.Stats().Dropped)
				close(store.Gate)
				close(disk.gate)
				time.Sleep(time.Minute)
				require.Zero(t, f.Tracker.Stats().Pending)
				require.NoError(t, f.Tracker.Close(t.Context()))
			})
		})
	}
}

// A hanging journal takes clicks when its gate opens, and forgets them.
type hanging struct {
	linktrack.Journal
	gate chan struct{}
}

func (h *hanging) Append([]linktrack.Click) error     { <-h.gate; return nil }
func (h *hanging) Next(int) (linktrack.Batch, error)  { return linktrack.Batch{}, nil }
func (h *hanging) Size() (none linktrack.JournalSize) { return none }

func TestWhatWaitsForOnClickIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{}
		w.does(func(context.Context, linktrack.Batch) error { return trackertest.ErrDown })
		f := trackertest.Follow(t, memstore.New(), linktrack.Options{Recording: linktrack.RecordingOptions{OnClick: w.see, MaxPendingBytes: 1 << 20}}, linktrack.NewLink{})
		for i := range 200 {
			f.Passes(longVisit(i))
		}
		stats := f.Tracker.Stats()
		require.EqualValues(t, 200, f.Counts().People, "all of them are stored")
		require.InDelta(t, (1<<20)/longClick, stats.Unseen, 2)
		require.EqualValues(t, 200, stats.Unseen+stats.Missed)
		w.does(nil)
		time.Sleep(time.Minute)
		require.Zero(t, f.Tracker.Stats().Unseen)
		for i := range 40 {
			f.Passes(longVisit(i))
		}
		require.Equal(t, stats.Missed, f.Tracker.Stats().Missed, "all room was given back")
		require.NoError(t, f.Tracker.Close(t.Context()))
	})
}

func TestABatchOfLongClicksEndsBeforeItsNumberIsReached(t *testing.T) {
	const most = 4<<20 + longClick + 1000
	for name, o := range map[string]func(*testing.T) linktrack.Options{
		"from memory": func(*testing.T) linktrack.Options { return linktrack.Options{} },
		"from a journal": func(t *testing.T) linktrack.Options {
			j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{OSBuffered: true})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, j.Close()) })
			return linktrack.Options{Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: j}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := &trackertest.FaultyStore{Store: memstore.New()}
			f := trackertest.Follow(t, store, o(t), linktrack.NewLink{})
			f.Passes(linktrack.Visit{})
			store.Down.Store(true)
			for i := range 500 {
				f.Passes(longVisit(i))
			}
			store.Down.Store(false)
			require.NoError(t, f.Tracker.Close(t.Context()))
			require.EqualValues(t, 501, f.Counts().People)
			largest := 0
			for _, b := range store.Batches() {
				bytes := 0
				for _, c := range b.Clicks {
					bytes += len(c.Referrer) + len(c.UserAgent) + len(c.Query)
				}
				largest = max(largest, bytes)
			}
			require.LessOrEqual(t, largest, most)
			require.Greater(t, largest, most/2, "and not before")
		})
	}
}

func TestMaxPendingBytesIsNotNegative(t *testing.T) {
	_, err := linktrack.New(memstore.New(), linktrack.Options{Recording: linktrack.RecordingOptions{MaxPendingBytes: -1}})
	var invalid *linktrack.InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Contains(t, err.Error(), "MaxPendingBytes")
}

// A refusing journal takes no clicks.
type refusing struct{ hanging }

func (*refusing) Append([]linktrack.Click) error { return trackertest.ErrDown }

func TestAllRoomIsGivenBackByClicksThatTookAnotherWay(t *testing.T) {
	for name, o := range map[string]linktrack.Options{
		"quarantined":                   {},
		"refused by the journal":        {Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: &refusing{}}},
		"quarantined after a rejection": {Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: &refusing{}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &trackertest.FaultyStore{Store: memstore.New()}
				f := trackertest.Follow(t, store, o, linktrack.NewLink{})
				store.RejectPoison.Store(strings.HasPrefix(name, "quarantined"))
				for range 10 {
					f.Passes(linktrack.Visit{Query: "poison", Referrer: "https://www.example.com/" + strings.Repeat("x", 5000)})
				}
				time.Sleep(30 * time.Second)
				store.RejectPoison.Store(false)
				time.Sleep(10 * time.Minute)
				stats := f.Tracker.Stats()
				require.Equal(t, []int64{0, 0, 0}, []int64{stats.Pending, stats.Quarantined, stats.PendingBytes})
				require.EqualValues(t, 10, f.Counts().People)
				require.NoError(t, f.Tracker.Close(t.Context()))
			})
		})
	}
}
