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

// inZone returns a Tracker over a store, in a zone, and its log.
func inZone(t *testing.T, store linktrack.Store, zone *time.Location) (*linktrack.Tracker, *trackertest.LogBuffer) {
	t.Helper()
	log := new(trackertest.LogBuffer)
	tracker, err := linktrack.New(store, linktrack.Options{TimeZone: zone, Logger: slog.New(slog.NewTextHandler(log, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { tracker.Close(context.Background()) })
	return tracker, log
}

func load(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	require.NoError(t, err)
	return zone
}

func TestTheDaysOfReportsStayThoseInWhichTheFirstClickWasCounted(t *testing.T) {
	// Far enough apart that it is never the same day and hour in both.
	first, second := load(t, "Pacific/Kiritimati"), load(t, "Pacific/Pago_Pago")
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		days := func(tracker *linktrack.Tracker) string {
			zone, err := tracker.DayTimeZone(t.Context())
			require.NoError(t, err)
			return zone.String()
		}
		follow := func(tracker *linktrack.Tracker) {
			out, err := tracker.Follow(t.Context(), linktrack.Visit{Host: "localhost:8080", Path: "spring", UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"})
			require.NoError(t, err)
			require.NotZero(t, out.Click)
		}
		report := func(tracker *linktrack.Tracker, a linktrack.Account) linktrack.Report {
			r, err := tracker.Report(t.Context(), a, "spring", linktrack.ReportQuery{By: linktrack.ByHour})
			require.NoError(t, err)
			return r
		}

		tracker, _ := inZone(t, store, second)
		a, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
		require.NoError(t, err)
		_, err = tracker.MakeLink(t.Context(), a, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: "spring"})
		require.NoError(t, err)
		require.Equal(t, second.String(), days(tracker))
		require.Equal(t, second, report(tracker, a).TimeZone)

		tracker, log := inZone(t, store, first)
		require.Equal(t, first.String(), days(tracker), "nothing is counted yet, so the zone may still change")
		follow(tracker)
		require.Equal(t, first.String(), days(tracker))
		require.NoError(t, tracker.Close(context.Background()))
		require.Empty(t, log.String())

		tracker, log = inZone(t, store, second)
		require.Equal(t, first.String(), days(tracker))
		follow(tracker)
		r := report(tracker, a)
		require.Equal(t, first.String(), r.TimeZone.String())
		require.Equal(t, linktrack.DayOf(time.Now().In(first)), r.To)
		require.EqualValues(t, 2, r.Total.People, "the clicks of both are on the same day")
		for _, p := range r.Periods {
			if p.People > 0 {
				require.WithinRange(t, time.Now(), p.Start.Add(-time.Minute), p.Start.Add(time.Hour+time.Minute), "the hour is where it was")
			}
		}
		hours, err := tracker.LastDay(t.Context(), a, links(t, tracker, a))
		require.NoError(t, err)
		last := hours[0][len(hours[0])-1]
		require.WithinRange(t, time.Now(), last.Start, last.Start.Add(time.Hour+time.Minute))
		require.EqualValues(t, second, tracker.TimeZone())
		require.Equal(t, 1, strings.Count(log.String(), "\n"), "it is said once: %s", log)
		require.Contains(t, log.String(), "days=Pacific/Kiritimati zone=Pacific/Pago_Pago")
	})
}

func links(t *testing.T, tracker *linktrack.Tracker, a linktrack.Account) []linktrack.Link {
	t.Helper()
	all, err := tracker.Links(t.Context(), a, linktrack.LinksQuery{})
	require.NoError(t, err)
	return all
}

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
		tracker, log := inZone(t, store, time.UTC)
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
