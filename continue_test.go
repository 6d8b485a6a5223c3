package linktrack_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestEveryHeaderOfAPrefetchOrPreviewIsKnown(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	link, once := s.MakeLink(), s.MakeLink("deactivate_at", "1")
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, value := range []string{"prefetch", "preview", "Prefetch", "PREVIEW", "prefetch;prerender", "prefetch;anonymous-client-ip", "x, preview", "instant", "prerender", ": preview"} {
			r := s.Get(link, name, value)
			require.Equal(t, http.StatusFound, r.StatusCode, "%s: %s", name, value)
			require.Empty(t, r.Header.Get("Set-Cookie"))
			require.Equal(t, http.StatusServiceUnavailable, s.Get(once, name, value).StatusCode, "%s: %s", name, value)
		}
	}
	twice := trackertest.Request(http.MethodGet, link, "")
	twice.Header["Purpose"] = []string{"other", "preview"}
	require.Empty(t, s.Do(twice).Header.Get("Set-Cookie"))
	require.EqualValues(t, 0, s.Link(link)["count_total"])
	for _, value := range []string{"", "fun", "navigate"} {
		require.NotEmpty(t, s.Get(link, "X-Purpose", value).Header.Get("Set-Cookie"), value)
	}
	require.Equal(t, http.StatusFound, s.Get(once).StatusCode, "nothing used it up")
}

func TestALinkWithALimitAnswersHeadAsToABot(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	limited, plain := s.MakeLink("deactivate_at", "1", "title", "Tickets"), s.MakeLink()
	protected := s.MakeLink("deactivate_at", "1", "password", "letmein")
	for _, link := range []string{limited, protected} {
		for range 3 {
			head := s.Do(trackertest.Request(http.MethodHead, link, "", "User-Agent", trackertest.Firefox))
			bot := s.Get(link, "User-Agent", trackertest.Googlebot)
			require.Equal(t, http.StatusOK, head.StatusCode)
			require.Equal(t, bot.Header, head.Header)
			require.Empty(t, head.Header.Get("Location"))
		}
	}
	require.Equal(t, http.StatusFound, s.Do(trackertest.Request(http.MethodHead, plain, "")).StatusCode)
	require.Equal(t, http.StatusFound, s.Get(limited).StatusCode)
	require.Equal(t, http.StatusGone, s.Do(trackertest.Request(http.MethodHead, limited, "")).StatusCode)
}

func TestWhatOnlyReadsAnswersHeadAsGet(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Visitors: linktrack.VisitorOptions{Pages: qrAsText{}}})
	link := s.MakeLink("has_plus_tracking", "1", "is_public", "1", "vanity_link", "spring")
	export := "/api/v1_0/exportHistory?login=" + trackertest.Login + "&pass=" + trackertest.Pass + "&redirect_hash="
	for target, allow := range map[string]string{
		"/api/ping": "GET, HEAD", "/api/openapi.json": "GET, HEAD", link + "+": "GET, HEAD", link + ".qr": "GET, HEAD", "/c.js": "GET, HEAD", "/c.gif": "", export + "spring": "GET, HEAD, POST",
	} {
		get, head := s.Get(target), s.Do(trackertest.Request(http.MethodHead, target, ""))
		require.Equal(t, http.StatusOK, get.StatusCode, target)
		require.Equal(t, http.StatusOK, head.StatusCode, target)
		require.Equal(t, get.Header, head.Header, target)
		if allow != "" {
			r := s.Do(trackertest.Request(http.MethodDelete, target, ""))
			require.Equal(t, http.StatusMethodNotAllowed, r.StatusCode, target)
			require.Equal(t, allow, r.Header.Get("Allow"), target)
		}
	}
	require.Equal(t, http.StatusNotFound, s.Do(trackertest.Request(http.MethodHead, export+"none", "")).StatusCode)
}

func TestAPersonTakenForABotCanContinue(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{ForwardQuery: true}})
	link := s.MakeLink("deactivate_at", "2", "title", "Tickets")
	page := s.Get(link+"?a=b", "User-Agent", trackertest.Googlebot)
	body := trackertest.Text(t, page)
	require.Equal(t, http.StatusOK, page.StatusCode)
	require.Contains(t, body, "Press Continue")
	require.Contains(t, body, `<form method="post">`)
	r := s.Post(link+"?a=b", nil, "User-Agent", trackertest.Googlebot)
	require.Equal(t, http.StatusSeeOther, r.StatusCode)
	require.Equal(t, "https://example.com/page?a=b", r.Header.Get("Location"))
	require.Len(t, r.Cookies(), 1)
	require.EqualValues(t, 1, s.Link(link)["count_total"])
	require.EqualValues(t, 0, s.Link(link)["count_bot"])
	cookie := r.Cookies()[0]
	r = s.Post(link, nil, "User-Agent", trackertest.Googlebot, "Cookie", cookie.Name+"="+cookie.Value)
	require.Equal(t, http.StatusSeeOther, r.StatusCode)
	require.EqualValues(t, 2, s.Link(link)["count_total"])
	require.EqualValues(t, 1, s.Link(link)["count_unique"], "the visitor is known again")
	require.Equal(t, http.StatusGone, s.Post(link, nil, "User-Agent", trackertest.Googlebot).StatusCode)
	require.Equal(t, http.StatusMethodNotAllowed, s.Post(s.MakeLink(), nil).StatusCode, "there is nothing to confirm")
}

func TestAPersonTakenForABotIsAskedForThePassword(t *testing.T) {
	for _, limit := range []string{"0", "1"} {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
		link := s.MakeLink("deactivate_at", limit, "password", "letmein")
		require.Contains(t, trackertest.Text(t, s.Get(link, "User-Agent", trackertest.Googlebot)), `type="password"`)
		require.Equal(t, http.StatusForbidden, s.Post(link, nil, "User-Agent", trackertest.Googlebot).StatusCode)
		require.Equal(t, http.StatusSeeOther, s.Post(link, trackertest.Values("password", "letmein"), "User-Agent", trackertest.Googlebot).StatusCode)
		require.EqualValues(t, 1, s.Link(link)["count_total"])
		require.EqualValues(t, 0, s.Link(link)["count_bot"])
	}
}
