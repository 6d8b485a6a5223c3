package linktrack_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// zoneless is a store whose zone cannot be read for a while.
type zoneless struct {
	linktrack.Store
	up chan struct{}
}

func (z *zoneless) Zone(ctx context.Context, candidate string) (string, error) {
	select {
	case <-z.up:
		return z.Store.Zone(ctx, candidate)
	default:
		return "", errors.New("it is down")
	}
}

func TestAClickWaitsUntilTheZoneOfItsDayIsKnown(t *testing.T) {
	store := &zoneless{memstore.New(), make(chan struct{})}
	s := trackertest.NewService(t, store, linktrack.Options{Recording: linktrack.RecordingOptions{AckTimeout: time.Millisecond}, Logger: slog.New(slog.DiscardHandler)})
	link, err := s.Tracker.MakeLink(t.Context(), s.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: "spring"})
	require.NoError(t, err)
	require.Equal(t, 302, s.Get(s.Tracker.TrackingURL(link), "User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0").StatusCode)
	_, err = s.Tracker.Report(t.Context(), s.Account, "spring", linktrack.ReportQuery{})
	require.ErrorIs(t, err, linktrack.ErrUnavailable)
	close(store.up)
	require.Eventually(t, func() bool {
		r, err := s.Tracker.Report(t.Context(), s.Account, "spring", linktrack.ReportQuery{})
		return err == nil && r.Total.People+r.Total.Bots == 1
	}, time.Minute, 10*time.Millisecond)
}

func TestAStoreWithAZoneThatIsNotKnownHereIsReadInTheOneThatIs(t *testing.T) {
	for _, name := range []string{"Mars/Base", "Local"} {
		store := memstore.New()
		_, err := store.Zone(t.Context(), name)
		require.NoError(t, err)
		tracker, log := trackertest.Open(t, store, linktrack.Options{TimeZone: time.UTC})
		for range 2 {
			zone, err := tracker.DayTimeZone(t.Context())
			require.NoError(t, err)
			require.Equal(t, time.UTC, zone)
		}
		require.Equal(t, 1, strings.Count(log.String(), name))
	}
}

func TestAZoneWithoutANameIsRefused(t *testing.T) {
	for _, name := range []string{"", strings.Repeat("x", 101)} {
		_, err := linktrack.New(memstore.New(), linktrack.Options{TimeZone: time.FixedZone(name, 3600)})
		require.EqualError(t, err, "TimeZone must have a name of 1 to 100 bytes")
	}
}
