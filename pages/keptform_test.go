package pages_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

// formTo returns the values that a browser would send for the page's form whose
// action is a path below /account/.
func (a *answer) formTo(t *testing.T, path string) url.Values {
	t.Helper()
	forms := a.all(func(n *html.Node) bool {
		return n.Data == "form" && strings.HasPrefix(attribute(n, "action"), "/account/"+path)
	})
	require.NotEmpty(t, forms, "a form that is sent to %s", path)
	return formValues(forms[0])
}

func TestAFormThatIsSentWhenTheSessionHasEndedIsThereAgainBehindSigningIn(t *testing.T) {
	const password = "the link's own secret"
	edited := maps.Clone(every)
	edited.Del("host")
	edited.Del("vanity_link")
	edited["back"] = []string{"page=2&q=spring"}
	for _, c := range []struct {
		path string
		form url.Values
	}{
		{"links/new", every},
		{"links/go.example.com/spring/edit", edited},
		{"mark", url.Values{"external_url": {"https://example.com/?a=1&b=<2>\"'"}, "title": {"Spring שלום"}}},
		{"api/makeLink", url.Values{"external_url": {"https://example.com/x"}, "password": {password}, "notes": {"one\r\ntwo"}}},
		{"account", url.Values{"email": {"ada@example.com"}}},
	} {
		t.Run(c.path, func(t *testing.T) {
			s := signedIn(t, "ada")
			s.make(s.ada, linktrack.NewLink{VanityLink: "spring"})
			before := s.link("spring")
			s.cookies = map[string]*http.Cookie{}
			r := s.post(c.path, c.form)
			require.Equal(t, 401, r.StatusCode)
			require.Contains(t, r.texts("notice")[0], "Your session has ended")
			require.Empty(t, r.Cookies(), "nothing of it is in a cookie")
			require.Empty(t, r.Header.Get("Location"), "nor in an address")

			form := r.formTo(t, "login")
			form.Set("login", "ada")
			form.Set("pass", "wrong")
			r = s.post("login", form)
			require.Equal(t, 403, r.StatusCode)
			form = r.formTo(t, "login")
			form.Set("pass", pass)
			r = s.post("login", form)
			require.Equal(t, 200, r.StatusCode)
			require.NotEmpty(t, s.cookies, "signed in")
			for _, cookie := range r.Cookies() {
				require.NotContains(t, cookie.String(), "secret")
			}
			again := r.formTo(t, c.path)
			for name := range c.form {
				want := c.form.Get(name)
				if name == "expires_at" {
					want += ":00"
				}
				require.Equal(t, want, again.Get(name), name)
			}
			require.Equal(t, []linktrack.Link{before}, s.links(s.ada), "nothing is done yet")
			require.Less(t, s.post(c.path, again).StatusCode, 400)
		})
	}
}

func TestABareButtonThatIsSentWhenTheSessionHasEndedDoesNothing(t *testing.T) {
	for path, form := range map[string]url.Values{
		"links/go.example.com/spring/active": {"active": {"0"}, "back": {"q=spring"}},
		"account/optout":                     {"out": {"1"}},
		"pass":                               {"hash": {"of another pass"}},
		"pass ":                              nil, // with the hash of the current pass
	} {
		s := signedIn(t, "ada")
		s.make(s.ada, linktrack.NewLink{VanityLink: "spring"})
		if form == nil {
			path, form = strings.TrimSpace(path), s.get("pass").formTo(t, "pass")
		}
		s.cookies = map[string]*http.Cookie{}
		r := s.post(path, form)
		require.Equal(t, 401, r.StatusCode, path)
		form = r.formTo(t, "login")
		form.Set("login", "ada")
		form.Set("pass", pass)
		r = s.post("login", form)
		require.Less(t, r.StatusCode, 400, path)
		require.False(t, s.link("spring").Disabled)
		require.Len(t, s.cookies, 1, "%s: the session and no more", path)
		require.Equal(t, 303, s.post("login", url.Values{"login": {"ada"}, "pass": {pass}}).StatusCode, "the pass is the same")
	}
}

