package linktrack

import (
	"errors"
	"time"
)

// A LinkState is what [Link.State] says of a link, as a word.
type LinkState string

const (
	StateActive   LinkState = "active"   // the link lets people through
	StateInactive LinkState = "inactive" // [ErrInactive]
	StateExpired  LinkState = "expired"  // [ErrExpired]
	StateUsedUp   LinkState = "used_up"  // [ErrUsedUp]
	StateNotYet   LinkState = "not_yet"  // [ErrNotYet]
)

var stateErrors = map[LinkState]error{
	StateInactive: ErrInactive, StateExpired: ErrExpired, StateUsedUp: ErrUsedUp, StateNotYet: ErrNotYet,
}

// Has reports whether a link is in the state at time now, from the link's settings and
// counts. The state "" has every link, and a word that is no state has none.
func (s LinkState) Has(l *Link, now time.Time) bool {
	switch s {
	case "":
		return true
	case StateActive:
		return l.State(now) == nil
	}
	want, known := stateErrors[s]
	return known && errors.Is(l.State(now), want)
}
