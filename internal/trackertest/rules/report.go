package rules

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

var reports = []rule{
	{"an export has the clicks of its range", anExportOfARange},
	{"the last day adds up to its count", theLastDayAddsUpToItsCount},
	{"a report is what the history adds up to", aReportIsWhatTheHistoryAddsUpTo},
	{"the days of reports stay those in which the first click was counted", theDaysOfReportsStayThoseInWhichTheFirstClickWasCounted},
}

func anExportOfARange(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	const n = 2500
	ids := s.RecordMany(l, n)
	idAt := func(i int) linktrack.ClickID {
		id, ok := linktrack.ParseClickID(ids[i])
		require.True(t, ok)
		return id
	}
	from := 1000
	for idAt(from).Time().Equal(idAt(from - 1).Time()) {
		from++
	}
	to := 2000
	for idAt(to).Time().Equal(idAt(to - 1).Time()) {
		to++
	}
	for _, c := range []struct {
		q    linktrack.ClickRange
		want []string
	}{
		{linktrack.ClickRange{}, ids},
		{linktrack.ClickRange{Start: idAt(from).Time()}, ids[from:]},
		{linktrack.ClickRange{End: idAt(to).Time()}, ids[:to]},
		{linktrack.ClickRange{Start: idAt(from).Time(), End: idAt(to).Time()}, ids[from:to]},
		{linktrack.ClickRange{After: idAt(1234)}, ids[1235:]},
		{linktrack.ClickRange{After: idAt(499)}, ids[500:]}, // two whole pages
		{linktrack.ClickRange{After: idAt(n - 1)}, nil},
		{linktrack.ClickRange{Start: idAt(to).Time(), End: idAt(from).Time()}, nil},
	} {
		for _, f := range []linktrack.Format{linktrack.FormatCSV, linktrack.FormatJSON} {
			var b bytes.Buffer
			require.NoError(t, s.Tracker.ExportHistory(t.Context(), s.Account, l.Path, c.q, f, &b))
			require.Equal(t, c.want, trackertest.ExportedIDs(t, f, &b), "%+v", c.q)
		}
	}
}

func theLastDayAddsUpToItsCount(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	for range 3 {
		l := s.AddLink(linktrack.NewLink{})
		s.Record(trackertest.RandomClicks(l.ID, 500, time.Now().Add(-48*time.Hour), 2)...)
	}
	s.AddLink(linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: "quiet"}})
	links, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{})
	require.NoError(t, err)
	hours, err := s.Tracker.LastDay(t.Context(), s.Account, links)
	require.NoError(t, err)
	require.Len(t, hours, 4)
	require.Nil(t, hours[0], "nobody clicked")
	for i, l := range links[1:] {
		periods := hours[i+1]
		require.Len(t, periods, 25)
		var people int64
		for j, p := range periods {
			people += p.People
			if j > 0 {
				require.Equal(t, time.Hour, p.Start.Sub(periods[j-1].Start))
			}
		}
		require.Equal(t, l.Counts.Day, people)
		require.Less(t, time.Since(periods[24].Start), time.Hour+time.Minute)
	}
	hours, err = s.Tracker.LastDay(t.Context(), linktrack.Account{ID: s.Account.ID + 1}, links)
	require.NoError(t, err)
	require.Equal(t, make([][]linktrack.Period, 4), hours, "they are another account's")
}

