package memstore

import (
	"slices"

	"github.com/linktrackhq/linktrack"
)

// days are a link's roll-ups, in order. It is guarded by the link's mu.
type days []*linktrack.Rollup

// of returns the roll-up of a day, which is made if it is new.
func (d *days) of(day linktrack.Day) *linktrack.Rollup {
	i := len(*d)
	for i > 0 && (*d)[i-1].Day > day { // clicks come almost in order
		i--
	}
	if i > 0 && (*d)[i-1].Day == day {
		return (*d)[i-1]
	}
	r := &linktrack.Rollup{Day: day}
	*d = slices.Insert(*d, i, r)
	return r
}

// between returns copies of the roll-ups from first to last, without empty ones.
func (d days) between(first, last linktrack.Day) []linktrack.Rollup {
	found := []linktrack.Rollup{}
	for _, r := range d {
		if first <= r.Day && r.Day <= last {
			copied := linktrack.Rollup{Day: r.Day}
			copied.Merge(*r)
			if copied.Trim() {
				found = append(found, copied)
			}
		}
	}
	return found
}
