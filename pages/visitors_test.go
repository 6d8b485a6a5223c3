package pages_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

const secret = "https://destination.example/secret"

func TestVisitorsAreToldWhyInTheirOwnWords(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{Name: "Example & Links", Accent: "#00aa55"})
	past := time.Now().Add(-time.Hour)
	for name, in := range map[string]linktrack.NewLink{
		"off":      {LinkSettings: linktrack.LinkSettings{Disabled: true}},
		"password": {Password: "let me in", LinkSettings: linktrack.LinkSettings{Title: "hidden title"}},
		"used":     {LinkSettings: linktrack.LinkSettings{DeactivateAt: 1}},
		"expired":  {},
		"limited":  {LinkSettings: linktrack.LinkSettings{DeactivateAt: 5, Title: "<b>Title</b>"}},
		"notyet":   {LinkSettings: linktrack.LinkSettings{StartsAt: time.Now().Add(time.Hour), Title: "hidden title"}},
		"summary":  {LinkSettings: linktrack.LinkSettings{HasPlusTracking: true, Title: "Sum", ExpiresAt: time.Date(2199, 1, 2, 3, 4, 5, 0, time.UTC)}},
	} {
		in.VanityLink, in.ExternalURL, in.Notes = name, secret, "private notes"
		s.make(s.ada, in)
	}
	_, err := s.tracker.UpdateLink(t.Context(), s.ada, "expired", func(e *linktrack.LinkEdit) { e.ExpiresAt = past })
	require.NoError(t, err)
	require.Equal(t, 302, s.get("/used").StatusCode)
	for _, c := range []struct {
		path, agent string
		status      int
		heading     string
		text        string
	}{
		{"/none", "", 404, "This link does not exist", "Please check the address for typos."},
		{"/off", "", 410, "This link is switched off", "Its owner has switched it off."},
		{"/expired", "", 410, "This link has expired", "It worked for a limited time only."},
		{"/used", "", 410, "This link has reached its limit", "It was limited to a certain number of visits."},
		{"/notyet", "", 404, "This link does not work yet", "Its owner has set a time from which it will work. Please try again later."},
		{"/password", "", 200, "This link needs a password", ""},
		{"/limited", "Twitterbot/1.0", 200, "<b>Title</b>", ""},
		{"/summary+", "", 200, "Sum", ""},
	} {
		r := httptest.NewRequest("GET", at(c.path), nil)
		r.Header.Set("User-Agent", c.agent)
		got := s.do(r)
		require.Equal(t, c.status, got.StatusCode, c.path)
		require.Equal(t, []string{c.heading}, got.texts("h1"))
		if c.text != "" {
			require.Equal(t, []string{c.text}, got.texts("p"))
		}
		checkVisitorPage(t, got)
	}
	summary := s.get("/summary+")
	require.Equal(t, "https://go.example.com/summary", summary.texts("dd")[0])
	require.Equal(t, "never", summary.texts("dd")[4])
	require.Equal(t, "2199-01-01 21:04 CST", summary.texts("dd")[6], "times are in the service zone")
	require.Equal(t, []string{"Example & Links"}, summary.texts("footer"))
}

func TestAPasswordOpensTheLink(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{})
	s.make(s.ada, linktrack.NewLink{VanityLink: "door", Password: "let me in", LinkSettings: linktrack.LinkSettings{ExternalURL: secret}})
	r := s.get("/door")
	require.Len(t, r.all(func(n *html.Node) bool { return n.Data == "label" && attribute(n, "for") == "password" }), 1)
	r = s.post("/door", url.Values{"password": {"wrong"}})
	require.Equal(t, 403, r.StatusCode)
	require.Equal(t, "The password is wrong.", r.id("error"))
	checkVisitorPage(t, r)
	for range 4 {
		s.post("/door", url.Values{"password": {"wrong"}})
	}
	r = s.post("/door", url.Values{"password": {"let me in"}})
	require.Equal(t, 429, r.StatusCode)
	require.Regexp(t, `Please wait \d+ seconds`, r.texts("p")[0])
	checkVisitorPage(t, r)

	s = newSite(t, linktrack.Options{}, pages.Options{})
	s.make(s.ada, linktrack.NewLink{VanityLink: "door", Password: "let me in", LinkSettings: linktrack.LinkSettings{ExternalURL: secret}})
	r = s.post("/door", url.Values{"password": {"let me in"}})
	require.Equal(t, 303, r.StatusCode)
	require.Equal(t, secret, r.Header.Get("Location"))
}

func TestAnOutageHasItsPage(t *testing.T) {
	v, err := pages.ForVisitors(pages.Options{})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	v.ServePage(w, httptest.NewRequest("GET", "/x", nil), linktrack.Page{Kind: linktrack.PageUnavailable, Status: 503})
	r := &answer{w.Result(), w.Body.String()}
	require.Equal(t, 503, r.StatusCode)
	require.Equal(t, []string{"Please try again in a moment"}, r.texts("h1"))
}

// checkVisitorPage checks the rules for every page: its policy allows only its own
// style, and it shows no data of the link that only the owner may see.
func checkVisitorPage(t *testing.T, r *answer) {
	t.Helper()
	policy := r.Header.Get("Content-Security-Policy")
	_, rest, found := strings.Cut(r.body, "<style>")
	require.True(t, found)
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	require.Equal(t, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; base-uri 'none'; frame-ancestors 'none'", policy)
	require.NotContains(t, policy, "form-action", "it would hold the redirect behind a right password")
	require.Equal(t, "noindex", r.Header.Get("X-Robots-Tag"))
	require.Equal(t, "private, no-store", r.Header.Get("Cache-Control"))
	require.Equal(t, "text/html; charset=utf-8", r.Header.Get("Content-Type"))
	for _, never := range []string{"destination.example", "private notes", "hidden title", "ZgotmplZ", "<script", "style="} {
		require.NotContains(t, r.body, never)
	}
	require.Empty(t, r.all(func(n *html.Node) bool { return has(n, "src") || has(n, "href") }), "nothing is loaded")
}

var _ http.Handler = (*pages.Pages)(nil)
