package memstore

import (
	"context"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/linktrackhq/linktrack"
)

// A clickLog has the clicks that are appended but not applied yet.
type clickLog struct {
	mu     sync.Mutex
	seqs   map[linktrack.Source]int64 // the highest Seq of each source
	clicks []linktrack.Click          // in the order in which they came
	bytes  int64
	spare  []linktrack.Click // empty; its memory is used again

	applying sync.Mutex // held while clicks are applied
}

// AppendClicks implements [linktrack.ClickStore]. It copies the clicks, but not the
// memory of their texts until they are applied.
func (s *Store) AppendClicks(ctx context.Context, b linktrack.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	log := &s.log
	log.mu.Lock()
	defer log.mu.Unlock()
	if b.Seq <= log.seqs[b.Source] {
		return nil
	}
	log.seqs[b.Source] = b.Seq
	log.clicks = append(log.clicks, b.Clicks...)
	for i := range b.Clicks {
		log.bytes += sizeOf(&b.Clicks[i])
	}
	return nil
}

// take returns all clicks of the log, and empties it.
func (log *clickLog) take() []linktrack.Click {
	log.mu.Lock()
	defer log.mu.Unlock()
	clicks := log.clicks
	log.clicks, log.bytes = log.spare, 0
	log.spare = nil
	return clicks
}

// reuse keeps the memory of clicks, which take has returned, unless it is large because of
// a backlog.
func (log *clickLog) reuse(clicks []linktrack.Click) {
	clear(clicks)
	log.mu.Lock()
	defer log.mu.Unlock()
	if cap(clicks) <= 4*stepClicks {
		log.spare = clicks[:0]
	}
}

func (log *clickLog) size() linktrack.LogSize {
	log.mu.Lock()
	defer log.mu.Unlock()
	size := linktrack.LogSize{Clicks: int64(len(log.clicks)), Bytes: log.bytes}
	if len(log.clicks) > 0 {
		size.Oldest = log.clicks[0].ID.Time()
	}
	return size
}

// stepClicks is the number of clicks that are applied at a time.
const stepClicks = 5000

// ApplyClicks implements [linktrack.ClickStore]. Once it has taken clicks from the log,
// it applies all of them, even if ctx ends. Nothing is ever quarantined.
func (s *Store) ApplyClicks(ctx context.Context, zone *time.Location, _ time.Time) (linktrack.LogSize, error) {
	if err := ctx.Err(); err != nil {
		return linktrack.LogSize{}, err
	}
	s.log.applying.Lock()
	defer s.log.applying.Unlock()
	clicks := s.log.take()
	for step := range slices.Chunk(clicks, stepClicks) {
		s.apply(step, zone)
	}
	if clicks != nil {
		s.log.reuse(clicks)
	}
	return s.log.size(), nil
}

// RequeueClicks implements [linktrack.ClickStore]. Nothing is ever quarantined.
func (s *Store) RequeueClicks(ctx context.Context) (int64, error) { return 0, ctx.Err() }

// apply adds clicks to the history and the counts of their links.
func (s *Store) apply(clicks []linktrack.Click, zone *time.Location) {
	rows := make(map[int64][]row)
	for i := range clicks {
		rows[clicks[i].Link] = append(rows[clicks[i].Link], newRow(&clicks[i]))
	}
	touched := make([]*link, 0, len(clicks)) // one for each click
	for _, d := range linktrack.Deltas(clicks, zone) {
		l := s.link(d.Link)
		if l == nil {
			continue
		}
		s.bytes.Add(l.apply(&d, rows[d.Link], &s.alerts))
		for range rows[d.Link] {
			touched = append(touched, l)
		}
	}
	s.forget(s.kept.push(touched))
	for s.bytes.Load() > s.maxBytes {
		gone := s.kept.shed()
		if len(gone) == 0 {
			break
		}
		s.forget(gone)
	}
}

// apply returns the bytes that the rows take in the history.
func (l *link) apply(d *linktrack.Delta, rows []row, a *alerts) (bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range rows {
		l.history.add(&rows[i])
		bytes += rows[i].size()
	}
	before := l.counts.total.Load()
	l.counts.add(d)
	for _, h := range d.Hours {
		l.hours.add(h.Hour, h.People)
	}
	for _, day := range d.Days {
		l.days.of(day.Day).Merge(day)
	}
	def := l.def.Load()
	for _, id := range d.Alerts(def.AlertAt, def.DeactivateAt, before) {
		a.make(l, id, d.LastPerson)
	}
	return bytes
}

func sizeOf(c *linktrack.Click) int64 {
	return int64(unsafe.Sizeof(*c)) + int64(len(c.Referrer)+len(c.ReferrerHost)+len(c.UserAgent)+len(c.Browser)+len(c.Platform)+len(c.Query))
}
