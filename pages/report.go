package pages

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

const (
	clicksShown = 50
	// clickDays is the number of days, including today, that the list of clicks
	// covers. [linktrack.Tracker.History] does not go back further.
	clickDays = 30
	maxPreset = 400
)

var presets = []int{7, 30, 90}

// showReport shows the report of a link. The query has from, to, and by as in
// [linktrack.ReportQuery], or days, the number of days up to today. If it has
// before, the id of a click, the list shows the clicks before that one.
func (p *Pages) showReport(w http.ResponseWriter, r *request) error {
	l, name, err := p.find(r.Context(), r.account, r.PathValue("host"), r.PathValue("path"))
	if err != nil {
		return err
	}
	given := r.URL.Query()
	page := view.Report{Link: p.row(r.account, l), From: given.Get("from"), To: given.Get("to"), Errors: map[string]string{}}
	var report linktrack.Report
	q, err := p.reportQuery(r, given)
	if err == nil {
		report, err = p.t.Report(r.Context(), r.account, name, q)
	}
	status := http.StatusOK
	var invalid *linktrack.InvalidError
	switch {
	case errors.As(err, &invalid):
		status = http.StatusBadRequest
		at := invalid.Param
		if at != "from" && at != "to" && at != "by" {
			at = ""
		}
		page.Errors[at] = p.theme.reason(p.theme.text("param."+invalid.Param), invalid)
	case err != nil:
		return err
	default:
		page.From, page.To = report.From.String(), report.To.String()
		page.Counts = p.theme.counts(report, l.HasConversionTracking)
		page.Downloads = p.downloads(l, report)
		if err := p.addClicks(r, &page, name, report); err != nil {
			return err
		}
	}
	for _, by := range []linktrack.By{linktrack.ByDay, linktrack.ByHour} {
		page.By = append(page.By, choice(string(by), p.theme.text("report.by."+string(by)), by == q.By || q.By == "" && by == linktrack.ByDay))
	}
	for _, days := range presets {
		choice := p.preset(r, l, q, days)
		choice.Current = choice.Current && page.Counts != nil
		page.Presets = append(page.Presets, choice)
	}
	return p.render(w, r, status, "report", p.theme.text("report.title"), page)
}

// today returns the current day in the time zone of reports.
func (p *Pages) today(r *request) linktrack.Day {
	zone, err := p.t.DayTimeZone(r.Context())
	if err != nil { // the report fails with the same error
		zone = p.t.TimeZone()
	}
	return linktrack.DayOf(time.Now().In(zone))
}

// reportQuery reads the query of a report.
func (p *Pages) reportQuery(r *request, given url.Values) (q linktrack.ReportQuery, err error) {
	q.By = linktrack.By(given.Get("by"))
	if days, err := strconv.Atoi(given.Get("days")); err == nil {
		q.To = p.today(r)
		q.From = q.To - linktrack.Day(min(max(days, 1), maxPreset)) + 1
		return q, nil
	}
	if q.From, err = day("from", given); err != nil {
		return q, err
	}
	q.To, err = day("to", given)
	return q, err
}

// day reads a day from the query, 0 if it has none.
func day(name string, given url.Values) (linktrack.Day, error) {
	s := given.Get(name)
	if s == "" {
		return 0, nil
	}
	at, err := time.Parse(time.DateOnly, s)
	if err != nil || linktrack.DayOf(at) < 1 {
		return 0, &linktrack.InvalidError{Param: name, Reason: "must be a day such as 2024-11-24, after 1970-01-01"}
	}
	return linktrack.DayOf(at), nil
}

// reportAt returns the address of a link's report, or of one of its files.
func (p *Pages) reportAt(l linktrack.Link, file string, values url.Values) string {
	parts := []string{"links", l.Host, l.Path, "report"}
	if file != "" {
		parts = append(parts, file)
	}
	return p.theme.to(parts...) + "?" + values.Encode()
}

func (p *Pages) preset(r *request, l linktrack.Link, q linktrack.ReportQuery, days int) view.Preset {
	values := url.Values{"days": {strconv.Itoa(days)}}
	if q.By == linktrack.ByHour && days <= 31 {
		values.Set("by", string(q.By))
	}
	today := p.today(r)
	whole := q.To == 0 && q.From == 0 && q.By != linktrack.ByHour && days == 30
	return view.Preset{
		URL:     p.reportAt(l, "", values),
		Text:    p.theme.text("report.preset", days),
		Current: whole || q.To == today && q.From == today-linktrack.Day(days)+1,
	}
}

// days returns the query parameters that select the days of a report.
func days(r linktrack.Report) url.Values {
	return url.Values{"from": {r.From.String()}, "to": {r.To.String()}, "by": {string(r.By)}}
}

func (p *Pages) downloads(l linktrack.Link, r linktrack.Report) []view.Download {
	var all []view.Download
	for _, file := range []string{"report.csv", "report.json", "history.csv", "history.json"} {
		all = append(all, view.Download{URL: p.reportAt(l, file, days(r)), Text: p.theme.text("report.download." + file)})
	}
	return all
}

// addClicks adds one page of the report's clicks, newest first.
func (p *Pages) addClicks(r *request, page *view.Report, name string, report linktrack.Report) error {
	first := max(report.From, p.today(r)-clickDays+1)
	if page.Kept = first <= report.To; !page.Kept {
		return nil
	}
	q := linktrack.HistoryQuery{
		Start: first.Start(report.TimeZone),
		End:   (report.To + 1).Start(report.TimeZone),
		Limit: clicksShown + 1,
	}
	if before, ok := linktrack.ParseClickID(r.URL.Query().Get("before")); ok {
		q.Before, page.Newest = before, p.reportAt(report.Link, "", days(report))+"#clicks"
	}
	clicks, err := p.t.History(r.Context(), r.account, name, q)
	if err != nil {
		return err
	}
	if len(clicks) > clicksShown {
		clicks = clicks[:clicksShown]
		older := days(report)
		older.Set("before", clicks[clicksShown-1].ID.String())
		page.Older = p.reportAt(report.Link, "", older) + "#clicks"
	}
	for _, c := range clicks {
		page.Clicks = append(page.Clicks, p.clickRow(c))
	}
	return nil
}

func (p *Pages) clickRow(c linktrack.Click) view.Click {
	at := c.ID.Time()
	row := view.Click{Click: c, When: at.In(p.t.TimeZone()).Format("2006-01-02 15:04:05 MST")}
	switch {
	case c.Bot:
		row.Kind = p.theme.text("report.click.bot")
	case c.Unique:
		row.Kind = p.theme.text("report.click.unique")
	default:
		row.Kind = p.theme.text("report.click.again")
	}
	row.Country = p.theme.country(c.Country)
	if c.IP.IsValid() {
		row.Address = c.IP.String()
	}
	return row
}
