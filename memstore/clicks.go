package memstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack"
)

// A source is one sender of batches. Its lock is held while a batch is applied:
// whoever sends the same batch meanwhile waits and finds it done.
type source struct {
	mu      sync.Mutex
	seq     int64   // the highest that was kept
	touched []*link // of the batch being applied, one for each click
}

func (s *Store) source(name linktrack.Source) *source {
	s.sourcesMu.RLock()
	src := s.sources[name]
	s.sourcesMu.RUnlock()
	if src != nil {
		return src
	}
	s.sourcesMu.Lock()
	defer s.sourcesMu.Unlock()
	if src := s.sources[name]; src != nil {
		return src
	}
	src = &source{}
	s.sources[name] = src
	return src
}

// RecordClicks implements [linktrack.ClickStore]. The strings of the clicks are
// copied. Once begun, a batch is applied whole, whatever becomes of ctx.
func (s *Store) RecordClicks(ctx context.Context, b linktrack.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	src := s.source(b.Source)
	src.mu.Lock()
	defer src.mu.Unlock()
	if b.Seq <= src.seq {
		return nil
	}
	src.touched = src.touched[:0]
	for i := range b.Clicks {
		if l := s.link(b.Clicks[i].Link); l != nil {
			s.bytes.Add(l.record(&b.Clicks[i], b.TimeZone, &s.alerts))
			src.touched = append(src.touched, l)
		}
	}
	s.forget(s.kept.push(src.touched))
	for s.bytes.Load() > s.maxBytes {
		gone := s.kept.shed()
		if len(gone) == 0 { // all that is there is being recorded by others
			break
		}
		s.forget(gone)
	}
	src.seq = b.Seq
	return nil
}

// record returns the bytes that the click takes in the history.
func (l *link) record(k *linktrack.Click, zone *time.Location, a *alerts) int64 {
	r := newRow(k) // copies, which needs no lock
	at := k.ID.Time().UnixMicro()
	day, hour := linktrack.DayAndHour(k.ID.Time(), zone)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.history.add(&r)
	l.counts.add(k, at)
	if !k.Bot {
		l.hours.add(at)
		a.counted(l, k.ID)
	}
	l.days.of(day).AddClick(k, hour)
	return r.size()
}

// RollUp implements [linktrack.ClickStore]. Nothing is put off here.
func (s *Store) RollUp(ctx context.Context, _ time.Time) error { return ctx.Err() }

// forget drops the oldest click of each link's history.
func (s *Store) forget(links []*link) {
	for _, l := range links {
		l.mu.Lock()
		s.bytes.Add(-l.history.drop())
		l.mu.Unlock()
	}
}

// A ring has one entry for each click in a history, in the order in which they
// were recorded: the link it is of.
type ring struct {
	mu      sync.Mutex
	max     int
	entries []*link
	next    int // the oldest entry, once there are max
}

// push adds entries for clicks that are in their histories already, and returns
// those whose place they took, in the same slice.
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

// ReserveClicks implements [linktrack.ClickStore]. It grants a part of n if
// that is what the limit leaves.
func (s *Store) ReserveClicks(ctx context.Context, id int64, n int) (granted int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l := s.link(id)
	if l == nil {
		return 0, linktrack.ErrNotFound
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.def.Load().DeactivateAt
	if limit <= 0 {
		return n, nil
	}
	used := max(l.counts.used.Load(), l.counts.total.Load())
	if left := limit - used; int64(n) > left {
		n = int(max(left, 0))
	}
	if n > 0 {
		l.counts.used.Store(used + int64(n))
	}
	return n, nil
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
