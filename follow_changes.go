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
// A change may be committed some time after it was made. So the feed reads the changes of the
// last half minute each time, and remembers those that it has seen. It does not go by their
// IDs: where several servers give them, an ID can be lower than all that were seen before.
type changeFeed struct {
	store  ChangeLister
	cache  *linkCache
	worker *worker.Worker
	active atomic.Bool // the worker is to read again

	// Used by the worker only:
	reading incident.Incident
	read    time.Time      // the last success; zero: none
	filled  time.Time      // when there were more changes than are read at once; zero: never
	seen    map[int64]bool // the IDs of the changes that were read last
}

const (
	changePoll     = 200 * time.Millisecond
	changePollLong = time.Second // after a failure, or very many changes
	changeTimeout  = 2 * time.Second
	changeLookBack = 30 * time.Second
	changeSlack    = 5 * time.Second // more than the time of a transaction and the difference between the clocks of servers
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
	case err != nil || f.cache.inUse(time.Now()):
		f.worker.WakeAfter(f.pause(err))
	default:
		f.active.Store(false)
		if f.cache.inUse(time.Now()) { // it was loaded in between
			f.wake()
		}
	}
	return 0, false
}

// pause returns the time until the next poll. After more changes than are read at once, they
// may be as many again, so the cache would be emptied five times a second.
func (f *changeFeed) pause(err error) time.Duration {
	if err != nil || time.Since(f.filled) < changePollLong {
		return changePollLong
	}
	return changePoll
}

// poll reads the changes since the last call.
func (f *changeFeed) poll(ctx context.Context) (err error) {
	defer caught(&err)
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	at := time.Now()
	within := changeLookBack
	missed := f.read.IsZero() || at.Sub(f.read) > changeReach
	if !missed {
		within += at.Sub(f.read)
	}
	if after := at.Sub(f.filled); after < changeLookBack { // those before need not be read again
		within = min(within, after+changeSlack)
	}
	changes, err := f.store.Changes(ctx, within, changesAtOnce)
	if err != nil {
		return err
	}
	seen := make(map[int64]bool, len(changes))
	var unseen []Change
	for _, c := range changes {
		if !f.seen[c.ID] {
			unseen = append(unseen, c)
		}
		seen[c.ID] = true
	}
	f.seen, f.read = seen, at
	if len(changes) >= changesAtOnce {
		missed, f.filled = true, at
	}
	if missed {
		// The cache asks the store for all links again, so those that were read need not be
		// told to it one by one.
		f.cache.changeAll()
	} else {
		f.cache.change(unseen, at)
	}
	return nil
}

// stop ends the reading.
func (f *changeFeed) stop(ctx context.Context) {
	if f != nil {
		f.worker.Cancel()
		f.worker.Stop(ctx)
	}
}
