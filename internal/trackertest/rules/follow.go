package rules

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

var visits = []rule{
	{"a link with a limit lets exactly that many people through", aLinkWithALimitLetsExactlyThatManyPeopleThrough},
	{"a limit can be raised and taken away", aLimitCanBeRaisedAndTakenAway},
	{"a click is never lost for its content", aCounterIsNeverLostForTheContentOfItsClick},
	{"the password form leads to the destination after the right password only", thePasswordForm},
}

func aLinkWithALimitLetsExactlyThatManyPeopleThrough(t *testing.T, store linktrack.Store) {
	f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{DeactivateAt: 100, Title: "Sold out soon"}})
	second, err := linktrack.New(store, linktrack.Options{}) // as another process would
	require.NoError(t, err)
	trackers := []*linktrack.Tracker{f.Tracker, second}
	for range 20 { // what uses up nothing
		out, err := f.Visit(linktrack.Visit{UserAgent: trackertest.Googlebot})
		require.NoError(t, err)
		require.Equal(t, linktrack.ActionPreview, out.Action)
		require.Empty(t, out.Location)
		require.Equal(t, "Sold out soon", out.Link.Title)
		_, err = f.Visit(linktrack.Visit{Peek: true})
		require.NoError(t, err)
		f.Refused(linktrack.ErrUnavailable, linktrack.Visit{Prefetch: true})
	}
	var passed, gone atomic.Int64
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			for range 3 {
				out, err := trackers[i%2].Follow(context.Background(), linktrack.Visit{Path: f.Path, UserAgent: trackertest.Firefox})
				switch {
				case err == nil && out.Action == linktrack.ActionRedirect && out.Location != "":
					passed.Add(1)
				case err != nil && out.Location == "":
					gone.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 100, passed.Load())
	require.EqualValues(t, 500, gone.Load())
	require.NoError(t, second.Close(t.Context()))
	require.NoError(t, f.Tracker.Close(t.Context()))
	c := f.Counts()
	require.Equal(t, []int64{100, 100, 0}, []int64{c.People, c.Used, c.Bots})
	f.Refused(linktrack.ErrUsedUp, linktrack.Visit{})
	f.Refused(linktrack.ErrUsedUp, linktrack.Visit{UserAgent: trackertest.Googlebot})
}

func aLimitCanBeRaisedAndTakenAway(t *testing.T, store linktrack.Store) {
	f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
	f.Passes(linktrack.Visit{})
	limit := func(n int64) {
		_, err := f.Tracker.UpdateLink(t.Context(), f.Account, f.Path, func(e *linktrack.LinkEdit) { e.DeactivateAt = n })
		require.NoError(t, err)
	}
	limit(2) // one has passed already
	f.Passes(linktrack.Visit{})
	f.Refused(linktrack.ErrUsedUp, linktrack.Visit{})
	limit(3)
	f.Passes(linktrack.Visit{})
	f.Refused(linktrack.ErrUsedUp, linktrack.Visit{})
	limit(0)
	for range 5 {
		f.Passes(linktrack.Visit{})
	}
	require.EqualValues(t, 8, f.Counts().People)
}

func aCounterIsNeverLostForTheContentOfItsClick(t *testing.T, store linktrack.Store) {
	f := trackertest.Follow(t, store, linktrack.Options{}, linktrack.NewLink{})
	long := make([]byte, 100_000)
	for i := range long {
		long[i] = byte(i)
	}
	for _, s := range []string{string(long), "\x00", "\xff\xfe", "'; DROP TABLE lt_link; --", "😀\u202e", "http://[::1", "http://a@b:x/"} {
		f.Passes(linktrack.Visit{Referrer: s, UserAgent: "x" + s, Query: s})
	}
	require.EqualValues(t, 7, f.Counts().People)
	clicks, err := f.Tracker.History(t.Context(), f.Account, f.Path, linktrack.HistoryQuery{})
	require.NoError(t, err)
	require.Len(t, clicks, 7)
}

func thePasswordForm(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	link := s.MakeLink("password", "let me ïn&more", "vanity_link", "secret")
	try := func(password string) *http.Response { return s.Post(link, trackertest.Values("password", password)) }
	r := try("wrong")
	require.Equal(t, 403, r.StatusCode)
	require.Contains(t, trackertest.Text(t, r), "The password is wrong.")
	require.Equal(t, 403, s.Post(link, nil).StatusCode)
	require.EqualValues(t, 0, s.Link(link)["count_total"])
	r = try("let me ïn&more")
	require.Equal(t, http.StatusSeeOther, r.StatusCode)
	require.Equal(t, "https://example.com/page", r.Header.Get("Location"))
	require.Equal(t, "private, no-store", r.Header.Get("Cache-Control"))
	require.EqualValues(t, 1, s.Link(link)["count_total"], "only that is a click")
	for range 5 {
		require.Equal(t, 403, try("wrong").StatusCode)
	}
	r = try("let me ïn&more")
	require.Equal(t, http.StatusTooManyRequests, r.StatusCode)
	require.Regexp(t, `^[1-6]?[0-9]$`, r.Header.Get("Retry-After"))
	require.Equal(t, 413, s.Post(link, trackertest.Values("password", strings.Repeat("x", 10_000))).StatusCode)
	require.Equal(t, 415, s.Do(trackertest.Request(http.MethodPost, link, "{}", "Content-Type", "application/json")).StatusCode)
}
