package pages_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/pages"
)

// record writes clicks of a link to the store.
func (s *site) record(l linktrack.Link, clicks ...linktrack.Click) {
	s.Helper()
	for i := range clicks {
		clicks[i].Link = l.ID
	}
	id := linktrack.NewClickID(time.Now())
	require.NoError(s, s.store.AppendClicks(s.Context(), linktrack.Batch{Source: linktrack.Source(id), Seq: 1, Clicks: clicks}))
}

func clickAt(at time.Time) linktrack.Click {
	return linktrack.Click{
		ID: linktrack.NewClickID(at), IP: netip.MustParseAddr("192.0.2.77"), Unique: true,
		Referrer: "https://news.example/secret?token=1", ReferrerHost: "news.example",
		UserAgent: "Mozilla/5.0", Browser: "Firefox", Platform: "Linux", Country: "DE", Query: "utm_source=mail",
	}
}

// rows returns the texts of the cells of a table's body, by rows.
func rows(table *html.Node) [][]string {
	var all [][]string
	for n := range table.Descendants() {
		switch n.Data {
		case "tbody":
			all = nil
		case "tr":
			all = append(all, nil)
		case "th", "td":
			all[len(all)-1] = append(all[len(all)-1], text(n))
		}
	}
	return all
}

func (a *answer) table(class string) [][]string {
	for _, n := range a.all(func(n *html.Node) bool { return n.Data == "table" }) {
		for p := n.Parent; p != nil; p = p.Parent {
			if strings.Contains(" "+attribute(p, "class")+" ", " "+class+" ") {
				return rows(n)
			}
		}
	}
	return nil
}

// checkSVG checks that each drawing is well-formed XML and draws something within
// its bounds.
func (a *answer) checkSVG(t *testing.T) int {
	t.Helper()
	n := 0
	for rest := a.body; ; n++ {
		_, after, found := strings.Cut(rest, "<svg")
		if !found {
			return n
		}
		end, depth := 0, 1
		for depth > 0 {
			next := strings.Index(after[end:], "svg")
			require.GreaterOrEqual(t, next, 0)
			switch at := end + next; {
			case after[at-1] == '<':
				depth++
			case after[at-2:at] == "</":
				depth--
			}
			end += next + len("svg")
		}
		drawing := "<svg" + after[:end] + ">"
		d := xml.NewDecoder(strings.NewReader(drawing))
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err, drawing)
			if e, ok := token.(xml.StartElement); ok {
				for _, attr := range e.Attr {
					require.NotContains(t, attr.Value, "NaN")
					require.NotEqual(t, "style", attr.Name.Local)
				}
			}
		}
		rest = after[end:]
	}
}

func TestAReportWithoutCountriesDoesNotSpeakOfThem(t *testing.T) {
	s := signedIn(t, "ada")
	l := s.make(s.ada, linktrack.NewLink{VanityLink: "spring"})
	nowhere, somewhere := clickAt(time.Now()), clickAt(time.Now())
	nowhere.Country = ""
	s.record(l, nowhere)
	require.NotContains(t, s.get("links/go.example.com/spring/report").texts("breakdown"), "Countries")
	require.Len(t, s.get("links/go.example.com/spring/report").texts("breakdown"), 3)
	s.record(l, somewhere)
	require.Len(t, s.get("links/go.example.com/spring/report").texts("breakdown"), 4)
}

