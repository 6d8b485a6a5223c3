package linktrack

import "context"

// Accounts returns up to limit accounts in the store, at least 1, whose IDs are above
// after, in the order of their IDs. The accounts may be disabled. If there are none, it
// returns an empty slice and no error. The errors are an [*InvalidError] about "limit" and
// [ErrUnavailable]. With [AccountOptions.Authenticate], whose accounts belong to the host,
// there are none.
func (t *Tracker) Accounts(ctx context.Context, after AccountID, limit int) ([]Account, error) {
	if limit < 1 {
		return nil, invalid("limit", "must be at least 1")
	}
	if t.opts.Accounts.Authenticate != nil {
		return nil, nil
	}
	all, err := t.store.Accounts(ctx, after, limit)
	return all, unavailable(err)
}

// AccountByLogin returns the account in the store that has the login itself, compared byte
// by byte. The logins of further keys ([Tracker.CreateKey]) name no account. The account
// may be disabled. The errors are [ErrUnavailable], and [ErrNotFound] if there is no such
// account, and always with [AccountOptions.Authenticate].
func (t *Tracker) AccountByLogin(ctx context.Context, login string) (Account, error) {
	if t.opts.Accounts.Authenticate != nil {
		return Account{}, ErrNotFound
	}
	k, a, err := t.store.KeyByLogin(ctx, login)
	if err == nil && k.ID != 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Account{}, unavailable(err)
	}
	return a, nil
}

// An AccountEdit is what [Tracker.UpdateAccount] can change of an account.
type AccountEdit struct {
	Type     string // see [Account.Type]
	Email    string // see [Tracker.SetEmail]; "" none
	Disabled bool   // see [Account.Disabled]

	// Pass is the new pass, see [Tracker.SetPass]. It is "" at first, and "" does not
	// change the pass.
	Pass string
}

// UpdateAccount changes an account in the store for the operator of the service, and
// returns the changed account. Unlike [Tracker.SetPass] and [Tracker.SetEmail], which are
// for its owner, it also changes an account that is switched off.
//   - change gets the current values and modifies them. It may be called more than once,
//     and it must not use the Tracker.
//   - The rules are checked for what is different afterwards. So an account whose type is
//     not known any more can be switched off.
//   - The change holds at once in all processes on the store. An account that is switched
//     off cannot sign in or call the API, and its sessions on the pages rest. Its links go
//     on. Another pass ends its sessions.
//   - The errors are an [*InvalidError] about "type", "email" or "pass", [ErrUnavailable],
//     and [ErrNotFound] if the store has no such account, and always with
//     [AccountOptions.Authenticate]. Nothing is changed then.
func (t *Tracker) UpdateAccount(ctx context.Context, id AccountID, change func(*AccountEdit)) (Account, error) {
	if t.opts.Accounts.Authenticate != nil {
		return Account{}, ErrNotFound
	}
	a, err := t.store.UpdateAccount(ctx, id, func(a *Account) error {
		e := AccountEdit{Type: a.Type, Email: a.Email, Disabled: a.Disabled}
		change(&e)
		if e.Type != a.Type {
			if err := t.checkType(e.Type); err != nil {
				return err
			}
		}
		if e.Email != a.Email {
			if err := checkEmail(e.Email); err != nil {
				return err
			}
		}
		if e.Pass != "" {
			if err := checkNewPass(e.Pass); err != nil {
				return err
			}
			a.PassHash = hashPass(e.Pass)
		}
		a.Type, a.Email, a.Disabled = e.Type, e.Email, e.Disabled
		return nil
	})
	return a, unavailable(err)
}
