package linktrack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestTheRedirectGivesTheClickAway(t *testing.T) {
	const id = `[0-9a-f]{32}[0-9a-z]+`
	for name, c := range map[string]struct {
		options  linktrack.Options
		pairs    []string
		query    string
		location string // "" as it was
		cookie   string // "" none
	}{
		"without conversion tracking, nothing": {linktrack.Options{Links: linktrack.LinkOptions{ClickQuery: true}}, nil, "", "", ""},
		"in a cookie for c.gif alone": {
			linktrack.Options{}, []string{"has_conversion_tracking", "1"}, "", "",
			"=" + id + "; Path=/c.gif; Max-Age=2592000; HttpOnly; SameSite=Lax",
		},
		"to third parties on TLS": {
			linktrack.Options{BaseURL: "https://go.example.com/to/l"}, []string{"has_conversion_tracking", "1"}, "", "",
			"=" + id + "; Path=/to/l/c.gif; Max-Age=2592000; HttpOnly; SameSite=None; Secure",
		},
		"in the query if the host wants it": {
			linktrack.Options{Links: linktrack.LinkOptions{ClickQuery: true}}, []string{"has_conversion_tracking", "1"}, "",
			`https://example\.com/page\?lt_click=` + id, "=" + id + ";",
		},
		"behind all else in the query, before the fragment": {
			linktrack.Options{Links: linktrack.LinkOptions{ClickQuery: true, ForwardQuery: true}},
			[]string{"has_conversion_tracking", "1", "external_url", "https://example.com/page?a=1#part"}, "?b=2&lt_click=old",
			`https://example\.com/page\?a=1&b=2&lt_click=old&lt_click=` + id + "#part", "=" + id + ";",
		},
		"in the query only, where no cookies are wanted": {
			linktrack.Options{Links: linktrack.LinkOptions{ClickQuery: true}, Visitors: linktrack.VisitorOptions{Cookieless: true}}, []string{"has_conversion_tracking", "1"}, "",
			`https://example\.com/page\?lt_click=` + id, "",
		},
		"not in an address that has no query": {
			linktrack.Options{Links: linktrack.LinkOptions{ClickQuery: true, Schemes: []string{"mailto"}}},
			[]string{"has_conversion_tracking", "1", "external_url", "mailto:me@example.com"}, "", "", "=" + id + ";",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := trackertest.NewService(t, memstore.New(), c.options)
			link := s.MakeLink(c.pairs...)
			plain := s.Link(link)["external_url"].(string)
			if c.location == "" {
				c.location = regexp.QuoteMeta(plain)
			}
			r := s.Get(link + c.query)
			require.Regexp(t, "^"+c.location+"$", r.Header.Get("Location"))
			cookies := strings.Join(r.Header.Values("Set-Cookie"), "\n")
			if c.cookie == "" {
				require.NotContains(t, cookies, "linktrack_click")
			} else {
				require.Regexp(t, "(?m)^linktrack_click_"+fmt.Sprint(s.Account.ID)+c.cookie, cookies)
			}
			for _, header := range [][]string{{"Sec-Purpose", "prefetch"}, nil} {
				request := trackertest.Request(http.MethodHead, link, "", header...)
				if header != nil {
					request.Method = http.MethodGet
				}
				r := s.Do(request)
				require.NotContains(t, r.Header.Get("Location"), "lt_click")
				require.NotContains(t, strings.Join(r.Header.Values("Set-Cookie"), "\n"), "linktrack_click", "it is no click")
			}
		})
	}
	t.Run("behind a right password", func(t *testing.T) {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{ClickQuery: true}})
		link := s.MakeConvertibleLink("password", "letmein")
		r := s.Get(link)
		require.Empty(t, r.Cookies())
		r = s.Post(link, trackertest.Values("password", "letmein"))
		require.Equal(t, http.StatusSeeOther, r.StatusCode)
		require.Contains(t, r.Header.Get("Location"), "?lt_click=")
		require.Len(t, r.Cookies(), 2)
	})
}

