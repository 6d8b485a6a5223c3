package linktrack

import (
	"crypto/rand"
	"sync"
)

// A queue is the journal of those who have none: it keeps clicks in memory
// until the store has them, at most a number of them.
type queue struct {
	most int

	mu     sync.Mutex
	source Source
	seq    int64
	sent   Batch   // what Next returned, or send is sending; Seq 0: nothing
	direct bool    // it is send's
	clicks []Click // behind that
	aside  []Click // see SetAside
}

func newQueue(most int) *queue {
	q := &queue{most: most}
	rand.Read(q.source[:])
	return q
}

// maxBatchText ends a batch whose texts have become long, in bytes. Usual
// clicks have some hundred each.
const maxBatchText = 4 << 20

// Append implements Journal.
func (q *queue) Append(clicks []Click) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.append(clicks)
}

func (q *queue) append(clicks []Click) error {
	if q.held()+len(clicks) > q.most {
		return ErrJournalFull
	}
	q.clicks = append(q.clicks, clicks...)
	return nil
}

func (q *queue) held() int {
	return len(q.sent.Clicks) + len(q.clicks) + len(q.aside)
}

// send gives the clicks to write as a batch if nothing is before them. If that
// fails, or something is, they are appended, and queued is true. One goroutine
// calls it at a time.
func (q *queue) send(clicks []Click, write func(Batch) error) (queued bool, err error) {
	q.mu.Lock()
	if q.sent.Seq != 0 || len(q.clicks) > 0 {
		defer q.mu.Unlock()
		return true, q.append(clicks)
	}
	q.seq++
	b := Batch{Source: q.source, Seq: q.seq, Clicks: clicks}
	q.sent, q.direct = b, true // nobody else may send before this is decided
	q.mu.Unlock()

	err = write(b)

	q.mu.Lock()
	defer q.mu.Unlock()
	q.direct = false
	if err == nil {
		q.sent = Batch{}
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
		n, bytes := 0, 0
		for n < min(most, len(q.clicks)) && bytes < maxBatchText {
			c := &q.clicks[n]
			bytes += len(c.Referrer) + len(c.UserAgent) + len(c.Query)
			n++
		}
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
	q.sent = Batch{}
	if len(q.clicks) == 0 {
		q.clicks = nil // give back what a backlog took
	}
	return nil
}

// SetAside implements Journal.
func (q *queue) SetAside() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.aside = append(q.aside, q.sent.Clicks...)
	q.sent = Batch{}
	return nil
}

// Restore implements Journal.
func (q *queue) Restore() (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.aside)
	q.clicks = append(q.clicks, q.aside...)
	q.aside = nil
	return n, nil
}

// Size implements Journal.
func (q *queue) Size() JournalSize {
	q.mu.Lock()
	defer q.mu.Unlock()
	return JournalSize{Clicks: int64(q.held() - len(q.aside)), Aside: int64(len(q.aside))}
}
