// Package smtp delivers alerts by mail to the account that owns the link.
//
// # Which failures are final
//
// A failure is final, and its error wraps [linktrack.ErrUndeliverable], if the
// address of the account is invalid, or if the mail server answers with an
// enhanced status code (RFC 3463) for a mailbox that does not exist: 5.1.1, 5.1.2,
// 5.1.3, 5.1.6, 5.1.10, or 5.2.1.
//
// After any other failure the alert is kept, because the server or the Options can
// be corrected. So the caller tries again after a wrong password, a refused sender,
// "relaying denied", or a full mailbox, and also after a refusal without one of
// these codes, which may mean any of these.
package smtp

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// Options configures a Mailer. Addr and From are required.
type Options struct {
	// Addr is the mail server's host:port.
	Addr string

	// TLS says how the connection is encrypted. Default: Auto.
	TLS Mode

	// TLSConfig is for a server whose certificate the system's root certificates
	// do not verify. If it has no ServerName, that is Addr's host. The lowest
	// version is TLS 1.2. Default: the system's root certificates.
	TLSConfig *tls.Config

	// Username and Password are the login at the server. A login requires TLS
	// unless the server is on this machine. Default: no login.
	Username, Password string

	// From is the sender, alerts@example.com or Links <alerts@example.com>.
	From string

	// HELO is the name of this machine that is sent to the server. Default: its
	// host name.
	HELO string

	// Timeout limits the time of one delivery, from the look-up of the server's
	// name to its last answer. Default: 30 s.
	Timeout time.Duration

	// Location is the time zone of times in mails. Default: America/Chicago.
	Location *time.Location

	// Message returns the content of a mail. Default: a message in English.
	Message func(linktrack.Alert) Message
}

// A Mode says how a connection to a mail server is encrypted.
type Mode int

const (
	// Auto is Plain if Addr's host is localhost or a loopback address, and
	// StartTLS otherwise.
	Auto Mode = iota
	// StartTLS encrypts the connection before anything else is sent. Nothing is
	// sent to a server that does not offer STARTTLS or has no valid certificate.
	StartTLS
	// Implicit is TLS from the first byte, as on port 465.
	Implicit
	// Plain does not encrypt, even if the server offers it.
	Plain
)

// A Mailer is a [linktrack.Notifier] that sends mails. It is safe for
// concurrent use; each delivery has a connection of its own. Make one with
// [New].
type Mailer struct {
	opts   Options
	host   string
	from   *mail.Address
	domain string // the domain of from
}

var (
	_ linktrack.Notifier = (*Mailer)(nil)
	_ linktrack.Mailer   = (*Mailer)(nil)
)

// New returns a Mailer. It does not connect yet. The error is a
// [*linktrack.InvalidError] that names the option.
func New(o Options) (*Mailer, error) {
	host, port, err := net.SplitHostPort(o.Addr)
	if number, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || number == 0 || host == "" {
		return nil, invalid("Addr", "must be host:port")
	}
	from, err := mail.ParseAddress(o.From)
	if err != nil || !isPrintableASCII(from.Address) {
		return nil, invalid("From", "must be a mail address in ASCII, with or without a name before it")
	}
	if o.TLS == Auto {
		o.TLS = StartTLS
		if isLoopback(host) {
			o.TLS = Plain
		}
	}
	switch {
	case o.TLS < Auto || o.TLS > Plain:
		return nil, invalid("TLS", "must be Auto, StartTLS, Implicit, or Plain")
	case o.Password != "" && o.Username == "":
		return nil, invalid("Username", "must be set if Password is")
	case o.Username != "" && o.TLS == Plain && !isLoopback(host):
		return nil, invalid("Username", "requires TLS, because others on the network could read the password")
	case !isPrintableASCII(o.HELO) || strings.Contains(o.HELO, " "):
		return nil, invalid("HELO", "must be a host name in ASCII")
	case o.Timeout < 0:
		return nil, invalid("Timeout", "must not be negative")
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Location == nil {
		if o.Location, err = time.LoadLocation("America/Chicago"); err != nil {
			return nil, fmt.Errorf("smtp: load the zone: %w", err)
		}
	}
	if o.Message == nil {
		o.Message = english(o.Location)
	}
	o.TLSConfig = o.TLSConfig.Clone()
	if o.TLSConfig == nil {
		o.TLSConfig = new(tls.Config)
	}
	if o.TLSConfig.ServerName == "" {
		o.TLSConfig.ServerName = host
	}
	o.TLSConfig.MinVersion = max(o.TLSConfig.MinVersion, tls.VersionTLS12)
	return &Mailer{opts: o, host: host, from: from, domain: from.Address[strings.LastIndexByte(from.Address, '@')+1:]}, nil
}

// Notify mails the alert to a.Email, in one attempt. If a.Email is "", it does
// nothing and returns nil. Errors do not show the address.
func (m *Mailer) Notify(ctx context.Context, a linktrack.Alert) error {
	if a.Email == "" {
		return nil
	}
	to, err := mail.ParseAddress(a.Email)
	if err != nil {
		return fmt.Errorf("smtp: %w: the account's mail address is invalid", linktrack.ErrUndeliverable)
	}
	ctx, cancel := context.WithTimeout(ctx, m.opts.Timeout)
	defer cancel()
	err = m.send(ctx, m.compose(a, to))
	switch {
	case err == nil: // even if ctx has ended in the meantime
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("smtp: %s: %w", m.opts.Addr, ctx.Err())
	case isFinal(err):
		return fmt.Errorf("smtp: %s: %w: %s", m.opts.Addr, linktrack.ErrUndeliverable, textOf(err, to.Address))
	default:
		return fmt.Errorf("smtp: %s: %s", m.opts.Addr, textOf(err, to.Address))
	}
}

// Mails implements [linktrack.Mailer]: a Mailer mails.
func (m *Mailer) Mails() bool { return true }

func invalid(param, reason string) error {
	return &linktrack.InvalidError{Param: param, Reason: reason}
}

func isPrintableASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
