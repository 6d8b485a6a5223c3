package linktrack

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/linktrackhq/linktrack/internal/incident"
)

// A linkCache answers whose a path is, from memory while it may. An entry is
// followed for ttl without a look; then it is loaded again, by one caller for
// all who ask. If the store fails, what is known goes on, however old, and what
// is not known is ErrUnavailable at once.
type linkCache struct {
	store   LinkStore
	entries *otter.Cache[LinkName, *entry]
	prepare func(Link) *entry
	ttl     time.Duration
	log     *slog.Logger
	down    incident.Incident // the store fails
	// downUntil is the Unix time in nanoseconds before which the store is not
	// asked again, because it failed a moment ago.
	downUntil atomic.Int64

	hits, misses atomic.Int64
}

const (
	cacheBytes    = 64 << 20        // of links, about; and of paths that are none see weigh
	absentPaths   = 4096            // paths that are known to be none, at most
	absentTTL     = time.Second     // how long a path is known to be none
	lookupTimeout = time.Second     // of one question to the store
	downFor       = 1 * time.Second // after a failure
)

// An entry is a link made ready to be followed, or the knowledge that there is
// none.
type entry struct {
	link     Link     // ID 0: there is none. Without description and notes.
	location []string // one value, as a header has it
	// cookieTail is what stands behind the value of its cookie.
	cookieTail  string
	clickCookie bool         // whose visitors get the click's cookie
	clickQuery  bool         // whose destination gets the click
	blocked     bool         // its destination is not one that this Tracker redirects to
	dotted      string       // there is none, but one with this key; "" none
	usedUp      atomic.Bool  // the store granted no more
	granted     atomic.Int64 // people let through here since it was loaded
	loaded      time.Time
}

func newLinkCache(store LinkStore, ttl time.Duration, log *slog.Logger, prepare func(Link) *entry) *linkCache {
	return &linkCache{
		store: store,
		entries: otter.Must(&otter.Options[LinkName, *entry]{
			MaximumWeight: cacheBytes,
			Weigher:       weigh,
			// Never by itself, but Refresh wants one.
			RefreshCalculator: otter.RefreshWriting[LinkName, *entry](1 << 62),
			Logger:            &otter.NoopLogger{},
		}),
		prepare: prepare,
		ttl:     ttl,
		log:     log,
		down: incident.Incident{
			Log:   log,
			Began: "linktrack: links cannot be looked up; known ones go on from memory",
			Ended: "linktrack: links can be looked up again",
		},
	}
}

// weigh returns what an entry takes of cacheBytes. A path that is none takes more
// than its bytes: it is good for absentTTL only, and strangers make up any number
// of them.
func weigh(name LinkName, e *entry) uint32 {
	l := &e.link
	if l.ID == 0 {
		return cacheBytes / absentPaths
	}
	const fixed = 600 // the entry, its slices, and what the cache has beside it
	return uint32(fixed + len(name.Key) + len(l.Host) + len(l.Path) + len(l.ExternalURL) + len(e.location[0]) +
		len(l.Title) + len(l.Group) + len(l.PasswordHash) + len(e.cookieTail))
}

// get returns the entry of a path, [ErrNotFound] or [ErrUnavailable].
func (c *linkCache) get(ctx context.Context, host, key string, at time.Time) (*entry, error) {
	name := LinkName{Host: host, Key: key}
	e, known := c.entries.GetIfPresent(name)
	if known && c.fresh(e, at) {
		c.hits.Add(1)
		return e.orNotFound()
	}
	c.misses.Add(1)
	name.Key = strings.Clone(key) // what the cache keeps must not keep the request
	if wait := c.downUntil.Load() - at.UnixNano(); wait > 0 && wait <= int64(2*downFor) {
		if known && e.link.ID != 0 {
			return e, nil
		}
		return nil, ErrUnavailable
	}
	// Not the visitor's time: who joins this load must not lose it with who
	// began it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout+lookupTimeout/2)
	defer cancel()
	var err error
	if known {
		var fresh *entry
		select {
		case r := <-c.entries.Refresh(ctx, name, loader{c}):
			fresh, err = r.Value, r.Err
		case <-ctx.Done():
			err = ctx.Err()
		}
		switch {
		case err == nil:
			return fresh.orNotFound()
		case e.link.ID == 0: // there may be one by now
			return nil, unavailable(err)
		}
		return e, nil // stale rather than nothing
	}
	e, err = c.entries.Get(ctx, name, loader{c})
	if err != nil {
		return nil, unavailable(err)
	}
	return e.orNotFound()
}

func (c *linkCache) fresh(e *entry, at time.Time) bool {
	age, ttl := at.Sub(e.loaded), c.ttl
	if e.link.ID == 0 {
		ttl = min(absentTTL, ttl)
	}
	return age < ttl && age > -ttl // a clock that was set back does not make it younger
}

func (e *entry) orNotFound() (*entry, error) {
	if e.link.ID == 0 {
		return e, ErrNotFound
	}
	return e, nil
}

// A loader loads what the cache wants to know, once at a time for a name.
type loader struct{ cache *linkCache }

// Load implements otter.Loader.
func (l loader) Load(ctx context.Context, name LinkName) (*entry, error) {
	return l.cache.load(ctx, name)
}

// Reload implements otter.Loader. Somebody else may have loaded the entry since
// it was found to be old.
func (l loader) Reload(ctx context.Context, name LinkName, e *entry) (*entry, error) {
	if l.cache.fresh(e, time.Now()) {
		return e, nil
	}
	return l.cache.load(ctx, name)
}

// load asks the store. The cache runs it once at a time for a name, and drops
// what it returns if the name was set or forgotten meanwhile.
func (c *linkCache) load(ctx context.Context, name LinkName) (*entry, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
	defer cancel()
	at := time.Now()
	l, err := c.store.LinkByPath(ctx, name.Host, name.Key)
	none, dotted := errors.Is(err, ErrNotFound), ""
	if none {
		dotted, err = c.dotted(ctx, name)
		none = err == nil
	}
	if err != nil && !none {
		c.downUntil.Store(time.Now().Add(downFor).UnixNano())
		c.down.Report(err)
		return nil, err
	}
	c.downUntil.Store(0)
	c.down.Recovered()
	if none {
		return &entry{loaded: at, dotted: dotted}, nil
	}
	e := c.prepare(l)
	e.loaded = at
	return e, nil
}

// forget makes the next get ask the store: the link was made or changed here.
func (c *linkCache) forget(l Link) {
	c.entries.Invalidate(LinkName{Host: l.Host, Key: l.Key()})
}
