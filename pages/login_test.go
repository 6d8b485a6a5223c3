package pages_test

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/pages"
)

func TestOneWhoIsNotSignedInIsSentToTheFormAndBack(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{})
	r := s.get("links?q=x&page=2")
	require.Equal(t, 303, r.StatusCode)
	require.Equal(t, "/account/login?next=%2Faccount%2Flinks%3Fq%3Dx%26page%3D2", r.Header.Get("Location"))
	form := s.get(r.Header.Get("Location")).form()
	form.Set("login", "ada")
	form.Set("pass", pass)
	r = s.post("login", form)
	require.Equal(t, 303, r.StatusCode)
	require.Equal(t, "/account/links?q=x&page=2", r.Header.Get("Location"))

	cookie := r.Cookies()[0]
	require.True(t, cookie.HttpOnly && cookie.Secure && cookie.SameSite == http.SameSiteLaxMode && cookie.Path == "/", r.Header)
	require.Equal(t, 30*24*60*60, cookie.MaxAge)
	require.Equal(t, 200, s.get("links").StatusCode)
	require.Contains(t, s.get("links").texts("login"), "ada")
	require.Equal(t, "/account/links", s.get("login").Header.Get("Location"), "who is signed in needs no form")
	require.Equal(t, "/account/links", s.get("").Header.Get("Location"))

	r = s.post("logout", nil)
	require.Equal(t, 303, r.StatusCode)
	require.Equal(t, "/account/login", r.Header.Get("Location"))
	require.Empty(t, s.cookies)
	require.Equal(t, 303, s.get("links").StatusCode)
	require.Equal(t, 303, s.post("links/new", nil).StatusCode)
}

func TestTheFormLeadsNowhereElse(t *testing.T) {
	for _, next := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "/account/\\evil.example", "/other", "/account/\r\nX: y",
		"/account/../spring", "/account/%2e%2E/spring", "/account/.%2e%2fspring", "/account/links/../../spring?a=b", "/account/..", "/account/../.f2jt#/account/"} {
		s := newSite(t, linktrack.Options{}, pages.Options{})
		r := s.post("login", url.Values{"login": {"ada"}, "pass": {pass}, "next": {next}})
		require.Equal(t, "/account/links", r.Header.Get("Location"), "%q", next)
	}
}

func TestAWrongPassIsRefusedAndThrottled(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{})
	for _, login := range []string{"ada", "nobody"} {
		r := s.signIn(login, "wrong <pass>")
		require.Equal(t, 403, r.StatusCode)
		require.Equal(t, []string{"The login or the pass is wrong."}, r.texts("notice"), "one text for both")
		require.Equal(t, login, r.form().Get("login"))
		require.NotContains(t, r.body, "wrong &lt;pass", "the pass is not shown again")
		require.Empty(t, s.cookies)
	}
	for range 9 {
		s.signIn("ada", "wrong")
	}
	r := s.signIn("ada", pass)
	require.Equal(t, 429, r.StatusCode)
	require.NotEmpty(t, r.Header.Get("Retry-After"))
	require.Empty(t, s.cookies)
	require.Equal(t, 303, s.signIn("bob", pass).StatusCode)
}

func TestASessionEndsWithThePassAndTheAccount(t *testing.T) {
	for name, change := range map[string]func(*linktrack.Account){
		"another pass": func(a *linktrack.Account) { a.SetPass(pass) },
		"switched off": func(a *linktrack.Account) { a.Disabled = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := signedIn(t, "ada")
			require.Equal(t, 200, s.get("links").StatusCode)
			s.edit(s.ada, change)
			require.Equal(t, 303, s.get("links").StatusCode)
		})
	}
	s := signedIn(t, "ada")
	s.edit(s.ada, func(a *linktrack.Account) { a.Disabled = true })
	require.Equal(t, []string{"This account is switched off."}, s.signIn("ada", pass).texts("notice"))
}

