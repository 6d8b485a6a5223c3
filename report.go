package linktrack

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack/internal/weburl"
)

// A ReportQuery says which report [Tracker.Report] returns. The zero value is the last
// 30 days by day.
type ReportQuery struct {
	From Day // inclusive; zero: 29 days before To, or To if By is ByHour
	To   Day // inclusive; zero: today in [Tracker.DayTimeZone]; not before From
	By   By  // "": ByDay
}

// By is the length of a [Period].
type By string

const (
	ByDay  By = "day"  // for at most 400 days
	ByHour By = "hour" // for at most 31 days
)

const (
	reportDays    = 30
	maxReportDays = 400
	maxHourlyDays = 31
)

// A Report has the counts of a link on some days.
type Report struct {
	Link Link   // as it is now; in a public report, what the public may know of it
	URL  string // the tracking link

	From, To Day // inclusive
	By       By
	TimeZone *time.Location // of the days, see [Tracker.DayTimeZone]
	Periods  []Period       // all periods from From to To, in order, including those without counts
	Total    Counters       // of Periods

	// Values are the sums of the conversions' values, by currency. A sum above the
	// largest Amount is shown as that; it takes at least 922 forged conversions on
	// one day. nil: no value is known, or the report is public and the link does not
	// have HasPublicRevenue.
	Values map[string]Amount

	// People's clicks by property; the value "" means none or not known
	Referrers Breakdown // by host
	Browsers  Breakdown
	Platforms Breakdown
	Countries Breakdown
}

// A Period is a day or an hour with its counts. When clocks are changed, a day has 23
// or 25 hours, and one time of day may come twice.
type Period struct {
	Start time.Time // in Report.TimeZone
	Counters
}

// A Breakdown has clicks by value, of at most 100 values. The sum with Other is
// exact; see [Tally] for the values.
type Breakdown struct {
	Top   []ValueClicks // the most frequent first, equal ones in the order of the values
	Other int64         // clicks with other values
}

// ValueClicks says how many clicks had a value.
type ValueClicks struct {
	Value  string
	Clicks int64
}

// ConversionRate returns the number of conversions for each click of people, 0 without
// clicks. It may be above 1, because a conversion counts on its own day, not on that
// of its click.
func (r Report) ConversionRate() float64 {
	if r.Total.People == 0 {
		return 0
	}
	return float64(r.Total.Conversions) / float64(r.Total.People)
}

// Report returns the counts of a link of the account; name is as in [Tracker.Link]. It
// reads sums by day, never the history. The errors: an [*InvalidError],
// [ErrNotFound], [ErrUnavailable].
func (t *Tracker) Report(ctx context.Context, a Account, name string, q ReportQuery) (Report, error) {
	zone, err := t.days.current(ctx)
	if err != nil {
		return Report{}, err
	}
	q, err = q.complete(DayOf(time.Now().In(zone)))
	if err != nil {
		return Report{}, err
	}
	l, err := t.Link(ctx, a, name)
	if err != nil {
		return Report{}, err
	}
	return t.report(ctx, l, q, zone)
}

// complete fills in defaults and checks the bounds.
func (q ReportQuery) complete(today Day) (ReportQuery, error) {
	most := maxReportDays
	switch q.By {
	case "", ByDay:
		q.By = ByDay
	case ByHour:
		most = maxHourlyDays
	default:
		return q, invalid("by", "must be day or hour")
	}
	if q.To == 0 {
		q.To = today
	}
	if q.From == 0 {
		q.From = q.To
		if q.By == ByDay {
			q.From -= reportDays - 1
		}
	}
	switch {
	case q.From < 0 || q.To > lastDay: // dates outside the calendar
		return q, invalid("from", "and to must be days from 1970 to 9999")
	case q.To < q.From:
		return q, invalid("to", "must not be before from")
	case int(q.To-q.From) >= most:
		return q, invalid("from", "and to must span at most %d days by %s", most, q.By)
	}
	return q, nil
}

const lastDay Day = 2932896 // 9999-12-31

func (t *Tracker) report(ctx context.Context, l Link, q ReportQuery, zone *time.Location) (Report, error) {
	days, err := t.store.Rollups(ctx, RollupOf{Link: l.ID}, q.From, q.To)
	if err != nil {
		return Report{}, unavailable(err)
	}
	r := Report{Link: l, URL: t.TrackingURL(l), From: q.From, To: q.To, By: q.By, TimeZone: zone}
	var all Rollup
	for day := q.From; day <= q.To; day++ {
		first := len(r.Periods)
		r.addPeriods(day)
		for len(days) > 0 && days[0].Day == day {
			all.addAll(days[0])
			r.Values = addValues(r.Values, days[0].Values)
			days[0].spread(r.Periods[first:])
			days = days[1:]
		}
	}
	r.Total = all.Counters
	for i, b := range []*Breakdown{&r.Referrers, &r.Browsers, &r.Platforms, &r.Countries} {
		*b = all.tallies()[i].breakdown()
	}
	return r, nil
}

