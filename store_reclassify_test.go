package linktrack

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// kept is what a store keeps of one link.
type kept struct {
	Counts
	hours map[int64]Counters
	days  map[Day]*Rollup
}

func newKept() *kept {
	return &kept{hours: map[int64]Counters{}, days: map[Day]*Rollup{}}
}

func (k *kept) add(d *Delta) {
	k.People += d.People
	k.Unique += d.Unique
	k.Bots += d.Bots
	k.LastClick = later(k.LastClick, d.LastClick)
	for _, h := range d.Hours {
		n := k.hours[h.Hour]
		n.add(h.Counters)
		k.hours[h.Hour] = n
	}
	for _, day := range d.Days {
		if k.days[day.Day] == nil {
			k.days[day.Day] = &Rollup{Day: day.Day}
		}
		k.days[day.Day].Merge(day)
	}
}

func randomVerdicts(random *rand.Rand, clicks []Click, n int) []Verdict {
	verdicts := make([]Verdict, n)
	for i := range verdicts {
		c := clicks[random.IntN(len(clicks))]
		verdicts[i] = Verdict{ClickRef{c.Link, c.ID}, random.IntN(2) == 0, ClickClass(random.IntN(4)), ClickReason(random.IntN(3))}
	}
	return verdicts
}

func TestReclassifiedClicksAddUpToWhatTheyWouldHaveWithTheLastVerdict(t *testing.T) {
	zone := zoneOf(t, "America/Chicago")
	from := time.Date(2024, 11, 2, 20, 0, 0, 0, time.UTC) // the night in which clocks are set back
	random := rand.New(rand.NewPCG(1, 2))
	clicks := make([]Click, 2000)
	for i := range clicks {
		clicks[i] = Click{
			ID:           NewClickID(from.Add(time.Duration(random.Int64N(int64(48 * time.Hour))))),
			Link:         1,
			ReferrerHost: fmt.Sprintf("%d.example", random.IntN(30)), Browser: fmt.Sprint(random.IntN(5)), Country: "DE",
			Unique: random.IntN(2) == 0, Bot: random.IntN(4) == 0,
		}
	}
	got := newKept()
	for _, d := range Deltas(clicks, zone) {
		got.add(&d)
	}
	last := got.LastClick
	for range 50 {
		verdicts := randomVerdicts(random, clicks, 100)
		changed, deltas := Reclassify(clicks, verdicts, zone)
		want := map[ClickRef]Verdict{}
		for _, v := range verdicts {
			want[v.Click] = v
		}
		n := 0
		for i := range clicks {
			c := clicks[i]
			if v, ok := want[ClickRef{c.Link, c.ID}]; ok {
				c.Bot, c.Class, c.Reason = v.Bot, v.Class, v.Reason
			}
			if c != clicks[i] {
				require.Equal(t, c, changed[n])
				n++
			}
			clicks[i] = c
		}
		require.Len(t, changed, n)
		for _, d := range deltas {
			require.Zero(t, d.LastClick)
			got.add(&d)
		}
		again, none := Reclassify(clicks, verdicts, zone)
		require.Empty(t, again)
		require.Empty(t, none)
	}
	wanted := newKept()
	for _, d := range Deltas(clicks, zone) {
		wanted.add(&d)
	}
	wanted.LastClick = last
	require.Equal(t, wanted, got, "no trace is left of what was taken back, and no zeros")
}

func TestNothingIsCountedIfOnlyTheClassChanges(t *testing.T) {
	c := Click{ID: NewClickID(time.Unix(1e9, 0)), Link: 1, Class: ClickClassPerson}
	changed, deltas := Reclassify([]Click{c}, []Verdict{{ClickRef{1, c.ID}, false, ClickClassUnknown, ClickReasonNetwork}}, nil)
	require.Len(t, changed, 1)
	require.Empty(t, deltas)
}

func TestAReclassifiedPersonIsTheAlertsLastPerson(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(1e9+s, 0).UTC() }
	clicks := []Click{
		{ID: NewClickID(at(1)), Link: 1, Bot: true},
		{ID: NewClickID(at(2)), Link: 1, Bot: true},
		{ID: NewClickID(at(3)), Link: 1},
	}
	_, deltas := Reclassify(clicks, []Verdict{{Click: ClickRef{1, clicks[0].ID}}, {Click: ClickRef{1, clicks[1].ID}}, {Click: ClickRef{1, clicks[2].ID}, Bot: true}}, nil)
	require.Len(t, deltas, 1)
	require.Equal(t, at(2), deltas[0].LastPerson)
	require.Equal(t, Counts{People: 1, Bots: -1}, deltas[0].Counts)
	require.Equal(t, []AlertID{{1, AlertAt, 5}}, deltas[0].Alerts(5, 6, 4))
	require.Empty(t, (&Delta{Counts: Counts{People: -1}}).Alerts(5, 6, 5), "fewer people reach no number")
}

