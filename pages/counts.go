package pages

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

// maxShown is the number of a property's values that are always visible. The user
// has to open the list of the others.
const maxShown = 10

// counts returns what a page shows of a report. converts says whether the link
// tracks conversions.
func (t *theme) counts(r linktrack.Report, converts bool) *view.Counts {
	c := &view.Counts{
		Days:     t.text("report.days", r.From, r.To, zoneName(r)),
		Counted:  r.Total != linktrack.Counters{},
		Converts: converts || r.Total.Conversions > 0 || len(r.Values) > 0,
		By:       t.text("report.by." + string(r.By)),
	}
	c.Totals = t.totals(r, c.Converts)
	if !c.Counted {
		return c
	}
	c.Chart = t.chart(r)
	for _, p := range r.Periods {
		c.Periods = append(c.Periods, view.Period{Name: periodName(r, p), Period: p})
	}
	for _, b := range []struct {
		name string
		linktrack.Breakdown
	}{
		{"referrers", r.Referrers},
		{"browsers", r.Browsers},
		{"platforms", r.Platforms},
		{"countries", r.Countries},
	} {
		if b.name == "countries" && unknown(b.Breakdown) {
			continue // without a Locator, no click has a country
		}
		if d := t.breakdown(b.name, b.Breakdown); len(d.Rows) > 0 || d.Other != nil {
			c.Breakdowns = append(c.Breakdowns, d)
		}
	}
	return c
}

// unknown reports whether no click of a breakdown has a value.
func unknown(b linktrack.Breakdown) bool {
	return b.Other == 0 && !slices.ContainsFunc(b.Top, func(v linktrack.ValueClicks) bool { return v.Value != "" })
}

// zoneName returns the zone's abbreviation at the start of the report, and also
// the one at its end if it differs: CST/CDT.
func zoneName(r linktrack.Report) string {
	first := r.From.Start(r.TimeZone).Format("MST")
	if last := r.To.Start(r.TimeZone).Format("MST"); last != first {
		return first + "/" + last
	}
	return first
}

func (t *theme) totals(r linktrack.Report, converts bool) []view.Total {
	all := []view.Total{
		{Name: t.text("report.people"), Value: count(r.Total.People)},
		{Name: t.text("report.unique"), Value: count(r.Total.Unique)},
		{Name: t.text("report.bots"), Value: count(r.Total.Bots)},
	}
	if !converts {
		return all
	}
	conversions := view.Total{Name: t.text("report.conversions"), Value: count(r.Total.Conversions)}
	if r.Total.People > 0 {
		conversions.Note = t.text("report.rate", t.percent(r.ConversionRate()))
	}
	all = append(all, conversions)
	for _, currency := range slices.Sorted(maps.Keys(r.Values)) {
		all = append(all, view.Total{Name: t.text("report.value", currency), Value: money(linktrack.Amount(r.Values[currency]))})
	}
	return all
}

func (t *theme) breakdown(name string, b linktrack.Breakdown) view.Breakdown {
	sum := float64(b.Other)
	for _, v := range b.Top {
		sum += float64(v.Clicks)
	}
	part := func(value string, clicks int64) view.Share {
		s := view.Share{Value: value, Clicks: clicks}
		if sum > 0 {
			ratio := float64(clicks) / sum
			s.Width, s.Percent = int(math.Ceil(ratio*1000)), t.percent(ratio)
		}
		return s
	}
	d := view.Breakdown{Title: t.text("report." + name), Unknown: t.text("report." + name + ".none")}
	for i, v := range b.Top {
		if name == "countries" {
			v.Value = t.country(v.Value)
		}
		if s := part(v.Value, v.Clicks); i < maxShown {
			d.Rows = append(d.Rows, s)
		} else {
			d.More = append(d.More, s)
		}
	}
	if b.Other > 0 {
		other := part("", b.Other)
		d.Other = &other
	}
	return d
}

// percent returns a ratio as a text such as 12.5%.
func (t *theme) percent(ratio float64) string { return t.text("report.percent", ratio*100) }

// money returns an amount as a text with thin spaces between its thousands. It
// has no decimals, or at least two.
func money(a linktrack.Amount) string {
	_, decimals, point := strings.Cut(a.String(), ".")
	whole := count(int64(a) / 10_000)
	switch {
	case !point:
		return whole
	case len(decimals) == 1:
		decimals += "0"
	}
	return whole + "." + decimals
}
