package pages

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func TestAScaleEndsAboveItsValues(t *testing.T) {
	for highest, want := range map[int64][2]string{
		0: {"2", "1"}, 1: {"2", "1"}, 2: {"2", "1"}, 3: {"4", "2"}, 9: {"10", "5"}, 10: {"10", "5"}, 11: {"20", "10"}, 21: {"30", "15"},
		9_999: {"10k", "5\u202f000"}, 10_001: {"20k", "10k"}, 2_100_000: {"3\u202f000k", "1\u202f500k"}, 12_000_000: {"20M", "10M"},
		math.MaxInt64: {"10E", "5\u202f000P"},
	} {
		top := scaleTop(highest)
		require.GreaterOrEqual(t, top, uint64(highest))
		require.Zero(t, top%2)
		require.Equal(t, want, [2]string{short(top), short(top / 2)}, highest)
	}
}

func TestBarsAreAsHighAsTheirValues(t *testing.T) {
	require.Equal(t, "M11 1000V500h8V1000zM21 1000V0h8V1000zM31 1000V992h8V1000z", outline([]int64{0, 500, 1000, 1}, 1000, 0, 8))
	require.Equal(t, "M6 1000V0h8V1000z", outline([]int64{math.MaxInt64}, math.MaxInt64, 5, 8))
	require.Empty(t, outline(nil, 2, 0, 8))
	many := outline(append(make([]int64, 100), 2), 2, 0, 8)
	require.Equal(t, "M0 1000V1000H10", many[:15])
	require.Equal(t, "V0H1010V1000z", many[len(many)-13:], "one shape")
}

func TestTheFirstAndTheLastPeriodAreNamed(t *testing.T) {
	l, err := newTheme(Options{}, time.UTC, false)
	require.NoError(t, err)
	zone, err := time.LoadLocation("America/Chicago")
	require.NoError(t, err)
	first := time.Date(2024, 11, 3, 0, 0, 0, 0, zone)
	for n := 1; n <= 400; n++ {
		r := linktrack.Report{From: linktrack.DayOf(first), To: linktrack.DayOf(first) + linktrack.Day(n-1), By: linktrack.ByDay, TimeZone: zone}
		for i := range n {
			r.Periods = append(r.Periods, linktrack.Period{Start: first.AddDate(0, 0, i), Counters: linktrack.Counters{People: math.MaxInt64, Unique: 1}})
		}
		c := l.chart(r)
		require.Equal(t, "2024-11-03", c.Ticks[0].Text)
		require.Equal(t, r.To.String(), c.Ticks[len(c.Ticks)-1].Text)
		for i, tick := range c.Ticks {
			x, err := strconv.ParseFloat(tick.X, 64)
			require.NoError(t, err)
			require.True(t, 0 <= x && x <= 100)
			require.Equal(t, i > 0 && i < len(c.Ticks)-1, tick.Inner)
		}
		require.Equal(t, n <= maxBars, len(c.Bars) == n)
		require.GreaterOrEqual(t, c.Width, minBars*barWidth)
	}
}

func TestMoneyHasNoDecimalsOrTwoAtLeast(t *testing.T) {
	for amount, want := range map[linktrack.Amount]string{
		0: "0", 10_000: "1", 12_345_000: "1\u202f234.50", 123_456: "12.3456", 1: "0.0001", math.MaxInt64: "922\u202f337\u202f203\u202f685\u202f477.5807",
	} {
		require.Equal(t, want, money(amount))
	}
}

func TestACountryHasAName(t *testing.T) {
	l, err := newTheme(Options{Texts: map[string]string{"country.DE": "Deutschland"}}, time.UTC, false)
	require.NoError(t, err)
	for code, want := range map[string]string{"DE": "Deutschland", "FR": "France", "XX": "XX", "": ""} {
		require.Equal(t, want, l.country(code))
	}
	require.Equal(t, "Germany", Texts()["country.DE"])
}
