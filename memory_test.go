package linktrack_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
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

const requestBytes = 200_000

// inRequest returns s as a part of a long request, in whose memory it is.
func inRequest(s string) string {
	return strings.Repeat("x", requestBytes) + s
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestWhatOutlivesItsRequestDoesNotKeepTheRequestInMemory(t *testing.T) {
	const requests = 200
	path := func(i int) string { return fmt.Sprintf("/none%d%s", i, strings.Repeat(".", requestBytes)) }
	part := func(i int, s string) string { return inRequest(s)[requestBytes:] }
	query := func(i int) linktrack.Visit { return linktrack.Visit{Query: part(i, "a=1")} }
	referrer := func(i int) linktrack.Visit { return linktrack.Visit{Referrer: part(i, "https://a.example/")} }
	agent := func(i int) linktrack.Visit {
		return linktrack.Visit{UserAgent: part(i, fmt.Sprintf("Mozilla/5.0 Firefox/%d.0", i))}
	}
	fast := func(options linktrack.Options, visit func(int) linktrack.Visit) func(*testing.T, *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
		return func(t *testing.T, store *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
			f := trackertest.Follow(t, store, options, linktrack.NewLink{})
			return f, func(i int) { f.Passes(visit(i)) }
		}
	}
	whileDown := func(visit func(int) linktrack.Visit) func(*testing.T, *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
		return func(t *testing.T, store *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
			f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
			f.Passes(linktrack.Visit{})
			store.Down.Store(true)
			return f, func(i int) { f.Passes(visit(i)) }
		}
	}
	fails := func(context.Context, linktrack.Batch) error { return trackertest.ErrDown }
	for _, test := range []struct {
		name  string
		begin func(*testing.T, *trackertest.FaultyStore) (*trackertest.Follower, func(i int))
	}{
		{"a path that is none, by Follow", func(t *testing.T, store *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
			f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
			return f, func(i int) { f.Refused(linktrack.ErrNotFound, linktrack.Visit{Path: path(i)}) }
		}},
		{"a path that is none, by the handler", func(t *testing.T, store *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
			f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
			s := &trackertest.Service{T: t, Tracker: f.Tracker, Handler: f.Tracker.Handler()}
			return f, func(i int) { require.Equal(t, http.StatusNotFound, s.Get("http://localhost:8080"+path(i)).StatusCode) }
		}},
		{"a link's path", func(t *testing.T, store *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
			f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
			var paths []string
			for range requests {
				l, err := f.Tracker.MakeLink(t.Context(), f.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
				require.NoError(t, err)
				paths = append(paths, l.Path)
			}
			return f, func(i int) { f.Passes(linktrack.Visit{Path: paths[i] + strings.Repeat(".", requestBytes)}) }
		}},
		{"a query string that waits", whileDown(query)},
		{"a referrer that waits", whileDown(referrer)},
		{"a user agent that waits", whileDown(agent)},
		{"a query string that waits for OnClick", fast(linktrack.Options{Recording: linktrack.RecordingOptions{OnClick: fails}}, query)},
		{"a referrer that waits for OnClick", fast(linktrack.Options{Recording: linktrack.RecordingOptions{OnClick: fails}}, referrer)},
		{"the host of a referrer of which nothing else is kept",
			fast(linktrack.Options{Recording: linktrack.RecordingOptions{OnClick: fails}, Privacy: linktrack.Privacy{Referrer: linktrack.KeepReferrerHost}}, referrer)},
		{"what a user agent names, of which nothing else is kept",
			fast(linktrack.Options{Recording: linktrack.RecordingOptions{OnClick: fails}, Privacy: linktrack.Privacy{DropUserAgent: true}}, agent)},
		{"a user agent that is remembered", fast(linktrack.Options{}, agent)},
		{"the currency of a conversion", func(t *testing.T, store *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
			f := trackertest.Follow(t, store, linktrack.Options{}, trackertest.Convertible)
			currencies := []string{"EUR", "USD", "GBP", "CHF", "JPY", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN", "TRY", "INR", "CNY", "AUD", "CAD", "NZD", "ZAR"}
			return f, func(i int) {
				require.True(t, f.Convert(linktrack.Conversion{Click: f.Clicks(), Value: 1, Currency: part(i, currencies[i%len(currencies)])}))
			}
		}},
		{"the order of a conversion", func(t *testing.T, store *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
			f := trackertest.Follow(t, store, linktrack.Options{}, trackertest.Convertible)
			return f, func(i int) {
				require.True(t, f.Convert(linktrack.Conversion{Click: f.Clicks(), OrderID: part(i, fmt.Sprint(i))}))
			}
		}},
		{"a form's values in a link", func(t *testing.T, store *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
			f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
			return f, func(i int) {
				_, err := f.Tracker.MakeLink(t.Context(), f.Account, linktrack.NewLink{
					LinkSettings: linktrack.LinkSettings{
						ExternalURL: part(i, "https://example.com/"), Title: part(i, "title"), Description: part(i, "description"),
						Notes: part(i, "notes"), Group: part(i, fmt.Sprint("group", i)),
					}, Host: part(i, "localhost:8080"), VanityLink: part(i, fmt.Sprint("v", i)),
				})
				require.NoError(t, err)
			}
		}},
		{"a form's values in an account", func(t *testing.T, store *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
			f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
			return f, func(i int) {
				_, _, err := f.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: part(i, fmt.Sprint("login", i)), Type: part(i, linktrack.AccountTypeFree), Email: part(i, "a@b.example")})
				require.NoError(t, err)
			}
		}},
		{"a login that is wrong", func(t *testing.T, store *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
			f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
			return f, func(i int) {
				_, err := f.Tracker.Authenticate(t.Context(), inRequest("login"), "wrong", fmt.Sprint(i, inRequest("client")))
				require.ErrorIs(t, err, linktrack.ErrUnauthorized)
			}
		}},
		{"who makes a quick link", func(t *testing.T, store *trackertest.FaultyStore) (*trackertest.Follower, func(int)) {
			f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
			return f, func(i int) {
				_, _, err := f.Tracker.MakeAnonymousLink(t.Context(), fmt.Sprint(i, inRequest("client")), "https://example.com/")
				require.NoError(t, err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := &trackertest.FaultyStore{Store: memstore.New()}
			f, request := test.begin(t, store)
			before := heap()
			for i := range requests {
				request(i)
			}
			require.Less(t, heap()-before, int64(requests*requestBytes/20)) // all of them are 40 MB
			store.Down.Store(false)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			f.Tracker.Close(ctx)
			runtime.KeepAlive(f)
		})
	}
}

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
		"set aside":                 {},
		"refused by the journal":    {Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: &refusing{}}},
		"set aside after a refusal": {Recording: linktrack.RecordingOptions{Ack: linktrack.AckJournaled, Journal: &refusing{}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &trackertest.FaultyStore{Store: memstore.New()}
				f := trackertest.Follow(t, store, o, linktrack.NewLink{})
				store.RejectPoison.Store(strings.HasPrefix(name, "set aside"))
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
