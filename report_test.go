package linktrack_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestAReportOnNothingHasNoGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which begins at 2000-01-01 00:00 UTC
		time.Sleep(5 * time.Hour) // it is 23:00 on the day before in Chicago
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
		l := s.AddLink(linktrack.NewLink{})
		r, err := s.Tracker.Report(t.Context(), s.Account, l.Path, linktrack.ReportQuery{})
		require.NoError(t, err)
		require.Equal(t, linktrack.ByDay, r.By)
		require.Equal(t, "1999-12-31", r.To.String(), "the last day is today in the service zone")
		require.Equal(t, "1999-12-02", r.From.String())
		require.Len(t, r.Periods, 30)
		require.Equal(t, "1999-12-02T00:00:00-06:00", r.Periods[0].Start.Format(time.RFC3339))
		require.Equal(t, linktrack.Counters{}, r.Total)
		require.Zero(t, r.ConversionRate())

		r, err = s.Tracker.Report(t.Context(), s.Account, l.Path, linktrack.ReportQuery{By: linktrack.ByHour})
		require.NoError(t, err)
		require.Len(t, r.Periods, 24, "the hours of today")
	})
}

func TestTheBoundsOfAReport(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{})
	day := trackertest.DayNamed(t, "2024-11-24")
	for _, c := range []struct {
		q     linktrack.ReportQuery
		param string
	}{
		{linktrack.ReportQuery{From: day - 399, To: day}, ""},
		{linktrack.ReportQuery{From: day - 400, To: day}, "from"},
		{linktrack.ReportQuery{From: day - 30, To: day, By: linktrack.ByHour}, ""},
		{linktrack.ReportQuery{From: day - 31, To: day, By: linktrack.ByHour}, "from"},
		{linktrack.ReportQuery{From: 1, To: 1 << 30}, "from"},
		{linktrack.ReportQuery{From: -1, To: day}, "from"},
		{linktrack.ReportQuery{From: day, To: day - 1}, "to"},
		{linktrack.ReportQuery{By: "week"}, "by"},
	} {
		_, err := s.Tracker.Report(t.Context(), s.Account, l.Path, c.q)
		if c.param == "" {
			require.NoError(t, err, "%+v", c.q)
			continue
		}
		var inv *linktrack.InvalidError
		require.ErrorAs(t, err, &inv, "%+v", c.q)
		require.Equal(t, c.param, inv.Param)
	}
	_, err := s.Tracker.Report(t.Context(), s.Account, "nothing", linktrack.ReportQuery{})
	require.ErrorIs(t, err, linktrack.ErrNotFound)
	_, err = s.Tracker.Report(t.Context(), linktrack.Account{ID: s.Account.ID + 1}, l.Path, linktrack.ReportQuery{})
	require.ErrorIs(t, err, linktrack.ErrNotFound, "an account sees its own links only")
}

// rolled is a store whose roll-ups are given.
type rolled struct {
	linktrack.Store
	rollups []linktrack.Rollup
	err     error
}

func (s *rolled) Rollups(_ context.Context, _ linktrack.RollupOf, first, last linktrack.Day) ([]linktrack.Rollup, error) {
	var found []linktrack.Rollup
	for _, r := range s.rollups {
		if first <= r.Day && r.Day <= last {
			found = append(found, r)
		}
	}
	return found, s.err
}

