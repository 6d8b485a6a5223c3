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

// A linkCache finds the link of a path.
//   - An entry is used for ttl. After that, it is loaded again, once for all callers
//     that ask at the same time.
//   - If the store fails, known links are used however old they are, and for unknown
//     paths the error is [ErrUnavailable] at once.
type linkCache struct {
	store   LinkStore
	entries *otter.Cache[LinkName, *entry]
	prepare func(Link) *entry
	ttl     time.Duration
	log     *slog.Logger
	down    incident.Incident // the store fails
	// downUntil is the time, in Unix nanoseconds, until which the store is not
	// asked again after a failure.
	downUntil atomic.Int64

	changes  cacheChanges
	loading  func()       // called before each load
	lastLoad atomic.Int64 // when it began, in Unix nanoseconds

	hits, misses atomic.Int64
}

const (
	cacheBytes    = 64 << 20        // approximately, of all entries; see weigh
	absentPaths   = 4096            // the maximum number of paths without a link
	absentTTL     = time.Second     // how long they are used
	lookupTimeout = time.Second     // of one call to the store
	downFor       = 1 * time.Second // how long the store is not asked after a failure
)

// An entry is a link that is ready to be followed, or says that a path has none.
type entry struct {
	link        Link         // without description and notes; ID 0: there is none
	location    []string     // the value of the Location header
	fallback    string       // the same for a link that is gone; "": none
	cookieTail  string       // the attributes of the visitor's cookie
	clickCookie bool         // visitors get the click's cookie
	clickQuery  bool         // the destination gets the click as a parameter
	blocked     bool         // the destination is not allowed
	former      bool         // the path is a former one; link has only the ID, Host, and Path
	dotted      string       // if there is no link: the key with a dot that has one; "" none
	usedUp      atomic.Bool  // the store granted no further visitor
	granted     atomic.Int64 // visitors whom the store granted since the entry was loaded
	loaded      time.Time
	set         int64 // see cacheChanges
}

func newLinkCache(store LinkStore, ttl time.Duration, log *slog.Logger, prepare func(Link) *entry) *linkCache {
	return &linkCache{
		store: store,
		entries: otter.Must(&otter.Options[LinkName, *entry]{
			MaximumWeight: cacheBytes,
			Weigher:       weigh,
			// Refresh needs a calculator. This one never refreshes by itself.
			RefreshCalculator: otter.RefreshWriting[LinkName, *entry](1 << 62),
			Logger:            &otter.NoopLogger{},
		}),
		prepare: prepare,
		loading: func() {},
		ttl:     ttl,
		log:     log,
		down: incident.Incident{
			Log:   log,
			Began: "linktrack: links cannot be looked up in the store; those in the cache still work",
			Ended: "linktrack: links can be looked up in the store again",
		},
	}
}

// weigh returns the part of cacheBytes that an entry takes. A path without a link
// takes more than its memory, because clients can send any number of them and each
// is used for absentTTL only.
func weigh(name LinkName, e *entry) uint32 {
	l := &e.link
	if l.ID == 0 {
		return cacheBytes / absentPaths
	}
	const fixed = 600 // the entry, its slices, and the cache's own structures
	size := fixed + len(name.Key) + len(l.Host) + len(l.Path) + len(l.ExternalURL) + len(e.location[0]) +
		len(l.Title) + len(l.Group) + len(l.PasswordHash) + len(e.cookieTail) + len(l.ExternalID) + len(l.FallbackURL) + len(e.fallback)
	for _, tag := range l.Tags {
		const header = 16 // of a string
		size += header + len(tag)
	}
	return uint32(size)
}