func TestAReportSaysWhatALinkCounted(t *testing.T) {
	s := signedIn(t, "ada")
	l := s.make(s.ada, linktrack.NewLink{VanityLink: "spring", LinkSettings: linktrack.LinkSettings{Title: "Spring", HasConversionTracking: true}})
	day := time.Date(2024, 11, 2, 12, 0, 0, 0, s.tracker.TimeZone())
	again, bot := clickAt(day.Add(time.Minute)), clickAt(day)
	again.Unique, again.Browser, again.ReferrerHost, again.Referrer = false, "", "", ""
	bot.Bot, bot.Unique, bot.Browser = true, false, "Googlebot"
	s.record(l, clickAt(day), again, bot, clickAt(day.AddDate(0, 0, 1)), clickAt(day.AddDate(0, 0, 9)))
	_, err := s.store.RecordConversion(t.Context(), linktrack.Conversion{
		Click: linktrack.ClickRef{Link: l.ID, ID: again.ID}, Time: day, Value: 12_345_000, Currency: "EUR",
	}, s.tracker.TimeZone())
	require.NoError(t, err)

	r := s.get("links/go.example.com/spring/report?from=2024-11-02&to=2024-11-04")
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, []string{"Report"}, r.texts("h1"))
	require.Equal(t, "Spring", r.texts("h2")[0])
	require.Contains(t, r.texts("note")[0], "2024-11-02 to 2024-11-04 (CDT/CST)")
	totals := r.texts("totals")[0]
	for _, want := range []string{"Clicks3", "Unique visitors2", "Clicks by bots1", "Conversions133.3% of clicks", "Value (EUR)1\u202f234.50"} {
		require.Contains(t, strings.ReplaceAll(totals, "\n", ""), want)
	}
	require.Equal(t, [][]string{{"2024-11-02", "2", "1", "1", "1"}, {"2024-11-03", "1", "1", "0", "0"}, {"2024-11-04", "0", "0", "0", "0"}}, r.table("chart"))
	require.Equal(t, [][]string{{"news.example", "2", "66.7%"}, {"None", "1", "33.3%"}}, r.table("breakdown"))
	require.Equal(t, "CountriesCountriesClicksShareGermany3100.0%", strings.ReplaceAll(r.texts("breakdown")[3], "\n", ""))
	require.Equal(t, 1+6, r.checkSVG(t), "a chart, and a bar for each value")
	require.Contains(t, r.body, `"Clicks by day from 2024-11-02 to 2024-11-04: 3 in all, at most 2 on a day.`)
	require.Contains(t, r.body, "<title>2024-11-02: 2 clicks, 1 unique</title>")
	require.Contains(t, r.body, "This list covers only the last 30 days")
	require.NotContains(t, r.body, "192.0.2.77")

	r = s.get("links/go.example.com/spring/report?from=2024-11-02&to=2024-11-03&by=hour")
	require.Equal(t, 200, r.StatusCode)
	hours := r.table("chart")
	require.Len(t, hours, 24+25, "on 2024-11-03 clocks were put back")
	require.Equal(t, []string{"2024-11-02 12:00 CDT", "2", "1", "1", "1"}, hours[12])
	require.Equal(t, "2024-11-03 01:00 CDT", hours[25][0])
	require.Equal(t, "2024-11-03 01:00 CST", hours[26][0])
	require.Equal(t, "hour", r.form().Get("by"))
	r.checkSVG(t)
}

func TestAReportListsTheNewestClicks(t *testing.T) {
	s := signedIn(t, "ada")
	l := s.make(s.ada, linktrack.NewLink{VanityLink: "spring"})
	r := s.get("links/go.example.com/spring/report")
	require.Contains(t, r.body, "Nobody has clicked this link yet.")
	require.Contains(t, r.body, "Nothing was counted in this period.")
	require.Contains(t, r.body, "The list has no clicks in this period.")
	require.Zero(t, r.checkSVG(t))

	first := time.Now().Add(-2 * time.Hour)
	var clicks []linktrack.Click
	for i := range 120 {
		clicks = append(clicks, clickAt(first.Add(time.Duration(i)*time.Second)))
	}
	clicks[119].IP = netip.Addr{}
	clicks[118].Bot = true
	s.record(l, clicks...)
	next := "links/go.example.com/spring/report?days=30"
	var seen [][]string
	for next != "" {
		r := s.get(next)
		require.Equal(t, 200, r.StatusCode)
		seen = append(seen, r.table("clicks")...)
		next = ""
		for _, n := range r.all(func(n *html.Node) bool { return attribute(n, "rel") == "next" }) {
			next, _, _ = strings.Cut(attribute(n, "href"), "#")
		}
	}
	require.Len(t, seen, 120)
	when := func(i int) string {
		return clicks[i].ID.Time().In(s.tracker.TimeZone()).Format("2006-01-02 15:04:05 MST")
	}
	require.Equal(t, []string{when(119), "New", "–", "https://news.example/secret?token=1", "Firefox", "Linux", "Germany", "utm_source=mail"}, seen[0])
	require.Equal(t, "Bot", seen[1][1])
	require.Equal(t, []string{when(0), "New", "192.0.2.77"}, seen[119][:3])
}

