package memstore

import (
	"context"
	"slices"
	"sync"

	"github.com/linktrackhq/linktrack"
)

// forget drops the oldest click of each link's history.
func (s *Store) forget(links []*link) {
	for _, l := range links {
		l.mu.Lock()
		s.bytes.Add(-l.history.drop())
		l.mu.Unlock()
	}
}

// A ring has one entry for each click in a history, in the order in which the clicks were
// recorded. An entry is the link of the click.
type ring struct {
	mu      sync.Mutex
	max     int
	entries []*link
	next    int // the oldest entry, once there are max
}

// push adds entries for clicks that are in their histories already. It returns the entries
// that they replaced, in the same slice.
func (r *ring) push(links []*link) (gone []*link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(links), r.max-len(r.entries))
	r.entries = append(r.entries, links[:n]...)
	gone = links[n:]
	for i := range gone {
		gone[i], r.entries[r.next] = r.entries[r.next], gone[i]
		if r.next++; r.next == r.max {
			r.next = 0
		}
	}
	return gone
}

// shed removes the oldest entries, a sixteenth of all and one at least, and returns
// them.
func (r *ring) shed() (gone []*link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	entries := slices.Concat(r.entries[r.next:], r.entries[:r.next])
	n := (len(entries) + 15) / 16
	r.entries, r.next = entries[n:], 0
	return entries[:n:n]
}

// Clicks implements [linktrack.ClickStore].
func (s *Store) Clicks(ctx context.Context, q linktrack.ClickFilter) ([]linktrack.Click, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := s.link(q.Link)
	if l == nil {
		return []linktrack.Click{}, nil
	}
	l.mu.Lock()
	rows := l.history.between(q)
	l.mu.Unlock()

	clicks := make([]linktrack.Click, len(rows))
	for i := range rows {
		clicks[i] = rows[i].click(q.Link)
	}
	return clicks, nil
}
