// Package share keeps a single client from holding all places of a pool.
package share

import (
	"net/netip"
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
	mu   sync.Mutex
	held map[string]int // by key; those that hold a place
}

// Take takes a place that counts for each of the limits, without waiting. false
// if one of them is reached: then none is taken.
func (p *Pool) Take(limits ...Limit) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
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

// Release gives back a place that Take took for the same limits.
func (p *Pool) Release(limits ...Limit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range limits {
		if p.held[l.Key]--; p.held[l.Key] <= 0 {
			delete(p.held, l.Key)
		}
	}
}
