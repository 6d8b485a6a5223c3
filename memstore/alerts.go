package memstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack"
)

// alerts has all alerts of the links that there are. wait has those that are not delivered yet,
// in the order in which they are due.
type alerts struct {
	mu   sync.Mutex
	byID map[linktrack.AlertID]*alert // nil if the alert was delivered
	wait []*alert
	made int // how many were created
}

type alert struct {
	id      linktrack.AlertID
	link    *link
	reached time.Time
	due     time.Time // zero until the first lease
	number  int       // its number in the order of creation
	tries   int
}

func (a *alert) compare(b *alert) int {
	return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.number, b.number))
}

// make adds an alert unless it exists or was delivered.
func (a *alerts) make(l *link, id linktrack.AlertID, reached time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, made := a.byID[id]; made {
		return
	}
	if a.byID == nil {
		a.byID = make(map[linktrack.AlertID]*alert)
	}
	n := &alert{id: id, link: l, reached: reached, number: a.made}
	a.made++
	a.byID[id] = n
	a.insert(n)
}

func (a *alerts) insert(n *alert) {
	i, _ := slices.BinarySearchFunc(a.wait, n, (*alert).compare)
	a.wait = slices.Insert(a.wait, i, n)
}

func (a *alerts) remove(n *alert) {
	i, _ := slices.BinarySearchFunc(a.wait, n, (*alert).compare)
	a.wait = slices.Delete(a.wait, i, i+1)
}

// purge removes the alerts of a link.
func (a *alerts) purge(link int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.byID, func(id linktrack.AlertID, _ *alert) bool { return id.Link == link })
	a.wait = slices.DeleteFunc(a.wait, func(n *alert) bool { return n.id.Link == link })
}

// LeaseAlert implements [linktrack.AlertStore].
func (s *Store) LeaseAlert(ctx context.Context, now, until time.Time) (linktrack.PendingAlert, error) {
	if err := ctx.Err(); err != nil {
		return linktrack.PendingAlert{}, err
	}
	s.alerts.mu.Lock()
	defer s.alerts.mu.Unlock()
	if len(s.alerts.wait) == 0 || s.alerts.wait[0].due.After(now) {
		return linktrack.PendingAlert{}, linktrack.ErrNotFound
	}
	a := s.alerts.wait[0]
	s.alerts.remove(a)
	a.due = micro(until)
	a.tries++
	s.alerts.insert(a)
	return linktrack.PendingAlert{ID: a.id, Link: a.link.snapshot(), Reached: a.reached, Tries: a.tries}, nil
}

// FinishAlert implements [linktrack.AlertStore].
func (s *Store) FinishAlert(ctx context.Context, id linktrack.AlertID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.alerts.mu.Lock()
	defer s.alerts.mu.Unlock()
	if a := s.alerts.byID[id]; a != nil {
		s.alerts.remove(a)
		s.alerts.byID[id] = nil
	}
	return nil
}

// PostponeAlert implements [linktrack.AlertStore].
func (s *Store) PostponeAlert(ctx context.Context, id linktrack.AlertID, next time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.alerts.mu.Lock()
	defer s.alerts.mu.Unlock()
	if a := s.alerts.byID[id]; a != nil {
		s.alerts.remove(a)
		a.due = micro(next)
		s.alerts.insert(a)
	}
	return nil
}
