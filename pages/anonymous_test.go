package pages_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

const quickTo = "https://example.com/quick?a=1&b=2"

func quickSite(t *testing.T) *site {
	t.Helper()
	return newSite(t, linktrack.Options{Hosts: []string{"alt.example"}}, pages.Options{AnonymousLinks: true})
}

// quick makes an anonymous link and returns the address of its page.
func (s *site) quick() string {
	s.Helper()
	r := s.post("quick", url.Values{"external_url": {quickTo}, "comment": {""}})
	require.Equal(s, 303, r.StatusCode, r.body)
	return r.Header.Get("Location")
}

// linkOf returns the tracking link that the page of an anonymous link shows.
func linkOf(r *answer) string {
	for _, n := range r.all(func(n *html.Node) bool { return n.Data == "a" && attribute(n, "rel") == "noreferrer" }) {
		return attribute(n, "href")
	}
	return ""
}

func TestAnyoneMakesAQuickLinkAndSeesWhenItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := quickSite(t)
		form := s.get("quick")
		require.Equal(t, 200, form.StatusCode)
		require.Contains(t, form.id("life"), "works for 30 days")
		require.Equal(t, url.Values{"external_url": {""}, "comment": {""}}, form.form())

		at := s.quick()
		require.Regexp(t, `^/account/quick/go\.example\.com/\.\w{7}/[\w-]{43}$`, at)
		page := s.get(at)
		require.Equal(t, 200, page.StatusCode)
		require.Equal(t, []string{"Your link"}, page.texts("h1"))
		link := linkOf(page)
		require.Regexp(t, `^https://go\.example\.com/\.\w{7}$`, link)
		ends := time.Now().Add(30 * 24 * time.Hour).In(s.tracker.TimeZone()).Format("2006-01-02 15:04 MST")
		require.Equal(t, []string{quickTo, ends, "0"}, page.texts("dd"))
		buttons := page.all(func(n *html.Node) bool { return has(n, "data-copy") })
		require.Equal(t, link, attribute(buttons[0], "data-copy"))
		require.Equal(t, at, attribute(buttons[1], "data-copy"), "the address of the page can be kept")

		r := s.get(strings.TrimPrefix(link, "https://go.example.com"))
		require.Equal(t, 302, r.StatusCode)
		require.Equal(t, quickTo, r.Header.Get("Location"))
		time.Sleep(30 * 24 * time.Hour)
		page = s.get(at)
		require.Equal(t, 410, page.StatusCode)
		require.Equal(t, []string{"This link has expired"}, page.texts("h1"))
		s.signIn("ada", pass)
		require.Equal(t, 303, s.post(at, nil).StatusCode)
		require.Empty(t, s.links(s.ada))
		require.Equal(t, 410, s.get(at).StatusCode)
	})
}

func TestAQuickLinkIsClaimedOnceByWhoSignsIn(t *testing.T) {
	s := quickSite(t)
	at := s.quick()
	link := linkOf(s.get(at))

	r := s.post(at, nil)
	require.Equal(t, "/account/login", r.Header.Get("Location"), "nobody is signed in")
	page := s.get(at)
	require.Empty(t, page.texts("form"))
	signIn := page.all(func(n *html.Node) bool { return attribute(n, "class") == "button" })
	require.Len(t, signIn, 1)
	form := s.get(attribute(signIn[0], "href")).form()
	form.Set("login", "ada")
	form.Set("pass", pass)
	require.Equal(t, at, s.post("login", form).Header.Get("Location"), "one who signs in comes back")
	require.Equal(t, []string{"Keep it in the account ada"}, s.get(at).texts("form"))
	require.Empty(t, s.links(s.ada), "to look claims nothing")

	require.Equal(t, 403, s.post(at, nil, "Sec-Fetch-Site", "cross-site").StatusCode)
	require.Empty(t, s.links(s.ada), "another site claims nothing")
	require.Equal(t, at, s.post(at, nil).Header.Get("Location"))
	page = s.get(at)
	require.Equal(t, 200, page.StatusCode)
	require.Equal(t, []string{"This link is yours"}, page.texts("h1"))
	require.Equal(t, link, linkOf(page))
	require.NotContains(t, page.body, "Expires")
	mine := s.links(s.ada)
	require.Len(t, mine, 1)
	require.Equal(t, link, s.tracker.TrackingURL(mine[0]))
	require.True(t, mine[0].ExpiresAt.IsZero())

	s.post("logout", nil)
	for range 2 { // before and after the sign-in
		page = s.get(at)
		require.Equal(t, 410, page.StatusCode)
		require.Equal(t, []string{"This link has been claimed"}, page.texts("h1"))
		require.NotContains(t, page.body, "example.com/quick", "where it leads is its owner's now")
		s.signIn("bob", pass)
	}
	s.post(at, nil)
	require.Empty(t, s.links(s.bob))
	require.Len(t, s.links(s.ada), 1)
}

