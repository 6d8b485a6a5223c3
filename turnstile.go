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
type turnstile struct {
	store ClickStore
	mu    sync.Mutex
	gates map[int64]*groupcommit.Group[*ticket] // by link; those that somebody uses
}

// A ticket is what one caller wants and gets.
type ticket struct {
	answered chan struct{} // closed when the next two are set
	granted  bool
	err      error
}

const (
	reserveTimeout  = time.Second            // of one call
	reservePatience = 5 * reserveTimeout / 2 // of a caller: the call under way and his own
)

func newTurnstile(store ClickStore) *turnstile {
	return &turnstile{store: store, gates: make(map[int64]*groupcommit.Group[*ticket])}
}

// pass reports whether one more may pass. An error means that the store could not promise it.
func (t *turnstile) pass(link int64) (bool, error) {
	k := &ticket{answered: make(chan struct{})}
	t.gate(link).Do(k, reservePatience)
	select {
	case <-k.answered:
		return k.granted, k.err
	default:
		return false, errPatience
	}
}

var errPatience = errors.New("the store did not answer in time whether one more may pass")

func (t *turnstile) gate(link int64) *groupcommit.Group[*ticket] {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, ok := t.gates[link]
	if !ok {
		g = &groupcommit.Group[*ticket]{
			Commit: func(tickets []*ticket) { t.ask(link, tickets) },
			Idle:   func() { t.forget(link) },
		}
		t.gates[link] = g
	}
	return g
}

// forget drops a gate at which nobody moves. One who has been given it a moment
// ago makes his own call there; that is one call more, and no harm.
func (t *turnstile) forget(link int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.gates, link)
}

// ask makes one call for all tickets; those who came first pass first.
func (t *turnstile) ask(link int64, tickets []*ticket) {
	ctx, cancel := context.WithTimeout(context.Background(), reserveTimeout)
	defer cancel()
	granted, err := t.store.ReserveClicks(ctx, link, len(tickets))
	for i, k := range tickets {
		k.granted, k.err = i < granted, err
		close(k.answered)
	}
}
