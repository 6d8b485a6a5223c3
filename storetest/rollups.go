package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	require.NoError(t, err)
	return z
}

func rolled(t *testing.T, s linktrack.Store, link int64, first, last linktrack.Day) []linktrack.Rollup {
	t.Helper()
	found, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: link}, first, last)
	require.NoError(t, err, "a query for roll-ups has no errors of its own, even if nothing matches")
	return found
}

// everyRollup returns all that the link has.
func everyRollup(t *testing.T, s linktrack.Store, link int64) []linktrack.Rollup {
	t.Helper()
	return rolled(t, s, link, 0, 1<<30)
}

// rollUp adds up clicks the plain way, by the day that clocks in the zone show,
// and by its hours from the first moment of the day on.
func rollUp(clicks []linktrack.Click, z *time.Location) []linktrack.Rollup {
	days := map[string]*linktrack.Rollup{}
	count := func(t *linktrack.Tally, value string) {
		if t.Top == nil {
			t.Top = map[string]int64{}
		}
		t.Top[value]++
	}
	for _, k := range clicks {
		at := k.ID.Time().In(z)
		name := at.Format(time.DateOnly)
		r := days[name]
		if r == nil {
			date, _ := time.Parse(time.DateOnly, name)
			r = &linktrack.Rollup{Day: linktrack.Day(date.Unix() / 86400), Hours: map[int]linktrack.Counters{}}
			days[name] = r
		}
		hour := 0
		for back := at.Add(-time.Hour); back.Format(time.DateOnly) == name; back = back.Add(-time.Hour) {
			hour++
		}
		h := r.Hours[hour]
		switch {
		case k.Bot:
			r.Bots++
			h.Bots++
		case k.Unique:
			r.Unique++
			h.Unique++
			fallthrough
		default:
			r.People++
			h.People++
			count(&r.Referrers, k.ReferrerHost)
			count(&r.Browsers, k.Browser)
			count(&r.Platforms, k.Platform)
			count(&r.Countries, k.Country)
		}
		r.Hours[hour] = h
	}
	var sorted []linktrack.Rollup
	for _, r := range days {
		sorted = append(sorted, *r)
	}
	slices.SortFunc(sorted, func(a, b linktrack.Rollup) int { return int(a.Day - b.Day) })
	return sorted
}

// asText writes roll-ups a day to a line, nil and empty alike.
func asText(t *testing.T, rollups []linktrack.Rollup) string {
	t.Helper()
	var b strings.Builder
	for _, r := range rollups {
		j, err := json.Marshal(r)
		require.NoError(t, err)
		fmt.Fprintf(&b, "%v %s\n", r.Day, j)
	}
	return b.String()
}

// someClicks returns n clicks of all sorts at random times within the days.
func someClicks(random *rand.Rand, link int64, n int, from time.Time, days int) []linktrack.Click {
	clicks := make([]linktrack.Click, n)
	for i := range clicks {
		at := from.Add(time.Duration(random.Int64N(int64(days) * int64(24*time.Hour)))).Truncate(time.Microsecond)
		clicks[i] = person(link, at)
		clicks[i].Unique = random.IntN(3) == 0
		clicks[i].ReferrerHost = []string{"", "a.example", "b.example", "xn--bcher-kva.example"}[random.IntN(4)]
		clicks[i].Browser = []string{"", "Firefox", "Safari"}[random.IntN(3)]
		clicks[i].Platform = []string{"Linux", "iOS"}[random.IntN(2)]
		if random.IntN(5) == 0 {
			clicks[i] = bot(link, at)
		}
	}
	return clicks
}

// requireRollups checks a link's roll-ups against its history.
func requireRollups(t *testing.T, s linktrack.Store, link int64, z *time.Location, why string) {
	t.Helper()
	require.Equal(t, asText(t, rollUp(recorded(t, s, link), z)), asText(t, everyRollup(t, s, link)), "the roll-ups are what the history adds up to: %s", why)
}

const maxTop = 100 // values of a property that a tally keeps

func sumOf(t linktrack.Tally) int64 {
	n := t.Other
	for _, clicks := range t.Top {
		n += clicks
	}
	return n
}

