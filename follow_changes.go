package linktrack

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/linktrackhq/linktrack/internal/incident"
	"github.com/linktrackhq/linktrack/internal/worker"
)

// A changeFeed reads which links other processes have changed, so that the cache forgets
// them. It reads five times a second while there are entries in the cache that are used
// without asking the store.
//
// A change may be committed after one with a higher ID. So the feed also reads the IDs of
// the last half minute again, and remembers those that it has seen.
type changeFeed struct {
	store  ChangeLister
	cache  *linkCache
	worker *worker.Worker
	active atomic.Bool // the worker is to read again

	// Used by the worker only:
	reading incident.Incident
	read    time.Time // the last success; zero: none
	low     int64     // IDs up to here are not read again
	high    int64     // the highest ID that was seen
	seen    map[int64]bool
	highs   []highAt
}

// highAt is the highest ID at a time.
type highAt struct {
	at time.Time
	id int64
}

const (
	changePoll     = 200 * time.Millisecond
	changePollFail = time.Second // after a failure
	changeTimeout  = 2 * time.Second
	changeLookBack = 30 * time.Second
	changeReach    = 4 * time.Minute // stores keep changes for five
	changesAtOnce  = 5000
)

// newChangeFeed returns a feed, or nil if the store has none.
func newChangeFeed(store Store, cache *linkCache, log *slog.Logger) *changeFeed {
	lister, ok := store.(ChangeLister)
	if !ok {
		return nil
	}
	f := &changeFeed{store: lister, cache: cache, seen: map[int64]bool{}, reading: incident.Incident{
		Log:   log,
		Began: "linktrack: changes of links by other processes cannot be read; they are seen when a link is old in the cache",
		Ended: "linktrack: changes of links by other processes are read again",
		Again: time.Minute,
	}}
	f.worker = worker.New(worker.Options{}, f.step)
	cache.loading = f.wake
	return f
}

// wake is called when an entry is loaded.
func (f *changeFeed) wake() {
	if !f.active.Load() && f.active.CompareAndSwap(false, true) {
		f.worker.WakeAfter(changePoll)
	}
}

func (f *changeFeed) step(ctx context.Context) (pause time.Duration, more bool) {
	err := f.poll(ctx)
	if ctx.Err() != nil {
		return 0, false
	}
	f.reading.Report(err)
	f.cache.sweep(time.Now())
	switch {
	case err != nil:
		f.worker.WakeAfter(changePollFail)
	case f.cache.inUse(time.Now()):
		f.worker.WakeAfter(changePoll)
	default:
		f.active.Store(false)
		if f.cache.inUse(time.Now()) { // it was loaded in between
			f.wake()
		}
	}
	return 0, false
}

// poll reads the changes since the last call.
func (f *changeFeed) poll(ctx context.Context) (err error) {
	defer caught(&err)
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	at := time.Now()
	if f.read.IsZero() || at.Sub(f.read) > changeReach {
		return f.restart(ctx, at)
	}
	changes, err := f.store.Changes(ctx, f.low, changesAtOnce)
	if err != nil {
		return err
	}
	if len(changes) >= changesAtOnce {
		return f.restart(ctx, at)
	}
	var unseen []Change
	for _, c := range changes {
		if !f.seen[c.ID] {
			f.seen[c.ID] = true
			unseen = append(unseen, c)
		}
		f.high = max(f.high, c.ID)
	}
	f.cache.change(unseen, at)
	f.read = at
	f.highs = append(f.highs, highAt{at, f.high})
	for len(f.highs) > 1 && at.Sub(f.highs[0].at) > changeLookBack {
		f.forget(f.highs[0].id)
		f.highs = f.highs[1:]
	}
	return nil
}

// forget ends the reading of IDs up to this one.
func (f *changeFeed) forget(id int64) {
	if id <= f.low {
		return
	}
	f.low = id
	for seen := range f.seen {
		if seen <= id {
			delete(f.seen, seen)
		}
	}
}

// restart begins at the newest change. The cache asks the store for all links again, because
// changes may be missed. So those that can be read now need not be told to it one by one.
func (f *changeFeed) restart(ctx context.Context, at time.Time) error {
	newest, err := f.store.Changes(ctx, 0, 1)
	if err != nil {
		return err
	}
	low, recent := int64(0), newest
	if len(newest) > 0 {
		low = max(0, newest[0].ID-1000) // one of these may be committed later
		if recent, err = f.store.Changes(ctx, low, changesAtOnce); err != nil {
			return err
		}
	}
	f.low, f.high, f.highs = low, 0, nil
	clear(f.seen)
	for _, c := range append(recent, newest...) {
		f.high = max(f.high, c.ID)
		f.seen[c.ID] = true
	}
	f.cache.changeAll()
	f.read = at
	return nil
}

// stop ends the reading.
func (f *changeFeed) stop(ctx context.Context) {
	if f != nil {
		f.worker.Cancel()
		f.worker.Stop(ctx)
	}
}
