package linktrack_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestEveryHeaderOfAPrefetchOrPreviewIsKnown(t *testing.T) {
	s := newService(t, memstore.New(), linktrack.Options{})
	link, once := s.makeLink(), s.makeLink("deactivate_at", "1")
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, value := range []string{"prefetch", "preview", "Prefetch", "PREVIEW", "prefetch;prerender", "prefetch;anonymous-client-ip", "x, preview", "instant", "prerender", ": preview"} {
			r := s.get(link, name, value)
			require.Equal(t, http.StatusFound, r.StatusCode, "%s: %s", name, value)
			require.Empty(t, r.Header.Get("Set-Cookie"))
			require.Equal(t, http.StatusServiceUnavailable, s.get(once, name, value).StatusCode, "%s: %s", name, value)
		}
	}
	twice := request(http.MethodGet, link, "")
	twice.Header["Purpose"] = []string{"other", "preview"}
	require.Empty(t, s.do(twice).Header.Get("Set-Cookie"))
	require.EqualValues(t, 0, s.link(link)["count_total"])
	for _, value := range []string{"", "fun", "navigate"} {
		require.NotEmpty(t, s.get(link, "X-Purpose", value).Header.Get("Set-Cookie"), value)
	}
	require.Equal(t, http.StatusFound, s.get(once).StatusCode, "nothing used it up")
}

func TestALinkWithALimitAnswersHeadAsToABot(t *testing.T) {
	s := newService(t, memstore.New(), linktrack.Options{})
	limited, plain := s.makeLink("deactivate_at", "1", "title", "Tickets"), s.makeLink()
	protected := s.makeLink("deactivate_at", "1", "password", "letmein")
	for _, link := range []string{limited, protected} {
		for range 3 {
			head := s.do(request(http.MethodHead, link, "", "User-Agent", firefox))
			bot := s.get(link, "User-Agent", google)
			require.Equal(t, http.StatusOK, head.StatusCode)
			require.Equal(t, bot.Header, head.Header)
			require.Empty(t, head.Header.Get("Location"))
		}
	}
	require.Equal(t, http.StatusFound, s.do(request(http.MethodHead, plain, "")).StatusCode)
	require.Equal(t, http.StatusFound, s.get(limited).StatusCode)
	require.Equal(t, http.StatusGone, s.do(request(http.MethodHead, limited, "")).StatusCode)
}

func TestWhatOnlyReadsAnswersHeadAsGet(t *testing.T) {
	s := newService(t, memstore.New(), linktrack.Options{Visitors: linktrack.VisitorOptions{Pages: qrAsText{}}})
	link := s.makeLink("has_plus_tracking", "1", "is_public", "1", "vanity_link", "spring")
	export := "/api/v1_0/exportHistory?login=" + login + "&pass=" + pass + "&redirect_hash="
	for target, allow := range map[string]string{
		"/api/ping": "GET, HEAD", "/api/openapi.json": "GET, HEAD", link + "+": "GET, HEAD", link + ".qr": "GET, HEAD", "/c.js": "GET, HEAD", "/c.gif": "", export + "spring": "GET, HEAD, POST",
	} {
		get, head := s.get(target), s.do(request(http.MethodHead, target, ""))
		require.Equal(t, http.StatusOK, get.StatusCode, target)
		require.Equal(t, http.StatusOK, head.StatusCode, target)
		require.Equal(t, get.Header, head.Header, target)
		if allow != "" {
			r := s.do(request(http.MethodDelete, target, ""))
			require.Equal(t, http.StatusMethodNotAllowed, r.StatusCode, target)
			require.Equal(t, allow, r.Header.Get("Allow"), target)
		}
	}
	require.Equal(t, http.StatusNotFound, s.do(request(http.MethodHead, export+"none", "")).StatusCode)
}

func TestAPersonTakenForABotCanContinue(t *testing.T) {
	s := newService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{ForwardQuery: true}})
	link := s.makeLink("deactivate_at", "2", "title", "Tickets")
	page := s.get(link+"?a=b", "User-Agent", google)
	body := text(t, page)
	require.Equal(t, http.StatusOK, page.StatusCode)
	require.Contains(t, body, "Press Continue")
	require.Contains(t, body, `<form method="post">`)
	r := s.post(link+"?a=b", nil, "User-Agent", google)
	require.Equal(t, http.StatusSeeOther, r.StatusCode)
	require.Equal(t, "https://example.com/page?a=b", r.Header.Get("Location"))
	require.Len(t, r.Cookies(), 1)
	require.EqualValues(t, 1, s.link(link)["count_total"])
	require.EqualValues(t, 0, s.link(link)["count_bot"])
	cookie := r.Cookies()[0]
	r = s.post(link, nil, "User-Agent", google, "Cookie", cookie.Name+"="+cookie.Value)
	require.Equal(t, http.StatusSeeOther, r.StatusCode)
	require.EqualValues(t, 2, s.link(link)["count_total"])
	require.EqualValues(t, 1, s.link(link)["count_unique"], "the visitor is known again")
	require.Equal(t, http.StatusGone, s.post(link, nil, "User-Agent", google).StatusCode)
	require.Equal(t, http.StatusMethodNotAllowed, s.post(s.makeLink(), nil).StatusCode, "there is nothing to confirm")
}

func TestAPersonTakenForABotIsAskedForThePassword(t *testing.T) {
	for _, limit := range []string{"0", "1"} {
		s := newService(t, memstore.New(), linktrack.Options{})
		link := s.makeLink("deactivate_at", limit, "password", "letmein")
		require.Contains(t, text(t, s.get(link, "User-Agent", google)), `type="password"`)
		require.Equal(t, http.StatusForbidden, s.post(link, nil, "User-Agent", google).StatusCode)
		require.Equal(t, http.StatusSeeOther, s.post(link, values("password", "letmein"), "User-Agent", google).StatusCode)
		require.EqualValues(t, 1, s.link(link)["count_total"])
		require.EqualValues(t, 0, s.link(link)["count_bot"])
	}
}
