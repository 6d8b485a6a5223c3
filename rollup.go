package linktrack

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Day is a calendar day in the service's zone, as the number of days from
// 1970-01-01.
type Day int32

// DayOf returns the day that a clock in t's location shows.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Start returns when the day begins in a zone: the first moment when clocks there
// show that day. That is 01:00 if clocks skip midnight, and the earlier midnight if
// they show it twice. A day that the zone skipped begins when the next one does.
func (d Day) Start(zone *time.Location) time.Time {
	y, m, day := time.Unix(int64(d)*86400, 0).UTC().Date()
	at := time.Date(y, m, day, 0, 0, 0, 0, zone)
	if DayOf(at) < d { // clocks skip midnight, and Date returned the hour before
		_, at = at.ZoneBounds()
	}
	change, _ := at.ZoneBounds()
	if change.IsZero() {
		return at
	}
	switch last := change.Add(-1); {
	case DayOf(last) >= d: // the day had begun before clocks were set back
		_, offset := last.Zone()
		return time.Unix(int64(d)*86400-int64(offset), 0).In(zone)
	case DayOf(change) == d && change.Before(at): // clocks skip midnight, and Date returned a time that is an hour too late
		return change
	}
	return at
}

// String returns the day as 2006-01-02.
func (d Day) String() string { return d.Start(time.UTC).Format(time.DateOnly) }

// Counters are the counts of some time.
type Counters struct {
	People      int64 `json:"p,omitzero"` // clicks
	Unique      int64 `json:"u,omitzero"` // clicks of people who are new visitors
	Bots        int64 `json:"b,omitzero"` // clicks
	Conversions int64 `json:"c,omitzero"`
}

func (s *Counters) add(o Counters) {
	s.People += o.People
	s.Unique += o.Unique
	s.Bots += o.Bots
	s.Conversions += o.Conversions
}

// A Rollup has the counts of a link on one day. Its size is bounded: it has at most
// 100 values of each property. Stores keep it as JSON, whose form does not change.
type Rollup struct {
	Day      Day              `json:"-"`
	Counters                  // of the whole day
	Hours    map[int]Counters `json:"h,omitempty"` // by hours since the day's start, from 0 to 22, 23 or 24

	// Values are the sums of the conversions' values by currency, in
	// ten-thousandths of its unit. A sum beyond the range of int64 wraps around to
	// negative numbers, so that RemoveConversion can subtract exactly what
	// AddConversion added, also for forged values. A [Report] does not show wrapped
	// sums.
	Values map[string]int64 `json:"v,omitempty"`

	// People's clicks by property; the value "" means none or not known
	Referrers Tally `json:"r,omitzero"` // by host
	Browsers  Tally `json:"br,omitzero"`
	Platforms Tally `json:"pl,omitzero"`
	Countries Tally `json:"co,omitzero"`
}

const maxTop = 100 // values of a property

// A Tally counts clicks by value. When there are more than 100 values, the
// rarest are added to Other; a value that comes again after that starts at zero. So the
// sum is always exact, and each value is exact if there are at most 100 of them. A click
// that is taken back ([Reclassify]) is taken from its value, or from Other if the value is
// not there any more.
type Tally struct {
	Top   map[string]int64 `json:"t,omitempty"`
	Other int64            `json:"o,omitzero"`
}

// IsZero reports whether nothing was counted.
func (t Tally) IsZero() bool { return len(t.Top) == 0 && t.Other == 0 }

// count adds n clicks. It copies the value, which may be a part of a request, because
// a tally lives long. Bytes that are not UTF-8 are replaced, as JSON would do, so that
// no two values become one key there.
func (t *Tally) count(value string, n int64) {
	value = strings.ToValidUTF8(value, "\uFFFD")
	t.add(strings.Clone(value), n) // also for a known value, because a map takes the new key
}

func (t *Tally) add(value string, n int64) {
	if t.Top == nil {
		t.Top = make(map[string]int64)
	}
	t.Top[value] += n
}

// takesBack reports whether the tally has negative numbers.
func (t *Tally) takesBack() bool {
	for _, n := range t.Top {
		if n < 0 {
			return true
		}
	}
	return false
}

// settle takes clicks that were subtracted from a value, and that the value does not have,
// from Other, to which they were moved. If Other does not have them either, because the
// click has lost its value since it was counted, settle takes them from the rarest values.
func (t *Tally) settle() {
	for value, n := range t.Top {
		if n <= 0 {
			t.Other += n
			delete(t.Top, value)
		}
	}
	if t.Other >= 0 {
		return
	}
	for _, v := range slices.Backward(t.ranking()) {
		n := min(v.Clicks, -t.Other)
		t.Other += n
		if t.Top[v.Value] -= n; t.Top[v.Value] > 0 {
			return
		}
		delete(t.Top, v.Value)
	}
}

// limit moves all but the most frequent maxTop values to Other.
func (t *Tally) limit() {
	if len(t.Top) <= maxTop {
		return
	}
	for _, v := range t.ranking()[maxTop:] {
		t.Other += v.Clicks
		delete(t.Top, v.Value)
	}
}

// Values returns the values, the most frequent first.
func (t Tally) Values() []string {
	values := make([]string, 0, len(t.Top))
	for _, v := range t.ranking() {
		values = append(values, v.Value)
	}
	return values
}

