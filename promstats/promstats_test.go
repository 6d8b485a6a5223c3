package promstats_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
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
	_, err = tracker.Follow(context.Background(), linktrack.Visit{Path: l.Path, UserAgent: "Googlebot/2.1"})
	require.NoError(t, err)
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(promstats.New(tracker)))
	text := metrics(registry)
	for _, line := range []string{
		"linktrack_batches_total 4", "linktrack_cache_hits_total 3", "linktrack_cache_misses_total 1", "linktrack_pending_clicks 0",
		"linktrack_dropped_clicks_total 0", "linktrack_store_failing 0", "linktrack_journal_bytes 0", "linktrack_cache_entries 1",
		`linktrack_clicks_total{class="person"} 3`, `linktrack_clicks_total{class="bot"} 1`, `linktrack_clicks_total{class="scanner"} 0`,
	} {
		require.Contains(t, text, "\n"+line+"\n")
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
	others := 1 // linktrack_build_info
	require.Len(t, families, reflect.TypeFor[linktrack.Stats]().NumField()+others)
}

func TestAnObserverCountsVisitsCallsAndTheWorkOfTheStore(t *testing.T) {
	observer := promstats.NewObserver()
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Observe: observer.Observe})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(promstats.New(s.Tracker), observer)
	s.MakeLink("vanity_link", "spring")
	for range 3 {
		s.Get("/spring", "User-Agent", trackertest.Firefox)
	}
	for i := range 10 {
		s.Get("/unknown" + strconv.Itoa(i))
		s.Get("/api/unknown" + strconv.Itoa(i))
	}
	s.Call("getLink", trackertest.Values("redirect_hash", "nothing"))
	s.Link("spring")
	text := metrics(registry)
	for _, line := range []string{
		`linktrack_redirects_total{outcome="redirected"} 3`, `linktrack_redirects_total{outcome="not_found"} 10`, `linktrack_redirects_total{outcome="gone"} 0`,
		`linktrack_redirect_duration_seconds_count{outcome="redirected"} 3`,
		`linktrack_redirect_duration_seconds_bucket{outcome="redirected",le="+Inf"} 3`,
		`linktrack_api_request_duration_seconds_count{call="v1_0/makeLink",status="201"} 1`,
		`linktrack_api_request_duration_seconds_count{call="v1_0/getLink",status="404"} 1`,
		`linktrack_store_call_duration_seconds_count{method="AppendClicks",outcome="ok"} 3`,
		`linktrack_store_call_duration_seconds_count{method="CreateLinks",outcome="ok"} 1`,
	} {
		require.Contains(t, text, "\n"+line+"\n")
	}
	require.Contains(t, text, `linktrack_store_call_duration_seconds_count{method="ApplyClicks",outcome="ok"}`)
	require.NotContains(t, text, "unknown1", "a stranger makes no labels")
	require.Contains(t, text, `goversion="`+runtime.Version()+`"`)

	families, err := registry.Gather()
	require.NoError(t, err)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestTheBuildIsNamedAsFarAsItIsKnown(t *testing.T) {
	linktrack := debug.Module{Path: "github.com/linktrackhq/linktrack", Version: "v1.2.3"}
	for name, c := range map[string]struct {
		info debug.BuildInfo
		want [3]string
	}{
		"the program itself": {debug.BuildInfo{GoVersion: "go1.26", Main: linktrack, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}}}, [3]string{"v1.2.3", "abc", "go1.26"}},
		"a host":             {debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Path: "example.com/app", Version: "v9.0.0"}, Deps: []*debug.Module{&linktrack}}, [3]string{"v1.2.3", "unknown", "go1.26"}},
		"a working copy":     {debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Path: linktrack.Path, Version: "(devel)"}}, [3]string{"devel", "unknown", "go1.26"}},
		"nothing":            {debug.BuildInfo{}, [3]string{"unknown", "unknown", "unknown"}},
	} {
		version, revision, goVersion := promstats.BuildInfo(&c.info)
		require.Equal(t, c.want, [3]string{version, revision, goVersion}, name)
	}
}

func metrics(registry *prometheus.Registry) string {
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}
