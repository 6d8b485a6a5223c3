package linktrack

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack/internal/groupcommit"
)

// A reserver asks the store whether visitors may pass links that have a limit. It
// combines the visitors who wait for the same link into one call, so that a busy
// link has one call under way at a time.
type reserver struct {
	store  ClickStore
	mu     sync.Mutex
	groups map[int64]*groupcommit.Group[*reservation] // by link; only links with a call under way
}

// A reservation is the place of one visitor in a call.
type reservation struct {
	done    chan struct{} // closed when the next two are set
	granted bool
	err     error
}

const (
	reserveTimeout = time.Second            // of one call
	reserveWait    = 5 * reserveTimeout / 2 // of a visitor: for the call under way and the next one
)

func newReserver(store ClickStore) *reserver {
	return &reserver{store: store, groups: make(map[int64]*groupcommit.Group[*reservation])}
}

// reserve reports whether one more visitor may pass. An error means that the store
// did not say.
func (r *reserver) reserve(link int64) (bool, error) {
	one := &reservation{done: make(chan struct{})}
	r.group(link).Do(one, reserveWait)
	select {
	case <-one.done:
		return one.granted, one.err
	default:
		return false, errReserveTimeout
	}
}

var errReserveTimeout = errors.New("the store did not answer in time whether one more may pass")

func (r *reserver) group(link int64) *groupcommit.Group[*reservation] {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, ok := r.groups[link]
	if !ok {
		g = &groupcommit.Group[*reservation]{
			Commit: func(reservations []*reservation) { r.call(link, reservations) },
			Idle:   func() { r.drop(link) },
		}
		r.groups[link] = g
	}
	return g
}

// drop forgets the group of a link that is not in use. A visitor who was given the
// group a moment before makes another call with it, which does no harm.
func (r *reserver) drop(link int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.groups, link)
}

// call makes one call to the store for all reservations. The first ones are granted
// first.
func (r *reserver) call(link int64, reservations []*reservation) {
	ctx, cancel := context.WithTimeout(context.Background(), reserveTimeout)
	defer cancel()
	granted, err := r.store.ReserveClicks(ctx, link, len(reservations))
	for i, one := range reservations {
		one.granted, one.err = i < granted, err
		close(one.done)
	}
}
