package smtp_test

import (
	"context"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"

	server "github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/notify/smtp"
)

const from = "Links of Ours <alerts@go.example.com>"

func testAlert() linktrack.Alert {
	return linktrack.Alert{
		ID: "17-alert_at", Kind: linktrack.AlertAt, URL: "https://go.example.com/.f2jt", Email: "me@example.org", Count: 100,
		Reached: time.Date(2024, 12, 24, 16, 35, 16, 0, time.UTC),
		Link: linktrack.Link{
			Path: ".f2jt", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/spring?a=1&b=<2>", Title: "Spring Sale", Notes: "for me only"},
			PasswordHash: []byte("hash of hush"), Counts: linktrack.Counts{People: 101, Unique: 87, Bots: 4},
		},
	}
}

func newMailer(t *testing.T, o smtp.Options) *smtp.Mailer {
	t.Helper()
	if o.From == "" {
		o.From = from
	}
	m, err := smtp.New(o)
	require.NoError(t, err)
	return m
}

// parts parses a mail as a mail program does.
func parts(t *testing.T, data string) (h mail.Header, text, html string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(data))
	require.NoError(t, err)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	if kind == "text/plain" {
		return m.Header, decode(t, m.Header.Get("Content-Transfer-Encoding"), m.Body), ""
	}
	require.Equal(t, "multipart/alternative", kind)
	r := multipart.NewReader(m.Body, params["boundary"])
	var bodies []string
	for _, want := range []string{"text/plain", "text/html"} {
		part, err := r.NextRawPart()
		require.NoError(t, err)
		kind, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		require.NoError(t, err)
		require.Equal(t, want, kind)
		require.Equal(t, "UTF-8", params["charset"])
		bodies = append(bodies, decode(t, part.Header.Get("Content-Transfer-Encoding"), part))
	}
	_, err = r.NextPart()
	require.ErrorIs(t, err, io.EOF)
	return m.Header, bodies[0], bodies[1]
}

func decode(t *testing.T, encoding string, r io.Reader) string {
	t.Helper()
	switch encoding {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	default:
		t.Fatalf("a part is encoded as %q", encoding)
	}
	body, err := io.ReadAll(r)
	require.NoError(t, err)
	return strings.ReplaceAll(string(body), "\r\n", "\n")
}

func subject(t *testing.T, h mail.Header) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	require.NoError(t, err)
	return s
}

func TestAnAlertArrivesAsAMailInTwoParts(t *testing.T) {
	s := serveMail(t, false)
	m := newMailer(t, smtp.Options{Addr: s.addr, TLS: smtp.StartTLS, TLSConfig: s.roots, Username: "links", Password: testPassword, HELO: "links.example.com"})
	before := time.Now().Truncate(time.Second)
	require.NoError(t, m.Notify(t.Context(), testAlert()))

	require.Len(t, s.received(), 1)
	got := s.received()[0]
	require.Equal(t, "alerts@go.example.com", got.from)
	require.Equal(t, []string{"me@example.org"}, got.to)
	require.Equal(t, "links.example.com", got.helo)
	require.True(t, got.tls)
	require.Equal(t, []string{"links"}, s.logins)

	h, text, html := parts(t, got.data)
	require.Equal(t, "Spring Sale has reached 100 clicks", subject(t, h))
	require.Equal(t, "<me@example.org>", h.Get("To"))
	require.Equal(t, `"Links of Ours" <alerts@go.example.com>`, h.Get("From"))
	require.Equal(t, "auto-generated", h.Get("Auto-Submitted"))
	require.Regexp(t, `^<alert\.[0-9a-f]{32}@go\.example\.com>$`, h.Get("Message-Id"))
	date, err := h.Date()
	require.NoError(t, err)
	require.WithinRange(t, date, before, time.Now())
	require.Equal(t, `Your link “Spring Sale” has reached 100 clicks.

https://go.example.com/.f2jt

Leads to: https://example.com/spring?a=1&b=<2>
Reached: 2024-12-24 10:35:16 CST
Clicks so far: 101, of them 87 by new visitors
Bots: 4

You get this mail because the link has an alert at this number.
`, text)
	require.Contains(t, html, `<a href="https://go.example.com/.f2jt">https://go.example.com/.f2jt</a>`)
	require.Contains(t, html, "Your link “Spring Sale” has reached 100 clicks.")
	require.Contains(t, html, "https://example.com/spring?a=1&amp;b=&lt;2&gt;")
	require.Contains(t, html, "2024-12-24 10:35:16 CST")
	for _, private := range []string{"for me only", "hush"} {
		require.NotContains(t, text+html, private)
	}
}

