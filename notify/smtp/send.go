package smtp

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"net/mail"
	"regexp"
	"slices"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/linktrackhq/linktrack"
)

// compose returns the mail. Its Message-ID follows from the alert's ID, so that
// mail programs recognize a repeated mail.
func (m *Mailer) compose(a linktrack.Alert, to *mail.Address) *gomail.Msg {
	text := m.opts.Message(a)
	id := sha256.Sum256([]byte(a.ID))
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(m.from)
	msg.ToMailAddress(&mail.Address{Address: to.Address})
	msg.SetMessageIDWithValue("alert." + hex.EncodeToString(id[:16]) + "@" + m.domain)
	msg.SetDateWithValue(time.Now().In(m.opts.Location))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.Subject(line(text.Subject))
	msg.SetBodyString(gomail.TypeTextPlain, text.Text)
	if text.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, text.HTML)
	}
	return msg
}

// send sends a mail over a new connection, which is closed when ctx ends.
func (m *Mailer) send(ctx context.Context, msg *gomail.Msg) error {
	options := []gomail.Option{
		gomail.WithTimeout(2 * m.opts.Timeout), // ctx ends before
		gomail.WithTLSConfig(m.opts.TLSConfig),
		gomail.WithTLSPolicy(gomail.NoTLS),
		gomail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return m.dial(ctx) }),
		gomail.WithoutNoop(),
		gomail.WithoutRset(),
	}
	if m.opts.TLS == StartTLS {
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if m.opts.HELO != "" {
		options = append(options, gomail.WithHELO(m.opts.HELO))
	}
	if m.opts.Username != "" {
		options = append(options, gomail.WithUsername(m.opts.Username), gomail.WithPassword(m.opts.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthSCRAMSHA256))
	}
	client, err := gomail.NewClient(m.host, options...)
	if err != nil {
		return err
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	err = client.SendWithSMTPClient(connection, msg)
	connection.Quit() // an error does not matter: the mail was accepted
	return err
}

func (m *Mailer) dial(ctx context.Context) (net.Conn, error) {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", m.opts.Addr)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { connection.Close() })
	if m.opts.TLS != Implicit {
		return connection, nil
	}
	encrypted := tls.Client(connection, m.opts.TLSConfig)
	return encrypted, encrypted.HandshakeContext(ctx)
}

// noMailbox are the enhanced status codes for permanent problems of the
// recipient: no such mailbox, no such domain, no address, a mailbox that has
// moved without a new address, a domain that accepts no mail, or a disabled
// mailbox.
var noMailbox = []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}

// isFinal reports whether sending again is useless.
func isFinal(err error) bool {
	var e *gomail.SendError
	return errors.As(err, &e) && e.ErrorCode() >= 500 &&
		(e.Reason == gomail.ErrSMTPRcptTo || e.Reason == gomail.ErrSMTPDataClose) &&
		slices.Contains(noMailbox, e.EnhancedStatusCode())
}

// textOf returns the error's text as one line of limited length, without the
// address.
func textOf(err error, address string) string {
	const limit = 300
	text := line(err.Error())
	text = regexp.MustCompile("(?i)"+regexp.QuoteMeta(address)).ReplaceAllLiteralString(text, "…")
	if runes := []rune(text); len(runes) > limit {
		text = string(runes[:limit]) + "…"
	}
	return text
}
