package memstore

import (
	"context"
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

// Rollups implements [linktrack.ClickStore].
func (s *Store) Rollups(ctx context.Context, id int64, first, last linktrack.Day) ([]linktrack.Rollup, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := s.link(id)
	if l == nil {
		return []linktrack.Rollup{}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	found := []linktrack.Rollup{}
	for _, r := range l.days {
		if first <= r.Day && r.Day <= last {
			copied := linktrack.Rollup{Day: r.Day}
			copied.Merge(*r)
			if copied.Trim() {
				found = append(found, copied)
			}
		}
	}
	return found, nil
}
