package linktrack

import (
	"crypto/rand"
	"sync"
)

// A queue is the journal of those who have none: it keeps clicks in memory
// until the store has them. They have room when they come, and the queue gives
// it back.
type queue struct {
	budget *budget

	mu          sync.Mutex
	source      Source
	seq         int64
	sent        Batch   // what Next returned, or send is sending; Seq 0: nothing
	taken       int64   // the bytes that have room for sent
	direct      bool    // it is send's
	clicks      []Click // behind that
	quarantined []Click // see Quarantine
}

func newQueue(r *budget) *queue {
	q := &queue{budget: r}
	rand.Read(q.source[:])
	return q
}

// maxBatchBytes ends a batch whose clicks are long. Usual clicks have some hundred
// bytes each.
const maxBatchBytes = 4 << 20

// batchOf returns how many of the first clicks make a batch of at most a number,
// and their bytes.
func batchOf(clicks []Click, most int) (n int, bytes int64) {
	for n < min(most, len(clicks)) && bytes < maxBatchBytes {
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

// send gives the clicks to write as a batch if nothing is before them and they
// are no more than a batch. If that fails, or they are not, they are appended, and
// queued is true. One goroutine calls it at a time.
func (q *queue) send(clicks []Click, write func(Batch) error) (queued bool, err error) {
	n, bytes := batchOf(clicks, maxBatch)
	q.mu.Lock()
	if q.sent.Seq != 0 || len(q.clicks) > 0 || n < len(clicks) {
		defer q.mu.Unlock()
		q.clicks = append(q.clicks, clicks...)
		return true, nil
	}
	q.seq++
	b := Batch{Source: q.source, Seq: q.seq, Clicks: clicks}
	q.sent, q.taken, q.direct = b, bytes, true // nobody else may send before this is decided
	q.mu.Unlock()

	err = write(b)

	q.mu.Lock()
	defer q.mu.Unlock()
	q.direct = false
	if err == nil {
		q.drop()
		return false, nil
	}
	q.sent.Clicks = append([]Click(nil), clicks...) // the caller's slice is the caller's
	return true, err
}

// Next implements Journal.
func (q *queue) Next(most int) (Batch, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.sent.Seq == 0 && len(q.clicks) > 0 {
		var n int
		n, q.taken = batchOf(q.clicks, most)
		q.seq++
		q.sent = Batch{Source: q.source, Seq: q.seq, Clicks: q.clicks[:n:n]}
		q.clicks = q.clicks[n:]
	}
	if q.direct {
		return Batch{}, nil
	}
	return q.sent, nil
}

// Done implements Journal.
func (q *queue) Done() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.sent.Clicks) // they stand before q.clicks, which keeps the memory of both
	q.drop()
	if len(q.clicks) == 0 {
		q.clicks = nil // give back what a backlog took
	}
	return nil
}

// drop ends the batch that was sent, and gives its room back.
func (q *queue) drop() {
	q.budget.release(len(q.sent.Clicks), q.taken)
	q.sent, q.taken = Batch{}, 0
}

// Quarantine implements Journal.
func (q *queue) Quarantine() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.budget.release(0, q.taken-sizeOf(q.sent.Clicks)) // they were completed: they count as they are now
	q.quarantined = append(q.quarantined, q.sent.Clicks...)
	clear(q.sent.Clicks)
	q.sent, q.taken = Batch{}, 0
	return nil
}

// Restore implements Journal.
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
	return JournalSize{Clicks: int64(len(q.sent.Clicks) + len(q.clicks)), Quarantined: int64(len(q.quarantined))}
}