func TestAReportAddsUpManyDaysBeforeItCuts(t *testing.T) {
	store := &rolled{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: "=cmd|' /C calc'!A0"}})
	day := trackertest.DayNamed(t, "2024-11-24")
	for d := range 10 { // each day has 99 hosts of its own, and one that is the same
		r := linktrack.Rollup{
			Day:      day + linktrack.Day(d),
			Counters: linktrack.Counters{People: 2*99 + 1 + 7, Unique: 3, Bots: 4, Conversions: 10},
			Hours:    map[int]linktrack.Counters{3: {People: 2*99 + 1 + 7, Unique: 3, Bots: 4, Conversions: 10}},
			Values: map[string]int64{
				"EUR": 12_5000, "USD": 1,
			},
			Referrers: linktrack.Tally{Top: map[string]int64{"often.example": 1}, Other: 7},
		}
		for i := range 99 {
			r.Referrers.Top[fmt.Sprintf("a%d-%d.example", d, i)] = 2
		}
		store.rollups = append(store.rollups, r)
	}
	r, err := s.Tracker.Report(t.Context(), s.Account, l.Path, linktrack.ReportQuery{From: day, To: day + 9, By: linktrack.ByHour})
	require.NoError(t, err)
	require.Len(t, r.Referrers.Top, 100)
	require.Equal(t, linktrack.ValueClicks{Value: "often.example", Clicks: 10}, r.Referrers.Top[0], "the rarest of each day is the most frequent of all")
	require.EqualValues(t, 10*(2*99+1+7), sumOf(r.Referrers))
	require.Equal(t, map[string]linktrack.Amount{"EUR": 125_0000, "USD": 10}, r.Values)
	require.InDelta(t, 100.0/2060, r.ConversionRate(), 1e-9)
	require.Equal(t, r.Total, linktrack.Counters{People: 2060, Unique: 30, Bots: 40, Conversions: 100})

	var b bytes.Buffer
	require.NoError(t, r.WriteCSV(&b))
	rows, err := csv.NewReader(bytes.NewReader(b.Bytes())).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"property", "value", "utc_offset", "count_total", "count_unique", "count_bot", "count_conversion", "amount"}, rows[0])
	require.Contains(t, rows, []string{"title", "'=cmd|' /C calc'!A0", "", "", "", "", "", ""})
	require.Contains(t, rows, []string{"total", "", "", "2060", "30", "40", "100", ""})
	require.Contains(t, rows, []string{"conversion_value", "EUR", "", "", "", "", "", "125"})
	require.Contains(t, rows, []string{"conversion_value", "USD", "", "", "", "", "", "0.001"})
	require.Contains(t, rows, []string{"hour", "2024-11-24 03:00:00", "-21600", "206", "3", "4", "10", ""})
	require.Contains(t, rows, []string{"referrer_host", "often.example", "", "10", "", "", "", ""})
	require.Contains(t, rows, []string{"other_country", "", "", "0", "", "", "", ""})
	require.NotContains(t, strings.ReplaceAll(b.String(), "\r\n", ""), "\n", "lines end with CRLF")

	b.Reset()
	require.NoError(t, r.WriteJSON(&b))
	var document struct {
		Report struct {
			Link   string
			Values []struct {
				Currency string
				Amount   json.Number
			}
			Periods []map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &document))
	require.Equal(t, s.Tracker.TrackingURL(l), document.Report.Link)
	require.EqualValues(t, "125", document.Report.Values[0].Amount)
	require.Len(t, document.Report.Periods, 240)

	store.err = trackertest.ErrDown
	_, err = s.Tracker.Report(t.Context(), s.Account, l.Path, linktrack.ReportQuery{})
	require.ErrorIs(t, err, linktrack.ErrUnavailable)
}

func sumOf(b linktrack.Breakdown) int64 {
	n := b.Other
	for _, v := range b.Top {
		n += v.Clicks
	}
	return n
}

func TestThePublicReportShowsNoNamesFromInsideNetworks(t *testing.T) {
	inside := []string{
		"secret.corp", "x.internal", "wiki.local", "1.2.3.4.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa", "printer.home.arpa", "resolver.arpa",
		"nas.lan", "nas.home", "mx.mail", "wiki.intranet", "wiki.private", "a.b.test", "x.invalid", "app.localhost", "host.localdomain",
		"duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion", "name.alt", "192.0.2.1", "[2001:db8::1]", "intranet", "",
	}
	outside := []string{"news.example", "local.example", "corp.com", "test.example.org", "xn--bcher-kva.example", "home.mail.example"}
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", HasPublicTracking: true}, VanityLink: "spring"})
	for _, host := range append(slices.Clone(inside), outside...) {
		clicks := trackertest.RandomClicks(l.ID, 5, time.Now().Add(-time.Hour), 1)
		for i := range clicks {
			clicks[i].Bot, clicks[i].ReferrerHost = false, host
		}
		s.Record(clicks...)
	}
	r, err := s.Tracker.Public(t.Context(), "", "/spring", linktrack.PageReport)
	require.NoError(t, err)
	var shown []string
	for _, v := range r.Referrers.Top {
		shown = append(shown, v.Value)
	}
	require.Subset(t, append(outside, ""), shown)
	require.Subset(t, shown, outside)
	own, err := s.Tracker.Report(t.Context(), s.Account, "spring", linktrack.ReportQuery{})
	require.NoError(t, err)
	require.Equal(t, sumOf(own.Referrers), sumOf(r.Referrers), "they count among the others")
}

