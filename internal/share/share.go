// Package share keeps a single client from holding all places of a pool.
package share

import (
	"context"
	"net/netip"
	"slices"
	"sync"
)

// A Limit says how many places the holder of a key may hold at a time.
type Limit struct {
	Key  string
	Most int
}

// Of returns the limits of a client: one for its own key and, if that is an
// address of version 6, site for the /48 that it is in, which one customer may
// have all of.
func Of(client string, one, site int) []Limit {
	limits := []Limit{{"client\x00" + client, one}}
	if s := Site(client); s != "" {
		limits = append(limits, Limit{"site\x00" + s, site})
	}
	return limits
}

// Site is the /48 of an address of version 6. "" for everything else.
func Site(client string) string {
	ip, err := netip.ParseAddr(client)
	if err != nil || !ip.Is6() || ip.Is4In6() {
		return ""
	}
	p, err := ip.WithZone("").Prefix(48)
	if err != nil {
		return ""
	}
	return p.String()
}

// A Pool counts who holds its places. The zero value is ready to use.
type Pool struct {
	mu      sync.Mutex
	held    map[string]int       // by key; those that hold a place
	waiting map[string][]*waiter // by the key of their last limit; the longest waiting first
}

// A waiter waits until its limits let it take a place.
type waiter struct {
	limits []Limit
	line   []Limit       // the places that it holds while it waits
	taken  chan struct{} // closed when it has its place
}

// Take takes a place that counts for each of the limits, without waiting. false
// if one of them is reached: then none is taken.
func (p *Pool) Take(limits ...Limit) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.take(limits)
}

// Wait takes a place like Take, and waits for it where a limit is reached, until
// ctx ends. For each place of a limit at most perPlace may wait; for the next one
// Wait returns false at once. Limits that are waited for must always stand
// together with the same last one, as those of [Of] do.
func (p *Pool) Wait(ctx context.Context, perPlace int, limits ...Limit) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.take(limits) {
		return true
	}
	w := &waiter{limits: limits, line: make([]Limit, len(limits)), taken: make(chan struct{})}
	for i, l := range limits {
		w.line[i] = Limit{"line\x00" + l.Key, perPlace * l.Most}
	}
	if !p.take(w.line) {
		return false
	}
	last := limits[len(limits)-1].Key
	if p.waiting == nil {
		p.waiting = make(map[string][]*waiter)
	}
	p.waiting[last] = append(p.waiting[last], w)
	p.mu.Unlock()
	select {
	case <-w.taken:
	case <-ctx.Done():
	}
	p.mu.Lock()
	select {
	case <-w.taken:
		return true
	default:
	}
	p.release(w.line)
	p.setWaiting(last, slices.DeleteFunc(p.waiting[last], func(o *waiter) bool { return o == w }))
	return false
}

// Release gives back a place that was taken for the same limits, and lets those
// take it who wait.
func (p *Pool) Release(limits ...Limit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release(limits)
	if len(limits) == 0 {
		return
	}
	last := limits[len(limits)-1].Key
	p.setWaiting(last, slices.DeleteFunc(p.waiting[last], func(w *waiter) bool {
		if !p.take(w.limits) {
			return false
		}
		p.release(w.line)
		close(w.taken)
		return true
	}))
}

func (p *Pool) take(limits []Limit) bool {
	for _, l := range limits {
		if p.held[l.Key] >= l.Most {
			return false
		}
	}
	if p.held == nil {
		p.held = make(map[string]int)
	}
	for _, l := range limits {
		p.held[l.Key]++
	}
	return true
}

func (p *Pool) release(limits []Limit) {
	for _, l := range limits {
		if p.held[l.Key]--; p.held[l.Key] <= 0 {
			delete(p.held, l.Key)
		}
	}
}

func (p *Pool) setWaiting(key string, waiting []*waiter) {
	if len(waiting) == 0 {
		delete(p.waiting, key)
		return
	}
	p.waiting[key] = waiting
}
