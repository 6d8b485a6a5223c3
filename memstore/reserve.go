package memstore

import (
	"context"
	"fmt"

	"github.com/linktrackhq/linktrack"
)

// maxGranted is how many sources have a Granted of a link.
const maxGranted = 1000

// ReserveClicks implements [linktrack.ClickStore]. For each link it remembers the last
// reservations of 1,000 sources.
func (s *Store) ReserveClicks(ctx context.Context, r linktrack.Reservation) (granted int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if r.People < 1 || r.Seq < 1 {
		return 0, fmt.Errorf("memstore: a reservation needs People and Seq of at least 1")
	}
	l := s.link(r.Link)
	if l == nil {
		return 0, linktrack.ErrNotFound
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	def := l.def.Load()
	if def.IsDeleted() {
		return 0, nil
	}
	passed := max(l.counts.used.Load(), l.counts.total.Load())
	n, isNew := r.Grant(def.DeactivateAt, passed, l.granted[r.Source])
	if !isNew {
		return int(n), nil
	}
	l.counts.used.Store(passed + n)
	l.keepGranted(r.Source, linktrack.Granted{Seq: r.Seq, People: n})
	if passed+n == def.DeactivateAt {
		s.alerts.make(l, linktrack.AlertID{Link: l.id, Kind: linktrack.AlertUsedUp, Count: def.DeactivateAt}, micro(r.Time))
	}
	return int(n), nil
}

// keepGranted keeps the last reservation of a source, instead of any other one if there are
// too many. l.mu must be held.
func (l *link) keepGranted(of linktrack.Source, g linktrack.Granted) {
	if l.granted == nil {
		l.granted = make(map[linktrack.Source]linktrack.Granted)
	}
	if _, known := l.granted[of]; !known && len(l.granted) >= maxGranted {
		for other := range l.granted {
			delete(l.granted, other)
			break
		}
	}
	l.granted[of] = g
}
