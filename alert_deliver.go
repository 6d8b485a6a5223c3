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

// A deliverer brings the alerts that wait in the store to [Options.Notify], one
// at a time. It looks for them every five seconds, since any process's clicks
// may have made some, and soon after clicks of its own were stored. Who dies
// meanwhile, or is not heard of for a minute, leaves the alert to another. One
// that fails is tried again after 5 s, 10 s and so on up to an hour, for ever:
// a new alert never waits behind it for longer than a delivery takes.
type alertWorker struct {
	store    Store
	notifier Notifier
	url      func(Link) string
	accounts bool // links belong to the store's accounts
	log      *slog.Logger

	worker  *worker.Worker
	failing incident.Incident
}

const (
	alertPoll        = 5 * time.Second
	alertDelay       = 200 * time.Millisecond
	alertLease       = time.Minute      // longer than the look-ups, the delivery and its record may take
	notifyTimeout    = 20 * time.Second // of one delivery
	alertTimeout     = 10 * time.Second // of one call of the store
	firstAlertRetry  = 5 * time.Second
	lastAlertRetry   = time.Hour
	alertLogInterval = 10 * time.Minute // an alert that fails among others that do not tells the log no more often
)

// newAlertWorker starts a deliverer, or returns nil if there is nobody to deliver
// to.
func newAlertWorker(store Store, o *Options, url func(Link) string) *alertWorker {
	if o.Notify == nil {
		return nil
	}
	d := &alertWorker{
		store:    store,
		notifier: o.Notify,
		url:      url,
		accounts: o.Authenticate == nil,
		log:      o.Logger,
		failing: incident.Incident{
			Log:   o.Logger,
			Began: "linktrack: an alert cannot be delivered; it waits in the store and is tried again",
			Ended: "linktrack: alerts are delivered again",
			Again: alertLogInterval,
		},
	}
	d.worker = worker.New(worker.Options{Delay: alertDelay, Poll: alertPoll}, func(ctx context.Context) (time.Duration, bool) {
		return 0, d.deliverNext(ctx)
	})
	d.worker.WakeAfter(0)
	return d
}

// soon says that clicks were stored.
func (d *alertWorker) wakeUp() {
	if d != nil {
		d.worker.Wake()
	}
}

// close begins no further delivery, and waits for the one under way until ctx
// ends; then that is given up.
func (d *alertWorker) close(ctx context.Context) {
	if d != nil {
		d.worker.Stop(ctx)
	}
}

// one delivers the alert whose turn it is. It returns false when there is none,
// or the store fails, or the deliverer has to stop.
func (d *alertWorker) deliverNext(ctx context.Context) bool {
	at := now()
	var p PendingAlert
	err := d.call(ctx, alertTimeout, func(ctx context.Context) (err error) {
		p, err = d.store.LeaseAlert(ctx, at, at.Add(alertLease))
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return false
	}
	if err != nil {
		d.failing.Report(err)
		return false
	}
	err = d.deliver(ctx, p)
	switch {
	case errors.Is(err, ErrUndeliverable):
		d.log.Error("linktrack: an alert can never be delivered and is dropped", "alert", p.ID.String(), "error", err)
	case err != nil:
		if ctx.Err() != nil {
			return false // given up by close, and left to the lease
		}
		d.failing.Report(err)
		next := now().Add(alertRetry(p.Tries))
		err = d.call(ctx, alertTimeout, func(ctx context.Context) error { return d.store.PostponeAlert(ctx, p.ID, next) })
		return err == nil // else the lease postpones it
	}
	err = d.call(ctx, alertTimeout, func(ctx context.Context) error { return d.store.FinishAlert(ctx, p.ID) })
	if err != nil {
		d.failing.Report(err)
		return false
	}
	d.failing.Recovered()
	return true
}

// deliver hands an alert to the notifier, with all that it says.
func (d *alertWorker) deliver(ctx context.Context, p PendingAlert) error {
	a := Alert{
		ID:      p.ID.String(),
		Kind:    p.ID.Kind,
		Link:    p.Link,
		URL:     d.url(p.Link),
		Count:   p.ID.Count,
		Reached: p.Reached,
	}
	if p.Link.HasAlertEmail && d.accounts {
		err := d.call(ctx, alertTimeout, func(ctx context.Context) error {
			account, err := d.store.AccountByID(ctx, p.Link.Account)
			a.Email = account.Email
			return err
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return d.call(ctx, notifyTimeout, func(ctx context.Context) error { return d.notifier.Notify(ctx, a) })
}

// call calls f, which may panic: then it has failed, no more.
func (d *alertWorker) call(parent context.Context, timeout time.Duration, f func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	return f(ctx)
}

// alertRetry is how long to wait after so many tries: twice as long each time,
// and up to a quarter less, so that not all that failed together come together.
func alertRetry(tries int) time.Duration {
	pause := lastAlertRetry
	if doublings := max(tries-1, 0); doublings < 10 {
		pause = min(firstAlertRetry<<doublings, lastAlertRetry)
	}
	return pause - rand.N(pause/4)
}