func TestTheConnectionIsAsItsModeSays(t *testing.T) {
	for name, tt := range map[string]struct {
		implicit bool
		mode     smtp.Mode
		want     bool
	}{
		"STARTTLS":                      {false, smtp.StartTLS, true},
		"implicit TLS":                  {true, smtp.Implicit, true},
		"plain":                         {false, smtp.Plain, false},
		"by default on a local address": {false, smtp.Auto, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveMail(t, tt.implicit)
			o := smtp.Options{Addr: s.addr, TLS: tt.mode, TLSConfig: s.roots}
			if tt.want { // it refuses a login without TLS
				o.Username, o.Password = "links", testPassword
			}
			require.NoError(t, newMailer(t, o).Notify(t.Context(), testAlert()))
			require.Equal(t, tt.want, s.received()[0].tls)
		})
	}
}

func TestAServerThatOffersNoSTARTTLSIsToldNothing(t *testing.T) {
	s := serveScript(t, map[string]string{
		"greeting": "220 mail.example.com",
		"EHLO":     "250-mail.example.com\r\n250 AUTH PLAIN LOGIN",
	})
	m := newMailer(t, smtp.Options{Addr: s.addr, TLS: smtp.StartTLS, Username: "links", Password: testPassword})
	require.ErrorContains(t, m.Notify(t.Context(), testAlert()), "STARTTLS")
	require.Regexp(t, `^EHLO \S+$`, s.received())
}

func TestAServerThatRefusesSTARTTLSIsToldNothing(t *testing.T) {
	s := serveScript(t, map[string]string{
		"greeting": "220 mail.example.com",
		"EHLO":     "250-mail.example.com\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN",
		"STARTTLS": "454 not now",
	})
	m := newMailer(t, smtp.Options{Addr: s.addr, TLS: smtp.StartTLS, Username: "links", Password: testPassword})
	require.ErrorContains(t, m.Notify(t.Context(), testAlert()), "454")
	require.Regexp(t, `^EHLO \S+\nSTARTTLS$`, s.received())
}

func TestACertificateThatIsNotTrustedEndsIt(t *testing.T) {
	for name, tt := range map[string]struct {
		implicit bool
		mode     smtp.Mode
	}{
		"STARTTLS": {false, smtp.StartTLS},
		"implicit": {true, smtp.Implicit},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveMail(t, tt.implicit)
			m := newMailer(t, smtp.Options{Addr: s.addr, TLS: tt.mode, Username: "links", Password: testPassword})
			require.ErrorContains(t, m.Notify(t.Context(), testAlert()), "certificate")
			require.Empty(t, s.logins)
			require.Empty(t, s.received())
		})
	}
}

func TestALoginOnThisMachineNeedsNoTLS(t *testing.T) {
	s := serveScript(t, map[string]string{
		"greeting": "220 mail.example.com",
		"EHLO":     "250-mail.example.com\r\n250 AUTH LOGIN PLAIN",
		"AUTH":     "235 welcome",
		"DATA":     "354 go on",
	})
	m := newMailer(t, smtp.Options{Addr: s.addr, Username: "links", Password: testPassword})
	require.NoError(t, m.Notify(t.Context(), testAlert()))
	require.Contains(t, s.received(), "AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00links\x00"+testPassword)))
}

func TestALoginThatIsNotOfferedEndsIt(t *testing.T) {
	s := serveScript(t, map[string]string{"greeting": "220 mail.example.com", "DATA": "354 go on"})
	m := newMailer(t, smtp.Options{Addr: s.addr, Username: "links", Password: testPassword})
	require.ErrorContains(t, m.Notify(t.Context(), testAlert()), "AUTH")
	require.Regexp(t, `^EHLO \S+$`, s.received())
}

func TestAWrongPasswordIsNotFinalAndNotShown(t *testing.T) {
	s := serveMail(t, false)
	m := newMailer(t, smtp.Options{Addr: s.addr, TLS: smtp.StartTLS, TLSConfig: s.roots, Username: "links", Password: "hush, wrongly"})
	err := m.Notify(t.Context(), testAlert())
	require.ErrorContains(t, err, "535")
	require.NotErrorIs(t, err, linktrack.ErrUndeliverable)
	require.NotContains(t, err.Error(), "hush")
	require.Empty(t, s.received())
}

