package browsertest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/testprogram"
)

const pass = "correct horse battery staple"

// program is the program under test, built once.
var program struct {
	sync.Mutex
	dir, path string
}

func built(t *testing.T) string {
	t.Helper()
	program.Lock()
	defer program.Unlock()
	if program.path != "" {
		return program.path
	}
	dir, err := os.MkdirTemp("", "linktrack-browsertest")
	require.NoError(t, err)
	program.dir = dir
	path := filepath.Join(dir, "linktrack")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, ".")
	cmd.Dir = filepath.Join("..", "..", "cmd", "linktrack")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	program.path = path
	return path
}

// A site is the program with a database of its own. Ada's account is professional.
type site struct {
	root        string // http://localhost:1234
	host        string // localhost:1234
	pages       string // where the pages for people are
	destination string // http://127.0.0.1:5678/, where links may lead

	places map[string]string // names of what is made at random, in paths of views: {name}
}

// newSite starts a site with accounts of others beside Ada's: Bob's is free, all
// others are professional.
func newSite(t *testing.T, others ...string) *site {
	t.Helper()
	running(t) // or skip before anything is built
	return newSiteOn(t, testmysql.DSN(t), others...)
}

func newSiteOn(t *testing.T, dsn string, others ...string) *site {
	t.Helper()
	bin := built(t)
	start := func(login string) *testprogram.Program {
		accountType := "professional"
		if login == "bob" {
			accountType = "free"
		}
		return testprogram.Start(t, bin, nil, "-addr", "127.0.0.1:0", "-mysql", dsn, "-hosts", "alt.example",
			"-login", login, "-pass", pass, "-type", accountType, "-anonymous-links", "-conversion-query",
			"-smtp", "smtp://127.0.0.1:9?from=alerts@example.com", "-email", login+"@example.com") // nobody is there to take the mail
	}
	// A program makes its account at its start.
	for _, login := range others {
		p := start(login)
		p.Line(t, "pages for people: ")
		p.Stop(t)
	}
	s := &site{pages: start("ada").Line(t, "pages for people: ")}
	s.root = strings.TrimSuffix(s.pages, "/account/")
	s.host = strings.TrimPrefix(s.root, "http://")
	s.places = map[string]string{"host": url.PathEscape(s.host)}
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!DOCTYPE html><title>Arrived</title><h1>Arrived</h1>")
	}))
	t.Cleanup(far.Close)
	s.destination = far.URL + "/"
	return s
}

// at returns a whole address: of a page below the pages' prefix, of a path of the
// site that begins with a slash, or of a whole address, which it does not change.
func (s *site) at(path string) string {
	switch {
	case strings.HasPrefix(path, "/"):
		return s.root + path
	case strings.Contains(path, "://"):
		return path
	}
	return s.pages + path
}

// page returns the path of a page of a link: page("spring", "edit").
func (s *site) page(path, name string) string {
	return "links/" + url.PathEscape(s.host) + "/" + path + "/" + name
}

// make makes a link through the API and returns its address; more are names of
// parameters and their values.
func (s *site) make(t *testing.T, login, vanity string, more ...string) string {
	t.Helper()
	form := url.Values{"login": {login}, "pass": {pass}, "external_url": {s.destination + vanity}}
	if vanity != "" {
		form.Set("vanity_link", vanity)
	}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	res, err := http.PostForm(s.root+"/api/v1_0/makeLink", form)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, res.StatusCode, "%s: %s", vanity, body)
	return string(body)
}

// quick makes an anonymous link and returns the path of the page that claims it.
func (s *site) quick(t *testing.T, to string) string {
	t.Helper()
	r, err := http.NewRequest("POST", s.root+"/", strings.NewReader(url.Values{"external_url": {to}}.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	return res.Header.Get("Location")
}

// post sends a form of the pages as someone who has signed in, and returns the
// status that it led to.
func (s *site) post(t *testing.T, login, path string, form url.Values) int {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar}
	status := 0
	for _, f := range []struct {
		path string
		form url.Values
	}{{"login", url.Values{"login": {login}, "pass": {pass}}}, {path, form}} {
		res, err := client.PostForm(s.at(f.path), f.form)
		require.NoError(t, err)
		res.Body.Close()
		status = res.StatusCode
	}
	return status
}

// click follows a link with headers of the visitor's choice, and returns the
// status.
func (s *site) click(t *testing.T, path string, headers ...string) int {
	t.Helper()
	r, err := http.NewRequest("GET", s.at(path), nil)
	require.NoError(t, err)
	r.Header.Set("User-Agent", person)
	for i := 0; i < len(headers); i += 2 {
		r.Header[http.CanonicalHeaderKey(headers[i])] = []string{headers[i+1]}
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	res.Body.Close()
	return res.StatusCode
}

// tryPassword sends the form of a link that asks for a password.
func (s *site) tryPassword(t *testing.T, path, password string) int {
	t.Helper()
	res, err := http.PostForm(s.at(path), url.Values{"password": {password}})
	require.NoError(t, err)
	res.Body.Close()
	return res.StatusCode
}
