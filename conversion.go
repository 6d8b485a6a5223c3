package linktrack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/linktrackhq/linktrack/internal/share"
)

// A Conversion is an order, a registration or the like after a click.
type Conversion struct {
	// Click is the click before it. For an [Outcome] of [Tracker.Follow] it is
	// ClickRef{Link: out.Link.ID, ID: out.Click}; goal pages get it as "lt_click".
	// At most one conversion is counted for a click.
	Click ClickRef

	// OrderID is the owner's own name for the order, at most 255 characters; "" none.
	// Of all conversions of an account with the same OrderID, compared byte by byte,
	// one is counted, with whatever click or link they are reported.
	OrderID string

	// Value is the conversion's value in Currency, an ISO 4217 code in upper
	// case. If Currency is "", the value is unknown, and Value is 0.
	Value    Amount
	Currency string

	// Trusted means that the link's owner reports the conversion. A visitor's
	// browser can forge any order and value. A trusted conversion replaces the
	// untrusted conversions of its click and of its order. [Tracker.Convert] sets
	// it.
	Trusted bool

	// Time is the time of the conversion: at most 30 days after the click, not before
	// it, and not in the future. Zero: now.
	Time time.Time
}

const (
	conversionWindow = 30 * 24 * time.Hour // from the click
	maxOrderID       = 255                 // characters
)

// Convert counts a conversion. It returns when the store has it.
//   - owner is the account on whose behalf the conversion is reported: it is
//     trusted then, see [Conversion.Trusted], and a click on another account's link
//     is [ErrNotFound]. nil means that anyone who knows the click reports it, for
//     example a visitor's browser.
//   - counted is false if the click or the order was counted before. Reports may be
//     repeated any number of times, and simultaneous reports count once. A trusted
//     conversion replaces untrusted ones of the same click or order; counted is
//     then true.
//   - The click is looked up in the history, so a click that has been pruned there
//     is [ErrNotFound], as is one that never existed.
//   - If the click may still be on its way to the store, Convert waits for it for
//     about a second. If it does not arrive, or if too many calls are waiting, the
//     error is [ErrUnavailable], and the report should be sent again.
//   - An [*InvalidError] reports other mistakes: a click from more than 30 days ago,
//     a link without HasConversionTracking, or a Value without a Currency.
func (t *Tracker) Convert(ctx context.Context, owner *Account, c Conversion) (counted bool, err error) {
	if owner == nil {
		return t.convert(ctx, c, nil, func(Link) bool { return true })
	}
	if err := owner.refuseAnonymous(); err != nil {
		return false, err
	}
	c.Trusted = true
	return t.convert(ctx, c, []share.Limit{accountShare(*owner, awaitedOfAccount)}, func(l Link) bool { return l.Account == owner.ID })
}

func (t *Tracker) convert(ctx context.Context, c Conversion, limits []share.Limit, mayKnow func(Link) bool) (counted bool, err error) {
	at := now()
	if err := c.check(at); err != nil {
		return false, err
	}
	if c.Time = c.Time.UTC().Truncate(time.Microsecond); c.Time.IsZero() {
		c.Time = at
	}
	l, err := t.clickedLink(ctx, c.Click, at, limits)
	switch {
	case err != nil:
		return false, err
	case !mayKnow(l):
		return false, ErrNotFound
	case !l.HasConversionTracking:
		return false, invalid("click_id", "is of a link without has_conversion_tracking")
	}
	zone, err := t.days.save(ctx)
	if err != nil {
		return false, err
	}
	counted, err = t.store.RecordConversion(ctx, c, zone)
	if counted {
		t.applier.wake(0)
	}
	return counted, unavailable(err)
}

// check checks a conversion that is reported at that time, as far as this is possible
// without its click.
func (c Conversion) check(at time.Time) error {
	if c.Click.ID.IsZero() {
		return invalid("click_id", "is missing")
	}
	if err := checkText("order_id", c.OrderID, maxOrderID, false); err != nil {
		return err
	}
	switch {
	case c.Value < 0 || c.Value >= amountBound:
		return invalid("value", "must be from 0 to below 1000000000000")
	case c.Currency == "" && c.Value != 0:
		return invalid("currency", "is missing beside a value")
	case c.Currency != "" && !isCurrency(c.Currency):
		return invalid("currency", "must be a code of ISO 4217 in upper case, such as EUR")
	}
	clicked := c.Click.ID.Time()
	if c.Time.IsZero() {
		c.Time = at
	} else if c.Time.After(at) || c.Time.Before(clicked) {
		return invalid("time", "must not be before the click or in the future")
	}
	if c.Time.Sub(clicked) > conversionWindow {
		return invalid("click_id", "is of a click more than 30 days before the conversion")
	}
	return nil
}

// pendingClickAge is the age up to which an unknown click may still be on its way to the
// store: another process may have it in memory.
const pendingClickAge = time.Minute

// maxAwaited is the number of conversions that may wait for their clicks at a time. It is
// limited because each asks the store several times, and anyone can forge clicks.
const maxAwaited = 256

// The part of them that one client, one IPv6 /48 and one account may have.
const (
	awaitedOfClient  = 8
	awaitedOfSite    = 32
	awaitedOfAccount = 64
)

// firstAwait is the first pause before the store is asked again. Each pause is twice as
// long as the one before.
const firstAwait = 20 * time.Millisecond

// errNotStored means that a click may still be on its way to the store.
var errNotStored = fmt.Errorf("%w: the click is not stored yet", ErrUnavailable)

// clickedLink returns the link of a click that is in the store, or on its way there. The
// limits are those of the client or account that reports it.
func (t *Tracker) clickedLink(ctx context.Context, click ClickRef, at time.Time, limits []share.Limit) (Link, error) {
	limits = append(limits, share.Limit{Key: "all", Max: maxAwaited})
	waits := false
	defer func() {
		if waits {
			t.awaited.Release(limits...)
		}
	}()
	pause := firstAwait
	for try := 0; ; try++ {
		if try > 0 { // the click may be in the store's log
			t.applier.beforeReading(ctx)
		}
		l, err := t.store.LinkByClick(ctx, click)
		if !errors.Is(err, ErrNotFound) {
			return l, unavailable(err)
		}
		if age := at.Sub(click.ID.Time()).Abs(); age >= pendingClickAge && !t.recorder.holds() && !t.applier.mayHold(click.ID.Time()) {
			return Link{}, ErrNotFound
		}
		if try == 0 {
			continue
		}
		if pause > 640*time.Millisecond { // that is 1.3 seconds in all
			return Link{}, errNotStored
		}
		if !waits {
			if waits = t.awaited.Take(limits...); !waits {
				return Link{}, errNotStored
			}
		}
		select {
		case <-time.After(pause):
			pause *= 2
		case <-ctx.Done():
			return Link{}, errNotStored
		}
	}
}

// holds reports whether clicks wait in this process for the store.
func (r *recorder) holds() bool {
	clicks, _ := r.budget.used()
	return int64(clicks) > r.queue.Size().Quarantined || r.journalWriter != nil && r.journalWriter.journal.Size().Clicks > 0
}
