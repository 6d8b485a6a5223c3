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

// RenewPass gives an account of the store another pass, which is generated and
// returned here and never again. The pass before stops working at once. If
// RenewPass is called twice at the same time, one of the two passes works
// afterwards. [ErrNotFound] if the store has no such account, as always with
// [Options.Authenticate], whose accounts are the host's own; [ErrForbidden] if
// the account is switched off; [ErrUnavailable].
func (t *Tracker) RenewPass(ctx context.Context, a Account) (pass string, err error) {
	pass = randomHex(32)
	if _, err := t.setPass(ctx, a, pass); err != nil {
		return "", err
	}
	return pass, nil
}

// SetPass gives an account of the store the pass that the caller chose, and
// returns the account as it is now. A pass has 8 to 200 characters and no
// control characters; it should be as hard to guess as a generated one, because
// only a fast hash of it is kept. Accounts whose pass is shorter, because they
// are older than this rule, keep it. Else as [Tracker.RenewPass]; the error may
// also be an [*InvalidError].
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
