package promstats_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/promstats"
)

func TestWhatATrackerDoesIsShown(t *testing.T) {
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
	require.NoError(t, err)
	l, err := tracker.MakeLink(t.Context(), linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}})
	require.NoError(t, err)
	for range 3 {
		_, err := tracker.Follow(context.Background(), linktrack.Visit{Path: l.Path})
		require.NoError(t, err)
	}
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(promstats.New(tracker)))
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		"linktrack_batches_total 3", "linktrack_cache_hits_total 2", "linktrack_cache_misses_total 1", "linktrack_pending_clicks 0",
		"linktrack_dropped_clicks_total 0", "linktrack_store_failing 0", "linktrack_journal_bytes 0",
	} {
		require.Contains(t, w.Body.String(), "\n"+line+"\n")
	}
}

// Each field of Stats has its metric, so that a new field is not forgotten.
func TestAllOfStatsIsShown(t *testing.T) {
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
	require.NoError(t, err)
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(promstats.New(tracker)))
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Len(t, families, reflect.TypeFor[linktrack.Stats]().NumField())
}
