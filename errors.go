package linktrack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/linktrackhq/linktrack/internal/incident"
)

// The errors that callers distinguish with errors.Is. Their texts, and the texts of
// errors that wrap them, may be shown to API clients. The text of any other error
// may not.
var (
	// ErrNotFound: there is no such link, account or page, or the account may not
	// see it.
	ErrNotFound = errors.New("not found")
	// ErrTaken: the vanity link or the login is in use. A former path of a link is in
	// use, too.
	ErrTaken = errors.New("already taken")
	// ErrExternalIDTaken is an ErrTaken: another link of the account has the
	// [LinkSettings.ExternalID].
	ErrExternalIDTaken = fmt.Errorf("external_id is %w", ErrTaken)
	// ErrHasLinks: the account cannot be erased because it has links, perhaps deleted
	// ones, see [AccountStore.EraseAccount].
	ErrHasLinks = errors.New("the account has links")
	// ErrUnauthorized: the login or the pass is wrong.
	ErrUnauthorized = errors.New("login or pass is wrong")
	// ErrForbidden: the account is switched off, its type is not known or does not
	// allow a parameter, or the host refuses the destination or the vanity link.
	ErrForbidden = errors.New("not allowed")
	// ErrWrongPassword: the link has another password.
	ErrWrongPassword = errors.New("the password is wrong")
	// ErrThrottled: too many failures; [ThrottledError] says how long.
	ErrThrottled = errors.New("too many attempts")
	// ErrRejected: the store will never apply this batch of clicks, see
	// [ClickStore.AppendClicks].
	ErrRejected = errors.New("the batch of clicks is rejected")
	// ErrUnavailable: the store could not do its work.
	ErrUnavailable = errors.New("the service is unavailable for the moment")

	// ErrGone: the link exists but does not redirect. The next four errors are
	// ErrGone, too.
	ErrGone     = errors.New("the link is gone")
	ErrInactive = fmt.Errorf("%w: it was switched off", ErrGone)
	ErrExpired  = fmt.Errorf("%w: it has expired", ErrGone)
	ErrUsedUp   = fmt.Errorf("%w: its clicks are used up", ErrGone)
	ErrDeleted  = fmt.Errorf("%w: it was deleted", ErrGone)

	// ErrNotYet: the link lets nobody through before its [LinkSettings.StartsAt].
	// It is an [ErrNotFound], because visitors get the same status.
	ErrNotYet = fmt.Errorf("the link does not work yet: %w", ErrNotFound)
)

// An InvalidError says which parameter breaks which rule. Its text is a sentence that
// may be shown to API clients.
type InvalidError struct {
	Param  string // the API's name of the parameter
	Reason string // the rest of the sentence that begins with Param
}

func (e *InvalidError) Error() string { return e.Param + " " + e.Reason }

func invalid(param, format string, args ...any) error {
	return &InvalidError{Param: param, Reason: fmt.Sprintf(format, args...)}
}

// A ThrottledError is an [ErrThrottled] that says when the next attempt is allowed.
type ThrottledError struct {
	RetryAfter time.Duration // more than zero
}

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("%v, try again in %d seconds", ErrThrottled, seconds(e.RetryAfter))
}

// Is makes errors.Is(err, ErrThrottled) true.
func (e *ThrottledError) Is(target error) bool { return target == ErrThrottled }

// throttled returns the error for a throttle that must be waited for, nil if there
// is nothing to wait for.
func throttled(retryAfter time.Duration) error {
	if retryAfter <= 0 {
		return nil
	}
	return &ThrottledError{RetryAfter: retryAfter}
}

// seconds rounds up, so that a client which waits that long has waited long enough.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// unavailable makes an [ErrUnavailable] of a store's error. Errors with a meaning of
// their own stay as they are.
func unavailable(err error) error {
	var inv *InvalidError
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrTaken) || errors.Is(err, ErrHasLinks) || errors.Is(err, ErrGone) ||
		errors.Is(err, ErrForbidden) || errors.Is(err, ErrUnavailable) || errors.As(err, &inv) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// An outage is a failure that is logged when it begins, not for each request. It is
// over when a minute has passed without a failure. Canceled requests do not count as
// failures, nor do reports of clicks that may be forged.
type outage struct{ incident.Incident }

func newOutage(log *slog.Logger, fails string) outage {
	return outage{incident.Incident{Log: log, Began: "linktrack: " + fails, Quiet: time.Minute}}
}

func (o *outage) note(err error) {
	if errors.Is(err, ErrUnavailable) && !errors.Is(err, context.Canceled) && !errors.Is(err, errNotStored) {
		o.Report(err)
	}
}
