// Package share keeps a single client from holding all places of a pool.
package share

import (
	"context"
	"net/netip"
	"slices"
	"sync"
)

// A Limit is the maximum number of places that may be held under a key at a time.
type Limit struct {
	Key string
	Max int
}

// Of returns the limits of a client: at most one places for the client itself and, if it
// is an IPv6 address, at most site places for its /48 network, because a single customer
// may have the whole network.
func Of(client string, one, site int) []Limit {
	limits := []Limit{{"client\x00" + client, one}}
	if s := Site(client); s != "" {
		limits = append(limits, Limit{"site\x00" + s, site})
	}
	return limits
}

// Site returns the /48 network of an IPv6 address, or "" for anything else.
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

// A Pool counts the places that are held under each key. The zero value is ready to use.
type Pool struct {
	mu      sync.Mutex
	held    map[string]int       // the number of places held, by key
	waiting map[string][]*waiter // by the key of the last limit, in the order of arrival
}

// A waiter waits until its limits let it take a place.
type waiter struct {
	limits []Limit
	line   []Limit       // counts it among the waiting ones of each limit
	taken  chan struct{} // closed when it has got its place
}

// Take takes a place that counts toward each of the limits. It does not wait: if one of
// the limits is reached, it takes nothing and returns false.
func (p *Pool) Take(limits ...Limit) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.take(limits)
}

// Wait takes a place like Take, but if a limit is reached, it waits until ctx ends. At most
// perPlace calls may wait for each place of a limit; beyond that, Wait returns false at
// once. A limit must always be passed together with the same last limit, as those of
// [Of] are.
func (p *Pool) Wait(ctx context.Context, perPlace int, limits ...Limit) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.take(limits) {
		return true
	}
	w := &waiter{limits: limits, line: make([]Limit, len(limits)), taken: make(chan struct{})}
	for i, l := range limits {
		w.line[i] = Limit{"line\x00" + l.Key, perPlace * l.Max}
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

// Release gives back a place that was taken with the same limits. Waiting calls can then
// take it.
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
		if p.held[l.Key] >= l.Max {
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
