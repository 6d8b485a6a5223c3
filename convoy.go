package linktrack

import (
	"sync"
	"time"
)

// A convoy makes one call at a time for all who come. Who finds no call under
// way makes it at once, for himself alone, on his own goroutine; those who come
// during a call go together with the next one. It is a group commit without a
// timer: under load the latency is about one call and a half, without load it
// is one call and no change of goroutine.
type convoy[T any] struct {
	call func([]T) // keeps no part of the slice
	away bool      // the call may take for ever: nobody makes it on his own goroutine
	rest func()    // told when nobody moves any more; nil: nobody is told

	mu     sync.Mutex
	moving bool
	next   *carload[T] // who waits for the next call; nil: nobody
	single [1]T        // of the one who makes his own call
}

type carload[T any] struct {
	items []T
	done  chan struct{} // closed when their call is over
}

// join hands an item over and returns when its call is over, or patience is.
// The call goes on then.
func (c *convoy[T]) join(item T, patience time.Duration) {
	c.mu.Lock()
	if !c.moving && !c.away {
		c.moving = true
		c.mu.Unlock()
		c.single[0] = item
		c.call(c.single[:])
		clear(c.single[:])
		if next := c.take(); next != nil {
			go c.serve(next)
		}
		return
	}
	if c.next == nil {
		c.next = &carload[T]{done: make(chan struct{})}
	}
	load := c.next
	load.items = append(load.items, item)
	if !c.moving {
		c.moving, c.next = true, nil
		go c.serve(load)
	}
	c.mu.Unlock()

	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-load.done:
	case <-timer.C:
	}
}

// serve makes one call after the other while there is anybody.
func (c *convoy[T]) serve(load *carload[T]) {
	for load != nil {
		c.call(load.items)
		close(load.done)
		load = c.take()
	}
}

// take returns who waits, or, if nobody does, brings the convoy to rest.
func (c *convoy[T]) take() *carload[T] {
	c.mu.Lock()
	load := c.next
	c.next = nil
	c.moving = load != nil
	c.mu.Unlock()
	if load == nil && c.rest != nil {
		c.rest()
	}
	return load
}