func TestOnlyARecipientWhoDoesNotExistIsFinal(t *testing.T) {
	refuse := func(code int, enhanced ...int) *server.SMTPError {
		e := &server.SMTPError{Code: code, EnhancedCode: server.NoEnhancedCode, Message: "<ME@example.org>: not here"}
		if len(enhanced) > 0 {
			e.EnhancedCode = server.EnhancedCode(enhanced)
		}
		return e
	}
	for name, tt := range map[string]struct {
		rcpt, data error
		final      bool
	}{
		"no such mailbox":                      {rcpt: refuse(550, 5, 1, 1), final: true},
		"no such domain":                       {rcpt: refuse(550, 5, 1, 2), final: true},
		"the domain takes no mail":             {rcpt: refuse(556, 5, 1, 10), final: true},
		"switched off":                         {rcpt: refuse(550, 5, 2, 1), final: true},
		"no such mailbox, reported at the end": {data: refuse(550, 5, 1, 1), final: true},
		"no such mailbox for now":              {rcpt: refuse(450, 4, 1, 1)},
		"of two minds":                         {rcpt: refuse(450, 5, 1, 1)},
		"greylisted":                           {rcpt: refuse(451, 4, 7, 1)},
		"full":                                 {rcpt: refuse(552, 5, 2, 2)},
		"the sender is refused":                {rcpt: refuse(550, 5, 1, 8)},
		"relaying denied":                      {rcpt: refuse(554, 5, 7, 1)},
		"without an enhanced code":             {rcpt: refuse(550)},
		"taken for spam":                       {data: refuse(554, 5, 7, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveMail(t, false)
			s.refuseRcpt, s.refuseData = tt.rcpt, tt.data
			err := newMailer(t, smtp.Options{Addr: s.addr}).Notify(t.Context(), testAlert())
			require.Error(t, err)
			if tt.final {
				require.ErrorIs(t, err, linktrack.ErrUndeliverable)
			} else {
				require.NotErrorIs(t, err, linktrack.ErrUndeliverable)
			}
			require.Contains(t, err.Error(), s.addr)
			require.Contains(t, err.Error(), "<…>: not")
			require.NotContains(t, strings.ToLower(err.Error()), "me@example.org")
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestARefusalMayHaveManyLines(t *testing.T) {
	answers := map[string]string{
		"greeting": "220 hello",
		"EHLO":     "250-mail.example.com\r\n250 ENHANCEDSTATUSCODES",
		"RCPT":     "550-5.1.1 The account me@example.org\r\n550 5.1.1 " + strings.Repeat("does not exist ", 100),
	}
	err := newMailer(t, smtp.Options{Addr: serveScript(t, answers).addr}).Notify(t.Context(), testAlert())
	require.ErrorIs(t, err, linktrack.ErrUndeliverable)
	require.NotContains(t, err.Error(), "\n")
	require.NotContains(t, err.Error(), "me@example.org")
	require.Less(t, len(err.Error()), 500)

	answers["EHLO"] = "250 mail.example.com"
	err = newMailer(t, smtp.Options{Addr: serveScript(t, answers).addr}).Notify(t.Context(), testAlert())
	require.NotErrorIs(t, err, linktrack.ErrUndeliverable, "who speaks of no such codes means none")
}

func TestAConnectionThatIsCutIsTriedAgain(t *testing.T) {
	for _, at := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "."} {
		t.Run(at, func(t *testing.T) {
			answers := map[string]string{"greeting": "220 hello", "DATA": "354 go on"}
			answers[at] = "cut"
			err := newMailer(t, smtp.Options{Addr: serveScript(t, answers).addr}).Notify(t.Context(), testAlert())
			require.Error(t, err)
			require.NotErrorIs(t, err, linktrack.ErrUndeliverable)
			require.NotErrorIs(t, err, context.DeadlineExceeded)
		})
	}
}

func TestAServerThatHangsFailsAfterTheTimeout(t *testing.T) {
	for _, at := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "."} {
		t.Run(at, func(t *testing.T) {
			answers := map[string]string{"greeting": "220 hello", "DATA": "354 go on"}
			answers[at] = ""
			m := newMailer(t, smtp.Options{Addr: serveScript(t, answers).addr, Timeout: 100 * time.Millisecond})
			require.ErrorIs(t, m.Notify(t.Context(), testAlert()), context.DeadlineExceeded)
		})
	}
}

func TestAServerThatShakesNoHandsFailsAfterTheTimeout(t *testing.T) {
	s := serveScript(t, map[string]string{"greeting": ""})
	m := newMailer(t, smtp.Options{Addr: s.addr, TLS: smtp.Implicit, Timeout: 100 * time.Millisecond})
	require.ErrorIs(t, m.Notify(t.Context(), testAlert()), context.DeadlineExceeded)
}

func TestTheCallersContextEndsADelivery(t *testing.T) {
	s := serveScript(t, map[string]string{"greeting": "220 hello", "EHLO": ""})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, newMailer(t, smtp.Options{Addr: s.addr}).Notify(ctx, testAlert()), context.DeadlineExceeded)
}

func TestWhatWasAcceptedIsDelivered(t *testing.T) {
	for name, end := range map[string]string{"cut": "cut", "hang": "", "refuse": "500 what?"} {
		t.Run(name+" at the end", func(t *testing.T) {
			s := serveScript(t, map[string]string{"greeting": "220 hello", "DATA": "354 go on", "QUIT": end})
			m := newMailer(t, smtp.Options{Addr: s.addr, Timeout: 200 * time.Millisecond})
			require.NoError(t, m.Notify(t.Context(), testAlert()))
			require.Contains(t, s.received(), "QUIT")
		})
	}
}

func TestWithoutAnAddressNothingIsSent(t *testing.T) {
	a := testAlert()
	a.Email = ""
	require.NoError(t, newMailer(t, smtp.Options{Addr: "127.0.0.1:1"}).Notify(t.Context(), a))
}

func TestAnAddressThatIsNoneIsFinal(t *testing.T) {
	s := serveMail(t, false)
	for _, email := range []string{"hush", "hush@example.org, you@example.org", "hush@example.org\r\nBcc: you@example.org",
		"hush@example.org>\r\nDATA", "\"hush\r\nRCPT TO:<you@example.org>\"@example.org", "<>", "hush@exa mple.org"} {
		a := testAlert()
		a.Email = email
		err := newMailer(t, smtp.Options{Addr: s.addr}).Notify(t.Context(), a)
		require.ErrorIs(t, err, linktrack.ErrUndeliverable, email)
		require.NotContains(t, err.Error(), "hush")
	}
	require.Empty(t, s.received())
}

func TestARepeatHasTheSameMessageID(t *testing.T) {
	s := serveMail(t, false)
	m := newMailer(t, smtp.Options{Addr: s.addr})
	a := testAlert()
	require.NoError(t, m.Notify(t.Context(), a))
	a.Link.Counts.People++
	require.NoError(t, m.Notify(t.Context(), a))
	a.ID = "another"
	require.NoError(t, m.Notify(t.Context(), a))
	var ids []string
	for _, r := range s.received() {
		h, _, _ := parts(t, r.data)
		ids = append(ids, h.Get("Message-Id"))
	}
	require.Equal(t, ids[0], ids[1])
	require.NotEqual(t, ids[0], ids[2])
}

func TestNoTextLeavesItsPlace(t *testing.T) {
	s := serveMail(t, false)
	m := newMailer(t, smtp.Options{Addr: s.addr})
	for title, want := range map[string]string{
		"a\r\nBcc: you@example.org\r\n\r\n<p>b":     "a  Bcc: you@example.org    <p>b",
		"a\nb\u2028c\u2029d\x00e\x85f":              "a b c d e\ufffdf",
		"safe\u202egpj.exe\u2066x\u2069\u200f":      "safegpj.exex",
		"=?utf-8?q?=E2=80=AE=0D=0ABcc:_x?=":         "= ?utf-8?q?=E2=80=AE=0D=0ABcc:_x?=",
		"<script>alert(1)</script>&amp;":            "<script>alert(1)</script>&amp;",
		"Grüße 🎉 " + strings.Repeat("日本", 120):      "Grüße 🎉 " + strings.Repeat("日本", 120),
		"\n\n.\r\n.\r\nMAIL FROM:<you@example.org>": ".  .  MAIL FROM:<you@example.org>",
	} {
		a := testAlert()
		a.Link.Title, a.ID, a.URL = title, "id\r\nBcc: you@example.org", `https://go.example.com/"><b>`
		require.NoError(t, m.Notify(t.Context(), a))
		mails := s.received()
		got := mails[len(mails)-1]
		require.Equal(t, []string{"me@example.org"}, got.to)
		h, text, html := parts(t, got.data)
		require.Empty(t, h.Get("Bcc"))
		require.Len(t, h, 8, "no header but those that are meant to be: %v", h)
		require.Equal(t, want+" has reached 100 clicks", subject(t, h))
		require.Contains(t, text, "“"+want+"”")
		require.NotContains(t, html, "<script>")
		require.NotContains(t, html, "<b>")
		require.NotContains(t, text+html, "\u202e")
	}
}

func TestALinkThatIsUsedUpSaysSo(t *testing.T) {
	s := serveMail(t, false)
	zone, err := time.LoadLocation("Europe/Vienna")
	require.NoError(t, err)
	a := testAlert()
	a.Kind, a.Count, a.Link.Title = linktrack.AlertUsedUp, 1, ""
	require.NoError(t, newMailer(t, smtp.Options{Addr: s.addr, Location: zone}).Notify(t.Context(), a))
	h, text, _ := parts(t, s.received()[0].data)
	require.Equal(t, "https://go.example.com/.f2jt is used up: 1 click", subject(t, h))
	require.Contains(t, text, "has reached 1 click and no longer lets visitors through.")
	require.Contains(t, text, "Reached: 2024-12-24 17:35:16 CET")
}

func TestAHostWritesItsOwnMessages(t *testing.T) {
	s := serveMail(t, false)
	m := newMailer(t, smtp.Options{Addr: s.addr, Message: func(a linktrack.Alert) smtp.Message {
		return smtp.Message{Subject: "Glückwunsch\r\nBcc: you@example.org", Text: "Hundert.\n.\nEnde."}
	}})
	require.NoError(t, m.Notify(t.Context(), testAlert()))
	h, text, html := parts(t, s.received()[0].data)
	require.Equal(t, "Glückwunsch  Bcc: you@example.org", subject(t, h))
	require.Empty(t, h.Get("Bcc"))
	require.Equal(t, "Hundert.\n.\nEnde.", strings.TrimRight(text, "\n"))
	require.Empty(t, html)
}

func TestOptionsThatAreWrongAreNamed(t *testing.T) {
	const addr = "mail.example.com:587"
	for name, tt := range map[string]struct {
		o     smtp.Options
		param string
	}{
		"no server":                    {smtp.Options{From: from}, "Addr"},
		"no port":                      {smtp.Options{From: from, Addr: "mail.example.com"}, "Addr"},
		"no such port":                 {smtp.Options{From: from, Addr: "mail.example.com:65536"}, "Addr"},
		"no host":                      {smtp.Options{From: from, Addr: ":25"}, "Addr"},
		"no sender":                    {smtp.Options{Addr: addr}, "From"},
		"a sender on two lines":        {smtp.Options{Addr: addr, From: "a@example.com\r\nBcc: b@example.com"}, "From"},
		"a sender not in ASCII":        {smtp.Options{Addr: addr, From: "a@grüße.example"}, "From"},
		"a password alone":             {smtp.Options{Addr: addr, From: from, Password: "hush"}, "Username"},
		"a password for all to read":   {smtp.Options{Addr: addr, From: from, TLS: smtp.Plain, Username: "links", Password: "hush"}, "Username"},
		"an unknown mode":              {smtp.Options{Addr: addr, From: from, TLS: 9}, "TLS"},
		"a name with a command behind": {smtp.Options{Addr: addr, From: from, HELO: "a\r\nQUIT"}, "HELO"},
		"a negative timeout":           {smtp.Options{Addr: addr, From: from, Timeout: -1}, "Timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := smtp.New(tt.o)
			var invalid *linktrack.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, tt.param, invalid.Param)
			require.NotContains(t, err.Error(), "hush")
		})
	}
}

func TestTheHostNameIsToldByDefault(t *testing.T) {
	name, err := os.Hostname()
	require.NoError(t, err)
	s := serveMail(t, false)
	require.NoError(t, newMailer(t, smtp.Options{Addr: s.addr}).Notify(t.Context(), testAlert()))
	require.Equal(t, name, s.received()[0].helo)
}