func TestDaysThatAreNotRightAreSaidSo(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "spring"})
	for query, want := range map[string][2]string{
		"from=2024-13-01":                       {"from", "From must be a day such as 2024-11-24, after 1970-01-01"},
		"from=1970-01-01":                       {"from", "From must be a day"},
		"to=x%22%3E%3Cscript%3E":                {"to", "To must be a day"},
		"from=2024-02-01&to=2024-01-01":         {"to", "To must not be before from"},
		"from=2022-01-01&to=2024-01-01":         {"from", "From and to must span at most 400 days by day"},
		"from=2024-01-01&to=2024-03-01&by=hour": {"from", "From and to must span at most 31 days by hour"},
		"by=week":                               {"by", "Interval must be day or hour"},
		"to=0001-01-01":                         {"to", "To must be a day"},
		"days=90&by=hour":                       {"from", "From and to must span"},
	} {
		r := s.get("links/go.example.com/spring/report?" + query)
		require.Equal(t, 400, r.StatusCode, query)
		require.Contains(t, r.id(want[0]+"-error"), want[1], query)
		require.Empty(t, r.texts("counts"), query)
		require.Equal(t, 400, s.get("links/go.example.com/spring/report/report.csv?"+query).StatusCode)
		require.Equal(t, 400, s.get("links/go.example.com/spring/report/history.json?"+query).StatusCode)
	}
	require.Equal(t, "2024-02-01", s.get("links/go.example.com/spring/report?from=2024-02-01&to=2024-01-01").form().Get("from"), "what was written is kept")
	today := linktrack.DayOf(time.Now().In(s.tracker.TimeZone()))
	for query, first := range map[string]linktrack.Day{
		"": today - 29, "days=7": today - 6, "days=90": today - 89, "days=-1": today, "days=many": today - 29, "days=100000": today - 399, "by=hour": today,
	} {
		r := s.get("links/go.example.com/spring/report?" + query)
		require.Equal(t, 200, r.StatusCode, query)
		require.Equal(t, first.String(), r.form().Get("from"), query)
	}
}

func TestAReportMayBeLong(t *testing.T) {
	s := signedIn(t, "ada")
	l := s.make(s.ada, linktrack.NewLink{VanityLink: "spring"})
	first := time.Date(2023, 3, 1, 12, 0, 0, 0, s.tracker.TimeZone())
	var clicks []linktrack.Click
	for i := range 400 {
		c := clickAt(first.AddDate(0, 0, i))
		c.ReferrerHost = fmt.Sprintf("host%d.example", i)
		clicks = append(clicks, c)
	}
	s.record(l, clicks...)
	r := s.get("links/go.example.com/spring/report?from=2023-03-01&to=2024-04-03")
	require.Equal(t, 200, r.StatusCode)
	require.Len(t, r.table("chart"), 400)
	require.Contains(t, r.texts("breakdown")[0], "90 more")
	require.Contains(t, r.texts("breakdown")[0], "All others")
	require.Contains(t, r.texts("breakdown")[0], "75.0%")
	r.checkSVG(t)
	r = s.get("links/go.example.com/spring/report?from=2023-03-01&to=2023-03-31&by=hour")
	require.Len(t, r.table("chart"), 31*24-1)
	r.checkSVG(t)
	require.Less(t, len(r.body), 200_000)
}

