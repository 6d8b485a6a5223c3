package linktrack

import (
	"context"
	"fmt"
	"unicode/utf8"
)

// The bounds of a pass that somebody chooses, in characters.
const (
	minPass = 8
	maxPass = 200
)

// RenewPass generates another pass for an account in the store, and returns it
// this one time only. The previous pass stops working at once. If RenewPass is
// called twice at the same time, one of the two passes works afterward. The
// errors are [ErrForbidden] if the account is switched off, [ErrUnavailable],
// and [ErrNotFound] if the store has no such account. Accounts of
// [Options.Authenticate] belong to the host and are never in the store.
func (t *Tracker) RenewPass(ctx context.Context, a Account) (pass string, err error) {
	pass = randomHex(32)
	if _, err := t.setPass(ctx, a, pass); err != nil {
		return "", err
	}
	return pass, nil
}

// SetPass sets a given pass for an account in the store, and returns the changed
// account. A pass has 8 to 200 characters and no control characters. It should
// be as hard to guess as a generated one, because only a fast hash of it is
// kept. Existing shorter passes stay valid. Otherwise SetPass works as
// [Tracker.RenewPass] does; the error may also be an [*InvalidError].
func (t *Tracker) SetPass(ctx context.Context, a Account, pass string) (Account, error) {
	if err := checkNewPass(pass); err != nil {
		return Account{}, err
	}
	return t.setPass(ctx, a, pass)
}

func (t *Tracker) setPass(ctx context.Context, a Account, pass string) (Account, error) {
	return t.editAccount(ctx, a, func(a *Account) { a.PassHash = HashPass(pass) })
}

// editAccount changes an account of the store as it stands. One edit at a time:
// a store replaces the whole account, so that of two edits at once in different
// processes, the later one wins.
func (t *Tracker) editAccount(ctx context.Context, a Account, change func(*Account)) (Account, error) {
	select {
	case t.accountEdits <- struct{}{}:
		defer func() { <-t.accountEdits }()
	case <-ctx.Done():
		return Account{}, unavailable(ctx.Err())
	}
	a, err := t.Account(ctx, a.ID)
	switch {
	case err != nil:
		return Account{}, err
	case a.Disabled:
		return Account{}, fmt.Errorf("%w: the account is switched off", ErrForbidden)
	}
	change(&a)
	if err := t.store.UpdateAccount(ctx, a); err != nil {
		return Account{}, unavailable(err)
	}
	return a, nil
}

// checkNewPass is the rule for a pass that somebody chooses.
func checkNewPass(pass string) error {
	if utf8.RuneCountInString(pass) < minPass {
		return invalid("pass", "must have at least %d characters", minPass)
	}
	return checkText("pass", pass, maxPass, false)
}
