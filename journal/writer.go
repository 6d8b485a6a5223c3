package journal

import (
	"errors"
	"fmt"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"github.com/linktrackhq/linktrack"
)

// One goroutine, the writer, has the file to itself. All that is wanted by the
// time it begins a transaction goes into that transaction: the Appends that
// wait, the deletion of a batch that is done, and the batch that Next asks for.

// A group is the clicks of Appends that share a transaction.
type group struct {
	parts   []part
	size    int64
	written chan struct{} // closed when err is set
	err     error
}

// A part is encoded clicks that fit into a record.
type part struct {
	clicks int64
	bytes  []byte
}

// split encodes clicks. size is what they take in the file, or a bit more.
func split(clicks []linktrack.Click) (parts []part, size int64) {
	guess := 0
	for i := range clicks {
		c := &clicks[i]
		guess += 48 + len(c.Referrer) + len(c.ReferrerHost) + len(c.UserAgent) + len(c.Browser) + len(c.Platform) + len(c.Query) + len(c.Country)
	}
	b := make([]byte, 0, guess)
	var p part
	for i := range clicks {
		b = appendClick(b, &clicks[i])
		p.clicks++
		if i == len(clicks)-1 || len(b) >= fullRecord || p.clicks == mostClicks {
			p.bytes = b
			parts = append(parts, p)
			size += int64(len(b) + perRecord)
			p, b = part{}, b[len(b):]
		}
	}
	return parts, size
}

// A turn is one step of the drainer's.
type turn struct {
	kind   int
	most   int64                           // next: clicks
	result func(s *state, flight [][]byte) // next
	seq    int64                           // quarantine: of the batch meant
	moved  *int64                          // restore: clicks
	done   chan error
}

const (
	next = iota
	setAside
	restore
)

// run is the writer.
func (j *Journal) run() {
	defer close(j.ended)
	debug.SetPanicOnFault(true) // a file that is cut short faults; see file.guard
	for range j.wake {
		for {
			j.mu.Lock()
			g, t, closed := j.forming, j.turn, j.closed
			j.forming, j.turn = nil, nil
			j.mu.Unlock()
			if g == nil && t == nil {
				if closed {
					j.closing = j.end()
					return
				}
				break
			}
			j.serve(g, t)
			j.file.renew(j.state.bytes())
		}
	}
}

// serve does what is wanted and answers.
func (j *Journal) serve(g *group, t *turn) {
	switch {
	case t == nil:
	case g == nil || t.kind != next:
		// Only a next shares a transaction with clicks: see undo.
		t.done <- j.commit(nil, t)
		t = nil
	}
	if g == nil {
		return
	}
	err := j.commit(g, t)
	j.mu.Lock()
	j.queued -= g.size
	j.mu.Unlock()
	g.err = err
	close(g.written)
	if t == nil {
		return
	}
	if err != nil {
		// The drain needs less room than the clicks, and makes some.
		err = j.commit(nil, t)
	}
	t.done <- err
}

// commit puts the clicks of g, if any, into the file, does t, if any, and drops
// the batch that is done, in one transaction.
func (j *Journal) commit(g *group, t *turn) error {
	if err := j.ready(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	done := j.done
	j.mu.Unlock()
	s := j.state
	drop := s.dropped(done)

	if g == nil && t != nil && t.kind == next && (drop || s.flight.empty()) && s.waiting.empty() {
		return nil // nothing waits; a drop can wait, too
	}
	write := g != nil || drop || t == nil || t.kind != next || s.flight.empty()
	var flight [][]byte
	err := j.file.transact(write, func(tx *bbolt.Tx) error {
		b := bucketsOf(tx)
		if drop {
			if err := b.drop(&s); err != nil {
				return err
			}
		}
		if g != nil {
			if err := b.put(&s, g.parts); err != nil {
				return err
			}
		}
		if t != nil {
			var err error
			switch t.kind {
			case next:
				if flight, err = b.next(&s, t.most); err != nil {
					return err
				}
			case setAside:
				err = b.setAside(&s, t.seq)
			case restore:
				*t.moved, err = b.restore(&s)
			}
			if err != nil {
				return err
			}
		}
		if !write {
			return nil
		}
		return b.save(&s)
	})
	if err != nil {
		if g != nil {
			tail := j.state.waiting.tail
			j.undo = &tail
		}
		// The sooner it is known what the file holds, the better: a crash
		// before that may keep clicks whose Append failed.
		_ = j.ready() // else the next commit tries again
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	j.state = s
	j.mu.Unlock()
	if t != nil && t.kind == next {
		t.result(&s, flight)
	}
	return nil
}

// ready sees to it that the file is open and j.state is what it holds. A
// transaction that failed may be in the file nevertheless: if the last fsync
// failed, nobody knows. So the file is opened anew, and clicks whose Append
// failed are taken out.
func (j *Journal) ready() error {
	s, reopened, err := j.file.ready()
	if err != nil || !reopened {
		return err
	}
	if j.undo != nil && s.waiting.tail > *j.undo {
		err := j.file.transact(true, func(tx *bbolt.Tx) error {
			b := bucketsOf(tx)
			if err := b.undo(&s, *j.undo); err != nil {
				return err
			}
			return b.save(&s)
		})
		if err != nil {
			return err
		}
	}
	j.undo = nil
	j.mu.Lock()
	j.state = s
	j.mu.Unlock()
	return nil
}

// end writes a Done that waits and closes the file.
func (j *Journal) end() error {
	err := j.ready()
	if err == nil && j.state.dropped(j.done) {
		err = j.commit(nil, nil)
	}
	return errors.Join(err, j.file.close())
}

// bytes is what all records take.
func (s *state) bytes() int64 { return s.flight.bytes + s.waiting.bytes + s.aside.bytes }

// dropped reports whether the batch in flight is the one that is done.
func (s *state) dropped(done int64) bool {
	return !s.flight.empty() && s.seq == done
}
