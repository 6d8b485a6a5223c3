package linktrack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Key is a login and a pass with which programs call the API for an account.
type Key struct {
	ID        int64 // 0: the account's own Login and PassHash
	Account   AccountID
	Login     string // unique over all accounts and keys
	PassHash  []byte // as [Account.PassHash]; nil: no pass fits
	Name      string // for its owner; "" none
	Scope     KeyScope
	CreatedAt time.Time
	LastUsed  Day // in [Tracker.TimeZone]; 0: never
}

// A KeyScope says which calls of the API a key may make.
type KeyScope string

// The scopes of keys. Each includes the ones above it.
const (
	ScopeRead   KeyScope = "read"   // calls that change nothing
	ScopeCreate KeyScope = "create" // calls that make links or opt-out links, or report conversions
	ScopeAll    KeyScope = "all"    // all calls, and signing in on the pages
)

// keyScopes are the scopes in the order in which they include each other.
var keyScopes = []KeyScope{ScopeRead, ScopeCreate, ScopeAll}

// includes reports whether a key with the scope may do what needs the other one. A scope
// that is not known includes none.
func (s KeyScope) includes(needed KeyScope) bool {
	return slices.Index(keyScopes, s) >= slices.Index(keyScopes, needed)
}

// A NewKey describes a key that [Tracker.CreateKey] is to make.
type NewKey struct {
	Name  string   // for its owner, at most 100 characters; "" none
	Scope KeyScope // required
}

// CreateKey makes a key for an account in the store, with a generated login and pass. This
// is the only time that the pass is returned, because only a hash of it is stored. The
// errors are an [*InvalidError] about "name" or "scope", [ErrForbidden] if the account is
// switched off, [ErrUnavailable], and [ErrNotFound] if the store has no such account.
// Accounts of [AccountOptions.Authenticate] belong to the host and have no keys.
func (t *Tracker) CreateKey(ctx context.Context, a Account, in NewKey) (k Key, pass string, err error) {
	if !slices.Contains(keyScopes, in.Scope) {
		return Key{}, "", invalid("scope", "must be read, create or all")
	}
	if err := checkText("name", in.Name, 100, false); err != nil {
		return Key{}, "", err
	}
	if err := t.checkKeys(ctx, a); err != nil {
		return Key{}, "", err
	}
	pass = randomHex(32)
	k, err = t.store.CreateKey(ctx, Key{
		Account: a.ID, Login: randomHex(25), PassHash: hashPass(pass), Name: in.Name, Scope: in.Scope, CreatedAt: now(),
	})
	if err != nil {
		return Key{}, "", unavailable(err)
	}
	return k, pass, nil
}

// checkKeys returns an error if no key of the account may be changed.
func (t *Tracker) checkKeys(ctx context.Context, a Account) error {
	kept, err := t.Account(ctx, a.ID)
	if err == nil && kept.Disabled {
		err = fmt.Errorf("%w: the account is switched off", ErrForbidden)
	}
	return err
}

// Keys returns the keys of an account that a pass fits, in the order in which they were
// made. The account's own key comes first. An account that is not in the store has none.
// The error is an [ErrUnavailable].
func (t *Tracker) Keys(ctx context.Context, a Account) ([]Key, error) {
	if t.opts.Accounts.Authenticate != nil {
		return nil, nil
	}
	keys, err := t.store.Keys(ctx, a.ID)
	return slices.DeleteFunc(keys, func(k Key) bool { return len(k.PassHash) == 0 }), unavailable(err)
}

// RevokeKey revokes a key of an account. It stops working at once in all processes on the
// store. If the key has [ScopeAll], all sessions of the account on the pages end, too. ID 0
// is the account's own key: its login stays the account's, and [Tracker.SetPass] gives it a
// pass again. The errors are [ErrForbidden] if the account is switched off,
// [ErrUnavailable], and [ErrNotFound] if the account has no such key, for example because
// it was revoked before.
func (t *Tracker) RevokeKey(ctx context.Context, a Account, id int64) error {
	if err := t.checkKeys(ctx, a); err != nil {
		return err
	}
	keys, err := t.Keys(ctx, a)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
	switch {
	case i < 0:
		err = ErrNotFound
	case id == 0:
		_, err = t.editAccount(ctx, a, func(a *Account) { a.PassHash = nil })
	default:
		err = unavailable(t.store.DeleteKey(ctx, a.ID, id))
	}
	// Also if the key is gone: an earlier call may have failed to end the sessions.
	if gone := err == nil || errors.Is(err, ErrNotFound); gone && (i < 0 || keys[i].Scope == ScopeAll) {
		if failed := t.EndSessions(ctx, a.ID); failed != nil {
			return failed
		}
	}
	return err
}
