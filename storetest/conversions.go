package storetest

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// conversion returns one of a new click on the link, at noon.
func conversion(l linktrack.Link, order string) linktrack.Conversion {
	return linktrack.Conversion{
		Click:    linktrack.ClickRef{Link: l.ID, ID: linktrack.NewClickID(noon.Add(-time.Hour))},
		OrderID:  order,
		Value:    123_400,
		Currency: "EUR",
		Time:     noon,
	}
}

// convert records a conversion without concurrent calls.
func convert(t *testing.T, s linktrack.Store, c linktrack.Conversion) (counted bool) {
	t.Helper()
	counted, err := s.RecordConversion(t.Context(), c, time.UTC)
	require.NoError(t, err, "a conversion of a link that exists is no error, whether it was counted before or not")
	return counted
}

// requireConverted checks what links have counted.
func requireConverted(t *testing.T, s linktrack.Store, l linktrack.Link, n int, why string) {
	t.Helper()
	require.Equal(t, linktrack.Counts{Conversions: int64(n)}, look(t, s, l).Counts, "LinkByPath: conversions never add to clicks; %s", why)
	found := list(t, s, linktrack.LinkFilter{Names: []linktrack.LinkName{{Host: l.Host, Key: l.Key()}}, Account: l.Account})
	require.Len(t, found, 1, "the link is there")
	require.EqualValues(t, n, found[0].Counts.Conversions, "Links: %s", why)
}

// daysOf returns all roll-ups of a link.
func daysOf(t *testing.T, s linktrack.Store, l linktrack.Link) []linktrack.Rollup {
	t.Helper()
	apply(t, s, time.UTC)
	days, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: l.ID}, 0, linktrack.DayOf(noon)+400)
	require.NoError(t, err, "roll-ups can be read")
	return days
}

func requireDays(t *testing.T, s linktrack.Store, l linktrack.Link, want ...linktrack.Rollup) {
	t.Helper()
	days := daysOf(t, s, l)
	require.Len(t, days, len(want), "a day on which nothing is counted is left out")
	for i := range want {
		require.Equal(t, want[i], days[i], "what was taken back leaves no trace")
	}
}