func TestTheImageIsAnsweredWhateverHappens(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	link, plain := s.MakeConvertibleLink(), s.MakeLink()
	click := trackertest.ClickOf(s.Click(link))
	for _, query := range []string{
		"", "click=", "click=nonsense", "click=%00%ff&%", "click=" + click[:31], "click=" + click + "&value=1", "click=" + click + "&currency=EUR",
		"click=" + click + "&value=1e5&currency=EUR", "click=" + click + "&value=1&currency=euro", "click=" + click + "&order=" + strings.Repeat("x", 256),
	} {
		s.GetPixel(query)
	}
	s.GetPixel("", "Cookie", "linktrack_click_1=nonsense; linktrack_click_=; linktrack_click_zz="+click+"x!")
	require.Zero(t, s.Converted(link))
	require.Zero(t, s.Converted(plain))

	require.Equal(t, http.StatusOK, s.Do(trackertest.Request(http.MethodHead, "/c.gif?click="+click, "")).StatusCode)
	require.Zero(t, s.Converted(link), "HEAD counts nothing")
	r := s.Do(trackertest.Request(http.MethodPut, "/c.gif?click="+click, ""))
	require.Equal(t, http.StatusMethodNotAllowed, r.StatusCode)
	require.Equal(t, "GET, HEAD, POST", r.Header.Get("Allow"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, http.StatusOK, s.Do(trackertest.Request(http.MethodGet, "/c.gif?click="+click, "").WithContext(ctx)).StatusCode)
	require.Equal(t, 1, s.Converted(link), "who has left the page is counted")
}

func TestTheBeaconCountsAndAnswersNothing(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	link := s.MakeConvertibleLink()
	click := trackertest.ClickOf(s.Click(link))
	for range 2 {
		r := s.Post("/c.gif", trackertest.Values("click", click, "order", "42", "value", "0.99", "currency", "USD"), "Origin", "https://shop.example")
		require.Equal(t, http.StatusNoContent, r.StatusCode)
		require.Empty(t, trackertest.Text(t, r))
		require.Empty(t, r.Header.Get("Access-Control-Allow-Origin"), "a beacon reads no answer")
	}
	require.Equal(t, 1, s.Converted(link))
	cookie := s.Click(link)
	s.Post("/c.gif", trackertest.Values("click", "", "order", "43"), "Cookie", cookie)
	require.Equal(t, 2, s.Converted(link), "a page that knows no click leaves it to the cookie")
	for _, body := range []string{strings.Repeat("x", 1<<20), "click=" + trackertest.ClickOf(s.Click(link)) + "&x=" + strings.Repeat("x", 1<<20)} {
		r := s.Do(trackertest.Request(http.MethodPost, "/c.gif", body, "Content-Type", "application/x-www-form-urlencoded"))
		require.Equal(t, http.StatusNoContent, r.StatusCode)
	}
	require.Equal(t, 2, s.Converted(link), "a body is not read beyond its bound")
}

func TestTheNewestClickWinsWithinAnAccount(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	other, _, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	require.NoError(t, err)
	foreign, err := s.Tracker.MakeLink(t.Context(), other, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://other.example", HasConversionTracking: true}})
	require.NoError(t, err)
	first, second := s.MakeConvertibleLink(), s.MakeConvertibleLink("vanity_link", "second")
	one, two := s.Click(first), s.Click(second)
	require.Equal(t, one[:strings.Index(one, "=")], two[:strings.Index(two, "=")], "a browser keeps the newer one of them")
	theirs := s.Click(s.Tracker.TrackingURL(foreign))

	cookies := theirs + "; " + two
	s.GetPixel("link=nope", "Cookie", cookies)
	s.GetPixel("link=../x", "Cookie", cookies)
	s.GetPixel("link="+first[strings.LastIndex(first, "/")+1:], "Cookie", cookies)
	require.Equal(t, []int{0, 1}, []int{s.Converted(first), s.Converted("second")}, "the newest click of the account that the link is of")
	s.GetPixel("", "Cookie", cookies)
	l, err := s.Tracker.Link(t.Context(), other, foreign.Path)
	require.NoError(t, err)
	require.EqualValues(t, 1, l.Counts.Conversions, "the newest click")
	s.GetPixel("click="+trackertest.ClickOf(one), "Cookie", cookies)
	require.Equal(t, []int{1, 1}, []int{s.Converted(first), s.Converted("second")}, "the click that is named")
}

func TestTheScript(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	r := s.Get("/c.js")
	require.Equal(t, http.StatusOK, r.StatusCode)
	require.Equal(t, "text/javascript; charset=utf-8", r.Header.Get("Content-Type"))
	require.Equal(t, "public, max-age=3600", r.Header.Get("Cache-Control"))
	require.Equal(t, "cross-origin", r.Header.Get("Cross-Origin-Resource-Policy"))
	body := trackertest.Text(t, r)
	require.Less(t, len(body), 1024)
	require.NotEmpty(t, r.Header.Get("ETag"))
	again := s.Get("/c.js", "If-None-Match", r.Header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, again.StatusCode)
	require.Equal(t, http.StatusMethodNotAllowed, s.Post("/c.js", nil).StatusCode)
	require.Equal(t, http.StatusNotFound, s.Get("/c.css").StatusCode)

	under := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: "http://go.example.com/to/l"})
	require.Equal(t, http.StatusOK, under.Get("/to/l/c.js").StatusCode)
	beside := s.Tracker.Middleware(http.NotFoundHandler())
	s.Handler = beside
	require.Equal(t, http.StatusOK, s.Get("/c.gif").StatusCode)
	require.Equal(t, http.StatusNotFound, s.Get("http://app.example/c.gif").StatusCode, "another host's is its own")
}

func TestAFailingStoreIsNoAnswerToAServerAndNoHarmToAPage(t *testing.T) {
	var log trackertest.LogBuffer
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, &deaf{Store: store}, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	link := s.MakeConvertibleLink()
	click := trackertest.ClickOf(s.Click(link))
	s.Store.(*deaf).lost.Store(3)
	s.GetPixel("click=" + click)
	s.GetPixel("click=" + click)
	require.Equal(t, 1, strings.Count(log.String(), "API calls fail"), "logged once: %s", log.String())
	require.NotContains(t, log.String(), click)
	r := s.Call("conversion", trackertest.Values("click_id", click, "format", "json"))
	require.Equal(t, http.StatusServiceUnavailable, r.StatusCode)
	require.Equal(t, "1", r.Header.Get("Retry-After"))
	require.True(t, json.Valid([]byte(trackertest.Text(t, r))))
	r = s.Call("conversion", trackertest.Values("click_id", click))
	require.Equal(t, http.StatusOK, r.StatusCode, "it was counted the first time")
	require.Equal(t, 1, s.Converted(link))
}