// ranking returns the values with their clicks, the most frequent first, equal ones
// in the order of the values.
func (t Tally) ranking() []ValueClicks {
	all := make([]ValueClicks, 0, len(t.Top))
	for value, clicks := range t.Top {
		all = append(all, ValueClicks{value, clicks})
	}
	slices.SortFunc(all, func(x, y ValueClicks) int {
		if x.Clicks != y.Clicks {
			return cmp.Compare(y.Clicks, x.Clicks)
		}
		return strings.Compare(x.Value, y.Value)
	})
	return all
}

// addAll adds another tally without limiting the number of values yet, so that the
// result does not depend on the order in which a map is read.
func (t *Tally) addAll(o Tally) {
	for value, n := range o.Top {
		if n != 0 {
			t.add(value, n)
		}
	}
	t.Other += o.Other
}

// DayAndHour returns the day that a time belongs to in a zone, nil for UTC, and
// the hour of the day as Rollup.Hours counts.
func DayAndHour(t time.Time, zone *time.Location) (Day, int) {
	if zone == nil {
		zone = time.UTC
	}
	day := DayOf(t.In(zone))
	return day, int(t.Sub(day.Start(zone)) / time.Hour)
}

// AddClick counts a click of that hour of the day, see [DayAndHour].
func (r *Rollup) AddClick(c *Click, hour int) {
	r.countClick(c, hour, 1)
	r.limitSometimes()
}

// limitSometimes limits the number of values, but not each time, because that sorts.
func (r *Rollup) limitSometimes() {
	for _, t := range r.tallies() {
		if len(t.Top) > 2*maxTop {
			t.limit()
		}
	}
}

// countClick counts a click n times. It does not limit the number of values.
func (r *Rollup) countClick(c *Click, hour int, n int64) {
	r.addSums(c.counters(n), hour)
	if c.Bot {
		return
	}
	r.Referrers.count(c.ReferrerHost, n)
	r.Browsers.count(c.Browser, n)
	r.Platforms.count(c.Platform, n)
	r.Countries.count(c.Country, n)
}

// AddConversion counts a conversion of that hour of the day, see [DayAndHour].
func (r *Rollup) AddConversion(c *Conversion, hour int) {
	r.addSums(Counters{Conversions: 1}, hour)
	if c.Currency != "" {
		r.addValue(c.Currency, int64(c.Value))
	}
}

// RemoveConversion reverses AddConversion for the same hour.
func (r *Rollup) RemoveConversion(c *Conversion, hour int) {
	r.addSums(Counters{Conversions: -1}, hour)
	if c.Currency != "" {
		r.addValue(c.Currency, -int64(c.Value))
	}
}

// Trim removes Values if all conversions were removed, and reports whether the
// roll-up counts anything. Stores trim the roll-ups that they return, and leave
// out empty ones.
func (r *Rollup) Trim() bool {
	if r.Conversions == 0 {
		r.Values = nil
	}
	return r.Counters != Counters{}
}

// addValue adds to the sum of a currency. Additions that were subtracted again leave
// no trace, in whatever order they came.
func (r *Rollup) addValue(currency string, value int64) {
	if r.Values == nil {
		r.Values = make(map[string]int64)
	}
	currency = strings.Clone(currency) // it may be a part of a request
	sum := r.Values[currency] + value  // may wrap around, see Values
	if r.Values[currency] = sum; sum == 0 && value != 0 {
		delete(r.Values, currency)
	}
}

func (r *Rollup) addSums(s Counters, hour int) {
	r.add(s)
	r.addHour(s, hour)
}

func (r *Rollup) addHour(s Counters, hour int) {
	if r.Hours == nil {
		r.Hours = make(map[int]Counters)
	}
	sum := r.Hours[hour]
	sum.add(s)
	if r.Hours[hour] = sum; sum == (Counters{}) {
		delete(r.Hours, hour)
	}
}

// Merge adds the counts of another roll-up, without sharing memory with it. Hours are
// added only if both roll-ups are of the same day. The counts of o may be negative, see
// [Reclassify]. Then r must be what is kept, which has counted what o takes back.
func (r *Rollup) Merge(o Rollup) {
	r.addAll(o)
	of := o.tallies()
	for i, t := range r.tallies() {
		if of[i].takesBack() {
			t.settle()
		}
		t.limit()
	}
}

func (r *Rollup) tallies() [4]*Tally {
	return [...]*Tally{&r.Referrers, &r.Browsers, &r.Platforms, &r.Countries}
}

// addAll is Merge without limiting the number of values: a value that is frequent over
// many days may be among the rarest on one of them.
func (r *Rollup) addAll(o Rollup) {
	r.add(o.Counters)
	for hour, s := range o.Hours {
		if r.Day != o.Day {
			break
		}
		r.addHour(s, hour)
	}
	for currency, v := range o.Values {
		r.addValue(currency, v)
	}
	r.Referrers.addAll(o.Referrers)
	r.Browsers.addAll(o.Browsers)
	r.Platforms.addAll(o.Platforms)
	r.Countries.addAll(o.Countries)
}

// MarshalJSON writes the roll-up without its day, with at most 100 values of each
// property.
func (r Rollup) MarshalJSON() ([]byte, error) {
	for _, t := range r.tallies() {
		if len(t.Top) > maxTop {
			t.Top = maps.Clone(t.Top)
			t.limit()
		}
	}
	type plain Rollup
	return json.Marshal(plain(r))
}