var conversions = []rule{
	{"a click in the history names its link", func(t *testing.T, s linktrack.Store) {
		l, other := create(t, s, plain("sale")), create(t, s, plain("other"))
		all := people(l.ID, 3, noon)
		send(t, s, all...)
		send(t, s, bot(other.ID, noon))
		for _, k := range all {
			found, err := s.LinkByClick(t.Context(), linktrack.ClickRef{Link: l.ID, ID: k.ID})
			require.NoError(t, err, "a click that was recorded is found")
			require.Equal(t, look(t, s, l), found, "LinkByClick returns the link as LinkByPath does")
		}
		near := all[1].ID
		near[15] ^= 1
		for why, click := range map[string]linktrack.ClickRef{
			"the click is another link's":               {Link: other.ID, ID: all[0].ID},
			"there is no such link":                     {Link: other.ID + 1, ID: all[0].ID},
			"no click has this id":                      {Link: l.ID, ID: near},
			"no click has this id, which is the lowest": {Link: l.ID},
			"all clicks are before this id":             {Link: l.ID, ID: linktrack.NewClickID(noon.Add(time.Hour))},
		} {
			_, err := s.LinkByClick(t.Context(), click)
			require.ErrorIs(t, err, linktrack.ErrNotFound, why)
		}
	}},
	{"a click counts one conversion", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		c := conversion(l, "")
		require.True(t, convert(t, s, c), "the first is counted")
		for _, order := range []string{"", "order 1", "order 2"} {
			c.OrderID, c.Time = order, c.Time.Add(time.Hour)
			require.False(t, convert(t, s, c), "the click has been counted, whatever it is reported with")
		}
		requireConverted(t, s, l, 1, "one click is one conversion")
		require.True(t, convert(t, s, conversion(l, "order 1")), "an order that was not counted, since its click was, is counted with another click")
		require.True(t, convert(t, s, conversion(l, "")), "another click is counted")
		require.True(t, convert(t, s, conversion(l, "")), "conversions without an order are not the same order")
		requireConverted(t, s, l, 4, "four clicks are four conversions")
	}},
	{"an order of an account counts once, whatever its clicks and links", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 2)
		foreign := plain("foreign")
		foreign.Account = owner + 1
		foreign = create(t, s, foreign)
		require.True(t, convert(t, s, conversion(made[0], odd)), "the first is counted")
		require.False(t, convert(t, s, conversion(made[0], odd)), "the order was counted with another click")
		require.False(t, convert(t, s, conversion(made[1], odd)), "the order was counted with another link of the account")
		require.True(t, convert(t, s, conversion(foreign, odd)), "another account's order has nothing to do with it")
		for _, order := range []string{"a", "A", "a ", " a", "ä", "a\u0308", strings.Repeat("😀", 255), strings.Repeat("😀", 254) + "x"} {
			require.True(t, convert(t, s, conversion(made[1], order)), "order %q differs from all others in a byte", order)
			require.False(t, convert(t, s, conversion(made[0], order)), "order %q was counted", order)
		}
		requireConverted(t, s, made[0], 1, "its one order")
		requireConverted(t, s, made[1], 8, "its eight orders")
		requireConverted(t, s, foreign, 1, "its one order")
	}},
	{"a hundred reports at once count once", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 4)
		for name, report := range map[string]func(i int) linktrack.Conversion{
			"of one order": func(i int) linktrack.Conversion { return conversion(made[i%2], "order") },
			"of one click": func() func(int) linktrack.Conversion {
				c := conversion(made[2], "")
				return func(int) linktrack.Conversion { return c }
			}(),
			"of one click and order": func() func(int) linktrack.Conversion {
				c := conversion(made[3], "another order")
				return func(int) linktrack.Conversion { return c }
			}(),
		} {
			var counted atomic.Int64
			err := together(100, func(i int) error {
				ok, err := s.RecordConversion(t.Context(), report(i), time.UTC)
				if ok {
					counted.Add(1)
				}
				return err
			})
			require.NoError(t, err, "%s: a repeat is no error", name)
			require.EqualValues(t, 1, counted.Load(), "%s: one is told that it was counted", name)
		}
		require.EqualValues(t, 1, look(t, s, made[0]).Counts.Conversions+look(t, s, made[1]).Counts.Conversions, "one order is one conversion")
		requireConverted(t, s, made[2], 1, "one click is one conversion")
		requireConverted(t, s, made[3], 1, "one click and order is one conversion")
	}},
	{"conversions and clicks of a link at once are all counted", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		err := together(8, func(i int) error {
			source := newSource()
			for j := range 10 {
				if i%2 == 0 {
					b := linktrack.Batch{Source: source, Seq: int64(j + 1), Clicks: people(l.ID, 3, noon)}
					if err := insist(t.Context(), s, b); err != nil {
						return err
					}
				} else if _, err := s.RecordConversion(t.Context(), conversion(l, ""), time.UTC); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err, "neither holds the other up")
		counts := look(t, s, l).Counts
		require.Equal(t, []int64{120, 40}, []int64{counts.People, counts.Conversions}, "none is lost and none is counted twice")
	}},
	{"a trusted conversion takes the place of those that are not", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 3)
		byOrder, byClick := conversion(made[0], "1001"), conversion(made[1], "1002")
		byOrder.Time, byOrder.Value, byOrder.Currency = noon.Add(-24*time.Hour), 0, "EUR"
		byOrder.Click.ID = linktrack.NewClickID(noon.Add(-25 * time.Hour))
		byClick.Value, byClick.Currency = 990_000, "USD"
		require.True(t, convert(t, s, byOrder), "a visitor's report is counted")
		require.True(t, convert(t, s, byClick), "a visitor's report is counted")
		owner := byClick
		owner.OrderID, owner.Value, owner.Currency, owner.Trusted = "1001", 500_000, "EUR", true
		require.True(t, convert(t, s, owner), "the owner's report of the one's order and the other's click takes the place of both")
		require.False(t, convert(t, s, owner), "a repeat changes nothing")
		requireConverted(t, s, made[0], 0, "the order is not its")
		requireConverted(t, s, made[1], 1, "the one that stays")
		requireDays(t, s, made[0])
		requireDays(t, s, made[1], linktrack.Rollup{
			Day:      linktrack.DayOf(noon),
			Counters: linktrack.Counters{Conversions: 1},
			Hours:    map[int]linktrack.Counters{12: {Conversions: 1}},
			Values:   map[string]int64{"EUR": 500_000},
		})

		for why, c := range map[string]linktrack.Conversion{
			"the order was counted for its owner": conversion(made[2], "1001"),
			"the click was counted for its owner": byClick,
		} {
			for _, trusted := range []bool{false, true} {
				c.Trusted = trusted
				require.False(t, convert(t, s, c), why)
			}
		}
		require.True(t, convert(t, s, conversion(made[2], "1002")), "an order is free that was taken back")
		byOrder.OrderID = ""
		require.True(t, convert(t, s, byOrder), "so is a click")
		mixed := conversion(made[2], "1001")
		mixed.Click = byOrder.Click
		mixed.Trusted = true
		require.False(t, convert(t, s, mixed), "one of the two is the owner's, so neither is replaced")
		requireConverted(t, s, made[0], 1, "its click was reported again")
		requireConverted(t, s, made[2], 1, "its order")

		same := conversion(made[2], "1003")
		require.True(t, convert(t, s, same), "a visitor's report is counted")
		same.Value, same.Trusted = 7, true
		require.True(t, convert(t, s, same), "the owner says what the same order of the same click was worth")
		requireConverted(t, s, made[2], 2, "it counts once")
	}},
	{"visitors' and owners' reports at once count each order once, as its owner has it", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 3)
		for i := range 5 {
			order := strings.Repeat("x", i+1)
			var counted atomic.Int64
			err := together(60, func(n int) error {
				c := conversion(made[n%2], order)
				c.Value = 1
				if n%3 == 0 {
					c.Trusted, c.Value = true, 50_000
				}
				ok, err := s.RecordConversion(t.Context(), c, time.UTC)
				if ok && c.Trusted {
					counted.Add(1)
				}
				return err
			})
			require.NoError(t, err, "a repeat is no error")
			require.EqualValues(t, 1, counted.Load(), "one of the owner's is told that it was counted")
		}
		var sum linktrack.Rollup
		total := int64(0)
		for _, l := range made {
			total += look(t, s, l).Counts.Conversions
			for _, day := range daysOf(t, s, l) {
				sum.Merge(day)
			}
		}
		require.EqualValues(t, 5, total, "each order is one conversion")
		require.EqualValues(t, 5, sum.Conversions, "so say the roll-ups")
		require.Equal(t, map[string]int64{"EUR": 250_000}, sum.Values, "each is worth what its owner says")
	}},
	{"a conversion of a link that does not exist is not found", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		lost := conversion(l, "order")
		for _, id := range []int64{l.ID + 1, 0, -1} {
			lost.Click.Link = id
			_, err := s.RecordConversion(t.Context(), lost, time.UTC)
			require.ErrorIs(t, err, linktrack.ErrNotFound, "there is no link %d", id)
		}
		require.True(t, convert(t, s, conversion(l, "order")), "nothing of the order was kept")
	}},
	{"conversions are in the roll-up of their day and hour, values by currency", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		zone := time.FixedZone("CST", -6*3600)
		for _, c := range []struct {
			at       time.Time
			value    linktrack.Amount
			currency string
		}{
			{noon, 123_400, "EUR"},
			{noon.Add(time.Minute), 1, "EUR"},
			{noon.Add(time.Hour), 50_000, "USD"},
			{noon.Add(time.Hour), 0, ""},
			{noon.Add(-7 * time.Hour), 0, "JPY"}, // 23 h of the day before
		} {
			one := conversion(l, "")
			one.Time, one.Value, one.Currency = c.at, c.value, c.currency
			counted, err := s.RecordConversion(t.Context(), one, zone)
			require.NoError(t, err, "it is counted")
			require.True(t, counted, "it is counted")
			counted, err = s.RecordConversion(t.Context(), one, zone)
			require.NoError(t, err, "a repeat is no error")
			require.False(t, counted, "a repeat is not counted")
		}
		apply(t, s, time.UTC)
		today := linktrack.DayOf(noon.In(zone))
		days, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: l.ID}, today-2, today+2)
		require.NoError(t, err, "roll-ups can be read")
		require.Equal(t, []linktrack.Rollup{
			{
				Day:      today - 1,
				Counters: linktrack.Counters{Conversions: 1},
				Hours:    map[int]linktrack.Counters{23: {Conversions: 1}},
				Values:   map[string]int64{"JPY": 0},
			},
			{
				Day:      today,
				Counters: linktrack.Counters{Conversions: 4},
				Hours:    map[int]linktrack.Counters{6: {Conversions: 2}, 7: {Conversions: 2}},
				Values:   map[string]int64{"EUR": 123_401, "USD": 50_000},
			},
		}, days, "a conversion counts on the day it happened, in the zone it is given, and never as a click")
	}},
}