func TestAnotherAccountsReportIsNotThere(t *testing.T) {
	s := signedIn(t, "ada")
	l := s.make(s.bob, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{HasPublicTracking: false}})
	for _, path := range []string{"", "/report.csv", "/report.json", "/history.csv", "/history.json"} {
		require.Equal(t, 404, s.get("links/go.example.com/"+l.Path+"/report"+path).StatusCode, path)
	}
	mine := s.make(s.ada, linktrack.NewLink{})
	for _, path := range []string{"/report.xml", "/other.csv", "/report", "/.csv", "/report.csv.csv"} {
		require.Equal(t, 404, s.get("links/go.example.com/"+mine.Path+"/report"+path).StatusCode, path)
	}
	s.cookies = nil
	for _, path := range []string{"", "/report.csv", "/history.csv"} {
		r := s.get("links/go.example.com/" + mine.Path + "/report" + path)
		require.Equal(t, 303, r.StatusCode)
		require.Contains(t, r.Header.Get("Location"), "/account/login?next=")
	}
}

func TestAReportIsDownloaded(t *testing.T) {
	s := signedIn(t, "ada")
	l := s.make(s.ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: "=1+1"}})
	day := time.Date(2024, 11, 3, 12, 0, 0, 0, s.tracker.TimeZone())
	formula := clickAt(day)
	formula.Referrer = "=cmd|' /C calc'!A0"
	s.record(l, formula, clickAt(day.AddDate(0, 0, 1)), clickAt(day.AddDate(0, 0, 2)))
	at := "links/go.example.com/" + l.Path + "/report"
	page := s.get(at + "?from=2024-11-03&to=2024-11-04")
	files := map[string]*answer{}
	for _, n := range page.all(func(n *html.Node) bool { return has(n, "download") }) {
		name := text(n)
		files[name] = s.get(attribute(n, "href"))
		require.Equal(t, 200, files[name].StatusCode, name)
	}
	require.Len(t, files, 4)
	for name, want := range map[string][2]string{
		"Report as CSV":                 {"report", "csv"},
		"Report as JSON":                {"report", "json"},
		"Clicks of this period as CSV":  {"history", "csv"},
		"Clicks of this period as JSON": {"history", "json"},
	} {
		kind, given, err := mime.ParseMediaType(files[name].Header.Get("Content-Disposition"))
		require.NoError(t, err)
		require.Equal(t, "attachment", kind)
		require.Equal(t, want[0]+"-"+strings.TrimPrefix(l.Path, ".")+"."+want[1], given["filename"])
		require.Regexp(t, `^[a-z0-9_-]+\.[a-z]+$`, given["filename"])
		require.Equal(t, "nosniff", files[name].Header.Get("X-Content-Type-Options"))
		if want[1] == "csv" {
			require.Equal(t, "text/csv; charset=utf-8; header=present", files[name].Header.Get("Content-Type"))
			table := csv.NewReader(strings.NewReader(files[name].body))
			records, err := table.ReadAll()
			require.NoError(t, err)
			for _, record := range records {
				for _, cell := range record {
					require.NotRegexp(t, `^[=+@]`, cell)
				}
			}
		} else {
			require.Equal(t, "application/json; charset=utf-8", files[name].Header.Get("Content-Type"))
			require.True(t, json.Valid([]byte(files[name].body)))
		}
	}
	require.Equal(t, 1+2, strings.Count(files["Clicks of this period as CSV"].body, "\n"), "of these days only")
	require.Contains(t, files["Report as JSON"].body, `"from":"2024-11-03"`)
	head := s.do(httptest.NewRequest("HEAD", "https://go.example.com/account/"+at+"/history.csv", nil))
	require.Equal(t, 200, head.StatusCode)
	require.NotEmpty(t, head.Header.Get("Content-Disposition"))
	require.Empty(t, head.body)
}

