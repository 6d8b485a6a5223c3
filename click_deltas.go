package linktrack

import (
	"maps"
	"slices"
	"time"
)

// A Delta is what some clicks add to one link. Stores add it to what they keep of the
// link.
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
	byLink := make(map[int64]*deltaSums)
	at := moment{zone: zone}
	for i := range clicks {
		c := &clicks[i]
		at.set(c.ID.Time())
		s := byLink[c.Link]
		if s == nil {
			s = &deltaSums{hours: make(map[int64]Counters), days: make(map[Day]*Rollup)}
			byLink[c.Link] = s
		}
		s.add(c, &at)
	}
	deltas := make([]Delta, 0, len(byLink))
	for _, link := range slices.Sorted(maps.Keys(byLink)) {
		s := byLink[link]
		d := s.delta
		d.Link = link
		for _, hour := range slices.Sorted(maps.Keys(s.hours)) {
			d.Hours = append(d.Hours, Hourly{hour, s.hours[hour]})
		}
		for _, day := range slices.Sorted(maps.Keys(s.days)) {
			d.Days = append(d.Days, *s.days[day])
		}
		deltas = append(deltas, d)
	}
	return deltas
}

// deltaSums are the sums of one link while they are added up.
type deltaSums struct {
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

func (s *deltaSums) add(c *Click, at *moment) {
	n := c.counters()
	s.delta.People += n.People
	s.delta.Unique += n.Unique
	s.delta.Bots += n.Bots
	s.delta.LastClick = later(s.delta.LastClick, at.time)
	if !c.Bot {
		s.delta.LastPerson = later(s.delta.LastPerson, at.time)
	}
	hour := s.hours[at.hour]
	hour.add(n)
	s.hours[at.hour] = hour

	r := s.days[at.day]
	if r == nil {
		r = &Rollup{Day: at.day}
		s.days[at.day] = r
	}
	r.AddClick(c, at.hourOfDay)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// counters returns what the click adds to counts.
func (c *Click) counters() Counters {
	switch {
	case c.Bot:
		return Counters{Bots: 1}
	case c.Unique:
		return Counters{People: 1, Unique: 1}
	}
	return Counters{People: 1}
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
