package memstore

import (
	"context"
	"strings"
	"sync"

	"github.com/linktrackhq/linktrack"
)

// sums are the roll-ups of accounts, groups and tags.
type sums struct {
	mu  sync.Mutex
	all map[linktrack.RollupOf]*days
}

// of calls add with the roll-ups of the account, the group, and the tags of a link on a
// day.
func (s *sums) of(l *linktrack.Link, day linktrack.Day, add func(*linktrack.Rollup)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range linktrack.RollupsOf(l.Account, l.Group, l.Tags) {
		d := s.all[of]
		if d == nil {
			of.Group, of.Tag = strings.Clone(of.Group), strings.Clone(of.Tag)
			d = new(days)
			s.all[of] = d
		}
		add(d.of(day))
	}
}

// add adds the days of a delta.
func (s *sums) add(l *linktrack.Link, d *linktrack.Delta) {
	for _, day := range d.Days {
		s.of(l, day.Day, func(r *linktrack.Rollup) { r.Merge(day) })
	}
}

// Rollups implements [linktrack.ClickStore].
func (s *Store) Rollups(ctx context.Context, of linktrack.RollupOf, first, last linktrack.Day) ([]linktrack.Rollup, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if of.Link != 0 {
		l := s.link(of.Link)
		if l == nil {
			return []linktrack.Rollup{}, nil
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.days.between(first, last), nil
	}
	of.Group, of.Tag = linktrack.GroupKey(of.Group), linktrack.GroupKey(of.Tag)
	s.sums.mu.Lock()
	defer s.sums.mu.Unlock()
	if d := s.sums.all[of]; d != nil {
		return d.between(first, last), nil
	}
	return []linktrack.Rollup{}, nil
}
