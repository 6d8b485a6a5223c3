package linktrack

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDeltasAreWhatTheClicksAddUpTo(t *testing.T) {
	zone := zoneOf(t, "America/Chicago")
	from := time.Date(2024, 11, 2, 20, 0, 0, 0, time.UTC) // the night in which clocks are set back
	random := rand.New(rand.NewPCG(1, 2))
	clicks := make([]Click, 3000)
	for i := range clicks {
		clicks[i] = Click{
			ID:           NewClickID(from.Add(time.Duration(random.Int64N(int64(48 * time.Hour))))),
			Link:         1 + random.Int64N(5),
			ReferrerHost: fmt.Sprintf("%d.example", random.IntN(3)),
			Unique:       random.IntN(2) == 0,
		}
		if random.IntN(4) == 0 {
			clicks[i].Bot, clicks[i].Unique = true, false
		}
	}
	deltas := Deltas(clicks, zone)
	require.Len(t, deltas, 5)
	for i, d := range deltas {
		require.EqualValues(t, i+1, d.Link, "they are in the order of the links")
		var sum Counters
		var last, lastPerson time.Time
		hours, days := map[int64]Counters{}, map[Day]Counters{}
		hosts := map[string]int64{}
		for _, c := range clicks {
			if c.Link != d.Link {
				continue
			}
			one := Counters{People: 1}
			switch {
			case c.Bot:
				one = Counters{Bots: 1}
			case c.Unique:
				one.Unique = 1
			}
			at := c.ID.Time()
			sum.add(one)
			hour, day := at.Unix()/3600, DayOf(at.In(zone))
			n := hours[hour]
			n.add(one)
			hours[hour] = n
			n = days[day]
			n.add(one)
			days[day] = n
			if at.After(last) {
				last = at
			}
			if !c.Bot {
				hosts[c.ReferrerHost]++
				if at.After(lastPerson) {
					lastPerson = at
				}
			}
		}
		require.Equal(t, Counts{People: sum.People, Unique: sum.Unique, Bots: sum.Bots, LastClick: last}, d.Counts)
		require.Equal(t, lastPerson, d.LastPerson)
		require.Len(t, d.Hours, len(hours))
		for j, h := range d.Hours {
			require.Equal(t, hours[h.Hour], h.Counters)
			require.True(t, j == 0 || d.Hours[j-1].Hour < h.Hour, "in order")
		}
		require.Len(t, d.Days, len(days))
		got := map[string]int64{}
		for j, day := range d.Days {
			require.Equal(t, days[day.Day], day.Counters)
			require.True(t, j == 0 || d.Days[j-1].Day < day.Day, "in order")
			for host, n := range day.Referrers.Top {
				got[host] += n
			}
		}
		require.Equal(t, hosts, got)
	}
	require.Empty(t, Deltas(nil, zone))
}

func TestADeltaBringsAboutTheAlertsThatItReaches(t *testing.T) {
	for _, c := range []struct {
		alertAt, deactivateAt, before, people int64
		want                                  []AlertID
	}{
		{alertAt: 10, before: 8, people: 1},
		{alertAt: 10, before: 9, people: 1, want: []AlertID{{7, AlertAt, 10}}},
		{alertAt: 10, before: 0, people: 100, want: []AlertID{{7, AlertAt, 10}}},
		{alertAt: 10, before: 10, people: 5},
		{alertAt: 10, deactivateAt: 20, before: 5, people: 20, want: []AlertID{{7, AlertAt, 10}, {7, AlertUsedUp, 20}}},
		{before: 0, people: 5},
		{alertAt: 1, before: 0, people: 0},
	} {
		d := Delta{Link: 7, Counts: Counts{People: c.people}}
		require.Equal(t, c.want, d.Alerts(c.alertAt, c.deactivateAt, c.before), "%+v", c)
	}
}
