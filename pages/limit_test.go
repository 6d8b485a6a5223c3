package pages_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

func TestABotsPageHasAButtonForPeople(t *testing.T) {
	v, err := pages.ForVisitors(pages.Options{Name: "Example Links"})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	v.ServePage(w, httptest.NewRequest(http.MethodGet, "/x", nil), linktrack.Page{Kind: linktrack.PagePreview, Status: http.StatusOK})
	require.Contains(t, w.Body.String(), "Press Continue")
	require.Contains(t, w.Body.String(), `<form method="post">
<button>Continue</button>`)
}

func TestClicksFromBeforeALimitCountAsUsed(t *testing.T) {
	require.EqualValues(t, 2303, linktrack.Counts{People: 2303}.Passed())
	require.EqualValues(t, 5, linktrack.Counts{People: 3, Used: 5}.Passed())
	s := signedIn(t, "ada")
	l := s.make(s.ada, linktrack.NewLink{VanityLink: "popular"})
	for range 3 {
		_, err := s.tracker.Follow(t.Context(), linktrack.Visit{Path: l.Path, UserAgent: "Mozilla/5.0 Firefox/128.0"})
		require.NoError(t, err)
	}
	limit := int64(5)
	_, err := s.tracker.UpdateLink(t.Context(), s.ada, "popular", func(e *linktrack.LinkEdit) { e.DeactivateAt = limit })
	require.NoError(t, err)
	require.Contains(t, s.get("links").body, "3 of 5 clicks used")
	require.NotContains(t, s.get("links/go.example.com/popular/edit").body, "click limit has been reached")
	limit = 2
	_, err = s.tracker.UpdateLink(t.Context(), s.ada, "popular", func(e *linktrack.LinkEdit) { e.DeactivateAt = limit })
	require.NoError(t, err)
	require.Contains(t, s.get("links/go.example.com/popular/edit").body, "The click limit has been reached (3 of 2 clicks).")
}
