package linktrack

import (
	"context"
	"errors"
	"time"
)

// An Alert says that people's clicks on a link reached a number that its owner set.
type Alert struct {
	ID      string    // the same at each delivery of this alert, so that receivers can drop repeats; unique in the store
	Kind    AlertKind // what was reached
	Link    Link      // as it was when the alert was sent; Counts.Day is zero
	URL     string    // the tracking link
	Email   string    // of the account, if the link has HasAlertEmail; "" otherwise, and with [AccountOptions.Authenticate]
	Count   int64     // the number that was reached
	Reached time.Time // of the click that reached the number, or of another click in its batch
}

// An AlertKind says which number an [Alert] is about.
type AlertKind string

const (
	AlertAt     AlertKind = "alert_at"      // Link.AlertAt was reached
	AlertUsedUp AlertKind = "deactivate_at" // Link.DeactivateAt was reached: the link is used up
)

// ErrUndeliverable means that an alert can never be delivered. It is not tried again.
var ErrUndeliverable = errors.New("the alert can never be delivered")

// A Notifier delivers alerts.
type Notifier interface {
	// Notify delivers an alert.
	//   - It is called again, with the same Alert.ID, until it returns nil or an error
	//     that wraps [ErrUndeliverable]. It may be called again after that, if the
	//     process or the store failed at that moment.
	//   - It must return soon after ctx ends.
	//   - The text of its error is logged and must not contain secrets.
	Notify(ctx context.Context, a Alert) error
}