func TestThePublicReportShowsNothingPrivate(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{
		LinkSettings: linktrack.LinkSettings{
			ExternalURL: "https://destination.example/hidden", Title: "<b>Spring</b>", Description: "a description", Notes: "a note",
			Group: "a group", HasPublicTracking: true,
		}, VanityLink: "Spring", Password: "letmein",
	})
	clicks := trackertest.RandomClicks(l.ID, 50, time.Now().Add(-24*time.Hour), 1)
	for i := range clicks[:10] {
		clicks[i].Bot, clicks[i].UserAgent, clicks[i].Query = false, "an agent", "a=query"
		clicks[i].ReferrerHost = []string{"198.51.100.5", "[2001:db8::5]", "2001:db8::6"}[i%3]
	}
	s.Record(clicks...)
	private := []string{"destination.example", "hidden", "a description", "a note", "a group", "192.0.2.77", "secret", "198.51.100.5", "2001:db8", "an agent", "query", "letmein"}

	r, err := s.Tracker.Public(t.Context(), "", "/spring", linktrack.PageReport)
	require.NoError(t, err)
	require.Len(t, r.Periods, 30)
	require.EqualValues(t, 10, r.Referrers.Other, "referrers that are addresses are others")
	own, err := s.Tracker.Report(t.Context(), s.Account, "spring", linktrack.ReportQuery{})
	require.NoError(t, err)
	require.Equal(t, own.Total, r.Total)
	require.Positive(t, r.Total.People)
	require.Equal(t, sumOf(own.Referrers), sumOf(r.Referrers))
	require.Empty(t, r.Link.ExternalURL)
	require.Nil(t, r.Link.PasswordHash)
	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	require.NoError(t, r.WriteCSV(&b))
	fmt.Fprintf(&b, "%+v", r)
	page := s.Get("/spring+")
	require.Equal(t, http.StatusOK, page.StatusCode)
	require.Equal(t, "noindex", page.Header.Get("X-Robots-Tag"))
	body := trackertest.Text(t, page)
	for _, p := range private {
		require.NotContains(t, b.String(), p)
		require.NotContains(t, body, p)
	}
	require.Contains(t, body, "&lt;b&gt;Spring&lt;/b&gt;")
	require.Contains(t, body, "Clicks by day")
	require.Contains(t, body, ">Firefox</td>")
}

func TestWhichPageThePlusShows(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	for _, c := range []struct {
		plus, public bool
		want         string
	}{
		{false, false, "does not exist"},
		{true, false, "Clicks in the last 24 hours"},
		{false, true, "Clicks by day"},
		{true, true, "Clicks by day"},
	} {
		l := s.AddLink(linktrack.NewLink{LinkSettings: linktrack.LinkSettings{HasPlusTracking: c.plus, HasPublicTracking: c.public, IsPublic: true}})
		r := s.Get("/" + l.Path + "+")
		body := trackertest.Text(t, r)
		require.Contains(t, body, c.want, "%+v", c)
		require.Equal(t, c.public, strings.Contains(body, "Clicks by day"), "%+v", c)
		_, err := s.Tracker.Public(t.Context(), "go.example.com", l.Path, linktrack.PageReport)
		if !c.public {
			require.ErrorIs(t, err, linktrack.ErrNotFound)
			continue
		}
		require.NoError(t, err)
		require.Empty(t, r.Header.Get("X-Robots-Tag"), "a public link's report may be indexed")
	}
	for _, path := range []string{"", "nothing", "a b"} {
		_, err := s.Tracker.Public(t.Context(), "", path, linktrack.PageReport)
		require.ErrorIs(t, err, linktrack.ErrNotFound)
	}
	_, err := s.Tracker.Public(t.Context(), "other.example", "nothing", linktrack.PageReport)
	require.ErrorIs(t, err, linktrack.ErrNotFound)
}