// addPeriods adds the periods of a day, at least one.
func (r *Report) addPeriods(day Day) {
	start, end := day.Start(r.TimeZone), (day + 1).Start(r.TimeZone)
	r.Periods = append(r.Periods, Period{Start: start})
	if r.By == ByHour {
		for start = start.Add(time.Hour); start.Before(end); start = start.Add(time.Hour) {
			r.Periods = append(r.Periods, Period{Start: start})
		}
	}
}

// spread adds the counts of the day to its period, or the counts of each hour to the
// period of that hour. Counts of an hour that the day does not have, because they were
// counted in another zone, go to the last period.
func (r *Rollup) spread(periods []Period) {
	if len(periods) == 1 {
		periods[0].add(r.Counters)
		return
	}
	for hour, s := range r.Hours {
		periods[min(max(hour, 0), len(periods)-1)].add(s)
	}
}

func (t Tally) breakdown() Breakdown {
	all := t.ranking()
	b := Breakdown{Top: slices.Clone(all[:min(len(all), maxTop)]), Other: t.Other}
	for _, v := range all[len(b.Top):] {
		b.Other += v.Clicks
	}
	return b
}

// where moves the values that are not shown to Other. The value "" stays.
func (b Breakdown) where(isPublic func(value string) bool) Breakdown {
	public := Breakdown{Other: b.Other}
	for _, v := range b.Top {
		if v.Value != "" && !isPublic(v.Value) {
			public.Other += v.Clicks
			continue
		}
		public.Top = append(public.Top, v)
	}
	return public
}

// isPublicHost reports whether a referrer's host may be shown to anyone: it is a
// complete domain name, neither an address nor a name in a private network. Clicks that
// former versions recorded have any text that stood in the header.
func isPublicHost(s string) bool {
	host, err := weburl.Host(s)
	return err == nil && host == s && strings.Contains(s, ".") && !weburl.IsIP(s) && !slices.Contains(privateZones, s[strings.LastIndexByte(s, '.')+1:])
}

// privateZones are the top-level domains of names that are valid only in one network,
// on one machine, or in one program. Sources: the registry of
// special-use domain names (https://www.iana.org/assignments/special-use-domain-names,
// of RFC 6761, 6762, 7686, 8375 and 9476), appendix G of RFC 6762, and ICANN's
// resolutions on .internal (2024-07-29) and on .corp, .home and .mail
// (2018-02-04). The names in .arpa are addresses, and home.arpa.
var privateZones = []string{
	"alt", "arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localdomain", "localhost", "mail", "onion", "private", "test",
}

// LastDay returns, for each of the links, its counts in each hour that Counts.Day has:
// from the hour 24 hours ago up to the current one. The links are the account's, as
// [Tracker.Links] returned them. A link with a Counts.Day of 0, or of another account,
// gets nil. For each other link, LastDay reads sums from the store once. The error is
// an [ErrUnavailable].
func (t *Tracker) LastDay(ctx context.Context, a Account, links []Link) ([][]Period, error) {
	if err := a.refuseAnonymous(); err != nil {
		return nil, err
	}
	at := now()
	hours := make([][]Period, len(links))
	errs := make(chan error, len(links))
	free := make(chan struct{}, maxLastDay)
	var reads sync.WaitGroup
	for i, l := range links {
		if l.Counts.Day == 0 || l.Account != a.ID {
			continue
		}
		free <- struct{}{}
		reads.Go(func() {
			defer func() { <-free }()
			var err error
			if hours[i], err = t.lastDay(ctx, l, at); err != nil {
				errs <- err
			}
		})
	}
	reads.Wait()
	select {
	case err := <-errs:
		return nil, err
	default:
		return hours, nil
	}
}

const maxLastDay = 4 // reads at a time, so that one list does not occupy the store

func (t *Tracker) lastDay(ctx context.Context, l Link, at time.Time) ([]Period, error) {
	since := daySince(at)
	zone, err := t.days.current(ctx)
	if err != nil {
		return nil, err
	}
	r, err := t.report(ctx, l, ReportQuery{From: DayOf(since.In(zone)), To: DayOf(at.In(zone)), By: ByHour}, zone)
	if err != nil {
		return nil, err
	}
	hours := r.Periods
	for len(hours) > 1 && !hours[1].Start.After(since) {
		hours = hours[1:]
	}
	for len(hours) > 1 && hours[len(hours)-1].Start.After(at) {
		hours = hours[:len(hours)-1]
	}
	return hours, nil
}
