package linktrack_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// nothing is the handler of routes that are never called.
var nothing = http.NotFoundHandler()

func TestAPathThatTheHostRefusesIsNoLinks(t *testing.T) {
	var asked []string
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{
		BaseURL: "http://go.example.com/l",
		Hosts:   []string{"alt.example"},
		Links: linktrack.LinkOptions{CheckPath: func(_ context.Context, host, path string) error {
			asked = append(asked, host+path)
			if path == "/l/dashboard" || path == "/l/.health" {
				return errors.New("that is our own")
			}
			return nil
		}},
	})
	r := s.Call("makeLink", trackertest.Values("external_url", "https://example.com/", "vanity_link", "dashboard", "host", "alt.example"))
	require.Equal(t, 403, r.StatusCode)
	require.Equal(t, "Error: not allowed: vanity_link is refused: that is our own", trackertest.Text(t, r))
	require.Empty(t, s.Hashes(), "nothing is made")
	s.MakeLink("vanity_link", "dash")
	s.MakeLink()
	_, _, err := s.Tracker.MakeAnonymousLink(t.Context(), "203.0.113.7", "https://example.com/")
	require.NoError(t, err)
	require.Equal(t, []string{"alt.example/l/dashboard", "go.example.com/l/dash"}, asked, "nobody chooses a generated path")

	for path, param := range map[string]string{"dashboard": "vanity_link", ".health": "redirect_hash"} {
		in := []linktrack.ImportedLink{{NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}}, Path: path}}
		_, err := s.Tracker.ImportLinks(t.Context(), s.Account, in)
		require.ErrorIs(t, err, linktrack.ErrForbidden, path)
		require.ErrorContains(t, err, param+" is refused: that is our own")
		checks, err := s.Tracker.CheckImport(t.Context(), s.Account, in)
		require.NoError(t, err)
		require.ErrorContains(t, checks[0].Err, param+" is refused: that is our own")
	}
}

func TestARefusalComesAfterAllOtherRules(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{CheckPath: func(context.Context, string, string) error {
		return errors.New("the host was asked")
	}}})
	for _, pairs := range [][]string{
		{"external_url", "https://example.com/", "vanity_link", "a/b"},
		{"external_url", "https://example.com/", "vanity_link", "api"},
		{"external_url", "ftp://example.com/", "vanity_link", "a"},
	} {
		require.Equal(t, 400, s.Call("makeLink", trackertest.Values(pairs...)).StatusCode, "%v", pairs)
	}
}

func TestAReservedWordLeadsToNoLinkWithADot(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{Reserved: []string{"Reports"}}})
	_, err := s.Tracker.ImportLinks(t.Context(), s.Account, []linktrack.ImportedLink{
		{NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}}, Path: ".reports"},
		{NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}}, Path: ".sales"},
	})
	require.NoError(t, err)
	s.Handler = s.Tracker.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the app") }))
	require.Equal(t, 302, s.Get("/.reports").StatusCode)
	require.Equal(t, 302, s.Get("/sales").StatusCode)
	for _, path := range []string{"/reports", "/REPORTS", "/reports/"} {
		require.Equal(t, "the app", trackertest.Text(t, s.Get(path)), path)
	}
}

func TestAVanityLinkAvoidsTheRoutesOfAMux(t *testing.T) {
	for _, c := range []struct {
		pattern, base, vanity string
		refused               bool
	}{
		{"/dashboard", "", "dashboard", true},
		{"/dashboard", "", "Dashboard", true},
		{"/dashboard", "", "dashboards", false},
		{"GET /dashboard", "", "dashboard", true},
		{"POST /dashboard", "", "dashboard", true},
		{"DELETE /dashboard", "", "dashboard", true},
		{"/dashboard/", "", "dashboard", true},
		{"/dashboard/{$}", "", "dashboard", true},
		{"/dashboard/{page}", "", "dashboard", false}, // no link is below a path
		{"/dashboard/{rest...}", "", "dashboard", true},
		{"go.example.com/dashboard", "", "dashboard", true},
		{"GET go.example.com/dashboard", "", "dashboard", true},
		{"www.example.com/dashboard", "", "dashboard", false},
		{"/code.qr", "", "code", true},
		{"/dashboard", "/l", "dashboard", false},
		{"/l/dashboard", "/l", "dashboard", true},
		{"/l/", "/l", "dashboard", false},
		{"GET /l/{rest...}", "/l", "dashboard", false},
		{"/", "", "dashboard", false},
		{"GET /", "", "dashboard", false},
		{"go.example.com/", "", "dashboard", false},
		{"/{rest...}", "", "dashboard", false},
		{"/{$}", "", "dashboard", false},
		{"/{page}", "", "dashboard", true},
	} {
		mux := http.NewServeMux()
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{
			BaseURL: "http://go.example.com" + c.base,
			Links:   linktrack.LinkOptions{CheckPath: linktrack.AvoidRoutes(mux)},
		})
		mux.Handle(c.pattern, nothing) // a mux may get its routes later
		_, err := s.Tracker.MakeLink(t.Context(), s.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: c.vanity})
		if !c.refused {
			require.NoError(t, err, "%+v", c)
			continue
		}
		require.ErrorIs(t, err, linktrack.ErrForbidden, "%+v", c)
		require.EqualError(t, err, "not allowed: vanity_link is refused: "+c.base+"/"+strings.ToLower(c.vanity)+" is a path of this site")
	}

	mux := http.NewServeMux()
	mux.Handle("/health", nothing)
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{CheckPath: linktrack.AvoidRoutes(mux)}})
	_, err := s.Tracker.ImportLinks(t.Context(), s.Account, []linktrack.ImportedLink{{NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}}, Path: ".health"}})
	require.ErrorContains(t, err, "redirect_hash is refused: /health is a path of this site")
}
