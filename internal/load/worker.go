package load

import (
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"
)

// A worker is one connection: a visitor after the other.
type worker struct {
	running *Running
	number  int
	random  *rand.Rand
	timer   *time.Timer

	conn    net.Conn // nil: none
	until   time.Time
	request []byte
	answer  []byte

	redirects atomic.Int64 // read by Running.Redirects; all else is for Wait
	refused   int64
	others    map[int]int64
	errors    map[string]int
	byPath    []PathResult
	latency   Histogram
	last      time.Time // of the last answer
}

const pause = 10 * time.Millisecond // after an attempt to connect that failed

func (w *worker) work() {
	defer func() {
		if w.conn != nil {
			w.conn.Close()
		}
	}()
	// Drawn before the connection is there and kept until it was sent, so that
	// the requests are the same whatever becomes of the connections.
	path, visitor := w.draw()
	for turn := 0; ; turn++ {
		planned := w.planned(turn)
		if !w.wait(planned) {
			return
		}
		for w.conn == nil {
			if !w.connect() && !w.wait(time.Now().Add(pause)) {
				return
			}
		}
		l := &w.running.load
		if l.Count > 0 && w.running.tickets.Add(1) > l.Count {
			return
		}
		if planned.IsZero() {
			planned = time.Now()
		}
		status, err := w.ask(l.Paths[path], visitor)
		now := time.Now()
		switch {
		case err != nil:
			w.byPath[path].Unanswered++
			w.lose(err)
		case status == 302:
			w.byPath[path].Redirects++
			w.latency.Record(now.Sub(planned))
			w.redirects.Add(1)
			w.last = now
		default:
			w.others[status]++
			w.last = now
		}
		path, visitor = w.draw()
	}
}

// draw chooses what to ask for, and who does.
func (w *worker) draw() (path, visitor int) {
	l := &w.running.load
	visitor = w.random.IntN(len(w.running.heads))
	if l.Hot > 0 && w.random.Float64() < l.Hot {
		return 0, visitor
	}
	return w.random.IntN(len(l.Paths)), visitor
}

// planned is when the timetable sends this connection's request, zero without
// a timetable. The connections take turns.
func (w *worker) planned(turn int) time.Time {
	r := w.running
	if r.load.Rate <= 0 {
		return time.Time{}
	}
	n := float64(turn*len(r.workers) + w.number)
	return r.start.Add(time.Duration(n / r.load.Rate * float64(time.Second)))
}

// wait waits until then and reports whether the load goes on after it.
func (w *worker) wait(then time.Time) bool {
	r := w.running
	now := time.Now()
	if !r.end.IsZero() && (then.After(r.end) || now.After(r.end)) {
		return false
	}
	if d := then.Sub(now); !then.IsZero() && d > 0 {
		w.timer.Reset(d)
		select {
		case <-w.timer.C:
		case <-r.ctx.Done():
		}
	}
	return r.ctx.Err() == nil
}

func (w *worker) connect() bool {
	dialer := net.Dialer{Timeout: w.running.load.Timeout}
	conn, err := dialer.DialContext(w.running.ctx, "tcp", w.running.addr)
	if err != nil {
		w.refused++
		w.errors[cause(err)]++
		return false
	}
	w.conn, w.until = conn, time.Time{}
	return true
}

// lose gives the connection up.
func (w *worker) lose(err error) {
	w.errors[cause(err)]++
	w.conn.Close()
	w.conn = nil
}

// cause is an error without the addresses, which differ from one to the next.
func cause(err error) string {
	if op, ok := err.(*net.OpError); ok {
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}
