package linktrack_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

const notServed = "links on hosts that are not served are not found by visitors"

func TestTheLogNamesOnceTheHostsThatAreNotServed(t *testing.T) {
	for name, c := range map[string]struct {
		options linktrack.Options
		want    string // "": nothing is logged
	}{
		"the same":               {linktrack.Options{BaseURL: "http://go.example.com:8080/l", Hosts: []string{"alt.example:8080"}}, ""},
		"another path":           {linktrack.Options{BaseURL: "https://go.example.com:8080", Hosts: []string{"http://alt.example:8080/x"}}, ""},
		"another base URL":       {linktrack.Options{BaseURL: "https://new.example"}, `hosts="[alt.example:8080 go.example.com:8080]" count=2`},
		"one host less":          {linktrack.Options{BaseURL: "http://go.example.com:8080"}, `hosts=[alt.example:8080] count=1`},
		"another port, or none":  {linktrack.Options{BaseURL: "http://go.example.com", Hosts: []string{"alt.example:8080"}}, `hosts=[go.example.com:8080] count=1`},
		"the default of options": {linktrack.Options{}, "count=2"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := memstore.New()
				before := trackertest.NewService(t, store, linktrack.Options{BaseURL: "http://go.example.com:8080", Hosts: []string{"alt.example"}})
				before.MakeLink()
				before.MakeLink()
				_, err := trackertest.CreateLink(t.Context(), store, linktrack.Link{Account: 1, Host: "alt.example:8080", Path: "sale", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
				require.NoError(t, err)

				var log trackertest.LogBuffer
				c.options.Logger = slog.New(slog.NewTextHandler(&log, nil))
				tracker, err := linktrack.New(store, c.options)
				require.NoError(t, err)
				time.Sleep(time.Hour)
				require.NoError(t, tracker.Close(t.Context()))
				if c.want == "" {
					require.NotContains(t, log.String(), notServed)
					return
				}
				require.Equal(t, 1, strings.Count(log.String(), notServed), log.String())
				require.Contains(t, log.String(), c.want)
			})
		})
	}
}

// A lateLister lists its hosts after the first failures.
type lateLister struct {
	linktrack.Store
	failures, calls atomic.Int64
}

func (l *lateLister) LinkHosts(ctx context.Context, limit int) ([]string, error) {
	if l.calls.Add(1); l.failures.Add(-1) >= 0 {
		if l.failures.Load()%2 == 0 {
			panic("a bug")
		}
		return nil, errors.New("down")
	}
	return []string{"old.example"}, nil
}

func TestHostsAreListedAgainAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log trackertest.LogBuffer
		store := &lateLister{Store: memstore.New()}
		store.failures.Store(2)
		tracker, err := linktrack.New(store, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		synctest.Wait()
		require.Empty(t, log.String())
		time.Sleep(time.Hour)
		require.Equal(t, int64(3), store.calls.Load())
		require.Equal(t, 1, strings.Count(log.String(), notServed), log.String())
		require.NoError(t, tracker.Close(t.Context()))
	})
}
