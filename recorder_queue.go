package linktrack

import (
	"crypto/rand"
	"sync"
)

// A queue is the [Journal] in memory: it keeps clicks until the store has them.
// Every click in it has its size reserved in the budget; the queue releases it.
type queue struct {
	budget *budget
	source Source

	// guarded by mu
	mu          sync.Mutex
	seq         int64
	current     Batch   // the batch that is being stored; Seq 0: none
	reserved    int64   // the bytes that the budget has for current
	direct      bool    // current is begin's, not Next's
	clicks      []Click // behind current, oldest first
	quarantined []Click
}

func newQueue(b *budget) *queue {
	q := &queue{budget: b}
	rand.Read(q.source[:])
	return q
}

// maxBatchBytes bounds a batch of long clicks. A usual click has some hundred
// bytes.
const maxBatchBytes = 4 << 20

// firstBatch returns how many of the clicks, from the first one on, make a batch of
// at most limit clicks, and their size.
func firstBatch(clicks []Click, limit int) (n int, bytes int64) {
	for n < min(limit, len(clicks)) && bytes < maxBatchBytes {
		bytes += clicks[n].size()
		n++
	}
	return n, bytes
}

// Append implements Journal.
func (q *queue) Append(clicks []Click) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.clicks = append(q.clicks, clicks...)
	return nil
}

// begin returns the clicks as a batch to be stored at once, for which end must be
// called. If others wait, or the clicks are more than one batch, ok is false and
// they are appended. One goroutine calls it at a time.
func (q *queue) begin(clicks []Click) (b Batch, ok bool) {
	n, bytes := firstBatch(clicks, maxBatch)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.current.Seq != 0 || len(q.clicks) > 0 || n < len(clicks) {
		q.clicks = append(q.clicks, clicks...)
		return Batch{}, false
	}
	q.seq++
	q.current = Batch{Source: q.source, Seq: q.seq, Clicks: clicks}
	q.reserved, q.direct = bytes, true // Next returns nothing until end
	return q.current, true
}

// end says how storing the batch of begin went. If it failed, Next returns it.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.direct = false
	if err == nil {
		q.drop()
		return
	}
	q.current.Clicks = append([]Click(nil), q.current.Clicks...) // the slice is begin's caller's
}

// Next implements Journal.
func (q *queue) Next(limit int) (Batch, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.current.Seq == 0 && len(q.clicks) > 0 {
		var n int
		n, q.reserved = firstBatch(q.clicks, limit)
		q.seq++
		q.current = Batch{Source: q.source, Seq: q.seq, Clicks: q.clicks[:n:n]}
		q.clicks = q.clicks[n:]
	}
	if q.direct {
		return Batch{}, nil
	}
	return q.current, nil
}

// Done implements Journal.
func (q *queue) Done() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.current.Clicks) // they share their memory with q.clicks, which keeps it
	q.drop()
	if len(q.clicks) == 0 {
		q.clicks = nil // release the memory of a backlog
	}
	return nil
}

// drop ends the current batch and releases its part of the budget.
func (q *queue) drop() {
	q.budget.release(len(q.current.Clicks), q.reserved)
	q.current, q.reserved = Batch{}, 0
}

// Quarantine implements Journal.
func (q *queue) Quarantine() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.budget.release(0, q.reserved-sizeOf(q.current.Clicks)) // completed clicks have another size
	q.quarantined = append(q.quarantined, q.current.Clicks...)
	clear(q.current.Clicks)
	q.current, q.reserved = Batch{}, 0
	return nil
}

// Requeue implements Journal.
func (q *queue) Requeue() (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.quarantined)
	q.clicks = append(q.clicks, q.quarantined...)
	q.quarantined = nil
	return n, nil
}

// Size implements Journal.
func (q *queue) Size() JournalSize {
	q.mu.Lock()
	defer q.mu.Unlock()
	return JournalSize{Clicks: int64(len(q.current.Clicks) + len(q.clicks)), Quarantined: int64(len(q.quarantined))}
}
