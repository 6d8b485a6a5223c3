package browsertest

import (
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// formsOf returns the forms of the pages, with values that would change something.
// Each must be refused if a page of another site sends it.
func formsOf(s *site) map[string]url.Values {
	forms := map[string]url.Values{
		"/":                        {"external_url": {s.destination + "stolen"}},
		"quick":                    {"external_url": {s.destination + "stolen"}},
		"login":                    {"login": {"bob"}, "pass": {pass}},
		"logout":                   {},
		"links/new":                {"external_url": {s.destination + "stolen"}},
		s.page("spring", "edit"):   {"external_url": {s.destination + "stolen"}},
		s.page("spring", "active"): {"active": {"0"}},
		"api/makeLink":             {"external_url": {s.destination + "stolen"}},
		"account":                  {"email": {"eve@example.com"}},
		"account/optout":           {"out": {"1"}},
		"pass":                     {"hash": {"that of no pass"}},
		"mark":                     {"external_url": {s.destination + "stolen"}},
		"import":                   {"file": {importGood}},
	}
	if quick := s.places["quick"]; quick != "" {
		forms[quick] = nil
	}
	return forms
}

var sending = template.Must(template.New("").Parse(`<!DOCTYPE html><title>Free kittens</title>
<form method="post" action="{{.Action}}">
{{range $name, $values := .Fields}}{{range $values}}<input name="{{$name}}" value="{{.}}">{{end}}{{end}}
<button>Kittens</button></form>`))

// The pages are on http://localhost. To a browser 127.0.0.1 is another site,
// and another port of localhost another origin of the same site: there a form
// brings the cookie along.
func TestFormsThatAnotherOriginSendsAreRefused(t *testing.T) {
	s := newSite(t, "bob")
	s.make(t, "ada", "spring", "title", "The spring sale")
	s.places["quick"] = s.quick(t, s.destination+"quick")
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Referrer-Policy", r.URL.Query().Get("policy"))
		action := r.URL.Query().Get("action")
		sending.Execute(w, struct {
			Action string
			Fields url.Values
		}{s.at(action), formsOf(s)[action]})
	}))
	t.Cleanup(other.Close)
	for name, origin := range map[string]string{
		"another site":                      other.URL,
		"another origin of the same site":   strings.Replace(other.URL, "127.0.0.1", "localhost", 1),
		"a page that does not say where it": strings.Replace(other.URL, "127.0.0.1", "localhost", 1) + "/?policy=no-referrer",
	} {
		t.Run(name, func(t *testing.T) {
			b := s.signedIn(t, "ada")
			for action := range formsOf(s) {
				u, err := url.Parse(origin)
				require.NoError(t, err)
				query := u.Query()
				query.Set("action", action)
				u.RawQuery = query.Encode()
				b.open(u.String())
				d := b.press("button")
				require.Equal(t, 403, d.status, action)
				require.Equal(t, "Request refused", b.text("h1"), action)
				checkHeaders(t, d, s)
			}
			require.Equal(t, s.pages+"links", b.open("links").url, "still signed in")
			require.Equal(t, "ada", b.text("bdi.login"))
			require.Equal(t, []string{"The spring sale"}, b.titles(), "nothing was made")
			require.Equal(t, "Active", b.text(".link .state"))
			require.Equal(t, s.destination+"spring", b.open("/spring").url, "nothing was changed")
		})
	}
}

func TestPagesCannotBeFramed(t *testing.T) {
	s := newSite(t)
	s.make(t, "ada", "secret", "password", "open sesame")
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!DOCTYPE html><title>Frames</title><iframe src="%slogin"></iframe><iframe src="%s/secret"></iframe>`, s.pages, s.root)
	}))
	t.Cleanup(other.Close)
	b := s.newTab(t)
	b.open(other.URL)
	b.mu.Lock()
	defer b.mu.Unlock()
	refused := 0
	for _, problem := range b.problems {
		if strings.Contains(problem, "frame-ancestors") {
			refused++
		}
	}
	require.Equal(t, 2, refused, "%q", b.problems)
}

// linkPages are the pages of a link that only its owner may see.
func linkPages(s *site) []string {
	return []string{
		s.page("spring", "edit"),
		s.page("spring", "report"),
		s.page("spring", "report/report.csv"),
		s.page("spring", "report/report.json"),
		s.page("spring", "report/history.csv"),
		s.page("spring", "report/history.json"),
		s.page("spring", "qr.svg"),
		s.page("spring", "qr.png"),
	}
}

func TestAnotherAccountsLinkIsNotFound(t *testing.T) {
	s := newSite(t, "carol")
	s.make(t, "ada", "spring", "title", "The spring sale", "group", "Newsletter")
	ada, carol, nobody := s.signedIn(t, "ada"), s.signedIn(t, "carol"), s.newTab(t)
	for _, path := range linkPages(s) {
		status, _ := ada.get(path)
		require.Equal(t, 200, status, path)
		status, body := carol.get(path)
		require.Equal(t, 404, status, path)
		require.NotContains(t, string(body), "spring", path)
		_, none := carol.get(strings.Replace(path, "/spring/", "/none/", 1))
		require.Equal(t, string(none), string(body), "%s: not to be told from a link that does not exist", path)
		if status, _ := nobody.get(path); status != 303 { // to sign in
			require.Equal(t, 404, status, path)
		}
	}
	for path, form := range formsOf(s) {
		if strings.Contains(path, "/spring/") {
			require.Equal(t, 404, s.post(t, "carol", path, form), path)
		}
	}
	for _, path := range []string{"links", "links?q=spring", "links?group=Newsletter", "links?made=" + url.QueryEscape(s.host+"/spring"),
		"links?saved=" + url.QueryEscape(s.host+"/spring"), "links?q=" + url.QueryEscape(s.root+"/spring")} {
		carol.open(path)
		require.Empty(t, carol.titles(), path)
		require.NotContains(t, carol.text("main"), "The spring sale", path)
		require.NotContains(t, carol.text("main"), s.root+"/spring", path)
	}
	carol.open("links/new")
	require.NotContains(t, eval[string](carol, `document.documentElement.outerHTML`), "Newsletter", "groups are an account's own")
	require.Equal(t, s.destination+"spring", ada.open("/spring").url, "nothing was changed")
	ada.quiet()
	carol.quiet()
}
