package pages_test

import (
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testtool"
	"github.com/linktrackhq/linktrack/pages"
)

// code returns the bookmarklet of a page, decoded and as it is written there.
func code(r *answer) (decoded, href string) {
	for _, n := range r.all(func(n *html.Node) bool { return has(n, "data-drag") }) {
		href = attribute(n, "href")
	}
	decoded, _ = url.PathUnescape(href)
	return decoded, href
}

func TestTheBookmarkletHasTheAddressOfTheFormAndNothingElse(t *testing.T) {
	s := signedIn(t, "ada")
	r := s.get("bookmarklet")
	require.Equal(t, 200, r.StatusCode)
	decoded, href := code(r)
	require.True(t, strings.HasPrefix(href, "javascript:"), href)
	require.Regexp(t, `^[A-Za-z0-9:%._~$&+=@-]+$`, href, "nothing in it ends an attribute or an address")
	require.Contains(t, decoded, `"https://go.example.com/account/mark"+'?url='`)
	require.Contains(t, r.texts("pre"), href, "it can be copied, too")
	s.signIn("bob", pass)
	again, _ := code(s.get("bookmarklet"))
	require.Equal(t, decoded, again, "it is the same for all")
}

func TestTheBookmarkletIsOfTheHostThatTheBrowserKnows(t *testing.T) {
	s := signedIn(t, "ada")
	for host, want := range map[string]string{
		"links.example:8443": "https://links.example:8443/account/mark",
		"[::1]:80":           "https://[::1]:80/account/mark",
		`x";alert(1);"`:      "https://go.example.com/account/mark",
		"x/y":                "https://go.example.com/account/mark",
		"":                   "https://go.example.com/account/mark",
	} {
		r := httptest.NewRequest("GET", "/account/bookmarklet", nil)
		r.Host = host
		decoded, _ := code(s.do(r))
		require.Contains(t, decoded, `var a="`+want+`"+`, host)
	}
}

func TestAPageIsMarkedInTwoClicks(t *testing.T) {
	s := signedIn(t, "ada")
	query := url.Values{"url": {"https://example.com/a?b=1&c=<d>"}, "title": {"  A \"title\"\n<b>\t" + strings.Repeat("😀", 300)}}
	r := s.get("mark?" + query.Encode())
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, "same-origin", r.Header.Get("Cross-Origin-Opener-Policy"))
	require.Empty(t, s.links(s.ada), "nothing is made by GET")
	form := r.form()
	require.Equal(t, "https://example.com/a?b=1&c=<d>", form.Get("external_url"))
	require.True(t, strings.HasPrefix(form.Get("title"), `A "title" <b> 😀`))
	require.Equal(t, 403, s.post("mark", form, "Sec-Fetch-Site", "cross-site").StatusCode)
	require.Empty(t, s.links(s.ada))

	r = s.post("mark", form)
	require.Equal(t, 303, r.StatusCode)
	l := s.links(s.ada)[0]
	require.Equal(t, "https://example.com/a?b=1&c=<d>", l.ExternalURL)
	require.Len(t, []rune(l.Title), 255)
	r = s.get(r.Header.Get("Location"))
	copies := r.all(func(n *html.Node) bool { return has(n, "data-copy") })
	require.Equal(t, "https://go.example.com/"+l.Path, attribute(copies[0], "data-copy"))
	require.Len(t, s.links(s.ada), 1, "to load it again makes no other")

	s.signIn("bob", pass)
	require.Empty(t, s.get("mark?made=go.example.com/"+l.Path).texts("made"), "another's link is not shown")
}

func TestWhatCannotBeMarkedIsSaidAtItsField(t *testing.T) {
	s := signedIn(t, "ada")
	r := s.post("mark", url.Values{"external_url": {"about:blank"}, "title": {"T"}, "password": {"x"}})
	require.Equal(t, 400, r.StatusCode)
	require.Contains(t, r.id("f-external_url-error"), "Destination must begin with http:// or https://")
	require.Equal(t, "T", r.form().Get("title"))
	require.Empty(t, s.links(s.ada))
}

func TestAFreeAccountMarksWithoutATitle(t *testing.T) {
	s := signedIn(t, "bob")
	r := s.get("mark?url=https%3A%2F%2Fexample.com%2F&title=T")
	require.Equal(t, url.Values{"external_url": {"https://example.com/"}}, r.form())
	require.Equal(t, 303, s.post("mark", r.form()).StatusCode)
}

func TestOneWhoSignsInFirstComesBackToThePageToMark(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{})
	mark := "mark?" + url.Values{"url": {"https://example.com/a?b=1&c=2#d"}, "title": {"A & B\\ \n"}}.Encode()
	form := s.get(s.get(mark).Header.Get("Location")).form()
	form.Set("login", "ada")
	form.Set("pass", pass)
	r := s.post("login", form)
	require.Equal(t, "/account/"+mark, r.Header.Get("Location"))
	require.Equal(t, "https://example.com/a?b=1&c=2#d", s.get(r.Header.Get("Location")).form().Get("external_url"))
}

func TestTheWholeFormIsFilledInFromAnAddress(t *testing.T) {
	s := signedIn(t, "ada")
	for _, n := range s.get("mark?url=https%3A%2F%2Fexample.com%2F%3Fa%26b&title=A+%26+B").all(func(n *html.Node) bool {
		return strings.Contains(attribute(n, "href"), "links/new?")
	}) {
		form := s.get(attribute(n, "href")).form()
		require.Equal(t, "https://example.com/?a&b", form.Get("external_url"))
		require.Equal(t, "A & B", form.Get("title"))
		return
	}
	t.Fatal("no way to the whole form")
}

func TestTheBookmarkletRunsInABrowser(t *testing.T) {
	program := testtool.Chromium(t)
	server := httptest.NewUnstartedServer(nil)
	s := newSite(t, linktrack.Options{BaseURL: "http://" + server.Listener.Addr().String()}, pages.Options{
		Session: nil,
	})
	server.Config.Handler = s.handler
	server.Start()
	defer server.Close()
	r := httptest.NewRequest("POST", server.URL+"/account/login", strings.NewReader(url.Values{"login": {"ada"}, "pass": {pass}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, 303, s.do(r).StatusCode)
	_, href := code(s.do(httptest.NewRequest("GET", server.URL+"/account/bookmarklet", nil)))

	// Without a click of a person, the browser opens no window, so the form is
	// opened in place of the page. Here that is the form to sign in.
	dir := t.TempDir()
	page := filepath.Join(dir, "page.html")
	content := `<!DOCTYPE html><title>A "b" & ü</title><a id="a" href="` + html.EscapeString(href) + `">x</a><script>document.getElementById("a").click()</script>`
	require.NoError(t, os.WriteFile(page, []byte(content), 0o600))
	out, err := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--virtual-time-budget=10000", "--dump-dom", "file://"+page+"?q=1#end").Output()
	require.NoError(t, err)
	form := (&answer{body: string(out)}).form()
	u, err := url.Parse(form.Get("next"))
	require.NoError(t, err)
	require.Equal(t, "/account/mark", u.Path, "%s", out)
	require.Equal(t, `A "b" & ü`, u.Query().Get("title"))
	require.Equal(t, "file://"+page+"?q=1#end", u.Query().Get("url"))
}
