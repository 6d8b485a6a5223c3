package linktrack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// A deliverer brings the alerts that wait in the store to [Options.Notify], one
// at a time. It looks for them every five seconds, since any process's clicks
// may have made some, and soon after clicks of its own were stored. Who dies
// meanwhile, or is not heard of for a minute, leaves the alert to another. One
// that fails is tried again after 5 s, 10 s and so on up to an hour, for ever:
// a new alert never waits behind it for longer than a delivery takes.
type deliverer struct {
	store    Store
	notifier Notifier
	url      func(Link) string
	accounts bool // links belong to the store's accounts
	log      *slog.Logger

	ctx    context.Context // of deliveries
	cancel context.CancelFunc
	wake   chan struct{}
	halt   sync.Once
	stop   chan struct{}
	rested chan struct{} // closed when it has stopped

	failing bool
	said    time.Time // when the log was last told that it fails
	told    bool      // it was, this time
}

const (
	alertPoll       = 5 * time.Second
	alertSoon       = 200 * time.Millisecond
	alertLease      = time.Minute      // longer than the look-ups, the delivery and its record may take
	notifyTimeout   = 20 * time.Second // of one delivery
	alertTimeout    = 10 * time.Second // of one call of the store
	firstAlertRetry = 5 * time.Second
	lastAlertRetry  = time.Hour
	saidEnough      = 10 * time.Minute // an alert that fails among others that do not tells the log no more often
)

// newDeliverer starts a deliverer, or returns nil if there is nobody to deliver
// to.
func newDeliverer(store Store, o *Options, url func(Link) string) *deliverer {
	if o.Notify == nil {
		return nil
	}
	d := &deliverer{
		store:    store,
		notifier: o.Notify,
		url:      url,
		accounts: o.Authenticate == nil,
		log:      o.Logger,
		wake:     make(chan struct{}, 1),
		stop:     make(chan struct{}),
		rested:   make(chan struct{}),
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	go d.work()
	return d
}

// soon says that clicks were stored.
func (d *deliverer) soon() {
	if d == nil {
		return
	}
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// close begins no further delivery, and waits for the one under way until ctx
// ends; then that is given up.
func (d *deliverer) close(ctx context.Context) {
	if d == nil {
		return
	}
	d.halt.Do(func() { close(d.stop) })
	select {
	case <-d.rested:
	case <-ctx.Done():
	}
	d.cancel()
}

func (d *deliverer) work() {
	defer close(d.rested)
	for {
		for d.one() {
		}
		wait := time.After(alertPoll)
		select {
		case <-d.wake:
			wait = time.After(alertSoon) // others come, too
		case <-wait:
			continue
		case <-d.stop:
			return
		}
		select {
		case <-wait:
		case <-d.stop:
			return
		}
	}
}

// one delivers the alert whose turn it is. It returns false when there is none,
// or the store fails, or the deliverer has to stop.
func (d *deliverer) one() bool {
	if closed(d.stop) {
		return false
	}
	at := now()
	var p PendingAlert
	err := d.call(alertTimeout, func(ctx context.Context) (err error) {
		p, err = d.store.LeaseAlert(ctx, at, at.Add(alertLease))
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return false
	}
	if err != nil {
		d.failed(err)
		return false
	}
	err = d.deliver(p)
	switch {
	case errors.Is(err, ErrUndeliverable):
		d.log.Error("linktrack: an alert can never be delivered and is dropped", "alert", p.ID.String(), "error", err)
	case err != nil:
		if d.ctx.Err() != nil {
			return false // given up by close, and left to the lease
		}
		d.failed(err)
		next := now().Add(alertRetry(p.Tries))
		err = d.call(alertTimeout, func(ctx context.Context) error { return d.store.PostponeAlert(ctx, p.ID, next) })
		return err == nil // else the lease postpones it
	}
	err = d.call(alertTimeout, func(ctx context.Context) error { return d.store.FinishAlert(ctx, p.ID) })
	if err != nil {
		d.failed(err)
		return false
	}
	d.recovered()
	return true
}

// deliver hands an alert to the notifier, with all that it says.
func (d *deliverer) deliver(p PendingAlert) error {
	a := Alert{
		ID:      p.ID.String(),
		Kind:    p.ID.Kind,
		Link:    p.Link,
		URL:     d.url(p.Link),
		Count:   p.ID.Count,
		Reached: p.Reached,
	}
	if p.Link.HasAlertEmail && d.accounts {
		err := d.call(alertTimeout, func(ctx context.Context) error {
			account, err := d.store.AccountByID(ctx, p.Link.Account)
			a.Email = account.Email
			return err
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return d.call(notifyTimeout, func(ctx context.Context) error { return d.notifier.Notify(ctx, a) })
}

// call calls f, which may panic: then it has failed, no more.
func (d *deliverer) call(timeout time.Duration, f func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(d.ctx, timeout)
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

func (d *deliverer) failed(err error) {
	if d.failing {
		return
	}
	d.failing = true
	if at := time.Now(); d.said.IsZero() || at.Sub(d.said) >= saidEnough {
		d.said, d.told = at, true
		d.log.Error("linktrack: an alert cannot be delivered; it waits in the store and is tried again", "error", err)
	}
}

func (d *deliverer) recovered() {
	if !d.failing {
		return
	}
	d.failing = false
	if d.told {
		d.told = false
		d.log.Info("linktrack: alerts are delivered again")
	}
}
