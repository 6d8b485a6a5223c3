package linktrack_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestAnAmountIsADecimalNumberAndNothingElse(t *testing.T) {
	for s, want := range map[string]linktrack.Amount{
		"0":                           0,
		"0.0000":                      0,
		"1":                           10_000,
		"12.34":                       123_400,
		"12.3456":                     123_456,
		"0.0001":                      1,
		"00012.50":                    125_000,
		"999999999999.9999":           9_999_999_999_999_999,
		strings.Repeat("0", 99) + "7": 70_000,
	} {
		got, err := linktrack.ParseAmount(s)
		require.NoError(t, err, s)
		require.Equal(t, want, got, s)
	}
	for s, want := range map[string]string{
		"":                       "value must be a decimal number such as 12.34",
		".":                      "value must be a decimal number such as 12.34",
		".5":                     "value must be a decimal number such as 12.34",
		"5.":                     "value must be a decimal number such as 12.34",
		"-1":                     "value must be a decimal number such as 12.34",
		"+1":                     "value must be a decimal number such as 12.34",
		"1e3":                    "value must be a decimal number such as 12.34",
		"0x10":                   "value must be a decimal number such as 12.34",
		"1,50":                   "value must be a decimal number such as 12.34",
		"1.000.000":              "value must be a decimal number such as 12.34",
		"1_000":                  "value must be a decimal number such as 12.34",
		" 1":                     "value must be a decimal number such as 12.34",
		"1 ":                     "value must be a decimal number such as 12.34",
		"NaN":                    "value must be a decimal number such as 12.34",
		"١٢":                     "value must be a decimal number such as 12.34",
		"1.00000":                "value must have at most 4 digits after the point",
		"1000000000000":          "value must be below 1000000000000",
		"922337203685477.5808":   "value must be below 1000000000000",
		strings.Repeat("9", 999): "value must be below 1000000000000",
	} {
		_, err := linktrack.ParseAmount(s)
		require.EqualError(t, err, want, s)
	}
}

func TestAnAmountIsWrittenWithoutZerosAtItsEnd(t *testing.T) {
	for a, want := range map[linktrack.Amount]string{
		0:             "0",
		1:             "0.0001",
		123_400:       "12.34",
		125_000:       "12.5",
		1_000_000:     "100",
		-5:            "-0.0005",
		math.MaxInt64: "922337203685477.5807",
		math.MinInt64: "-922337203685477.5808",
	} {
		require.Equal(t, want, a.String())
	}
}

func TestAReportsSumOfAmountsNeverTurnsNegative(t *testing.T) {
	for name, days := range map[string][]int64{
		"of days":              {math.MaxInt64 / 2, math.MaxInt64 / 2, math.MaxInt64 / 2},
		"of a wrapped day":     {math.MinInt64 + 5},
		"of a wrapped day too": {7, -1, 8},
	} {
		store := &rolled{Store: memstore.New()}
		s := trackertest.NewService(t, store, linktrack.Options{})
		day := trackertest.DayNamed(t, "2024-11-24")
		for i, v := range days {
			store.rollups = append(store.rollups, linktrack.Rollup{
				Day: day + linktrack.Day(i), Counters: linktrack.Counters{Conversions: 1}, Values: map[string]int64{"EUR": v, "USD": 1},
			})
		}
		l := s.AddLink(linktrack.NewLink{})
		r, err := s.Tracker.Report(t.Context(), s.Account, l.Path, linktrack.ReportQuery{From: day, To: day + 9})
		require.NoError(t, err)
		require.Equal(t, map[string]linktrack.Amount{"EUR": math.MaxInt64, "USD": linktrack.Amount(len(days))}, r.Values, name)
	}
}

func TestWhatVisitorsMadeUpIsTakenBackExactlyHoweverMuchItIs(t *testing.T) {
	most, err := linktrack.ParseAmount("999999999999.9999")
	require.NoError(t, err)
	bad, good := linktrack.Conversion{Value: most, Currency: "EUR"}, linktrack.Conversion{Value: 10_0000, Currency: "EUR"}
	for _, n := range []int{900, 1000, 1900, 5000} {
		var r linktrack.Rollup
		r.AddConversion(&good, 0)
		for i := range n { // in the memory of a store, or by way of the JSON that it keeps
			var one linktrack.Rollup
			one.AddConversion(&bad, 0)
			r.Merge(one)
			if i%500 == 0 {
				b, err := json.Marshal(r)
				require.NoError(t, err)
				r = linktrack.Rollup{}
				require.NoError(t, json.Unmarshal(b, &r))
			}
		}
		for range n { // the owner's reports take their places
			r.RemoveConversion(&bad, 0)
			r.AddConversion(&good, 0)
		}
		require.Equal(t, map[string]int64{"EUR": int64(n+1) * 10_0000}, r.Values)
		require.EqualValues(t, n+1, r.Conversions)
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"12.34", "0", "1e5", "-1", "999999999999.9999", "1.", ".1", "1.23456"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := linktrack.ParseAmount(s)
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		if !ok || exact.Cmp(big.NewRat(int64(a), 10_000)) != 0 {
			t.Fatalf("%q is read as %v", s, a)
		}
		if again, err := linktrack.ParseAmount(a.String()); err != nil || again != a {
			t.Fatalf("%v is written as %q and read as %v, %v", int64(a), a.String(), again, err)
		}
	})
}

func FuzzParseClickRef(f *testing.F) {
	f.Add("01934f3a8c7b7123a1b2c3d4e5f60718" + "2s")
	f.Add("01934F3A8C7B7123A1B2C3D4E5F60718" + "Z")
	f.Fuzz(func(t *testing.T, s string) {
		r, ok := linktrack.ParseClickRef(s)
		if !ok {
			return
		}
		if r.Link < 1 || !strings.EqualFold(r.String(), s) {
			t.Fatalf("%q is read as %v", s, r)
		}
	})
}
