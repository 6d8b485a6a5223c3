package linktrack

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"unicode"
)

// SetEmail sets the address for alerts by mail of an account in the store, and
// returns the changed account. Nothing else of the account changes, even if
// another process edits it at the same time. The address has no name before it,
// as in ada@example.com, and has at most 254 characters; "" removes the address.
// SetEmail sends no mail to it. The errors are an [*InvalidError] about "email",
// [ErrForbidden] if the account is switched off, [ErrUnavailable], and
// [ErrNotFound] if the store has no such account. Accounts of
// [AccountOptions.Authenticate] belong to the host and are never in the store.
func (t *Tracker) SetEmail(ctx context.Context, a Account, email string) (Account, error) {
	if err := checkEmail(email); err != nil {
		return Account{}, err
	}
	return t.editAccount(ctx, a, func(a *Account) { a.Email = email })
}

func checkEmail(email string) error {
	if err := checkText("email", email, 254, false); err != nil || email == "" {
		return err
	}
	odd := func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune(`"<>()[]:;,\`, r)
	}
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email || strings.ContainsFunc(email, odd) {
		return invalid("email", "must be a mail address such as ada@example.com")
	}
	return nil
}

// A Mailer is a [Notifier] that reports whether it mails alerts to
// [Alert.Email]. The pages assume that a Notifier which is not a Mailer sends
// mail.
type Mailer interface {
	Mails() bool
}

// mails reports whether n mails alerts.
func mails(n Notifier) bool {
	if m, ok := n.(Mailer); ok {
		return m.Mails()
	}
	return n != nil
}

var (
	// ErrNoMailer means that [Options.Notify] sends no mail.
	ErrNoMailer = errors.New("this service sends no mail")
	// ErrNoAddress means that the account has no mail address.
	ErrNoAddress = errors.New("the account has no mail address")
	// ErrHostsAccount means that the account belongs to the host. The Tracker
	// does not know its mail address, and sends it no mail.
	ErrHostsAccount = errors.New("the account is not linktrack's own")
)

// AlertEmail returns the address that gets the alerts of the account's links
// with HasAlertEmail. If no alerts are mailed, it returns the reason as an
// error: [ErrHostsAccount], [ErrNoMailer], or [ErrNoAddress]. It may also return
// [ErrUnavailable]. It considers only this process: if another process delivers
// the alerts, the error is ErrNoMailer.
func (t *Tracker) AlertEmail(ctx context.Context, a Account) (string, error) {
	kept, err := t.Account(ctx, a.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", ErrHostsAccount
	case err != nil:
		return "", err
	case !mails(t.opts.Notify):
		return kept.Email, ErrNoMailer
	case kept.Email == "":
		return "", ErrNoAddress
	}
	return kept.Email, nil
}