func TestAHostsOwnSignInKeepsTheForm(t *testing.T) {
	err := error(linktrack.ErrUnauthorized)
	a := linktrack.Account{ID: 4711, Type: linktrack.AccountTypeProfessional}
	s := newSite(t, linktrack.Options{}, pages.Options{SignIn: "/host/login", Session: func(*http.Request) (linktrack.Account, error) { return a, err }})
	form := url.Values{"external_url": {"https://example.com/x"}, "title": {"Typed"}, "password": {"secret"}, "is_active": {"1"}}
	r := s.post("links/new", form)
	require.Equal(t, 401, r.StatusCode)
	links := r.all(func(n *html.Node) bool { return n.Data == "a" && attribute(n, "href") == "/host/login" })
	require.Len(t, links, 1)
	require.Equal(t, "_blank", attribute(links[0], "target"))
	kept := r.formTo(t, "links/new")
	r = s.post("links/new", kept)
	require.Equal(t, 401, r.StatusCode, "still not signed in")
	require.Equal(t, kept, r.formTo(t, "links/new"), "and still kept")
	err = nil
	r = s.post("links/new", kept)
	require.Equal(t, 200, r.StatusCode)
	require.Empty(t, s.links(a), "nothing is made yet")
	again := r.formTo(t, "links/new")
	for name := range form {
		require.Equal(t, form.Get(name), again.Get(name), name)
	}
	require.Equal(t, 303, s.post("links/new", again).StatusCode)
	require.Len(t, s.links(a), 1)
}

func TestAFormThatIsTooLargeIsNotDoneInPart(t *testing.T) {
	s := signedIn(t, "ada")
	form := url.Values{"external_url": {"https://example.com/"}, "notes": {strings.Repeat("x", 600<<10)}}
	require.Equal(t, 413, s.post("links/new", form).StatusCode)
	require.Empty(t, s.links(s.ada))
	s.cookies = map[string]*http.Cookie{}
	require.Equal(t, 303, s.post("links/new", form).StatusCode, "and it is not kept")
}

func TestFormsFromTheTrackersOwnAddressAreTakenBehindAProxyThatRewritesHost(t *testing.T) {
	s := newSite(t, linktrack.Options{BaseURL: "http://go.example.com/l", Hosts: []string{"alt.example"}}, pages.Options{})
	for origin, want := range map[string]int{
		"http://go.example.com": 303, "http://alt.example": 303, "https://go.example.com": 403, "http://go.example.com:81": 403,
		"http://evil.example": 403, "null": 403,
	} {
		r := s.form("login", url.Values{"login": {"ada"}, "pass": {pass}}, "Sec-Fetch-Site", "", "Origin", origin)
		r.Host = "127.0.0.1:8080"
		require.Equal(t, want, s.do(r).StatusCode, origin)
	}
}

func TestAnAccountOfAHostIsNotOfferedAMailAddress(t *testing.T) {
	own := func(context.Context, string, string) (linktrack.Account, error) { return linktrack.Account{ID: 1}, nil }
	a := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
	s := newSite(t, linktrack.Options{Accounts: linktrack.AccountOptions{Authenticate: own}}, pages.Options{Session: func(*http.Request) (linktrack.Account, error) { return a, nil }})
	r := s.get("account")
	require.Equal(t, 200, r.StatusCode)
	require.Empty(t, r.all(func(n *html.Node) bool { return attribute(n, "name") == "email" }))
	require.Contains(t, r.body, "does not know your email address")
	require.NotContains(t, r.body, "Sign out")
	require.Equal(t, 404, s.post("account", url.Values{"email": {"ada@example.com"}}).StatusCode)
}

func TestNoFormThatIsForEverybodyIsKeptOrSentAgain(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{AnonymousLinks: true})
	for _, next := range []string{"login", "login?next=x", "./login", "%6cogin", "logout", "logout/everywhere", "quick", "none", ""} {
		s.cookies = map[string]*http.Cookie{}
		form, prefix := url.Values{}, ""
		for range 60 {
			form.Set(prefix+"login", "ada")
			form.Set(prefix+"pass", pass)
			form.Set(prefix+"next", "/account/"+next)
			form.Set(prefix+"external_url", "https://example.com/")
			prefix += "kept."
		}
		r := s.post("login", form)
		require.Less(t, r.StatusCode, 400, next)
		require.NotContains(t, r.Header.Get("Location"), "quick/", "no link is made")
		require.Len(t, r.Cookies(), 1, "%s: it signs in once", next)
		require.Equal(t, 200, s.get("account").StatusCode, "%s: and not ended", next)
	}
}
