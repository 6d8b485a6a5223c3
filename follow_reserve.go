package linktrack

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack/internal/groupcommit"
)

// A turnstile lets people through links that have a limit, as the store
// permits. Callers who wait for the same link are combined into one call, so
// that a hot link costs the store one write after the other, not one each.
type reserver struct {
	store  ClickStore
	mu     sync.Mutex
	groups map[int64]*groupcommit.Group[*reservation] // by link; those that somebody uses
}

// A ticket is what one caller wants and gets.
type reservation struct {
	done    chan struct{} // closed when the next two are set
	granted bool
	err     error
}

const (
	reserveTimeout = time.Second            // of one call
	reserveWait    = 5 * reserveTimeout / 2 // of a caller: the call under way and his own
)

func newReserver(store ClickStore) *reserver {
	return &reserver{store: store, groups: make(map[int64]*groupcommit.Group[*reservation])}
}

// pass reports whether one more may pass. An error means that the store could not promise it.
func (t *reserver) reserve(link int64) (bool, error) {
	k := &reservation{done: make(chan struct{})}
	t.group(link).Do(k, reserveWait)
	select {
	case <-k.done:
		return k.granted, k.err
	default:
		return false, errReserveTimeout
	}
}

var errReserveTimeout = errors.New("the store did not answer in time whether one more may pass")

func (t *reserver) group(link int64) *groupcommit.Group[*reservation] {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, ok := t.groups[link]
	if !ok {
		g = &groupcommit.Group[*reservation]{
			Commit: func(tickets []*reservation) { t.call(link, tickets) },
			Idle:   func() { t.drop(link) },
		}
		t.groups[link] = g
	}
	return g
}

// forget drops a gate at which nobody moves. One who has been given it a moment
// ago makes his own call there; that is one call more, and no harm.
func (t *reserver) drop(link int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.groups, link)
}

// ask makes one call for all tickets; those who came first pass first.
func (t *reserver) call(link int64, tickets []*reservation) {
	ctx, cancel := context.WithTimeout(context.Background(), reserveTimeout)
	defer cancel()
	granted, err := t.store.ReserveClicks(ctx, link, len(tickets))
	for i, k := range tickets {
		k.granted, k.err = i < granted, err
		close(k.done)
	}
}
