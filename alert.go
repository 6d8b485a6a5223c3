package linktrack

import (
	"context"
	"errors"
	"time"
)

// An Alert says that people's clicks on a link reached a number its owner named.
type Alert struct {
	ID      string    // the same each time this alert is delivered, for receivers that drop repeats; no other alert of the store has it
	Kind    AlertKind // what was reached
	Link    Link      // as it was when the alert was sent, with its counts but Counts.Day
	URL     string    // the tracking link
	Email   string    // of the account, if the link has HasAlertEmail; else, and with [AccountOptions.Authenticate], ""
	Count   int64     // the number that was reached
	Reached time.Time // of the click that reached it, or of one stored together with it
}

// An AlertKind is what an [Alert] is about.
type AlertKind string

const (
	AlertAt     AlertKind = "alert_at"      // Link.AlertAt was reached
	AlertUsedUp AlertKind = "deactivate_at" // Link.DeactivateAt was reached: the link is used up
)

// ErrUndeliverable: an alert can never be delivered, so that to try it again is
// of no use.
var ErrUndeliverable = errors.New("the alert can never be delivered")

// A Notifier delivers alerts.
type Notifier interface {
	// Notify delivers an alert. It is called again, with the same Alert.ID,
	// until it returns nil or an error that wraps [ErrUndeliverable]. It may
	// be called again after that, if the process or the store failed just
	// then. It has to return soon after ctx
	// ends. The text of its error goes to the log and must tell no secrets.
	Notify(ctx context.Context, a Alert) error
}