func TestASessionIsNotMadeUp(t *testing.T) {
	s := signedIn(t, "ada")
	right := s.cookies["__Host-linktrack_session"].Value
	raw, err := base64.RawURLEncoding.DecodeString(right)
	require.NoError(t, err)
	for i := range raw {
		raw[i] ^= 1
		s.cookies["__Host-linktrack_session"].Value = base64.RawURLEncoding.EncodeToString(raw)
		require.Equal(t, 303, s.get("links").StatusCode, "byte %d is changed", i)
		raw[i] ^= 1
	}
	for _, value := range []string{"", "x", right + "A", right[1:], "!" + right[1:]} {
		s.cookies["__Host-linktrack_session"].Value = value
		require.Equal(t, 303, s.get("links").StatusCode, value)
	}
	other := signedIn(t, "ada")
	other.cookies["__Host-linktrack_session"].Value = right
	require.Equal(t, 303, other.get("links").StatusCode, "another service has another secret")
	s.cookies["__Host-linktrack_session"].Value = right
	require.Equal(t, 200, s.get("links").StatusCode)
}

func TestAHostHasItsOwnLogin(t *testing.T) {
	var a linktrack.Account
	var err error
	options := pages.Options{Session: func(*http.Request) (linktrack.Account, error) { return a, err }}
	s := newSite(t, linktrack.Options{}, options)
	a = linktrack.Account{ID: 4711, Type: linktrack.AccountTypeProfessional}
	r := s.get("links")
	require.Equal(t, 200, r.StatusCode)
	require.Empty(t, r.texts("signout"))
	require.Equal(t, 303, s.post("links/new", url.Values{"external_url": {"https://example.com"}}).StatusCode)
	require.Len(t, s.links(a), 1)
	require.Equal(t, 404, s.get("login").StatusCode, "there is no form beside the host's own")
	require.Equal(t, 405, s.post("login", nil).StatusCode)

	for want, e := range map[int]error{401: linktrack.ErrUnauthorized, 500: errors.New("no"), 503: linktrack.ErrUnavailable} {
		err = e
		require.Equal(t, want, s.get("links").StatusCode)
		require.Equal(t, want, s.post("links/new", nil).StatusCode)
	}
	a, err = linktrack.Account{ID: 4711, Type: linktrack.AccountTypeProfessional, Disabled: true}, nil
	require.Equal(t, 403, s.get("links").StatusCode)
	_, _, e := s.tracker.MakeAnonymousLink(t.Context(), "", "https://example.com/quick")
	require.NoError(t, e)
	a = linktrack.Account{ID: linktrack.AnonymousAccount, Type: linktrack.AccountTypeProfessional}
	for _, page := range []string{"links", "links/new", "export", "api", "import"} {
		r := s.get(page)
		require.Equal(t, 403, r.StatusCode, page)
		require.NotContains(t, r.body, "example.com/quick")
	}

	options.SignIn = "/host/login"
	s = newSite(t, linktrack.Options{}, options)
	err = linktrack.ErrUnauthorized
	require.Equal(t, "/host/login", s.get("links").Header.Get("Location"))
}

func TestAccountsThatAreNotTheStoresNeedASession(t *testing.T) {
	own := func(context.Context, string, string) (linktrack.Account, error) { return linktrack.Account{ID: 1}, nil }
	s := newSite(t, linktrack.Options{Accounts: linktrack.AccountOptions{Authenticate: own}}, pages.Options{})
	require.Equal(t, 500, s.signIn("ada", pass).StatusCode)
	require.Empty(t, s.cookies)
}

func TestASignOutEndsTheSessionAndNotOnlyTheCookie(t *testing.T) {
	s := signedIn(t, "ada")
	copied := *s.cookies["__Host-linktrack_session"]
	elsewhere := s.browser()
	elsewhere.signIn("ada", pass)
	require.NotEqual(t, copied.Value, elsewhere.cookies[copied.Name].Value, "each session has an ID of its own")
	require.Equal(t, 303, s.post("logout", nil).StatusCode)
	require.Empty(t, s.cookies)

	thief := s.browser()
	thief.cookies[copied.Name] = &copied
	require.Equal(t, "/account/login?next=%2Faccount%2Flinks", thief.get("links").Header.Get("Location"), "a copied cookie has ended")
	require.Equal(t, 303, thief.post("logout/everywhere", nil).StatusCode)
	require.Equal(t, 200, elsewhere.get("links").StatusCode, "a session that has ended ends no others")

	other := newPagesOn(t, s)
	require.Equal(t, 200, elsewhere.get("links").StatusCode)
	elsewhere.handler = other
	require.Equal(t, 200, elsewhere.get("links").StatusCode, "another process of the store knows the session")
	thief.handler, thief.cookies[copied.Name] = other, &copied
	require.Equal(t, 303, thief.get("links").StatusCode, "and that the other one has ended")
}

