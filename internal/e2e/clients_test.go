package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testtool"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// newServer is NewService behind a server on the loopback, whose address is
// the BaseURL: its links can be clicked.
func newServer(t *testing.T, scheme string, o linktrack.Options) (*trackertest.Service, *httptest.Server) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	o.BaseURL = scheme + "://" + server.Listener.Addr().String()
	s := trackertest.NewService(t, memstore.New(), o)
	server.Config.Handler = s.Handler
	if scheme == "https" {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close) // runs before the Tracker's Close
	return s, server
}

// runPHP runs a program of testdata with nothing changed but the host it
// calls, and returns its $return_data and what curl tells about the exchange.
func runPHP(t *testing.T, file, serverURL string) (returned, verbose string) {
	t.Helper()
	php := testtool.PHP(t)
	program, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	require.Equal(t, 1, bytes.Count(program, []byte("https://linktrack.info/")))
	program = bytes.ReplaceAll(program, []byte("https://linktrack.info/"), []byte(serverURL+"/"))
	changed := filepath.Join(t.TempDir(), file)
	require.NoError(t, os.WriteFile(changed, program, 0o600))

	cmd := exec.CommandContext(t.Context(), php, "-d", "display_errors=stderr", "-d", "error_reporting=E_ALL",
		"-r", `ob_start(); include $argv[1]; ob_end_clean(); echo is_string($return_data) ? $return_data : "curl: ".curl_error($ch);`, changed)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s", &stderr)
	require.NotRegexp(t, `PHP (Warning|Fatal|Parse)`, stderr.String())
	return stdout.String(), stderr.String()
}

// documented makes the account that the documentation's samples name.
func documented(s *trackertest.Service) linktrack.Account {
	s.T.Helper()
	a, _, err := s.Tracker.CreateAccount(s.T.Context(), linktrack.NewAccount{
		Login: "YourApiLoginHere", Pass: "YourApiPasswordHere", Type: linktrack.AccountTypeProfessional,
	})
	require.NoError(s.T, err)
	return a
}

func TestTheDocumentedPHPSampleMakesALinkWithOnlyItsHostChanged(t *testing.T) {
	for _, scheme := range []string{"https", "http"} { // it is written with https
		t.Run(scheme, func(t *testing.T) {
			s, server := newServer(t, scheme, linktrack.Options{})
			account := documented(s)
			returned, verbose := runPHP(t, "sample.php", server.URL)
			require.Regexp(t, "^"+regexp.QuoteMeta(server.URL)+`/\.[0-9a-z]{7}$`, returned)
			require.Regexp(t, `(?i)content-type: multipart/form-data; boundary=`, verbose)
			links, err := s.Tracker.Links(t.Context(), account, linktrack.LinksQuery{})
			require.NoError(t, err)
			require.Len(t, links, 1)
			require.Equal(t, returned, s.Tracker.TrackingURL(links[0]))
			require.Equal(t, "http://www.google.com", links[0].ExternalURL)
		})
	}
}

func TestAPHPClientSendsEveryParameterWhenItIsToldToContinue(t *testing.T) {
	s, server := newServer(t, "http", linktrack.Options{Hosts: []string{"alternate_domain.com"}})
	account := documented(s)
	returned, verbose := runPHP(t, "every_parameter.php", server.URL)
	require.Equal(t, "http://alternate_domain.com/my_vanity_link", returned)
	require.Contains(t, verbose, "Expect: 100-continue")
	require.Contains(t, verbose, "< HTTP/1.1 100 Continue")
	l, err := s.Tracker.Link(t.Context(), account, returned)
	require.NoError(t, err)
	require.True(t, l.HasPassword())
	expires, err := time.ParseInLocation(time.DateTime, "2094-12-24 10:35:16", trackertest.Chicago(t))
	require.NoError(t, err)
	l.ID, l.PasswordHash, l.CreatedAt = 0, nil, time.Time{}
	require.Equal(t, linktrack.Link{
		Account: account.ID, Host: "alternate_domain.com", Path: "my_vanity_link", LinkSettings: linktrack.LinkSettings{
			ExternalURL: "http://www.google.com",
			Title:       "My Title", Description: "A description here", Notes: strings.Repeat("Some notes", 1000), Group: "My Group",
			IsPublic: true, HasPlusTracking: true, HasPublicTracking: true, HasConversionTracking: true, HasAlertEmail: true,
			AlertAt: 100, DeactivateAt: 100, ExpiresAt: expires.UTC(),
		},
	}, l)
}

// linkOf is a client that takes 201 for success and nothing else, and hands
// the body on as it is.
func linkOf(t *testing.T, r *http.Response, err error) (string, bool) {
	t.Helper()
	require.NoError(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b), r.StatusCode == http.StatusCreated
}

func TestAClientThatTakesOnly201PutsTheBodyIntoAQRCode(t *testing.T) {
	s, server := newServer(t, "http", linktrack.Options{})
	api := server.URL + "/api/v1_0/makeLink?login=" + trackertest.Login + "&pass="
	r, err := http.Get(api + trackertest.Pass + "&external_url=http%3A%2F%2Fwww.google.com")
	code, ok := linkOf(t, r, err)
	require.True(t, ok)
	require.Equal(t, []byte(server.URL+"/"+s.Hashes()[0]), []byte(code), "the link and nothing else, byte for byte")
	require.EqualValues(t, len(code), r.ContentLength)

	for _, query := range []string{
		trackertest.Pass, "", "wrong&external_url=http://www.google.com", trackertest.Pass + "&external_url=www.google.com",
		trackertest.Pass + "&external_url=http%3A%2F%2Fwww.google.com&title=x", trackertest.Pass + "&external_url=" + url.QueryEscape(code),
	} {
		r, err := http.Get(api + query)
		body, ok := linkOf(t, r, err)
		require.False(t, ok, "%s: %s", query, body)
	}
	require.Len(t, s.Hashes(), 1)
}

