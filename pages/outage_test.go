package pages_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/pages"
)

func TestAnOutageIsToldToPeopleAndOnceToTheLog(t *testing.T) {
	store := &trackertest.FaultyStore{Store: memstore.New()}
	tracker, err := linktrack.New(store, linktrack.Options{})
	require.NoError(t, err)
	defer tracker.Close(t.Context())
	var log bytes.Buffer
	p, err := pages.New(tracker, pages.Options{
		Session: func(*http.Request) (linktrack.Account, error) {
			return linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}, nil
		},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	s := &site{T: t, handler: p}
	store.Down.Store(true)
	for range 3 {
		r := s.get("links")
		require.Equal(t, 503, r.StatusCode)
		require.Equal(t, []string{"Please try again in a moment"}, r.texts("h1"))
		require.Equal(t, "1", r.Header.Get("Retry-After"))
		require.NotContains(t, r.body, "192.0.2.1", "the cause of a failure is not shown")
	}
	r := s.post("links/new", url.Values{"external_url": {"https://example.com/kept"}, "title": {"kept"}})
	require.Equal(t, 503, r.StatusCode)
	require.Contains(t, r.texts("notice")[0], "Nothing was saved")
	require.Equal(t, "kept", r.form().Get("title"), "what was written is not lost")
	require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
	require.Contains(t, log.String(), trackertest.ErrDown.Error())
	store.Down.Store(false)
	require.Equal(t, 303, s.post("links/new", r.form()).StatusCode)
}
