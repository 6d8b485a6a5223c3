package e2e

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestTheCookieWorksInARealClient(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	server := httptest.NewServer(s.Handler)
	defer server.Close()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a := strings.TrimPrefix(s.MakeLink(), "http://go.example.com")
	b := strings.TrimPrefix(s.MakeLink(), "http://go.example.com")
	for range 3 {
		for _, path := range []string{a, b} {
			visit, err := http.NewRequest(http.MethodGet, server.URL+path, nil)
			require.NoError(t, err)
			visit.Header.Set("User-Agent", trackertest.Firefox)
			r, err := client.Do(visit)
			require.NoError(t, err)
			r.Body.Close()
			require.Equal(t, 302, r.StatusCode)
		}
	}
	for _, path := range []string{a, b} {
		l := s.Link(path)
		require.Equal(t, []any{3.0, 1.0}, []any{l["count_total"], l["count_unique"]})
	}
}

func TestAVisitorWhoAddsASlashIsTheSameVisitor(t *testing.T) {
	for _, targets := range [][2]string{{"/spring", "/spring/"}, {"/spring/", "/spring"}, {"/spring/%22", "/spring/"}} {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
		server := httptest.NewServer(s.Tracker.Handler())
		t.Cleanup(server.Close)
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		s.MakeLink("vanity_link", "spring")
		for _, target := range targets {
			r, err := http.NewRequest("GET", server.URL+target, nil)
			require.NoError(t, err)
			r.Header.Set("User-Agent", trackertest.Firefox)
			res, err := client.Do(r)
			require.NoError(t, err)
			res.Body.Close()
			require.Equal(t, 302, res.StatusCode)
		}
		l, err := s.Tracker.Link(t.Context(), s.Account, "spring")
		require.NoError(t, err)
		require.EqualValues(t, 2, l.Counts.People)
		require.EqualValues(t, 1, l.Counts.Unique, targets)
	}
}
