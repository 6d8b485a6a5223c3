// Package notify delivers each alert by several notifiers. The packages smtp and
// webhook contain notifiers.
package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/linktrackhq/linktrack"
)

// A Group delivers each alert by several notifiers. Make one with [All].
type Group struct {
	notifiers []linktrack.Notifier

	mu     sync.Mutex
	partly map[string][]outcome // alerts that are delivered in part, by Alert.ID; guarded by mu
}

// An outcome is the result of one notifier for one alert.
type outcome struct {
	final bool  // the notifier need not be called again
	err   error // nil if it was delivered
}

// maxPartly limits how many alerts a Group remembers as delivered in part.
const maxPartly = 10_000

// All returns a Group of the notifiers. None of them may be nil.
func All(notifiers ...linktrack.Notifier) *Group {
	return &Group{notifiers: notifiers, partly: make(map[string][]outcome)}
}

// Notify calls all notifiers, one after the other, even if one fails. It returns
// nil when each of them has delivered the alert. If it is called again with the
// same alert, it skips the notifiers that have delivered it. Only this process
// remembers them: after a restart, or in another process, a notifier may get an
// alert again. As long as one of them may be tried again, the error does not wrap
// [linktrack.ErrUndeliverable].
func (g *Group) Notify(ctx context.Context, a linktrack.Alert) error {
	outcomes := g.recall(a.ID)
	for i, n := range g.notifiers {
		if outcomes[i].final {
			continue
		}
		err := n.Notify(ctx, a)
		outcomes[i] = outcome{err == nil || errors.Is(err, linktrack.ErrUndeliverable), err}
	}
	all := true
	var errs []error
	for _, o := range outcomes {
		all = all && o.final
		errs = append(errs, o.err)
	}
	g.remember(a.ID, outcomes, all)
	err := errors.Join(errs...)
	if !all && errors.Is(err, linktrack.ErrUndeliverable) {
		return fmt.Errorf("notify: not delivered by all notifiers: %v", err) // %v hides ErrUndeliverable
	}
	return err
}

// Mails implements [linktrack.Mailer]: a Group mails if one of its notifiers does.
func (g *Group) Mails() bool {
	return slices.ContainsFunc(g.notifiers, func(n linktrack.Notifier) bool {
		m, ok := n.(linktrack.Mailer)
		return !ok || m.Mails()
	})
}

func (g *Group) recall(id string) []outcome {
	g.mu.Lock()
	defer g.mu.Unlock()
	outcomes := make([]outcome, len(g.notifiers))
	copy(outcomes, g.partly[id])
	return outcomes
}

func (g *Group) remember(id string, outcomes []outcome, all bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.partly, id)
	if all {
		return
	}
	if len(g.partly) >= maxPartly {
		for other := range g.partly {
			delete(g.partly, other)
			break
		}
	}
	g.partly[id] = outcomes
}
