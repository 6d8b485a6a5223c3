package linktrack

import (
	"context"
	"fmt"
	"unicode/utf8"
)

// The bounds of a pass that a person chooses, in characters.
const (
	minPass = 8
	maxPass = 200
)

// RenewPass generates another pass for an account in the store, and returns it
// this one time only. The previous pass stops working at once in all processes
// on the store, and sessions on the pages end with it. Nothing else of the
// account changes, even if another process edits it at the same time. If
// RenewPass is called twice at the same time, one of the two passes works
// afterward. The errors are [ErrForbidden] if the account is switched off,
// [ErrUnavailable], and [ErrNotFound] if the store has no such account. Accounts
// of [AccountOptions.Authenticate] belong to the host and are never in the store.
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
	hash := hashPass(pass)
	return t.editAccount(ctx, a, func(a *Account) { a.PassHash = hash })
}

// editAccount changes an account in the store. The store may call change more than
// once.
func (t *Tracker) editAccount(ctx context.Context, a Account, change func(*Account)) (Account, error) {
	if t.opts.Accounts.Authenticate != nil {
		return Account{}, ErrNotFound
	}
	a, err := t.store.UpdateAccount(ctx, a.ID, func(a *Account) error {
		if a.Disabled {
			return fmt.Errorf("%w: the account is switched off", ErrForbidden)
		}
		change(a)
		return nil
	})
	return a, unavailable(err)
}

// checkNewPass checks a pass that a person chose.
func checkNewPass(pass string) error {
	if utf8.RuneCountInString(pass) < minPass {
		return invalid("pass", "must have at least %d characters", minPass)
	}
	return checkText("pass", pass, maxPass, false)
}
