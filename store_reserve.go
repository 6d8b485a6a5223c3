package linktrack

import "time"

// A Reservation asks whether people may pass a link that has a limit. Source and Seq name
// it, so that it can be repeated: see [ClickStore.ReserveClicks]. A Source makes the
// reservations for a link one after the other. It repeats one until it has an answer, or
// gives up what may have been granted for it.
type Reservation struct {
	Link   int64
	People int       // how many ask, at least 1. If the reservation took something before, this has no effect.
	Source Source    // who asks
	Seq    int64     // from 1, higher for each reservation of the Source
	Time   time.Time // the current time
}

// Granted is what a store keeps of the last reservation of a Source that took something from
// a link. The zero value says that there is none.
type Granted struct {
	Seq    int64
	People int64 // how many were granted
}

// Grant returns how many people may pass a link, which is not deleted and has the limit
// DeactivateAt, of which passed is Counts.Passed. last is what the store keeps for the Link
// and the Source.
//
// If isNew, the reservation takes something: the store sets Used to passed + granted, and
// keeps Seq and granted as the new [Granted]. If the sum is the limit, it makes the alert.
func (r *Reservation) Grant(limit, passed int64, last Granted) (granted int64, isNew bool) {
	switch {
	case limit <= 0:
		return int64(r.People), false
	case r.Seq < last.Seq:
		return 0, false
	case r.Seq == last.Seq:
		return max(0, min(last.People, limit-(passed-last.People))), false
	}
	granted = max(0, min(int64(r.People), limit-passed))
	return granted, granted > 0
}
