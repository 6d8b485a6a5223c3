package linktrack_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// A brokenStore panics in every call.
type brokenStore struct{ linktrack.Store }

func TestAStoreThatPanicsIsUnavailableAndTheLogHearsOfItOnce(t *testing.T) {
	click := linktrack.ClickRef{Link: 1, ID: linktrack.NewClickID(time.Now())}.String()
	credentials := trackertest.Values("login", trackertest.Login, "pass", trackertest.Pass)
	for name, c := range map[string]struct {
		request func() *http.Request
		status  int
	}{
		"a link is followed":       {func() *http.Request { return trackertest.Request("GET", "/.f2jt", "") }, 503},
		"its preview is asked for": {func() *http.Request { return trackertest.Request("HEAD", "/.f2jt", "") }, 503},
		"its summary is asked for": {func() *http.Request { return trackertest.Request("GET", "/.f2jt+", "") }, 503},
		"its QR code is asked for": {func() *http.Request { return trackertest.Request("GET", "/.f2jt.qr", "") }, 503},
		"a goal page reports":      {func() *http.Request { return trackertest.Request("GET", "/c.gif?click="+click, "") }, 200},
		"a goal page names a link": {func() *http.Request {
			return trackertest.Request("GET", "/c.gif?link=.f2jt", "", "Cookie", "linktrack_click_1="+click)
		}, 200},
		"a server reports": {func() *http.Request {
			return trackertest.Request("POST", "/api/v1_0/conversion?"+credentials.Encode(), "")
		}, 503},
		"links are asked for": {func() *http.Request {
			return trackertest.Request("GET", "/api/v1_0/getLinks?"+credentials.Encode(), "")
		}, 503},
		"a link is made": {func() *http.Request {
			return trackertest.Request("GET", "/api/v1_0/makeLink?"+credentials.Encode()+"&external_url=https://example.com", "")
		}, 503},
		"an address to opt out is made": {func() *http.Request {
			return trackertest.Request("GET", "/api/v1_0/getOptOutLink?"+credentials.Encode(), "")
		}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			var log trackertest.LogBuffer
			tracker, err := linktrack.New(brokenStore{}, linktrack.Options{
				BaseURL: "http://go.example.com",
				Secret:  []byte("a secret of the test"),
				Logger:  slog.New(slog.NewTextHandler(&log, nil)),
			})
			require.NoError(t, err)
			defer func() { require.NoError(t, tracker.Close(t.Context())) }()
			s := &trackertest.Service{T: t, Tracker: tracker, Handler: tracker.Handler()}
			for range 3 {
				require.Equal(t, c.status, s.Do(c.request()).StatusCode)
			}
			require.Contains(t, log.String(), "the store panicked")
			if strings.Contains(log.String(), "cannot be looked up") {
				return // the pages of links say that they fail, too
			}
			require.Equal(t, 1, strings.Count(log.String(), "level="), "logged once: %s", log.String())
		})
	}
	_, err := linktrack.New(brokenStore{}, linktrack.Options{})
	require.ErrorIs(t, err, linktrack.ErrUnavailable)
}

func TestAKnownLinkGoesOnWhileItsStorePanics(t *testing.T) {
	var log trackertest.LogBuffer
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{Links: linktrack.LinkOptions{CacheTTL: time.Nanosecond}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	link, limited := s.MakeLink(), s.MakeLink("deactivate_at", "9")
	require.Equal(t, http.StatusFound, s.Get(link).StatusCode)
	require.Equal(t, http.StatusFound, s.Get(limited).StatusCode)
	store.Panic.Store(true)
	store.PanicOnLookup.Store(true)
	for range 3 {
		require.Equal(t, http.StatusFound, s.Get(link).StatusCode, "it is followed from memory, and the click waits")
		require.Equal(t, http.StatusServiceUnavailable, s.Get(limited).StatusCode, "nobody may pass whom the store did not count")
	}
	for _, what := range []string{"links cannot be looked up", "links with a limit cannot be followed", "clicks cannot be stored"} {
		require.Equal(t, 1, strings.Count(log.String(), what), "logged once: %s", log.String())
	}
	require.Equal(t, 3, strings.Count(log.String(), "level=ERROR"))
	store.Panic.Store(false)
	store.PanicOnLookup.Store(false)
	require.Eventually(t, func() bool { return s.Link(link)["count_total"].(float64) == 4 }, 10*time.Second, 10*time.Millisecond, "no click is lost")
}
