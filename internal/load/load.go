// Package load sends visitors to a server on this machine and counts, exactly,
// how many of them it redirected: for benchmarks and for tests that kill the
// server meanwhile. It speaks just enough HTTP/1.1 over its own connections to
// take little of the processor from the server that it measures.
package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Load is what to send, and where.
type Load struct {
	Addr        string   // host:port; only a loopback address is taken
	Paths       []string // to ask for, each with its slash; a query may follow
	Hot         float64  // the share of requests, 0 to 1, that is for Paths[0]; the others are drawn alike
	Visitors    []string // the header lines of each kind of visitor, each line with its CRLF, without Host; they are drawn alike. nil: 20 kinds of browsers
	Connections int      // each sends one request at a time; 0: 1
	Seed        uint64   // two loads that have it in common send the same requests

	// It ends after Duration or Count requests, whichever comes first, or with
	// the context. What is under way then is still waited for.
	Duration time.Duration // 0: no bound
	Count    int64         // of requests; 0: no bound

	// Rate is how many requests to send in a second. They leave by a timetable,
	// and latency is counted from the time that stands there: an answer that
	// keeps later requests waiting makes them late, too. 0: each connection
	// sends again as soon as it has its answer.
	Rate float64

	Timeout time.Duration // of one answer, at least; 0: ten seconds
}

// A Result is what became of the requests. Each that was sent is in Redirects,
// in Others or in Unanswered.
type Result struct {
	Redirects  int64          // answered 302, and the answer read to its end
	Others     map[int]int64  // answered with another status, by status
	Unanswered int64          // sent, at least in part, and not answered to the end: nobody knows what the server did
	Refused    int64          // attempts to connect that failed; their requests were sent later, or never
	ByPath     []PathResult   // in the order of Load.Paths
	Elapsed    time.Duration  // from the first request to the last answer
	Latency    Histogram      // of the redirects
	Errors     map[string]int // texts of the errors behind Unanswered and Refused, with how often each came
}

// A PathResult is what became of the requests for one path.
type PathResult struct {
	Redirects, Unanswered int64
}

// PerSecond is the rate of redirects.
func (r Result) PerSecond() float64 { return float64(r.Redirects) / r.Elapsed.Seconds() }

// Run sends the load and waits for its end. An error means that nothing was
// sent; what goes wrong later is in the Result.
func Run(ctx context.Context, l Load) (Result, error) {
	r, err := Start(ctx, l)
	if err != nil {
		return Result{}, err
	}
	return r.Wait(), nil
}

// A Running load can be watched.
type Running struct {
	ctx     context.Context
	cancel  context.CancelFunc
	addr    string
	load    Load
	heads   [][]byte // what follows the line of Host, for each kind of visitor
	start   time.Time
	end     time.Time // zero: none
	tickets atomic.Int64
	workers []*worker
	done    sync.WaitGroup
}

// Start opens the connections, begins to send and returns.
func Start(ctx context.Context, l Load) (*Running, error) {
	addr, err := loopback(l.Addr)
	if err != nil {
		return nil, err
	}
	if len(l.Paths) == 0 {
		return nil, errors.New("load: no paths")
	}
	if l.Connections == 0 {
		l.Connections = 1
	}
	if l.Timeout == 0 {
		l.Timeout = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &Running{ctx: ctx, cancel: cancel, addr: addr, load: l, heads: browsers}
	if l.Visitors != nil {
		r.heads = nil
		for _, lines := range l.Visitors {
			r.heads = append(r.heads, []byte(lines+"\r\n"))
		}
	}
	var connected sync.WaitGroup
	for i := range l.Connections {
		w := &worker{
			running: r,
			number:  i,
			random:  rand.New(rand.NewPCG(l.Seed, uint64(i))),
			timer:   time.NewTimer(0),
			request: make([]byte, 0, 1024),
			answer:  make([]byte, 4096),
			byPath:  make([]PathResult, len(l.Paths)),
			others:  make(map[int]int64),
			errors:  make(map[string]int),
		}
		r.workers = append(r.workers, w)
		connected.Go(func() { w.connect() })
	}
	connected.Wait()
	r.start = time.Now()
	if l.Duration > 0 {
		r.end = r.start.Add(l.Duration)
	}
	for _, w := range r.workers {
		r.done.Go(w.work)
	}
	return r, nil
}

// Redirects is how many there were so far.
func (r *Running) Redirects() (n int64) {
	for _, w := range r.workers {
		n += w.redirects.Load()
	}
	return n
}

// Stop ends the load as the end of its context would. It does not wait.
func (r *Running) Stop() { r.cancel() }

// Wait returns when the last answer has come or is given up.
func (r *Running) Wait() Result {
	r.done.Wait()
	r.cancel()
	all := Result{
		Others: make(map[int]int64),
		ByPath: make([]PathResult, len(r.load.Paths)),
		Errors: make(map[string]int),
	}
	last := r.start
	for _, w := range r.workers {
		all.Redirects += w.redirects.Load()
		all.Refused += w.refused
		for status, n := range w.others {
			all.Others[status] += n
		}
		for text, n := range w.errors {
			all.Errors[text] += n
		}
		for i, p := range w.byPath {
			all.ByPath[i].Redirects += p.Redirects
			all.ByPath[i].Unanswered += p.Unanswered
			all.Unanswered += p.Unanswered
		}
		all.Latency.Add(&w.latency)
		if w.last.After(last) {
			last = w.last
		}
	}
	all.Elapsed = last.Sub(r.start)
	return all
}

// loopback resolves an address and refuses all that is not on this machine.
func loopback(addr string) (string, error) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("load: %w", err)
	}
	if !a.IP.IsLoopback() {
		return "", fmt.Errorf("load: %s is not an address of this machine's loopback", addr)
	}
	return a.String(), nil
}
