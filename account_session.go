package linktrack

import (
	"context"
	"time"
)

// A SessionID identifies one session of an account with 16 random bytes. A host
// that shows pages makes one when an owner signs in, and keeps the rest of the
// session, usually in a signed cookie. The store keeps only which sessions have
// ended.
type SessionID [16]byte

// Session returns the state of a session. ended is true after
// [Tracker.EndSession]. epoch is the number of times that all sessions of the
// account were ended: a session is also over if the epoch has changed since it
// began. The error is [ErrNotFound] if the store has no such account.
func (t *Tracker) Session(ctx context.Context, a AccountID, s SessionID) (epoch int64, ended bool, err error) {
	epoch, ended, err = t.store.Session(ctx, a, s)
	return epoch, ended, unavailable(err)
}

// EndSession ends one session of an account, for all processes of the store.
// until is the time when the session would have expired; after that, the store
// may forget it. Ending a session again is not an error.
func (t *Tracker) EndSession(ctx context.Context, a AccountID, s SessionID, until time.Time) error {
	return unavailable(t.store.EndSession(ctx, a, s, until.UTC(), now()))
}

// EndSessions ends all sessions of an account, for all processes of the store.
// The error is [ErrNotFound] if the store has no such account.
func (t *Tracker) EndSessions(ctx context.Context, a AccountID) error {
	return unavailable(t.store.EndSessions(ctx, a))
}