// get returns the entry of a path, [ErrNotFound] or [ErrUnavailable]. For a former path it
// is that of the present one, so that a link has one entry with its state.
func (c *linkCache) get(ctx context.Context, host, key string, at time.Time) (*entry, error) {
	for range 3 {
		e, err := c.one(ctx, host, key, at)
		if err != nil || !e.former {
			return e, err
		}
		present, err := c.one(ctx, e.link.Host, e.link.Key(), at)
		if err == nil && present.link.ID == e.link.ID && !present.former {
			return present, nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		// The link was renamed since one of the two entries was loaded.
		c.forget(e.link)
		c.forgetNames(LinkName{Host: host, Key: key})
	}
	return nil, ErrUnavailable
}

// one returns the entry of a path, [ErrNotFound] or [ErrUnavailable].
func (c *linkCache) one(ctx context.Context, host, key string, at time.Time) (*entry, error) {
	name := LinkName{Host: host, Key: key}
	e, known := c.entries.GetIfPresent(name)
	if known && c.changed(e) {
		c.drop(name, e)
		known = false
	}
	if known && c.fresh(e, at) {
		c.hits.Add(1)
		return e.orNotFound()
	}
	c.misses.Add(1)
	name.Key = strings.Clone(key) // the key is a part of the request, which must not stay in memory
	if wait := c.downUntil.Load() - at.UnixNano(); wait > 0 && wait <= int64(2*downFor) {
		if known && e.link.ID != 0 {
			return e, nil
		}
		return nil, ErrUnavailable
	}
	// The load does not end with this visit, because other visits may wait for it.
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
		case e.link.ID == 0: // there may be a link by now
			return nil, unavailable(err)
		}
		return e, nil // an old entry is better than none
	}
	e, err = c.entries.Get(ctx, name, loader{c})
	if err != nil {
		return nil, unavailable(err)
	}
	return e.orNotFound()
}

func (c *linkCache) fresh(e *entry, at time.Time) bool {
	if e.set < c.changes.all.Load() {
		return false
	}
	age, ttl := at.Sub(e.loaded), c.ttl
	if e.link.ID == 0 {
		ttl = min(absentTTL, ttl)
	}
	return age < ttl && age > -ttl // the clock may have been set back
}

func (e *entry) orNotFound() (*entry, error) {
	if e.link.ID == 0 {
		return e, ErrNotFound
	}
	return e, nil
}

// A loader loads entries for the cache, one at a time for each name.
type loader struct{ cache *linkCache }

// Load implements otter.Loader.
func (l loader) Load(ctx context.Context, name LinkName) (*entry, error) {
	return l.cache.load(ctx, name)
}

// Reload implements otter.Loader. Another caller may have loaded the entry since it
// was found to be old.
func (l loader) Reload(ctx context.Context, name LinkName, e *entry) (*entry, error) {
	if l.cache.fresh(e, time.Now()) && !l.cache.changed(e) {
		return e, nil
	}
	return l.cache.load(ctx, name)
}

// load asks the store. The cache calls it once at a time for each name, and ignores
// the result if the name was set or forgotten meanwhile.
func (c *linkCache) load(ctx context.Context, name LinkName) (*entry, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
	defer cancel()
	at, set := time.Now(), c.changes.last.Load()
	c.lastLoad.Store(at.UnixNano())
	c.loading()
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
		return &entry{loaded: at, set: set, dotted: dotted}, nil
	}
	if l.Host != name.Host || l.Key() != name.Key {
		return &entry{link: Link{ID: l.ID, Host: l.Host, Path: l.Path}, location: []string{""}, former: true, loaded: at, set: set}, nil
	}
	e := c.prepare(l)
	e.loaded, e.set = at, set
	return e, nil
}

// forget makes the next get ask the store, after this process made or changed the
// link. It finds the link under its present name only: see forgetAll.
func (c *linkCache) forget(l Link) { c.forgetNames(LinkName{Host: l.Host, Key: l.Key()}) }

// forgetNames makes the next get of each name ask the store.
func (c *linkCache) forgetNames(names ...LinkName) {
	for _, name := range names {
		c.entries.Invalidate(name)
	}
}

// forgetAll forgets a link that this process edited, also under its former names: if
// another process renamed it, there may be an entry from the time before. If the store does
// not say which names it had, such an entry is used until it is old.
func (c *linkCache) forgetAll(ctx context.Context, l Link) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
	defer cancel()
	former, err := c.store.FormerPaths(ctx, l.ID)
	if err != nil {
		c.log.Warn("linktrack: an edited link may be followed as it was until it is old in the cache", "link", l.ID, "error", err)
	}
	c.forget(l)
	c.forgetNames(former...)
}
