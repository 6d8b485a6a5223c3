package linktrack

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// cacheChanges are the links of which the cache must not use what was loaded before they
// changed. Each set of changes has a number, and each entry has the number of the last set
// before it was loaded. So a load that is under way during the change is recognized, too.
type cacheChanges struct {
	last atomic.Int64 // the number of the last set

	all atomic.Int64 // entries from before this set may have changed

	mu    sync.RWMutex
	links map[int64]changedLink // those of the last seconds: sweep has not removed their entries yet
}

type changedLink struct {
	set int64
	at  time.Time
}

// changeKept is how long a changed link is kept: longer than a load takes.
const changeKept = 2 * (lookupTimeout + lookupTimeout/2)

// change forgets the links.
func (c *linkCache) change(changes []Change, at time.Time) {
	if len(changes) == 0 {
		return
	}
	c.changes.mu.Lock()
	set := c.changes.last.Load() + 1
	if c.changes.links == nil {
		c.changes.links = make(map[int64]changedLink)
	}
	for i := range changes {
		c.changes.links[changes[i].Link] = changedLink{set, at}
	}
	c.changes.last.Store(set)
	c.changes.mu.Unlock()
	for i := range changes {
		c.forgetNames(changes[i].Name) // there may be an entry without a link
	}
}

// changeAll makes the next get of each name ask the store. Most links have not changed, so
// the entries are used while the store fails.
func (c *linkCache) changeAll() {
	c.changes.mu.Lock()
	defer c.changes.mu.Unlock()
	c.changes.all.Store(c.changes.last.Add(1))
}

// changed reports whether the link of an entry was changed since the entry was loaded.
func (c *linkCache) changed(e *entry) bool {
	if e.set == c.changes.last.Load() {
		return false
	}
	c.changes.mu.RLock()
	defer c.changes.mu.RUnlock()
	return e.link.ID != 0 && e.set < c.changes.links[e.link.ID].set
}

// drop removes an entry, unless another one has replaced it.
func (c *linkCache) drop(name LinkName, e *entry) {
	c.entries.ComputeIfPresent(name, func(old *entry) (*entry, otter.ComputeOp) {
		if old == e {
			return nil, otter.InvalidateOp
		}
		return old, otter.CancelOp
	})
}

// sweep removes the entries of links that were changed some seconds ago: while the store
// is down, old entries are used. It looks at all entries.
func (c *linkCache) sweep(at time.Time) {
	old := false
	c.changes.mu.RLock()
	for _, l := range c.changes.links {
		old = old || at.Sub(l.at) > changeKept
	}
	c.changes.mu.RUnlock()
	if !old {
		return
	}
	for name, e := range c.entries.All() {
		if c.changed(e) {
			c.drop(name, e)
		}
	}
	c.changes.mu.Lock()
	defer c.changes.mu.Unlock()
	for id, l := range c.changes.links {
		if at.Sub(l.at) > changeKept {
			delete(c.changes.links, id)
		}
	}
}

// inUse reports whether there may be an entry that is used without asking the store, or
// changed links that sweep has to look at.
func (c *linkCache) inUse(at time.Time) bool {
	c.changes.mu.RLock()
	defer c.changes.mu.RUnlock()
	return len(c.changes.links) > 0 || at.UnixNano()-c.lastLoad.Load() < int64(c.ttl+lookupTimeout)
}
