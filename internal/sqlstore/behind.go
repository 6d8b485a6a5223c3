package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack"
)

// On a cluster whose nodes all take writes, a commit is seen by the other nodes some
// milliseconds later. So before a call says that something does not exist, it waits until its
// node has the commits of all others, and looks again.

const (
	behindTimeout = 250 * time.Millisecond // how long a caller waits
	behindPause   = 5 * time.Second        // how long nobody waits for a node that took longer
	behindRecheck = time.Minute            // how long a server without a cluster is not asked again
	behindGiveUp  = time.Minute            // more than a node lets a statement wait by default
)

// behind waits for the commits of other nodes. All callers share one connection. It is not
// given up when they have waited long enough: the server would go on with the statement, and
// the pool would open a connection in its place.
type behind struct {
	mu      sync.Mutex
	running *wait // nil: none
	next    *wait // begins when running ends; nil: none
	until   time.Time
}

// A wait is one statement that waits.
type wait struct {
	done     chan struct{} // closed at its end
	caughtUp bool          // valid when it is done
}

// sure calls read, and once more if it finds nothing and a commit on another node may be the
// reason. If the node cannot say that it has all commits in time, nothing is found.
func (s *Store) sure(ctx context.Context, read func() error) error {
	err := read()
	if errors.Is(err, linktrack.ErrNotFound) && s.catchUp(ctx) {
		err = read()
	}
	return err
}

// orNotFound returns ErrNotFound for the error of a query without a row.
func orNotFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return linktrack.ErrNotFound
	}
	return err
}

// catchUp waits until the node has the commits of all nodes until now. It returns false if it
// does not know that, or if there are no other nodes.
func (s *Store) catchUp(ctx context.Context) bool {
	if s.d.CatchUp == nil {
		return false
	}
	w := s.behind.join(s.waitForOthers)
	if w == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, behindTimeout)
	defer cancel()
	select {
	case <-w.done:
		return w.caughtUp
	case <-ctx.Done():
		return false
	}
}

// join returns a wait that begins after the call, or nil if there is none to be had.
func (b *behind) join(run func() (caughtUp bool, pause time.Duration)) *wait {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case time.Now().Before(b.until):
		return nil
	case b.running == nil:
		b.running = &wait{done: make(chan struct{})}
		go b.run(run)
		return b.running
	case b.next == nil:
		b.next = &wait{done: make(chan struct{})}
	}
	return b.next
}

// run runs waits until nobody has joined the next one.
func (b *behind) run(run func() (caughtUp bool, pause time.Duration)) {
	for {
		caughtUp, pause := run()
		b.mu.Lock()
		b.running.caughtUp = caughtUp
		close(b.running.done)
		b.running, b.next = b.next, nil
		if pause > 0 {
			b.until = time.Now().Add(pause)
			if b.running != nil {
				close(b.running.done)
				b.running = nil
			}
		}
		ended := b.running == nil
		b.mu.Unlock()
		if ended {
			return
		}
	}
}

// waitForOthers makes the node wait. It also returns how long nobody needs to do so again.
func (s *Store) waitForOthers() (caughtUp bool, pause time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), behindGiveUp)
	defer cancel()
	start := time.Now()
	others, err := s.d.CatchUp(ctx, s.readDB.DB)
	switch {
	case err == nil && !others:
		return false, behindRecheck
	case err != nil || time.Since(start) > behindTimeout:
		return false, behindPause
	}
	return true, 0
}