func TestGetReport(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	l := s.AddLink(linktrack.NewLink{VanityLink: "spring"})
	zone := trackertest.Chicago(t)
	s.Record(
		linktrack.Click{ID: linktrack.NewClickID(time.Date(2024, 11, 3, 1, 30, 0, 0, zone)), Link: l.ID, Unique: true, Browser: "Firefox"},
		linktrack.Click{ID: linktrack.NewClickID(time.Date(2024, 11, 3, 1, 30, 0, 0, zone).Add(time.Hour)), Link: l.ID, ReferrerHost: "a.example"},
		linktrack.Click{ID: linktrack.NewClickID(time.Date(2024, 11, 4, 1, 30, 0, 0, zone)), Link: l.ID, Bot: true},
	)
	r := s.Call("getReport", trackertest.Values("redirect_hash", "spring", "from", "2024-11-03", "to", "2024-11-04", "format", "json"))
	require.Equal(t, "application/json; charset=utf-8", r.Header.Get("Content-Type"))
	require.Equal(t, `{"report":{"redirect_hash":"spring","link":"http://go.example.com/spring","title":null,"from":"2024-11-03","to":"2024-11-04","by":"day",`+
		`"count_total":2,"count_unique":1,"count_bot":1,"count_conversion":0,"values":[],"periods":[`+
		`{"start":"2024-11-03 00:00:00","utc_offset":-18000,"count_total":2,"count_unique":1,"count_bot":0,"count_conversion":0},`+
		`{"start":"2024-11-04 00:00:00","utc_offset":-21600,"count_total":0,"count_unique":0,"count_bot":1,"count_conversion":0}],`+
		`"referrer_hosts":{"top":[{"value":null,"count":1},{"value":"a.example","count":1}],"other":0},`+
		`"browsers":{"top":[{"value":null,"count":1},{"value":"Firefox","count":1}],"other":0},`+
		`"platforms":{"top":[{"value":null,"count":2}],"other":0},"countries":{"top":[{"value":null,"count":2}],"other":0}}}`+"\n", trackertest.Text(t, r))

	for _, target := range []string{"", "&format=xml"} {
		r = s.Get("/api/v1_0/getReport?login=" + trackertest.Login + "&pass=" + trackertest.Pass + "&redirect_hash=spring&from=2024-11-04&to=2024-11-04" + target)
		require.Equal(t, xml.Header+`<report><redirect_hash>spring</redirect_hash><link>http://go.example.com/spring</link><title></title>`+
			`<from>2024-11-04</from><to>2024-11-04</to><by>day</by><count_total>0</count_total><count_unique>0</count_unique><count_bot>1</count_bot>`+
			`<count_conversion>0</count_conversion><values></values><periods><item><start>2024-11-04 00:00:00</start><utc_offset>-21600</utc_offset>`+
			`<count_total>0</count_total><count_unique>0</count_unique><count_bot>1</count_bot><count_conversion>0</count_conversion></item></periods>`+
			`<referrer_hosts><top></top><other>0</other></referrer_hosts><browsers><top></top><other>0</other></browsers>`+
			`<platforms><top></top><other>0</other></platforms><countries><top></top><other>0</other></countries></report>`+"\n", trackertest.Text(t, r))
	}

	r = s.Call("getReport", trackertest.Values("redirect_hash", "spring", "from", "2024-11-03", "to", "2024-11-03", "by", "HOUR", "format", "csv"))
	require.Equal(t, "text/csv; charset=utf-8; header=present", r.Header.Get("Content-Type"))
	rows, err := csv.NewReader(r.Body).ReadAll()
	require.NoError(t, err)
	rows = slices.DeleteFunc(rows, func(row []string) bool { return row[0] != "hour" })
	require.Len(t, rows, 25)
	require.Equal(t, []string{"hour", "2024-11-03 01:00:00", "-18000", "1", "1", "0", "0", ""}, rows[1])
	require.Equal(t, []string{"hour", "2024-11-03 01:00:00", "-21600", "1", "0", "0", "0", ""}, rows[2], "the hour that comes twice")

	for _, c := range []struct {
		pairs  []string
		status int
		text   string
	}{
		{[]string{"format", "csv"}, 400, "Error: redirect_hash is missing"},
		{[]string{"redirect_hash", "nothing", "format", "csv"}, 404, "Error: not found"},
		{[]string{"redirect_hash", "spring", "from", "2024-11-03 10:00:00", "format", "csv"}, 400, "Error: from must be a day such as 2024-11-24, after 1970-01-01"},
		{[]string{"redirect_hash", "spring", "to", "1970-01-01", "format", "csv"}, 400, "Error: to must be a day such as 2024-11-24, after 1970-01-01"},
		{[]string{"redirect_hash", "spring", "from", "2020-01-01", "to", "2024-01-01", "format", "csv"}, 400, "Error: from and to must span at most 400 days by day"},
		{[]string{"redirect_hash", "spring", "by", "week", "format", "json"}, 400, `{"error":{"code":400,"message":"by must be day or hour"}}` + "\n"},
		{[]string{"redirect_hash", "spring", "format", "yaml"}, 400, xml.Header + "<error><code>400</code><message>format must be xml or json or csv</message></error>\n"},
	} {
		r := s.Call("getReport", trackertest.Values(c.pairs...))
		require.Equal(t, c.status, r.StatusCode, c.pairs)
		require.Equal(t, c.text, trackertest.Text(t, r))
	}
	r = s.Call("getLink", trackertest.Values("redirect_hash", "spring", "format", "csv"))
	require.Equal(t, 400, r.StatusCode, "a link is no table")
	require.Contains(t, trackertest.Text(t, r), "format must be xml or json<")
	require.Equal(t, 401, s.Get("/api/v1_0/getReport?login="+trackertest.Login+"&pass=wrong&redirect_hash=spring").StatusCode)
	require.Equal(t, 405, s.Do(trackertest.Request(http.MethodPut, "/api/v1_0/getReport", "")).StatusCode)
}