func TestAForgedClaimIsNotFound(t *testing.T) {
	s := quickSite(t)
	at := s.quick()
	s.signIn("ada", pass)
	for _, forged := range []string{
		at[:len(at)-43] + strings.Repeat("A", 43), at + "A", strings.Replace(at, "go.example.com", "alt.example", 1),
		strings.Replace(at, "go.example.com", "evil.example", 1), at + "/", "/account/quick/go.example.com/.none/x",
	} {
		require.Equal(t, 404, s.get(forged).StatusCode, forged)
		require.Contains(t, []int{404, 405}, s.post(forged, nil).StatusCode, forged)
	}
	require.Empty(t, s.links(s.ada))
}

func TestOneWhoMakesTooManyQuickLinksIsToldToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := quickSite(t)
		for range 10 {
			s.quick()
		}
		r := s.post("quick", url.Values{"external_url": {quickTo}})
		require.Equal(t, 429, r.StatusCode)
		require.Equal(t, "3600", r.Header.Get("Retry-After"))
		require.Equal(t, "Too many links have been made. Please try again in 60 min.", r.id("error"))
		require.Equal(t, quickTo, r.form().Get("external_url"), "what was written is not lost")
		other := httptest.NewRequest("POST", at("quick"), strings.NewReader(url.Values{"external_url": {quickTo}}.Encode()))
		other.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		other.RemoteAddr = "198.51.100.1:1"
		require.Equal(t, 303, s.do(other).StatusCode, "others may go on")
	})
}

func TestAQuickLinkIsRefusedWithItsReason(t *testing.T) {
	s := quickSite(t)
	r := s.post("quick", url.Values{"external_url": {"http://go.example.com/x"}})
	require.Equal(t, 400, r.StatusCode)
	require.Regexp(t, "^Destination ", r.id("error"))
	require.Equal(t, "http://go.example.com/x", r.form().Get("external_url"))
	require.Len(t, r.all(func(n *html.Node) bool { return has(n, "aria-invalid") }), 1)
	require.Equal(t, 400, s.post("quick", url.Values{"external_url": {quickTo}, "comment": {"buy"}}).StatusCode, "a program filled it in")
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "", "Origin", "https://evil.example"}} {
		require.Equal(t, 403, s.post("quick", url.Values{"external_url": {quickTo}}, headers...).StatusCode)
	}
	made, err := s.store.Links(t.Context(), linktrack.LinkFilter{Account: linktrack.AnonymousAccount, Sort: linktrack.SortID, Limit: 1})
	require.NoError(t, err)
	require.Empty(t, made)
}

func TestQuickLinksAreOffUnlessAHostAsksForThem(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{})
	_, claim, err := s.tracker.MakeAnonymousLink(t.Context(), "", quickTo)
	require.NoError(t, err)
	s.signIn("ada", pass)
	for _, path := range []string{"quick", "quick/" + claim} {
		require.Equal(t, 404, s.get(path).StatusCode, path)
		require.Equal(t, 405, s.post(path, url.Values{"external_url": {quickTo}}).StatusCode, path)
	}
	p, err := pages.New(s.tracker, pages.Options{})
	require.NoError(t, err)
	s.handler = p.AnonymousForm()
	require.Equal(t, 404, s.get("/").StatusCode)
	require.Equal(t, 404, s.post("/", url.Values{"external_url": {quickTo}}).StatusCode)
	require.Empty(t, s.links(s.ada))
}

func TestAHostShowsQuickLinksOnItsFrontPage(t *testing.T) {
	s := quickSite(t)
	p, err := pages.New(s.tracker, pages.Options{AnonymousLinks: true})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/{$}", p.AnonymousForm())
	mux.Handle("/account/", p)
	s.handler = mux
	front := s.get("/")
	require.Equal(t, 200, front.StatusCode)
	require.Contains(t, front.Header.Get("Content-Security-Policy"), "form-action 'self'")
	for _, m := range regexp.MustCompile(`/account/static/[\w.]+`).FindAllString(front.body, -1) {
		require.Equal(t, 200, s.get(m).StatusCode, m)
	}
	require.Equal(t, 403, s.post("/", url.Values{"external_url": {quickTo}}, "Sec-Fetch-Site", "cross-site").StatusCode)
	require.Equal(t, 400, s.post("/", nil).StatusCode)
	r := s.post("/", url.Values{"external_url": {quickTo}})
	require.Equal(t, 303, r.StatusCode)
	require.Equal(t, 200, s.get(r.Header.Get("Location")).StatusCode)
	w := s.do(httptest.NewRequest("PUT", at("/"), nil))
	require.Equal(t, 405, w.StatusCode)
	require.Equal(t, "GET, HEAD, POST", w.Header.Get("Allow"))
}

func TestQuickLinksWithALoginOfTheHostsOwn(t *testing.T) {
	a, err := linktrack.Account{}, linktrack.ErrUnauthorized
	options := pages.Options{AnonymousLinks: true, Session: func(*http.Request) (linktrack.Account, error) { return a, err }}
	s := newSite(t, linktrack.Options{}, options)
	at := s.quick()
	require.Contains(t, s.get(at).body, "sign in and open this page again")
	require.Equal(t, 401, s.post(at, nil).StatusCode)
	a, err = linktrack.Account{ID: 4711, Type: linktrack.AccountTypeFree}, nil
	require.Equal(t, []string{"Keep it in my account"}, s.get(at).texts("form"))
	require.Equal(t, 303, s.post(at, nil).StatusCode)
	require.Len(t, s.links(a), 1)
}
