package linktrack

import (
	"crypto/rand"
	"sync"
	"unsafe"
)

// A queue is the [Journal] in memory: it keeps clicks until the store has them. Only
// clicks that have to wait are brought to their binary form.
//
// The budget has the bytes of all clicks in it, which are, for each click:
//   - in the current batch: its size
//   - in a backlog: the bytes of its binary form
type queue struct {
	budget *budget
	source Source

	// guarded by mu
	mu          sync.Mutex
	seq         int64
	current     Batch   // the batch that is being stored; Seq 0: none
	reserved    int64   // the bytes that the budget has for current
	direct      bool    // current is begin's, not Next's
	waiting     backlog // behind current
	quarantined backlog
}

func newQueue(b *budget) *queue {
	q := &queue{budget: b}
	rand.Read(q.source[:])
	return q
}

// maxBatchBytes bounds a batch of long clicks. A usual click has some hundred
// bytes.
const maxBatchBytes = 4 << 20

// Append implements Journal. The clicks have their sizes reserved in the budget.
func (q *queue) Append(clicks []Click) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.append(clicks, sizeOf(clicks))
	return nil
}

func (q *queue) append(clicks []Click, reserved int64) {
	q.budget.release(0, reserved-q.waiting.add(clicks))
}

// begin returns the clicks as a batch to be stored at once, for which end must be
// called. If others wait, or the clicks are more than one batch, ok is false and
// they are appended. One goroutine calls it at a time.
func (q *queue) begin(clicks []Click) (b Batch, ok bool) {
	reserved := sizeOf(clicks)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.current.Seq != 0 || q.waiting.clicks > 0 || len(clicks) > maxBatch || reserved > maxBatchBytes {
		q.append(clicks, reserved)
		return Batch{}, false
	}
	q.seq++
	q.current = Batch{Source: q.source, Seq: q.seq, Clicks: clicks}
	q.reserved, q.direct = reserved, true // Next returns nothing until end
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
	size := sizeOf(q.current.Clicks)                             // completed clicks have another size
	q.budget.release(0, q.reserved-size)
	q.reserved = size
}

// Next implements Journal. It decodes the clicks without the lock, so that visitors who
// append do not wait for that.
func (q *queue) Next(limit int) (Batch, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.current.Seq == 0 && q.waiting.clicks > 0 {
		waiting := q.waiting.snapshot()
		q.mu.Unlock()
		clicks, bytes, err := waiting.first(limit)
		q.mu.Lock()
		if err != nil {
			return Batch{}, err
		}
		q.waiting.remove(len(clicks), bytes)
		q.seq++
		q.current = Batch{Source: q.source, Seq: q.seq, Clicks: clicks}
		q.reserved = bytes + int64(cap(clicks))*int64(unsafe.Sizeof(Click{})) // their texts share the binary form
		q.budget.release(0, bytes-q.reserved)
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
	clear(q.current.Clicks) // else a batch that the caller still has would keep their texts
	q.drop()
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
	q.budget.release(0, q.reserved-q.quarantined.add(q.current.Clicks))
	clear(q.current.Clicks)
	q.current, q.reserved = Batch{}, 0
	return nil
}

// Requeue implements Journal.
func (q *queue) Requeue() (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.quarantined.clicks
	q.waiting.move(&q.quarantined)
	return n, nil
}

// Size implements Journal.
func (q *queue) Size() JournalSize {
	q.mu.Lock()
	defer q.mu.Unlock()
	return JournalSize{Clicks: int64(len(q.current.Clicks) + q.waiting.clicks), Quarantined: int64(q.quarantined.clicks)}
}
