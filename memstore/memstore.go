// Package memstore is a [linktrack.Store] in memory: for tests, for trials, and
// for a service whose links may be lost when its process ends.
//
// It meets the whole contract of the store within one process: limits are exact,
// a batch counts once, and counters, hourly sums, and history agree. All data is
// lost when the process ends.
//
// [Options.MaxClicks] and [Options.MaxBytes] limit the history of all links
// together. Each click beyond these limits removes the oldest click of the link
// whose click was recorded longest ago. Counters and hourly sums are never
// removed and stay exact. The memory for links, groups, and accounts is not
// limited. For each link, an hour with clicks takes sixteen bytes and a day with
// clicks a roll-up of about two kilobytes. Each conversion and each source of
// batches takes a little more.
//
// A click on a link that does not exist is ignored, and the rest of its batch is
// applied.
package memstore

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/linktrackhq/linktrack"
)

// Options are the choices for [NewWith]. The zero value is what [New] uses.
type Options struct {
	// MaxClicks is the maximum number of clicks in the history of all links
	// together. Default: 1,000,000, which take about 350 MB if they come from
	// browsers.
	MaxClicks int

	// MaxBytes is the approximate maximum number of bytes of memory for these
	// clicks: visitors determine the length of their texts. Default: 512 MiB.
	MaxBytes int64
}

// Store is a linktrack.Store in memory. It is safe for concurrent use. The zero
// value is not usable, see [New].
type Store struct {
	accounts accounts

	seed   maphash.Seed
	paths  [shards]pathShard // by hash of Link.Key
	links  [shards]linkShard // by ID
	lastID atomic.Int64      // of links

	ownersMu sync.RWMutex
	owners   map[linktrack.AccountID]*owner

	log      clickLog
	kept     ring
	bytes    atomic.Int64 // of all rows of all histories
	maxBytes int64
	alerts   alerts

	conversions conversions
	sums        sums
	changes     changes
}

var (
	_ linktrack.Store             = (*Store)(nil)
	_ linktrack.HostLister        = (*Store)(nil)
	_ linktrack.ClickReclassifier = (*Store)(nil)
	_ linktrack.VisitorEraser     = (*Store)(nil)
	_ linktrack.ChangeLister      = (*Store)(nil)
)

// New returns an empty store.
func New() *Store { return NewWith(Options{}) }

// NewWith returns an empty store with options.
func NewWith(o Options) *Store {
	if o.MaxClicks < 1 {
		o.MaxClicks = 1_000_000
	}
	if o.MaxBytes < 1 {
		o.MaxBytes = 512 << 20
	}
	s := &Store{
		accounts: accounts{
			byID:    map[linktrack.AccountID]linktrack.Account{},
			byLogin: map[string]keyName{},
			keys:    map[linktrack.AccountID][]linktrack.Key{},
			used:    map[linktrack.AccountID]linktrack.Day{},
			epochs:  map[linktrack.AccountID]int64{},
			ended:   map[endedSession]time.Time{},
		},
		seed:     maphash.MakeSeed(),
		owners:   map[linktrack.AccountID]*owner{},
		log:      clickLog{seqs: map[linktrack.Source]int64{}},
		kept:     ring{max: o.MaxClicks},
		maxBytes: o.MaxBytes,
		sums:     sums{all: map[linktrack.RollupOf]*days{}},
		conversions: conversions{
			clicks: map[linktrack.ClickRef]*conversion{},
			orders: map[order]*conversion{},
		},
	}
	for i := range s.paths {
		s.paths[i].byKey = map[string][]path{}
	}
	return s
}

// shards is how many parts the indexes of links have, each with its own lock.
const shards = 64

// A pathShard finds links by key. The few links with the same key on
// different hosts are in one slice.
type pathShard struct {
	mu    sync.RWMutex
	byKey map[string][]path
	_     [32]byte // keeps the lock of the next shard off this cache line
}

// A path is a present or former path of a link, or reserved for an account whose link was
// purged.
type path struct {
	host     string
	link     *link               // nil: reserved
	reserved linktrack.AccountID // if link is nil
}

func (s *Store) pathShard(key string) *pathShard { return &s.paths[s.shardOf(key)] }

func (s *Store) shardOf(key string) uint64 { return maphash.String(s.seed, key) % shards }

// A linkShard finds links by ID: link n is in shard n%shards at index n/shards.
type linkShard struct {
	mu    sync.RWMutex
	links []*link // nil while the link with this ID is being added, and after its purge
	_     [16]byte
}

// link returns the link with that ID, or nil.
func (s *Store) link(id int64) *link {
	sh, i := &s.links[uint64(id)%shards], uint64(id)/shards
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if i >= uint64(len(sh.links)) {
		return nil
	}
	return sh.links[i]
}

// add gives l the next ID and adds it to the index of IDs.
func (s *Store) add(l *linktrack.Link) *link {
	l.ID = s.lastID.Add(1)
	kept := &link{id: l.ID}
	kept.def.Store(l)
	sh, i := &s.links[uint64(l.ID)%shards], int(uint64(l.ID)/shards)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for len(sh.links) <= i {
		sh.links = append(sh.links, nil)
	}
	sh.links[i] = kept
	return kept
}
