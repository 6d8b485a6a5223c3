package memstore

import (
	"context"
	"sync"
	"time"
	"unsafe"

	"github.com/linktrackhq/linktrack"
)

// A clickLog has the clicks that are appended but not applied yet. They are in chunks, so
// that appending never moves the clicks that are there.
type clickLog struct {
	mu     sync.Mutex
	seqs   map[linktrack.Source]int64 // the highest Seq of each source
	chunks [][]linktrack.Click        // in the order in which the clicks came; none is empty
	bytes  int64
	spare  [][]linktrack.Click // empty chunks, whose memory is used again

	applying sync.Mutex // held while clicks are applied, re-classified, or purged
}

const (
	chunkClicks = 4096 // which are also applied at a time
	maxSpare    = 8    // chunks, of about a megabyte each
)

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
	for i := range b.Clicks {
		log.bytes += sizeOf(&b.Clicks[i])
	}
	for clicks := b.Clicks; len(clicks) > 0; {
		last := len(log.chunks) - 1
		if last < 0 || len(log.chunks[last]) == chunkClicks {
			log.chunks = append(log.chunks, log.empty())
			last++
		}
		n := min(len(clicks), chunkClicks-len(log.chunks[last]))
		log.chunks[last] = append(log.chunks[last], clicks[:n]...)
		clicks = clicks[n:]
	}
	return nil
}

// empty returns a chunk without clicks, which may be nil. log.mu must be held.
func (log *clickLog) empty() []linktrack.Click {
	n := len(log.spare)
	if n == 0 {
		return nil
	}
	chunk := log.spare[n-1]
	log.spare = log.spare[:n-1]
	return chunk
}

// take returns all clicks of the log, in chunks, and empties it.
func (log *clickLog) take() [][]linktrack.Click {
	log.mu.Lock()
	defer log.mu.Unlock()
	chunks := log.chunks
	log.chunks, log.bytes = nil, 0
	return chunks
}

// reuse keeps the memory of a chunk that take has returned, unless there is enough.
func (log *clickLog) reuse(chunk []linktrack.Click) {
	clear(chunk)
	log.mu.Lock()
	defer log.mu.Unlock()
	if len(log.spare) < maxSpare {
		log.spare = append(log.spare, chunk[:0])
	}
}

func (log *clickLog) size() linktrack.LogSize {
	log.mu.Lock()
	defer log.mu.Unlock()
	if len(log.chunks) == 0 {
		return linktrack.LogSize{}
	}
	last := len(log.chunks) - 1
	return linktrack.LogSize{
		Clicks: int64(last*chunkClicks + len(log.chunks[last])),
		Bytes:  log.bytes,
		Oldest: log.chunks[0][0].ID.Time(),
	}
}

// ApplyClicks implements [linktrack.ClickStore]. Once it has taken clicks from the log,
// it applies all of them, even if ctx ends. Nothing is ever quarantined.
func (s *Store) ApplyClicks(ctx context.Context, zone *time.Location, _ time.Time) (linktrack.LogSize, error) {
	if err := ctx.Err(); err != nil {
		return linktrack.LogSize{}, err
	}
	s.log.applying.Lock()
	defer s.log.applying.Unlock()
	for _, chunk := range s.log.take() {
		s.apply(chunk, zone)
		s.log.reuse(chunk)
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
		s.sums.add(l.def.Load(), &d)
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
	l.count(d, a)
	return bytes
}

// count adds the delta to the sums, and makes the alerts that come due. The caller holds
// l.mu.
func (l *link) count(d *linktrack.Delta, a *alerts) {
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
}

func sizeOf(c *linktrack.Click) int64 {
	return int64(unsafe.Sizeof(*c)) + int64(len(c.Referrer)+len(c.ReferrerHost)+len(c.UserAgent)+len(c.Browser)+len(c.Platform)+len(c.Query))
}
