// Package groupcommit combines the writes of callers who come at the same time.
package groupcommit

import (
	"context"
	"sync"
	"time"
)

// A Group makes one call to Commit at a time for all who call Do:
//   - A caller who finds no commit under way makes one at once, for itself
//     alone, on its own goroutine.
//   - Callers who come during a commit go together with the next one.
//
// So under load a caller waits about one commit and a half, and without load
// one commit and no switch of goroutine. There is no timer. Commit is required;
// the fields are set before the first call and not changed.
type Group[T any] struct {
	// Commit writes the items. It keeps no part of the slice. It must not
	// panic.
	Commit func(items []T)
	// Detached keeps every commit off the callers' goroutines, for a Commit
	// that may hang.
	Detached bool
	// Idle is called when a commit has ended and nobody waits. nil: nothing is
	// called.
	Idle func()

	mu      sync.Mutex
	running bool
	waiting *batch[T]     // for the next commit; nil: nobody
	ended   chan struct{} // closed when no commit is under way; nil: nobody waits for that
	single  [1]T          // of the caller that makes its own commit
}

type batch[T any] struct {
	items []T
	done  chan struct{} // closed when they are committed
}

// Do hands an item to a commit. It returns when that commit has ended, or after
// timeout if it goes on longer and runs on another goroutine.
func (g *Group[T]) Do(item T, timeout time.Duration) {
	g.mu.Lock()
	if !g.running && !g.Detached {
		g.running = true
		g.mu.Unlock()
		g.single[0] = item
		g.Commit(g.single[:])
		if next := g.next(); next != nil {
			go g.run(next)
		}
		return
	}
	if g.waiting == nil {
		g.waiting = &batch[T]{done: make(chan struct{})}
	}
	b := g.waiting
	b.items = append(b.items, item)
	if !g.running {
		g.running, g.waiting = true, nil
		go g.run(b)
	}
	g.mu.Unlock()

	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-b.done:
	case <-timer.C:
	}
}

// Wait returns when no commit is under way and nobody waits for one, or when ctx
// ends. Callers of Do may have given up waiting before.
func (g *Group[T]) Wait(ctx context.Context) {
	g.mu.Lock()
	if !g.running {
		g.mu.Unlock()
		return
	}
	if g.ended == nil {
		g.ended = make(chan struct{})
	}
	ended := g.ended
	g.mu.Unlock()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// run makes one commit after the other while anybody waits.
func (g *Group[T]) run(b *batch[T]) {
	for b != nil {
		g.Commit(b.items)
		close(b.done)
		b = g.next()
	}
}

// next takes the batch that waits. If there is none, no commit is under way any
// more.
func (g *Group[T]) next() *batch[T] {
	g.mu.Lock()
	b := g.waiting
	g.waiting = nil
	g.running = b != nil
	var none T
	g.single[0] = none // it may be large
	if b == nil && g.ended != nil {
		close(g.ended)
		g.ended = nil
	}
	g.mu.Unlock()
	if b == nil && g.Idle != nil {
		g.Idle()
	}
	return b
}