func TestASignOutEverywhereEndsAllSessionsOfTheAccount(t *testing.T) {
	s := signedIn(t, "ada")
	elsewhere, bob := s.browser(), s.browser()
	elsewhere.signIn("ada", pass)
	bob.signIn("bob", pass)
	require.Contains(t, s.get("account").texts("button"), "Sign out everywhere")
	require.Equal(t, 200, elsewhere.get("links").StatusCode)
	copied := *s.cookies["__Host-linktrack_session"]

	r := s.post("logout/everywhere", nil)
	require.Equal(t, "/account/login", r.Header.Get("Location"))
	require.Empty(t, s.cookies)
	require.Equal(t, 303, elsewhere.get("links").StatusCode)
	require.Equal(t, 200, bob.get("links").StatusCode)
	s.cookies[copied.Name] = &copied
	require.Equal(t, 303, s.get("links").StatusCode)

	require.Equal(t, 303, s.signIn("ada", pass).StatusCode)
	require.Equal(t, 200, s.get("links").StatusCode, "one can sign in again")
}

func TestAnotherSiteSignsNobodyOut(t *testing.T) {
	s := signedIn(t, "ada")
	require.Equal(t, 403, s.post("logout/everywhere", nil, "Sec-Fetch-Site", "cross-site").StatusCode)
	require.Equal(t, 200, s.get("links").StatusCode)
}

func TestTheCookieGoesNoFurtherThanItMust(t *testing.T) {
	for _, c := range []struct {
		name, base, prefix string
		qr                 bool
		cookie, path       string
	}{
		{"pages at the root of a host", "https://go.example.com", "/account/", true, "__Host-linktrack_session", "/"},
		{"no TLS", "http://go.example.com", "/account/", true, "linktrack_session", "/"},
		{"a mount below others' pages", "https://go.example.com/go", "/go/account/", true, "linktrack_session", "/go/"},
		{"pages beside the mount of the links", "https://go.example.com/go", "/account/", true, "__Host-linktrack_session", "/"},
		{"codes only on the pages", "https://go.example.com", "/account/", false, "linktrack_session", "/account/"},
		{"codes only on pages at the root", "https://go.example.com/go", "/", false, "__Host-linktrack_session", "/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracker, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: c.base})
			require.NoError(t, err)
			t.Cleanup(func() { tracker.Close(t.Context()) })
			_, _, err = tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: "ada", Pass: pass})
			require.NoError(t, err)
			p, err := pages.New(tracker, pages.Options{Prefix: c.prefix})
			require.NoError(t, err)
			if c.qr {
				p.QR(tracker.Handler())
			}
			r := httptest.NewRequest("POST", "http://go.example.com"+c.prefix+"login", strings.NewReader(url.Values{"login": {"ada"}, "pass": {pass}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			require.Len(t, w.Result().Cookies(), 1)
			cookie := w.Result().Cookies()[0]
			require.Equal(t, []any{c.cookie, c.path, ""}, []any{cookie.Name, cookie.Path, cookie.Domain})
			require.Equal(t, strings.HasPrefix(c.base, "https:"), cookie.Secure)
		})
	}
}

func TestWhoCannotBeSignedOutIsToldSo(t *testing.T) {
	s := signedIn(t, "ada")
	s.handler = newPagesOn(t, s, endless{s.store})
	for _, path := range []string{"logout", "logout/everywhere"} {
		require.Equal(t, 503, s.post(path, nil).StatusCode)
		require.NotEmpty(t, s.cookies, "the button can be pressed again")
	}
}

// endless is a store that cannot end sessions.
type endless struct{ linktrack.Store }

func (endless) EndSession(context.Context, linktrack.AccountID, linktrack.SessionID, time.Time, time.Time) error {
	return errors.New("no")
}
func (endless) EndSessions(context.Context, linktrack.AccountID) error { return errors.New("no") }

// browser returns another browser, which is not signed in.
func (s *site) browser() *site {
	other := *s
	other.cookies = map[string]*http.Cookie{}
	return &other
}

// newPagesOn returns the pages of another process on the site's store, or on the
// given store.
func newPagesOn(t *testing.T, s *site, store ...linktrack.Store) http.Handler {
	tracker, err := linktrack.New(append(store, s.store)[0], linktrack.Options{BaseURL: "https://go.example.com", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { tracker.Close(t.Context()) })
	p, err := pages.New(tracker, pages.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	p.QR(tracker.Handler()) // so that the cookie is that of newSite
	return p
}