func TestADownloadThatFailsOnTheWayIsBrokenOff(t *testing.T) {
	kept := memstore.New()
	store := &trackertest.FaultyStore{Store: kept}
	store.FailReadsFrom.Store(2)
	tracker, err := linktrack.New(store, linktrack.Options{})
	require.NoError(t, err)
	defer tracker.Close(t.Context())
	account := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
	var log bytes.Buffer
	p, err := pages.New(tracker, pages.Options{
		Session: func(*http.Request) (linktrack.Account, error) { return account, nil },
		Logger:  slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	l, err := tracker.MakeLink(t.Context(), account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}})
	require.NoError(t, err)
	s := &site{T: t, store: kept, tracker: tracker, handler: p}
	var clicks []linktrack.Click
	for range 1500 {
		clicks = append(clicks, clickAt(time.Now().Add(-time.Hour)))
	}
	s.record(l, clicks...)
	server := httptest.NewServer(p)
	defer server.Close()
	at := server.URL + "/account/links/" + l.Host + "/" + l.Path + "/report/history.json?days=2"
	res, err := http.Get(at)
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)
	_, err = io.ReadAll(res.Body)
	res.Body.Close()
	require.Error(t, err, "nobody takes a part for the whole")
	require.Contains(t, log.String(), trackertest.ErrDown.Error())
	res, err = http.Get(at)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, 503, res.StatusCode, "nothing was sent yet")
	require.Empty(t, res.Header.Get("Content-Disposition"))
}

func TestHostileClicksStayTexts(t *testing.T) {
	s := signedIn(t, "ada")
	const evil = "\u202e\"'></title></svg></style><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}"
	l := s.make(s.ada, linktrack.NewLink{VanityLink: "evil", LinkSettings: linktrack.LinkSettings{Title: evil, HasPublicTracking: true}})
	c := clickAt(time.Now().Add(-time.Minute))
	c.Referrer, c.ReferrerHost, c.UserAgent, c.Browser, c.Platform, c.Country, c.Query = "javascript:"+evil, evil, evil, evil, evil, evil, evil
	s.record(l, c)
	for _, path := range []string{"links/go.example.com/evil/report", "links/go.example.com/evil/report?by=hour", "links", "/evil+"} {
		r := s.get(path)
		require.Equal(t, 200, r.StatusCode)
		require.LessOrEqual(t, len(r.all(func(n *html.Node) bool { return n.Data == "script" })), 1, path)
		require.Empty(t, r.all(func(n *html.Node) bool { return has(n, "onerror") || has(n, "style") }), path)
		require.NotContains(t, r.body, "ZgotmplZ")
		require.NotZero(t, r.checkSVG(t))
		if path != "links" {
			require.NotEmpty(t, r.all(func(n *html.Node) bool { return n.Data == "bdi" && text(n) == evil }), path)
		}
		require.Empty(t, r.all(func(n *html.Node) bool { return strings.HasPrefix(attribute(n, "href"), "javascript") }))
	}
}

