package linktrack

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"unicode"
)

// SetEmail gives an account of the store another address for alerts by mail
// and returns the account as it is then. The address stands alone, as
// ada@example.com, without a name before it and with at most 254 characters;
// "" means none. No mail is sent to it. The errors: an [*InvalidError] about
// "email"; [ErrNotFound] if the store has no such account, as always with
// [Options.Authenticate], whose accounts are the host's own; [ErrForbidden] if
// it is switched off; [ErrUnavailable].
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

// A Mailer is a [Notifier] that says whether it mails alerts to [Alert.Email].
// A Notifier that is no Mailer may do anything with it, so the pages take it
// for one that mails.
type Mailer interface {
	Mails() bool
}

// Mails reports whether n mails alerts, as far as it says so; nil does not.
func Mails(n Notifier) bool {
	if m, ok := n.(Mailer); ok {
		return m.Mails()
	}
	return n != nil
}

var (
	// ErrNoMailer: [Options.Notify] mails nothing.
	ErrNoMailer = errors.New("this service sends no mail")
	// ErrNoAddress: the account has no mail address.
	ErrNoAddress = errors.New("the account has no mail address")
	// ErrHostsAccount: the account is the host's own. Its mail address is not
	// known to the Tracker, which mails it nothing.
	ErrHostsAccount = errors.New("the account is not linktrack's own")
)

// AlertEmail returns the address to which alerts about the account's links are
// mailed, those with HasAlertEmail. Where none are it returns the reason as an
// error: [ErrHostsAccount], [ErrNoMailer] or [ErrNoAddress]. It may return
// [ErrUnavailable], too. It speaks of this process: where another one delivers
// the alerts, it says ErrNoMailer.
func (t *Tracker) AlertEmail(ctx context.Context, a Account) (string, error) {
	kept, err := t.Account(ctx, a.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", ErrHostsAccount
	case err != nil:
		return "", err
	case !Mails(t.opts.Notify):
		return kept.Email, ErrNoMailer
	case kept.Email == "":
		return "", ErrNoAddress
	}
	return kept.Email, nil
}