func TestAClientThatPostsUrlencodedGetsItsLink(t *testing.T) {
	s, server := newServer(t, "http", linktrack.Options{})
	r, err := http.PostForm(server.URL+"/api/v1_0/makeLink", url.Values{
		"login": {trackertest.Login}, "pass": {trackertest.Pass}, "external_url": {"http://www.google.com/search?q=a+b&hl=de#top"}, "title": {"Ünï & <co>"},
	})
	link, ok := linkOf(t, r, err)
	require.True(t, ok, link)
	require.Equal(t, "http://www.google.com/search?q=a+b&hl=de#top", s.Link(link)["external_url"])
	require.Equal(t, "Ünï & <co>", s.Link(link)["title"])
}

func TestAClientThatPastesARawURLGetsItBackAsItWas(t *testing.T) {
	s, server := newServer(t, "http", linktrack.Options{})
	for _, destination := range []string{
		"http://www.google.com",
		"https://shop.example/?a=1&b=2&title=c",
		"https://shop.example/a%20b?q=x+y%2Bz&c=%C3%BC;d=%zz&e",
		"https://shop.example/?next=http://other.example/?x&y=1?z",
		"http://shop.example/ü?ö",
	} {
		for _, query := range []string{
			"login=" + trackertest.Login + "&pass=" + trackertest.Pass + "&external_url=" + destination,
			"external_url=" + destination + "&login=" + trackertest.Login + "&pass=" + trackertest.Pass,
		} {
			// Over a bare connection, for every library would encode it.
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
			_, err = fmt.Fprintf(conn, "GET /api/v1_0/makeLink?%s HTTP/1.1\r\nHost: linktrack.info\r\nConnection: close\r\n\r\n", query)
			require.NoError(t, err)
			r, err := http.ReadResponse(bufio.NewReader(conn), nil)
			link, ok := linkOf(t, r, err)
			require.NoError(t, conn.Close())
			require.True(t, ok, "%s: %s", query, link)
			require.Equal(t, destination, s.Link(link)["external_url"], query)
		}
	}
}

func TestAClientThatLooksOnlyAtHowTheBodyBeginsIsNotMisled(t *testing.T) {
	s, server := newServer(t, "http", linktrack.Options{})
	s.MakeLink("vanity_link", "taken")
	for _, c := range []struct {
		want  bool
		pairs []string
	}{
		{true, nil},
		{true, []string{"vanity_link", "free"}},
		{false, []string{"vanity_link", "taken"}},
		{false, []string{"vanity_link", "http://x"}},
		{false, []string{"external_url", "http"}},
		{false, []string{"external_url", "http://http"}},
		{false, []string{"external_url", "HTTP://a b"}},
		{false, []string{"external_url", ""}},
		{false, []string{"host", "http://other.example"}},
		{false, []string{"pass", "http://wrong"}},
		{false, []string{"login", ""}},
		{false, []string{"title", strings.Repeat("http", 100)}},
	} {
		form := trackertest.Values(append([]string{"login", trackertest.Login, "pass", trackertest.Pass, "external_url", "http://www.google.com"}, c.pairs...)...)
		r, err := http.PostForm(server.URL+"/api/v1_0/makeLink", form)
		body, _ := linkOf(t, r, err)
		require.Equal(t, c.want, strings.HasPrefix(strings.ToLower(body), "http"), "%v: %s", c.pairs, body)
	}
	require.Len(t, s.Hashes(), 3)
}

func TestClicksCountWithoutScriptOrRefererAndFromOtherSites(t *testing.T) {
	s, _ := newServer(t, "http", linktrack.Options{})
	link := s.MakeLink("external_url", "https://example.com/pixel.gif")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for i, c := range []struct {
		name   string
		header []string
	}{
		{"an <img src> on another site", []string{"Accept", "image/avif,image/webp,*/*", "Sec-Fetch-Dest", "image", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Site", "cross-site", "Referer", "https://blog.example/"}},
		{"an <img src> in a mail", []string{"Accept", "image/*", "Sec-Fetch-Dest", "image"}},
		{"an XHR of another site", []string{"Origin", "https://app.example", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Site", "cross-site", "X-Requested-With", "XMLHttpRequest"}},
		{"an XHR of a page without an origin", []string{"Origin", "null"}},
		{"no headers at all", nil},
	} {
		r, err := http.NewRequest(http.MethodGet, link, nil)
		require.NoError(t, err)
		r.Header.Set("User-Agent", trackertest.Firefox)
		for j := 0; j < len(c.header); j += 2 {
			r.Header.Set(c.header[j], c.header[j+1])
		}
		answer, err := client.Do(r)
		require.NoError(t, err, c.name)
		answer.Body.Close()
		require.Equal(t, http.StatusFound, answer.StatusCode, c.name)
		require.Equal(t, "https://example.com/pixel.gif", answer.Header.Get("Location"), c.name)
		require.Equal(t, "*", answer.Header.Get("Access-Control-Allow-Origin"), "%s: or the browser stops the redirect", c.name)
		require.EqualValues(t, i+1, s.Link(link)["count_total"], c.name)
	}
	require.Len(t, s.History(link), 5)
}