func TestAPublicReportKeepsWhatIsTheOwners(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{})
	l := s.make(s.ada, linktrack.NewLink{VanityLink: "open", LinkSettings: linktrack.LinkSettings{
		HasPublicTracking: true, HasPlusTracking: true, ExternalURL: secret,
		Title: "Open", Notes: "private notes", Description: "private notes",
	}, Password: "let me in"})
	r := s.get("/open+")
	require.Contains(t, r.body, "Nothing was counted in this period.")
	checkVisitorPage(t, r)
	byAddress := clickAt(time.Now().Add(-time.Hour))
	byAddress.ReferrerHost = "198.51.100.9"
	s.record(l, clickAt(time.Now().Add(-time.Hour)), byAddress)
	r = s.get("/open+")
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, []string{"Open"}, r.texts("h1"))
	checkVisitorPage(t, r)
	require.Equal(t, [][]string{{"news.example", "1", "50.0%"}, {"All others", "1", "50.0%"}}, r.table("breakdown"))
	require.Len(t, r.table("chart"), 30)
	require.NotZero(t, r.checkSVG(t))
	require.Contains(t, r.texts("style")[0], ".plot", "its style is that of reports")
	for _, never := range []string{"192.0.2", "198.51.100", "secret", "token", "utm_source", "Mozilla", "private", "/account", "<form", "<a "} {
		require.NotContains(t, r.body, never)
	}
	_, err := s.tracker.UpdateLink(t.Context(), s.ada, "open", func(e *linktrack.LinkEdit) { e.HasPublicTracking = false })
	require.NoError(t, err)
	summary := s.get("/open+")
	require.Empty(t, summary.texts("counts"), "only a summary")
	require.NotContains(t, summary.body, "news.example")
	checkVisitorPage(t, summary)
}

func TestALinkOfTheListShowsItsLastDay(t *testing.T) {
	s := signedIn(t, "ada")
	clicked, quiet := s.make(s.ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: "clicked"}}), s.make(s.ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: "quiet"}})
	s.record(quiet, clickAt(time.Now().Add(-48*time.Hour)))
	at := time.Now()
	s.record(clicked, clickAt(at), clickAt(at), clickAt(at.Add(-5*time.Hour)))
	r := s.get("links")
	sparks := r.all(func(n *html.Node) bool { return attribute(n, "class") == "spark" })
	require.Len(t, sparks, 1, "there is nothing to draw of the other")
	require.Equal(t, 1, r.checkSVG(t))
	require.Equal(t, "Clicks per hour in the last 24 hours: at most 2 in an hour", attribute(sparks[0], "aria-label"))
	require.Equal(t, 2, strings.Count(attribute(sparks[0].LastChild, "d"), "M"), "two hours have a bar")
	require.Len(t, r.all(func(n *html.Node) bool {
		return attribute(n, "href") == "/account/links/go.example.com/"+clicked.Path+"/report"
	}), 1)
}

func TestTheListIsThereWithoutItsSparks(t *testing.T) {
	store := &noRollups{Store: memstore.New()}
	tracker, err := linktrack.New(store, linktrack.Options{})
	require.NoError(t, err)
	defer tracker.Close(t.Context())
	account := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}
	p, err := pages.New(tracker, pages.Options{
		Session: func(*http.Request) (linktrack.Account, error) { return account, nil },
		Logger:  slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	l, err := tracker.MakeLink(t.Context(), account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}})
	require.NoError(t, err)
	s := &site{T: t, store: store.Store, tracker: tracker, handler: p}
	s.record(l, clickAt(time.Now()))
	r := s.get("links")
	require.Equal(t, 200, r.StatusCode)
	require.Len(t, r.texts("facts"), 1)
	require.Empty(t, r.texts("spark"))
	require.Equal(t, 503, s.get("links/"+l.Host+"/"+l.Path+"/report").StatusCode)
}

// noRollups is a store that cannot read its roll-ups.
type noRollups struct{ *memstore.Store }

func (noRollups) Rollups(context.Context, linktrack.RollupOf, linktrack.Day, linktrack.Day) ([]linktrack.Rollup, error) {
	return nil, trackertest.ErrDown
}

func TestDaysThatCannotBeReadMarkNoChoice(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "spring"})
	const marked = `aria-current="true"`
	require.Contains(t, s.get("links/go.example.com/spring/report").body, marked)
	r := s.get("links/go.example.com/spring/report?from=x")
	require.Equal(t, 400, r.StatusCode)
	require.NotContains(t, r.body, marked)
}
