package linktrack

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func zoneOf(t testing.TB, name string) *time.Location {
	zone, err := time.LoadLocation(name)
	require.NoError(t, err)
	return zone
}

func dayOf(t testing.TB, s string) Day {
	at, err := time.Parse(time.DateOnly, s)
	require.NoError(t, err)
	return DayOf(at)
}

func TestADayBeginsWhenClocksFirstShowIt(t *testing.T) {
	for _, c := range []struct {
		why, zone, day, start string
		length                time.Duration
	}{
		{"an ordinary day", "America/Chicago", "2024-11-24", "2024-11-24T00:00:00-06:00", 24 * time.Hour},
		{"clocks are put forward at two", "America/Chicago", "2024-03-10", "2024-03-10T00:00:00-06:00", 23 * time.Hour},
		{"clocks are put back at two", "America/Chicago", "2024-11-03", "2024-11-03T00:00:00-05:00", 25 * time.Hour},
		{"half an hour", "Asia/Kolkata", "2024-11-03", "2024-11-03T00:00:00+05:30", 24 * time.Hour},
		{"clocks are put forward by half an hour", "Australia/Lord_Howe", "2024-10-06", "2024-10-06T00:00:00+10:30", 23*time.Hour + 30*time.Minute},
		{"clocks are put back by half an hour", "Australia/Lord_Howe", "2024-04-07", "2024-04-07T00:00:00+11:00", 24*time.Hour + 30*time.Minute},
		{"midnight is skipped, west", "Atlantic/Azores", "2024-03-31", "2024-03-31T01:00:00Z", 23 * time.Hour},
		{"the day before that", "Atlantic/Azores", "2024-03-30", "2024-03-30T00:00:00-01:00", 24 * time.Hour},
		{"midnight is skipped, west", "America/Havana", "2024-03-10", "2024-03-10T01:00:00-04:00", 23 * time.Hour},
		{"midnight is skipped, west", "America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00", 23 * time.Hour},
		{"midnight is skipped, east", "Asia/Beirut", "2024-03-31", "2024-03-31T01:00:00+03:00", 23 * time.Hour},
		{"midnight comes twice", "America/Havana", "2024-11-03", "2024-11-03T00:00:00-04:00", 25 * time.Hour},
		{"midnight comes twice", "Atlantic/Azores", "2024-10-27", "2024-10-27T00:00:00Z", 25 * time.Hour},
		{"the hour before midnight comes twice", "America/Sao_Paulo", "2018-02-17", "2018-02-17T00:00:00-02:00", 25 * time.Hour},
		{"a day that was left out", "Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00", 0},
		{"the day before it", "Pacific/Apia", "2011-12-29", "2011-12-29T00:00:00-10:00", 24 * time.Hour},
		{"before 1970", "America/Chicago", "1969-12-31", "1969-12-31T00:00:00-06:00", 24 * time.Hour},
	} {
		zone, day := zoneOf(t, c.zone), dayOf(t, c.day)
		require.Equal(t, c.start, day.Start(zone).Format(time.RFC3339), "%s: %s %s", c.why, c.zone, c.day)
		require.Equal(t, c.length, (day + 1).Start(zone).Sub(day.Start(zone)), "%s: %s %s", c.why, c.zone, c.day)
		require.Equal(t, c.day, day.String())
	}
}

func TestEachMomentIsInItsDay(t *testing.T) {
	for _, name := range []string{"UTC", "America/Chicago", "Asia/Kolkata", "Australia/Lord_Howe", "Atlantic/Azores", "America/Havana", "America/Santiago", "Asia/Beirut", "Pacific/Apia"} {
		zone := zoneOf(t, name)
		var day Day
		var start, end time.Time
		for at := time.Date(2011, 1, 1, 0, 0, 0, 0, zone); at.Year() < 2026; at = at.Add(29 * time.Minute) {
			if d := DayOf(at); d != day {
				day, start, end = d, d.Start(zone), (d + 1).Start(zone)
			}
			if at.Before(start) || !at.Before(end) {
				t.Fatalf("%v is not in the day %v, which begins %v", at, day, start)
			}
		}
	}
}

func clickOn(at time.Time, referrerHost string) *Click {
	return &Click{ID: NewClickID(at), ReferrerHost: referrerHost, Browser: "Firefox", Platform: "Linux", Country: "US"}
}

func TestHoursAreCountedFromTheStartOfTheDay(t *testing.T) {
	for _, c := range []struct {
		zone, day string
		hours     int
	}{
		{"America/Chicago", "2024-11-24", 24},
		{"America/Chicago", "2024-03-10", 23},
		{"America/Chicago", "2024-11-03", 25},
		{"Asia/Kolkata", "2024-11-03", 24},
		{"Atlantic/Azores", "2024-03-31", 23},
		{"Atlantic/Azores", "2024-10-27", 25},
		{"America/Havana", "2024-11-03", 25},
	} {
		zone, day := zoneOf(t, c.zone), dayOf(t, c.day)
		r := Rollup{Day: day}
		want := make(map[int]Counters)
		for hour := range c.hours {
			for n := range hour + 1 {
				at := day.Start(zone).Add(time.Duration(hour)*time.Hour + time.Duration(n)*time.Minute)
				require.Equal(t, day, DayOf(at.In(zone)))
				add(&r, clickOn(at, ""), zone)
			}
			want[hour] = Counters{People: int64(hour + 1)}
		}
		require.Equal(t, want, r.Hours, "%s %s", c.zone, c.day)
	}
}

