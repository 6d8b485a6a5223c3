package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"github.com/linktrackhq/linktrack"
)

// On a cluster whose nodes all take writes, a commit is seen by the other nodes some
// milliseconds later. So before a call says that something does not exist, it waits until its
// node has the commits of all others, and looks again.

const (
	behindWaiting = 4                      // calls that wait at the same time: each has a connection
	behindTimeout = 250 * time.Millisecond // a node that takes longer is lagging
	behindRecheck = time.Minute            // how long a server without a cluster is not asked again
)

// behind is what a Store needs to wait for the commits of other nodes.
type behind struct {
	waiting    chan struct{}
	aloneUntil atomic.Int64 // in Unix nanoseconds: until then, the server is taken to have no other nodes
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
	if s.d.CatchUp == nil || time.Now().UnixNano() < s.behind.aloneUntil.Load() {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, behindTimeout)
	defer cancel()
	select {
	case s.behind.waiting <- struct{}{}:
		defer func() { <-s.behind.waiting }()
	case <-ctx.Done():
		return false
	}
	others, err := s.d.CatchUp(ctx, s.readDB.DB)
	if err == nil && !others {
		s.behind.aloneUntil.Store(time.Now().Add(behindRecheck).UnixNano())
	}
	return err == nil && others
}
