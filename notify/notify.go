// Package notify delivers alerts in more than one way at once. The ways
// themselves are the packages below it: smtp and webhook.
package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/linktrackhq/linktrack"
)

// A Group is several notifiers that each get every alert. Make one with [All].
type Group struct {
	notifiers []linktrack.Notifier

	mu     sync.Mutex
	partly map[string][]outcome // by Alert.ID: alerts that not all have delivered
}

// An outcome is how one notifier of a group ended with one alert.
type outcome struct {
	final bool
	err   error // an ErrUndeliverable, if it is final
}

// maxPartly is how many alerts a group remembers that are delivered in part.
const maxPartly = 10_000

// All returns a Group of the notifiers. None of them may be nil.
func All(notifiers ...linktrack.Notifier) *Group {
	return &Group{notifiers: notifiers, partly: make(map[string][]outcome)}
}

// Notify calls the notifiers one after the other, all of them even if one
// fails, and returns nil when each has delivered the alert. When it is called
// again with the same alert, only those are called that have not delivered it
// yet, as far as this process remembers: after a restart, or in another
// process, one that has may be called again. While any may be tried again, the
// error is no [linktrack.ErrUndeliverable].
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
		return fmt.Errorf("notify: not delivered by all: %v", err) // %v: it is not final
	}
	return err
}

// Mails reports whether any of the notifiers mails alerts: [linktrack.Mails].
func (g *Group) Mails() bool { return slices.ContainsFunc(g.notifiers, linktrack.Mails) }

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
