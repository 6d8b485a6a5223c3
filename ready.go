package linktrack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/linktrackhq/linktrack/internal/flight"
)

const readyTimeout = 2 * time.Second

// A probe asks the store whether it answers. A store that never returns keeps one call
// under way, however often it is asked.
type probe struct {
	store  LinkStore
	host   string
	flight flight.Group
}

func newProbe(store LinkStore, host string) *probe {
	p := &probe{store: store, host: host}
	p.flight.Run = p.ask
	return p
}

// ask looks up a path as redirects do. No link has it: it is a reserved word.
func (p *probe) ask() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	_, err := p.store.LinkByPath(ctx, p.host, "healthz")
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// Ready returns nil if the Tracker can do its work now. Otherwise the error is an
// [ErrUnavailable] whose text says why, for operators and not for visitors:
//   - [Tracker.Close] was called.
//   - The store does not answer a look-up within two seconds, or before ctx ends. The
//     cache of links is not asked.
//   - The last try to store clicks failed. They wait and are sent again, see [Stats].
//
// It is for the check by which a balancer decides whether this process gets requests, and
// may be called often: calls at the same time share a look-up. A process that is not
// ready still redirects visitors to the links in its cache.
func (t *Tracker) Ready(ctx context.Context) error {
	if t.recorder.closed.Load() {
		return errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := t.probe.flight.Do(ctx); err != nil {
		return fmt.Errorf("%w: the store does not answer: %w", ErrUnavailable, err)
	}
	if s := t.Stats(); s.Failing {
		return fmt.Errorf("%w: clicks cannot be stored; %d wait, the oldest for %v",
			ErrUnavailable, s.Pending+s.JournalClicks, s.PendingAge.Round(time.Second))
	}
	return nil
}
