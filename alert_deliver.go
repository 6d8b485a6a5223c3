package linktrack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/linktrackhq/linktrack/internal/incident"
	"github.com/linktrackhq/linktrack/internal/worker"
)

// An alertWorker delivers the alerts that wait in the store to [Options.Notify],
// one at a time.
//   - It looks for alerts every five seconds, because the clicks of any process may
//     have made one, and soon after clicks of its own process were stored.
//   - It leases an alert for a minute. If the process ends before the alert is
//     finished, another process delivers it after that minute.
//   - An alert that fails is tried again after 5 s, 10 s and so on up to an hour,
//     without end. Others do not wait for it.
type alertWorker struct {
	store    Store
	notifier Notifier
	url      func(Link) string
	accounts bool // the accounts are in the store
	log      *slog.Logger

	worker  *worker.Worker
	failing incident.Incident
}

const (
	alertPoll        = 5 * time.Second
	alertDelay       = 200 * time.Millisecond
	alertLease       = time.Minute      // longer than looking up, delivering, and finishing may take
	notifyTimeout    = 20 * time.Second // of one delivery
	alertTimeout     = 10 * time.Second // of one call of the store
	firstAlertRetry  = 5 * time.Second
	lastAlertRetry   = time.Hour
	alertLogInterval = 10 * time.Minute // the log has no more messages about failures among successes
)

// newAlertWorker returns a worker that has begun, or nil without
// [Options.Notify].
func newAlertWorker(store Store, o *Options, url func(Link) string) *alertWorker {
	if o.Notify == nil {
		return nil
	}
	w := &alertWorker{
		store:    store,
		notifier: o.Notify,
		url:      url,
		accounts: o.Accounts.Authenticate == nil,
		log:      o.Logger,
		failing: incident.Incident{
			Log:   o.Logger,
			Began: "linktrack: an alert cannot be delivered; it stays in the store, and delivery is tried again",
			Ended: "linktrack: alerts are delivered again",
			Again: alertLogInterval,
		},
	}
	w.worker = worker.New(worker.Options{Delay: alertDelay, Poll: alertPoll}, func(ctx context.Context) (time.Duration, bool) {
		return 0, w.deliverNext(ctx)
	})
	w.worker.WakeAfter(0)
	return w
}

// wake says that clicks were stored.
func (w *alertWorker) wake() {
	if w != nil {
		w.worker.Wake()
	}
}

// close begins no further delivery. It waits for the one under way, which is
// canceled when ctx ends.
func (w *alertWorker) close(ctx context.Context) {
	if w != nil {
		w.worker.Stop(ctx)
	}
}

// deliverNext delivers the alert that is due first. It returns false if none is
// due, the store fails, or the worker has to stop.
func (w *alertWorker) deliverNext(ctx context.Context) bool {
	at := now()
	var p PendingAlert
	err := w.call(ctx, alertTimeout, func(ctx context.Context) (err error) {
		p, err = w.store.LeaseAlert(ctx, at, at.Add(alertLease))
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return false
	}
	if err != nil {
		w.failing.Report(err)
		return false
	}
	err = w.deliver(ctx, p)
	switch {
	case errors.Is(err, ErrUndeliverable):
		w.log.Error("linktrack: an alert can never be delivered and is dropped", "alert", p.ID.String(), "error", err)
	case err != nil:
		if ctx.Err() != nil {
			return false // given up by close, and left to the lease
		}
		w.failing.Report(err)
		next := now().Add(alertRetry(p.Tries))
		err = w.call(ctx, alertTimeout, func(ctx context.Context) error { return w.store.PostponeAlert(ctx, p.ID, next) })
		return err == nil // else the lease postpones it
	}
	err = w.call(ctx, alertTimeout, func(ctx context.Context) error { return w.store.FinishAlert(ctx, p.ID) })
	if err != nil {
		w.failing.Report(err)
		return false
	}
	w.failing.Recovered()
	return true
}

// deliver calls the notifier.
func (w *alertWorker) deliver(ctx context.Context, p PendingAlert) error {
	a := Alert{
		ID:      p.ID.String(),
		Kind:    p.ID.Kind,
		Link:    p.Link,
		URL:     w.url(p.Link),
		Count:   p.ID.Count,
		Reached: p.Reached,
	}
	if p.Link.HasAlertEmail && w.accounts {
		err := w.call(ctx, alertTimeout, func(ctx context.Context) error {
			account, err := w.store.AccountByID(ctx, p.Link.Account)
			a.Email = account.Email
			return err
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return w.call(ctx, notifyTimeout, func(ctx context.Context) error { return w.notifier.Notify(ctx, a) })
}

// call calls f, which fails if it panics.
func (w *alertWorker) call(parent context.Context, timeout time.Duration, f func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	return f(ctx)
}

// alertRetry returns the pause after that many tries. It doubles each time, up to
// an hour, and is up to a quarter shorter at random, so that alerts which failed
// together are not all tried again together.
func alertRetry(tries int) time.Duration {
	pause := lastAlertRetry
	if doublings := max(tries-1, 0); doublings < 10 {
		pause = min(firstAlertRetry<<doublings, lastAlertRetry)
	}
	return pause - rand.N(pause/4)
}
