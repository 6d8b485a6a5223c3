package e2e

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
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
