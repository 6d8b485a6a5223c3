package linktrack

import (
	"maps"
	"slices"
	"time"
)

// A Delta is what some clicks add to one link. Stores add it to what they keep of the
// link. What [Reclassify] returns may be negative.
type Delta struct {
	Link   int64
	Counts          // People, Unique, Bots, and LastClick; the other counts are zero
	Hours  []Hourly // those with clicks, in order
	Days   []Rollup // those with clicks, in order

	// LastPerson is the time of the last click of a person, which is the
	// [PendingAlert].Reached of the alerts that the delta brings about. Zero: all
	// are bots.
	LastPerson time.Time
}

// Hourly has the counts of an hour.
type Hourly struct {
	Hour int64 // the number of whole hours since 1970-01-01 00:00 UTC, see [HourOf]
	Counters
}

// HourOf returns the number of whole hours since 1970-01-01 00:00 UTC; 0 for any time
// before.
func HourOf(t time.Time) int64 { return max(t.Unix(), 0) / 3600 }

// Deltas returns what the clicks add to their links, in the order of Link. zone is the
// zone of Days; nil is UTC.
func Deltas(clicks []Click, zone *time.Location) []Delta {
	sums := newSums(zone)
	for i := range clicks {
		sums.count(&clicks[i], 1).limitSometimes()
	}
	return sums.deltas()
}

// sums are deltas while they are added up.
type sums struct {
	byLink map[int64]*linkSums
	at     moment
}

func newSums(zone *time.Location) *sums {
	return &sums{byLink: make(map[int64]*linkSums), at: moment{zone: zone}}
}

// count adds a click with n = 1, and takes it back with n = -1. It returns the roll-up of
// the click's day.
func (s *sums) count(c *Click, n int64) *Rollup {
	s.at.set(c.ID.Time())
	l := s.byLink[c.Link]
	if l == nil {
		l = &linkSums{hours: make(map[int64]Counters), days: make(map[Day]*Rollup)}
		s.byLink[c.Link] = l
	}
	return l.count(c, &s.at, n)
}

func (s *sums) deltas() []Delta {
	deltas := make([]Delta, 0, len(s.byLink))
	for _, link := range slices.Sorted(maps.Keys(s.byLink)) {
		l := s.byLink[link]
		d := l.delta
		d.Link = link
		for _, hour := range slices.Sorted(maps.Keys(l.hours)) {
			d.Hours = append(d.Hours, Hourly{hour, l.hours[hour]})
		}
		for _, day := range slices.Sorted(maps.Keys(l.days)) {
			d.Days = append(d.Days, *l.days[day])
		}
		deltas = append(deltas, d)
	}
	return deltas
}

// linkSums are the sums of one link while they are added up.
type linkSums struct {
	delta Delta // without Link, Hours, and Days
	hours map[int64]Counters
	days  map[Day]*Rollup
}

// A moment is the time of a click, and what follows from it. Finding the day takes longer
// than everything else that is done for a click, and clicks of the same second have the
// same day and hours.
type moment struct {
	zone *time.Location

	time      time.Time
	hour      int64 // see HourOf
	day       Day
	hourOfDay int
}

func (m *moment) set(at time.Time) {
	known := !m.time.IsZero() && at.Unix() == m.time.Unix()
	m.time = at
	if !known {
		m.hour = HourOf(at)
		m.day, m.hourOfDay = DayAndHour(at, m.zone)
	}
}

func (l *linkSums) count(c *Click, at *moment, n int64) *Rollup {
	counts := c.counters(n)
	l.delta.People += counts.People
	l.delta.Unique += counts.Unique
	l.delta.Bots += counts.Bots
	if n > 0 {
		l.delta.LastClick = later(l.delta.LastClick, at.time)
		if !c.Bot {
			l.delta.LastPerson = later(l.delta.LastPerson, at.time)
		}
	}
	hour := l.hours[at.hour]
	hour.add(counts)
	l.hours[at.hour] = hour

	r := l.days[at.day]
	if r == nil {
		r = &Rollup{Day: at.day}
		l.days[at.day] = r
	}
	r.countClick(c, at.hourOfDay, n)
	return r
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// counters returns what n times the click adds to counts.
func (c *Click) counters(n int64) Counters {
	switch {
	case c.Bot:
		return Counters{Bots: n}
	case c.Unique:
		return Counters{People: n, Unique: n}
	}
	return Counters{People: n}
}

// Alerts returns the alerts that the delta brings about on a link with these limits, of
// which people's clicks were before until then. See [AlertStore].
func (d *Delta) Alerts(alertAt, deactivateAt, before int64) []AlertID {
	var due []AlertID
	for _, limit := range [...]struct {
		kind  AlertKind
		count int64
	}{{AlertAt, alertAt}, {AlertUsedUp, deactivateAt}} {
		if before < limit.count && limit.count <= before+d.People {
			due = append(due, AlertID{Link: d.Link, Kind: limit.kind, Count: limit.count})
		}
	}
	return due
}