var rollups = []rule{
	{"roll-ups are the sums of the history by day, hour and property", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 3)
		random := rand.New(rand.NewPCG(1, 2))
		chicago := zone(t, "America/Chicago")
		source := newSource()
		for seq := range 20 { // around the night in which clocks are put back, and the one in which they are put forward
			var b []linktrack.Click
			for _, l := range made {
				b = append(b, someClicks(random, l.ID, 40, time.Date(2024, 11, 1, 5, 0, 0, 0, time.UTC), 4)...)
				b = append(b, someClicks(random, l.ID, 10, time.Date(2024, 3, 9, 6, 0, 0, 0, time.UTC), 3)...)
			}
			sendIn(t, s, chicago, linktrack.Batch{Source: source, Seq: int64(seq + 1), Clicks: b})
			if seq%7 == 3 {
				apply(t, s, time.UTC)
			}
		}
		for _, l := range made {
			requireRollups(t, s, l.ID, chicago, "after some calls of ApplyClicks")
		}
		apply(t, s, time.UTC)
		apply(t, s, time.UTC)
		for _, l := range made {
			requireRollups(t, s, l.ID, chicago, "after all of them")
		}
		day := linktrack.DayOf(time.Date(2024, 11, 3, 0, 0, 0, 0, time.UTC))
		r := rolled(t, s, made[0].ID, day, day)
		require.Len(t, r, 1, "people clicked on that day")
		require.Contains(t, r[0].Hours, 24, "a day on which clocks are put back has 25 hours")
	}},
	{"days are those of the batch's zone", func(t *testing.T, s linktrack.Store) {
		for i, c := range []struct {
			zone string
			from time.Time
			why  string
		}{
			{"Asia/Kolkata", time.Date(2024, 11, 1, 0, 0, 0, 0, time.UTC), "half an hour"},
			{"Australia/Lord_Howe", time.Date(2024, 10, 4, 0, 0, 0, 0, time.UTC), "clocks are put forward by half an hour"},
			{"Atlantic/Azores", time.Date(2024, 3, 29, 0, 0, 0, 0, time.UTC), "midnight is skipped"},
			{"America/Havana", time.Date(2024, 11, 1, 0, 0, 0, 0, time.UTC), "midnight comes twice"},
			{"Pacific/Kiritimati", time.Date(2024, 11, 1, 0, 0, 0, 0, time.UTC), "fourteen hours ahead"},
		} {
			l, z := create(t, s, plain(pathOf(i))), zone(t, c.zone)
			random := rand.New(rand.NewPCG(1, uint64(i)))
			sendIn(t, s, z, linktrack.Batch{Source: newSource(), Seq: 1, Clicks: someClicks(random, l.ID, 300, c.from, 4)})
			requireRollups(t, s, l.ID, z, c.zone+": "+c.why)
		}
		l := create(t, s, plain("utc"))
		midnight := time.Date(2024, 11, 24, 0, 0, 0, 0, time.UTC)
		send(t, s, person(l.ID, midnight.Add(-time.Microsecond)), person(l.ID, midnight))
		requireRollups(t, s, l.ID, time.UTC, "a batch without a zone has the days of UTC")
		require.Len(t, everyRollup(t, s, l.ID), 2, "a day's first microsecond is in it, its end is not")
	}},
	{"roll-ups are returned from the first day to the last and with both, in order", func(t *testing.T, s linktrack.Store) {
		l, other := create(t, s, plain("sale")), create(t, s, plain("other"))
		start := linktrack.DayOf(noon)
		for _, d := range []int{3, 0, 7, 1, -40} { // as clicks come that waited
			send(t, s, person(l.ID, noon.AddDate(0, 0, d)), bot(other.ID, noon.AddDate(0, 0, d+1)))
		}
		for _, c := range []struct {
			first, last int
			want        []int
		}{
			{0, 7, []int{0, 1, 3, 7}},
			{0, 0, []int{0}},
			{1, 3, []int{1, 3}},
			{2, 2, nil},
			{4, 6, nil},
			{3, 1, nil},
			{-1000, 1000, []int{-40, 0, 1, 3, 7}},
			{-40, -1, []int{-40}},
			{8, 1000, nil},
		} {
			var got []int
			for _, r := range rolled(t, s, l.ID, start+linktrack.Day(c.first), start+linktrack.Day(c.last)) {
				got = append(got, int(r.Day-start))
				require.Equal(t, linktrack.Counters{People: 1}, r.Counters, "other links and days count nothing here")
			}
			require.Equal(t, c.want, got, "days %d to %d; days on which nothing was counted are left out", c.first, c.last)
		}
		for _, id := range []int64{0, -1, other.ID + 1, 1 << 62} {
			require.Empty(t, everyRollup(t, s, id), "a link that does not exist has no roll-ups, and it is no error")
		}
		require.Empty(t, everyRollup(t, s, create(t, s, plain("new")).ID), "a link without clicks has none")
	}},
	{"a batch sent twice is rolled up once", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		random := rand.New(rand.NewPCG(1, 3))
		b := linktrack.Batch{Source: newSource(), Seq: 1, Clicks: someClicks(random, l.ID, 200, noon, 2)}
		for range 3 {
			sendBatch(t, s, b)
			requireRollups(t, s, l.ID, time.UTC, "a batch is applied once, however often it is sent")
			apply(t, s, time.UTC)
		}
		requireRollups(t, s, l.ID, time.UTC, "a batch is applied once, however often it is sent")
	}},
	{"batches and ApplyClicks at the same time lose nothing and count nothing twice", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 3)
		var all [8][]linktrack.Click
		for i := range all {
			random := rand.New(rand.NewPCG(4, uint64(i)))
			for _, l := range made {
				all[i] = append(all[i], someClicks(random, l.ID, 100, noon, 2)...)
			}
		}
		err := together(2*len(all), func(i int) error {
			if i >= len(all) { // may be refused while others write: it is called again
				for range 5 {
					_ = applyOnce(t.Context(), s)
				}
				return nil
			}
			source := newSource()
			for seq := range 10 {
				part := all[i][seq*len(all[i])/10 : (seq+1)*len(all[i])/10]
				if err := insist(t.Context(), s, linktrack.Batch{Source: source, Seq: int64(seq + 1), Clicks: part}); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err, "each batch is recorded")
		for range 2 {
			for _, l := range made {
				require.Len(t, recorded(t, s, l.ID), 100*len(all), "each click is in the history")
				requireRollups(t, s, l.ID, time.UTC, "clicks of all writers")
			}
			apply(t, s, time.UTC)
		}
	}},
	{"as many values as a tally keeps are exact, and of more the sum is", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		source := newSource()
		for seq := range 10 {
			var b []linktrack.Click
			for i := range 2 * maxTop {
				k := person(l.ID, noon.Add(time.Duration(i)*time.Microsecond))
				k.ReferrerHost = fmt.Sprintf("host%d.example", i%maxTop)
				b = append(b, k)
			}
			sendBatch(t, s, linktrack.Batch{Source: source, Seq: int64(seq + 1), Clicks: b})
		}
		requireRollups(t, s, l.ID, time.UTC, "as many values as a tally keeps")

		many := create(t, s, plain("many"))
		const clicks = 1200
		for seq := range clicks / 100 {
			var b []linktrack.Click
			for i := range 100 {
				n := seq*100 + i
				k := person(many.ID, noon.Add(time.Duration(n)*time.Microsecond))
				k.ReferrerHost, k.Country = fmt.Sprintf("host%d.example", n), fmt.Sprintf("%02d", n%100)
				if n%3 == 0 {
					k.ReferrerHost = "frequent.example"
				}
				b = append(b, k)
			}
			sendBatch(t, s, linktrack.Batch{Source: source, Seq: int64(100 + seq), Clicks: b})
		}
		for range 2 {
			found := everyRollup(t, s, many.ID)
			require.Len(t, found, 1, "it was one day")
			r := found[0]
			require.Equal(t, linktrack.Counters{People: clicks}, r.Counters, "the sums of the day are exact")
			require.EqualValues(t, clicks, sumOf(r.Referrers), "with Other all people are there")
			require.LessOrEqual(t, len(r.Referrers.Top), maxTop, "no more values are returned than a tally keeps")
			require.EqualValues(t, clicks/3, r.Referrers.Top["frequent.example"], "a frequent value is not merged into Other")
			require.Len(t, r.Countries.Top, 100, "a property with fewer values is exact even if another property is shortened")
			require.Zero(t, r.Countries.Other, "a property with fewer values is exact even if another property is shortened")
			apply(t, s, time.UTC)
		}
	}},
	{"texts are rolled up byte by byte", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		var b []linktrack.Click
		for i, host := range []string{"a.example", "A.example", "a.example ", "ä.example", "a\u0308.example", `"quoted"`, "<b>", "\U0001F600", "\u2028", "back\\slash", strings.Repeat("ü", 255)} {
			for n := range i + 1 {
				k := person(l.ID, noon.Add(time.Duration(n)*time.Microsecond))
				k.ReferrerHost = host
				b = append(b, k)
			}
		}
		send(t, s, b...)
		requireRollups(t, s, l.ID, time.UTC, "values that look alike are two")
	}},
	{"the roll-ups returned are the caller's own", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		send(t, s, people(l.ID, 3, noon)...)
		r := everyRollup(t, s, l.ID)[0]
		r.Merge(r)
		r.Browsers.Top["Firefox"] = 99
		clear(r.Hours)
		requireRollups(t, s, l.ID, time.UTC, "what the caller does with a roll-up is not seen")
	}},
}
