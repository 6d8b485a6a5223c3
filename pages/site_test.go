package pages_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/pages"
)

const pass = "correct horse battery staple"

// A site is a tracker with its pages, and a browser that keeps cookies.
type site struct {
	*testing.T
	store   *memstore.Store
	tracker *linktrack.Tracker
	handler http.Handler
	ada     linktrack.Account // professional
	bob     linktrack.Account // free
	cookies map[string]*http.Cookie
}

func newSite(t *testing.T, o linktrack.Options, p pages.Options) *site {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	if o.BaseURL == "" {
		o.BaseURL = "https://go.example.com"
	}
	p.Logger, o.Logger = quiet, quiet
	visitors, err := pages.ForVisitors(p)
	require.NoError(t, err)
	o.Visitors.Pages = visitors
	s := &site{T: t, store: memstore.New(), cookies: map[string]*http.Cookie{}}
	s.tracker, err = linktrack.New(s.store, o)
	require.NoError(t, err)
	t.Cleanup(func() { s.tracker.Close(t.Context()) })
	if o.Accounts.Authenticate == nil {
		s.ada, _, err = s.tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: "ada", Pass: pass, Type: linktrack.AccountTypeProfessional})
		require.NoError(t, err)
		s.bob, _, err = s.tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: "bob", Pass: pass})
		require.NoError(t, err)
	}
	account, err := pages.New(s.tracker, p)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/account/", account)
	mux.Handle("/", account.QR(s.tracker.Handler()))
	s.handler = mux
	return s
}

// signedIn returns a site whose browser has signed in.
func signedIn(t *testing.T, login string) *site {
	s := newSite(t, linktrack.Options{Hosts: []string{"alt.example"}}, pages.Options{})
	s.signIn(login, pass)
	require.NotEmpty(t, s.cookies)
	return s
}

func (s *site) signIn(login, pass string) *answer {
	return s.post("login", url.Values{"login": {login}, "pass": {pass}})
}

// An answer is a response with its parsed body.
type answer struct {
	*http.Response
	body string
}

func (s *site) do(r *http.Request) *answer {
	s.Helper()
	for _, c := range s.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	res := w.Result()
	for _, c := range res.Cookies() {
		if s.cookies[c.Name] = c; c.MaxAge < 0 {
			delete(s.cookies, c.Name)
		}
	}
	body, err := io.ReadAll(res.Body)
	require.NoError(s, err)
	return &answer{res, string(body)}
}

// get requests a page below /account/, or a path that begins with a slash.
func (s *site) get(path string) *answer {
	s.Helper()
	return s.do(httptest.NewRequest("GET", at(path), nil))
}

func (s *site) post(path string, form url.Values, headers ...string) *answer {
	s.Helper()
	return s.do(s.form(path, form, headers...))
}

// form returns the request that sends a form.
func (s *site) form(path string, form url.Values, headers ...string) *http.Request {
	r := httptest.NewRequest("POST", at(path), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func at(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/account/" + path
	}
	return "https://go.example.com" + path
}

func (s *site) make(a linktrack.Account, in linktrack.NewLink) linktrack.Link {
	s.Helper()
	if in.ExternalURL == "" {
		in.ExternalURL = "https://example.com/page"
	}
	l, err := s.tracker.MakeLink(s.Context(), a, in)
	require.NoError(s, err)
	return l
}

// edit changes an account in the store.
func (s *site) edit(a linktrack.Account, change func(*linktrack.Account)) {
	s.Helper()
	_, err := s.store.UpdateAccount(s.Context(), a.ID, func(a *linktrack.Account) error { change(a); return nil })
	require.NoError(s, err)
}

// link returns the current state of a link of Ada's, without the fields that
// change by themselves.
func (s *site) link(name string) linktrack.Link {
	s.Helper()
	l, err := s.tracker.Link(s.Context(), s.ada, name)
	require.NoError(s, err)
	return l
}

// links returns an account's links, newest first.
func (s *site) links(a linktrack.Account) []linktrack.Link {
	s.Helper()
	links, err := s.tracker.Links(s.Context(), a, linktrack.LinksQuery{})
	require.NoError(s, err)
	return links
}

// all returns the elements of a page that meet a condition.
func (a *answer) all(want func(*html.Node) bool) []*html.Node {
	root, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		panic(err) // every text can be parsed as HTML
	}
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && want(n) {
			found = append(found, n)
		}
	}
	return found
}

// texts returns the texts of the elements with a class or a name.
func (a *answer) texts(name string) []string {
	texts := []string{}
	for _, n := range a.all(func(n *html.Node) bool {
		return n.Data == name || slices.Contains(strings.Fields(attribute(n, "class")), name)
	}) {
		texts = append(texts, text(n))
	}
	return texts
}

// id returns the text of the element with an id, "" if there is none.
func (a *answer) id(id string) string {
	for _, n := range a.all(func(n *html.Node) bool { return attribute(n, "id") == id }) {
		return text(n)
	}
	return ""
}

// form returns the values that a browser would send for the page's largest form.
func (a *answer) form() url.Values {
	largest := url.Values{}
	for _, f := range a.all(func(n *html.Node) bool { return n.Data == "form" }) {
		if values := formValues(f); len(values) > len(largest) {
			largest = values
		}
	}
	return largest
}

func formValues(form *html.Node) url.Values {
	values := url.Values{}
	for n := range form.Descendants() {
		name, value := attribute(n, "name"), attribute(n, "value")
		if n.Type != html.ElementNode || name == "" || has(n, "disabled") {
			continue
		}
		switch {
		case n.Data == "input" && attribute(n, "type") == "checkbox" && !has(n, "checked"):
			continue
		case n.Data == "textarea":
			value = strings.ReplaceAll(rawText(n), "\n", "\r\n")
		case n.Data == "select":
			for o := range n.Descendants() {
				if o.Data == "option" && (has(o, "selected") || value == "") {
					value = attribute(o, "value")
				}
			}
		}
		values.Set(name, value)
	}
	return values
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func text(n *html.Node) string { return strings.TrimSpace(rawText(n)) }

func rawText(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}