func TestARollUpIsTheSameWhateverTheOrder(t *testing.T) {
	day := dayOf(t, "2024-11-24")
	var parts []Rollup
	total := int64(0)
	for p := range 3 {
		r := Rollup{Day: day}
		for i := range 2 * maxTop { // as many as there are before the first cut; the parts share some
			host := fmt.Sprintf("h%03d.example", p*60+i)
			for range 1 + (p*60+i)%17 {
				add(&r, clickOn(day.Start(time.UTC), host), time.UTC)
				total++
			}
		}
		parts = append(parts, r)
	}
	merge := func(a, b Rollup) string {
		r := Rollup{Day: day}
		r.addAll(a)
		r.Merge(b)
		require.LessOrEqual(t, len(r.Referrers.Top), maxTop)
		require.Equal(t, a.People+b.People, sumOf(r.Referrers))
		j, err := json.Marshal(r)
		require.NoError(t, err)
		return string(j)
	}
	want := merge(parts[0], parts[1])
	for range 50 { // a map comes in another order each time
		require.Equal(t, want, merge(parts[0], parts[1]))
		require.Equal(t, want, merge(parts[1], parts[0]))
	}
	all := Rollup{Day: day}
	for _, p := range parts {
		all.Merge(p)
	}
	require.Equal(t, total, sumOf(all.Referrers), "the sum is right, whatever was cut")
}

func sumOf(t Tally) int64 {
	n := t.Other
	for _, c := range t.Top {
		n += c
	}
	return n
}

func TestMergeSharesNothingAndLeavesTheOtherAsItIs(t *testing.T) {
	day := dayOf(t, "2024-11-24")
	var one Rollup
	one.Day = day
	add(&one, clickOn(day.Start(time.UTC), "a.example"), time.UTC)
	one.Values = map[string]int64{"EUR": 12_5000}
	before, err := json.Marshal(one)
	require.NoError(t, err)
	copied := Rollup{Day: day}
	copied.Merge(one)
	again, err := json.Marshal(copied)
	require.NoError(t, err)
	require.JSONEq(t, string(before), string(again), "a roll-up merged into an empty one is a copy of it")
	add(&copied, clickOn(day.Start(time.UTC), "a.example"), time.UTC)
	copied.Values["EUR"] = 0
	after, err := json.Marshal(one)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))

	next := Rollup{Day: day + 1}
	next.Merge(one)
	require.Equal(t, one.Counters, next.Counters)
	require.Empty(t, next.Hours, "the hours of another day are no hours of this one")
}

func TestTheFormOfARollUpInJSONStays(t *testing.T) {
	r := Rollup{
		Day:       5,
		Counters:  Counters{People: 3, Unique: 2, Bots: 1, Conversions: 1},
		Hours:     map[int]Counters{10: {People: 1}, 2: {People: 2, Unique: 2, Bots: 1, Conversions: 1}},
		Values:    map[string]int64{"USD": 1, "EUR": 12_3456},
		Referrers: Tally{Top: map[string]int64{"": 1, "b.example": 2}, Other: 4},
		Browsers:  Tally{Top: map[string]int64{"Firefox": 3}},
		Platforms: Tally{Other: 3},
	}
	const form = `{"p":3,"u":2,"b":1,"c":1,"h":{"10":{"p":1},"2":{"p":2,"u":2,"b":1,"c":1}},"v":{"EUR":123456,"USD":1},` +
		`"r":{"t":{"":1,"b.example":2},"o":4},"br":{"t":{"Firefox":3}},"pl":{"o":3}}`
	b, err := json.Marshal(r)
	require.NoError(t, err)
	require.Equal(t, form, string(b))
	read := Rollup{Day: 5}
	require.NoError(t, json.Unmarshal([]byte(form), &read))
	require.Equal(t, r, read, "what was written is read again")
	b, err = json.Marshal(Rollup{Day: 5})
	require.NoError(t, err)
	require.Equal(t, `{}`, string(b))
}

func TestARollUpIsBoundedInJSON(t *testing.T) {
	day := dayOf(t, "2024-11-24")
	r := Rollup{Day: day}
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 5000 {
		c := clickOn(day.Start(time.UTC), "")
		for _, s := range []*string{&c.ReferrerHost, &c.Browser, &c.Platform} {
			*s = fmt.Sprintf("%06d%s", random.IntN(1e6), strings.Repeat("\x01", 249)) // the longest that JSON makes of 255 characters
		}
		c.Country = fmt.Sprintf("%02d", i%100)
		add(&r, c, time.UTC)
	}
	require.LessOrEqual(t, len(r.Referrers.Top), 2*maxTop)
	b, err := json.Marshal(r)
	require.NoError(t, err)
	require.Less(t, len(b), 512<<10)
	require.LessOrEqual(t, len(r.Referrers.Top), 2*maxTop, "to write it changes nothing")
	var read Rollup
	require.NoError(t, json.Unmarshal(b, &read))
	for _, tally := range read.tallies() {
		require.LessOrEqual(t, len(tally.Top), maxTop)
		require.EqualValues(t, 5000, sumOf(*tally), "the sum is right, whatever was cut")
	}
}

func TestValuesThatAreNotUTF8AreNotLost(t *testing.T) {
	day := dayOf(t, "2024-11-24")
	r := Rollup{Day: day}
	for _, host := range []string{"a\xff", "a\xfe", "a\uFFFD"} {
		add(&r, clickOn(day.Start(time.UTC), host), time.UTC)
	}
	b, err := json.Marshal(r)
	require.NoError(t, err)
	read := Rollup{Day: day}
	require.NoError(t, json.Unmarshal(b, &read))
	require.Equal(t, r, read)
	require.Equal(t, map[string]int64{"a\uFFFD": 3}, read.Referrers.Top)
}

// add counts a click as a store does.
func add(r *Rollup, c *Click, zone *time.Location) {
	_, hour := DayAndHour(c.ID.Time(), zone)
	r.AddClick(c, hour)
}