// The sum of a tally is the number of people's clicks, whatever values they have lost.
func TestATallyTakesAValueThatItNoLongerHasFromOther(t *testing.T) {
	top := func(n int) map[string]int64 {
		m := map[string]int64{}
		for i := range n {
			m[fmt.Sprint(i)] = int64(1 + i)
		}
		return m
	}
	for name, c := range map[string]struct{ tally, back, want Tally }{
		"it has the value":          {Tally{Top: map[string]int64{"a": 5}}, Tally{Top: map[string]int64{"a": -2}}, Tally{Top: map[string]int64{"a": 3}}},
		"all of them":               {Tally{Top: map[string]int64{"a": 5, "b": 1}}, Tally{Top: map[string]int64{"a": -5}}, Tally{Top: map[string]int64{"b": 1}}},
		"it has moved the value":    {Tally{Top: map[string]int64{"a": 5}, Other: 7}, Tally{Top: map[string]int64{"z": -3}}, Tally{Top: map[string]int64{"a": 5}, Other: 4}},
		"it has moved some of them": {Tally{Top: map[string]int64{"a": 2}, Other: 7}, Tally{Top: map[string]int64{"a": -3}}, Tally{Top: map[string]int64{}, Other: 6}},
		"the click has lost its value": {
			Tally{Top: map[string]int64{"a": 5, "b": 2, "c": 1}, Other: 1}, Tally{Top: map[string]int64{"": -3}}, Tally{Top: map[string]int64{"a": 5, "b": 1}},
		},
		"a value for another one": {Tally{Top: map[string]int64{"a": 1}}, Tally{Top: map[string]int64{"a": -1, "b": 1}}, Tally{Top: map[string]int64{"b": 1}}},
		"nothing after all":       {Tally{Top: map[string]int64{"a": 1}}, Tally{Top: map[string]int64{"b": 0}}, Tally{Top: map[string]int64{"a": 1}}},
		"among a hundred":         {Tally{Top: top(100), Other: 9}, Tally{Top: map[string]int64{"0": -1, "z": -1}}, Tally{Top: func() map[string]int64 { m := top(100); delete(m, "0"); return m }(), Other: 8}},
	} {
		r := Rollup{Browsers: c.tally}
		r.Merge(Rollup{Browsers: c.back})
		require.Equal(t, c.want, r.Browsers, name)
	}
}

func TestReclassifyingIsExactInTheSumWithMoreValuesThanATallyHas(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	at := time.Unix(1e9, 0)
	clicks := make([]Click, 3000)
	for i := range clicks {
		clicks[i] = Click{ID: NewClickID(at), Link: 1, ReferrerHost: fmt.Sprint(random.IntN(500)), Bot: random.IntN(3) == 0}
	}
	k := newKept()
	for i := 0; i < len(clicks); i += 100 { // in small steps, so that values are moved to Other
		for _, d := range Deltas(clicks[i:i+100], nil) {
			k.add(&d)
		}
	}
	for range 100 {
		verdicts := randomVerdicts(random, clicks, 200)
		changed, deltas := Reclassify(clicks, verdicts, nil)
		for _, d := range deltas {
			k.add(&d)
		}
		now := map[ClickID]Click{}
		for _, c := range changed {
			now[c.ID] = c
		}
		people := map[string]int64{}
		var all int64
		for i := range clicks {
			if c, ok := now[clicks[i].ID]; ok {
				clicks[i] = c
			}
			if !clicks[i].Bot {
				all++
				people[clicks[i].ReferrerHost]++
			}
		}
		require.Equal(t, all, k.People)
		for _, r := range k.days {
			require.Equal(t, all, r.People)
			sum := r.Referrers.Other
			require.GreaterOrEqual(t, sum, int64(0))
			require.LessOrEqual(t, len(r.Referrers.Top), maxTop)
			for value, n := range r.Referrers.Top {
				require.Positive(t, n)
				require.LessOrEqual(t, n, people[value], "no value has more than there are")
				sum += n
			}
			require.Equal(t, all, sum)
			stored, err := json.Marshal(r)
			require.NoError(t, err)
			require.NotContains(t, string(stored), ":-")
		}
	}
}