func aReportIsWhatTheHistoryAddsUpTo(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	zone := trackertest.Chicago(t)
	for _, c := range []struct {
		from, to string
		hours    int // in all
	}{
		{"2024-11-01", "2024-11-05", 5*24 + 1},
		{"2024-11-03", "2024-11-03", 25},
		{"2024-03-09", "2024-03-11", 3*24 - 1},
		{"2024-03-10", "2024-03-10", 23},
	} {
		l := s.AddLink(linktrack.NewLink{})
		from, to := trackertest.DayNamed(t, c.from), trackertest.DayNamed(t, c.to)
		s.Record(trackertest.RandomClicks(l.ID, 2000, from.Start(zone).Add(-30*time.Hour), int(to-from)+4)...) // more than is asked for
		clicks, err := store.Clicks(t.Context(), linktrack.ClickFilter{Link: l.ID, From: from.Start(zone).UTC(), To: (to + 1).Start(zone).UTC(), Limit: 10_000, Ascending: true})
		require.NoError(t, err)
		for _, by := range []linktrack.By{linktrack.ByDay, linktrack.ByHour} {
			r, err := s.Tracker.Report(t.Context(), s.Account, l.Path, linktrack.ReportQuery{From: from, To: to, By: by})
			require.NoError(t, err)
			layout, periods := "2006-01-02", int(to-from)+1
			if by == linktrack.ByHour {
				layout, periods = "2006-01-02 15 -0700", c.hours
			}
			require.Len(t, r.Periods, periods, "%v by %s", c, by)
			want := map[string]linktrack.Counters{}
			var total linktrack.Counters
			hosts, countries := map[string]int64{}, map[string]int64{}
			for _, k := range clicks {
				name := k.ID.Time().In(zone).Format(layout)
				sums := want[name]
				for _, sum := range []*linktrack.Counters{&sums, &total} {
					switch {
					case k.Bot:
						sum.Bots++
					case k.Unique:
						sum.Unique++
						fallthrough
					default:
						sum.People++
					}
				}
				want[name] = sums
				if !k.Bot {
					hosts[k.ReferrerHost]++
					countries[k.Country]++
				}
			}
			got := map[string]linktrack.Counters{}
			for i, p := range r.Periods {
				if i > 0 {
					require.True(t, r.Periods[i-1].Start.Before(p.Start), "periods are in order")
				}
				name := p.Start.Format(layout)
				require.NotContains(t, got, name, "each period is there once")
				got[name] = p.Counters
			}
			for name, sums := range got {
				require.Equal(t, want[name], sums, "%v by %s: %s", c, by, name)
				delete(want, name)
			}
			require.Empty(t, want, "no click is left out")
			require.Equal(t, total, r.Total)
			for _, b := range []struct {
				got  linktrack.Breakdown
				want map[string]int64
			}{{r.Referrers, hosts}, {r.Countries, countries}} {
				require.Zero(t, b.got.Other)
				require.Len(t, b.got.Top, len(b.want))
				for i, v := range b.got.Top {
					require.Equal(t, b.want[v.Value], v.Clicks, v.Value)
					require.True(t, i == 0 || b.got.Top[i-1].Clicks >= v.Clicks, "the most frequent is first")
				}
			}
		}
	}
}

func theDaysOfReportsStayThoseInWhichTheFirstClickWasCounted(t *testing.T, store linktrack.Store) {
	// Far enough apart that it is never the same day and hour in both.
	first, err := time.LoadLocation("Pacific/Kiritimati")
	require.NoError(t, err)
	second, err := time.LoadLocation("Pacific/Pago_Pago")
	require.NoError(t, err)
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

	tracker, _ := trackertest.Open(t, store, linktrack.Options{TimeZone: second})
	a, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	require.NoError(t, err)
	_, err = tracker.MakeLink(t.Context(), a, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: "spring"})
	require.NoError(t, err)
	require.Equal(t, second.String(), days(tracker))
	require.Equal(t, second, report(tracker, a).TimeZone)

	tracker, log := trackertest.Open(t, store, linktrack.Options{TimeZone: first})
	require.Equal(t, first.String(), days(tracker), "nothing is counted yet, so the zone may still change")
	follow(tracker)
	require.Equal(t, first.String(), days(tracker))
	require.NoError(t, tracker.Close(context.Background()))
	require.Empty(t, log.String())

	tracker, log = trackertest.Open(t, store, linktrack.Options{TimeZone: second})
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
	links, err := tracker.Links(t.Context(), a, linktrack.LinksQuery{})
	require.NoError(t, err)
	hours, err := tracker.LastDay(t.Context(), a, links)
	require.NoError(t, err)
	last := hours[0][len(hours[0])-1]
	require.WithinRange(t, time.Now(), last.Start, last.Start.Add(time.Hour+time.Minute))
	require.EqualValues(t, second, tracker.TimeZone())
	require.Equal(t, 1, strings.Count(log.String(), "\n"), "it is said once: %s", log)
	require.Contains(t, log.String(), "days=Pacific/Kiritimati zone=Pacific/Pago_Pago")
}
