package linktrack

import (
	"context"
	"time"
)

// A SessionID names one session of an account: 16 random bytes. Whoever shows
// pages to owners makes it when one signs in, and keeps the rest of the session
// itself, in a signed cookie as a rule. The store only keeps which sessions have
// ended.
type SessionID [16]byte

// Session says how a session stands: ended is true after [Tracker.EndSession];
// epoch is how often all sessions of the account were ended. A session is over,
// too, if the epoch is another one than when it began. [ErrNotFound] if the store
// has no such account.
func (t *Tracker) Session(ctx context.Context, a AccountID, s SessionID) (epoch int64, ended bool, err error) {
	epoch, ended, err = t.store.Session(ctx, a, s)
	return epoch, ended, unavailable(err)
}

// EndSession ends one session of an account, for all processes of the store.
// until is when it would have ended by itself: afterwards the store may forget
// it. To end a session again is no error.
func (t *Tracker) EndSession(ctx context.Context, a AccountID, s SessionID, until time.Time) error {
	return unavailable(t.store.EndSession(ctx, a, s, until.UTC(), now()))
}

// EndSessions ends all sessions of an account, for all processes of the store.
// [ErrNotFound] if the store has no such account.
func (t *Tracker) EndSessions(ctx context.Context, a AccountID) error {
	return unavailable(t.store.EndSessions(ctx, a))
}
