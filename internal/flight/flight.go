// Package flight lets many callers share the runs of one function.
package flight

import (
	"context"
	"sync"
)

// A Group makes one call to Run at a time for all that call Do. Run is set before the
// first call and not changed.
type Group struct {
	// Run does the work. It must end in a bounded time, and must not panic.
	Run func() error

	// guarded by mu
	mu      sync.Mutex
	running *run
	next    *run // for the callers that came since running began; nil: there are none
}

type run struct {
	done chan struct{}
	err  error // set before done is closed
}

// Do returns the error of a run that began after the call, when it has ended. If ctx ends
// before that, Do returns its error, and the run goes on.
func (g *Group) Do(ctx context.Context) error {
	g.mu.Lock()
	r := g.next
	if r == nil {
		r = &run{done: make(chan struct{})}
		g.next = r
	}
	if g.running == nil {
		g.start()
	}
	g.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start begins the next run. g.mu is locked.
func (g *Group) start() {
	r := g.next
	g.running, g.next = r, nil
	go func() {
		err := g.Run()
		g.mu.Lock()
		defer g.mu.Unlock()
		r.err = err
		close(r.done)
		g.running = nil
		if g.next != nil {
			g.start()
		}
	}()
}

// Wait returns when no run is under way, or ctx ends.
func (g *Group) Wait(ctx context.Context) {
	for {
		g.mu.Lock()
		r := g.running
		g.mu.Unlock()
		if r == nil {
			return
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return
		}
	}
}
