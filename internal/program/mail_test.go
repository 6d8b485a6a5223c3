package program

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	server "github.com/emersion/go-smtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

// A mailbox is a mail server that keeps the mails it receives.
type mailbox struct {
	mu    sync.Mutex
	mails []string // "ada@example.com: " and the mail
}

// openMailbox returns a mailbox, and the flag for sending mails to it.
func openMailbox(t *testing.T) (*mailbox, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	box := new(mailbox)
	srv := server.NewServer(server.BackendFunc(func(*server.Conn) (server.Session, error) { return &delivery{box: box}, nil }))
	srv.Domain = "mail.example.com"
	go srv.Serve(listener)
	t.Cleanup(func() { srv.Close() })
	return box, "smtp://" + listener.Addr().String() + "?from=alerts@example.com"
}

func (m *mailbox) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.mails...)
}

type delivery struct {
	box *mailbox
	to  string
}

func (d *delivery) Mail(string, *server.MailOptions) error { return nil }

func (d *delivery) Rcpt(to string, _ *server.RcptOptions) error {
	d.to = to
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	d.box.mails = append(d.box.mails, d.to+": "+string(data))
	return err
}

func (d *delivery) Reset()        {}
func (d *delivery) Logout() error { return nil }

const testPass = "0123456789abcdef"

func TestAnAlertThatIsReachedIsInTheMailboxOfTheFirstAccount(t *testing.T) {
	box, smtp := openMailbox(t)
	p := start(t, testprogram.Build(t, programFolder), []string{"LINKTRACK_SMTP=" + smtp, "LINKTRACK_PASS=" + testPass},
		"-addr", "127.0.0.1:0", "-email", "ada@example.com", "-zone", "Europe/Berlin")
	require.Equal(t, "to the address of account linktrack, for links with has_alert_email", p.Line(t, "alerts by mail:"))
	line := strings.Replace(p.Line(t, "  curl "), "PASS", testPass, 1)
	address, _ := request(t, line)
	api := address[:strings.Index(address, "/makeLink")]
	made := url.Values{
		"login": {"linktrack"}, "pass": {testPass}, "external_url": {"https://example.com/"}, "title": {"Spring"},
		"alert_at": {"1"}, "has_alert_email": {"1"},
	}
	link := post(t, api+"/makeLink", made)
	click(t, line, link)
	require.Eventually(t, func() bool { return len(box.all()) == 1 }, time.Minute, 10*time.Millisecond)
	mail := box.all()[0]
	assert.True(t, strings.HasPrefix(mail, "ada@example.com: "), mail)
	assert.Contains(t, mail, "Subject: Spring has reached 1 click")
	assert.Regexp(t, `\d\d:\d\d:\d\d CES?T`, mail, "times are in the zone of the service")
	assert.Equal(t, 0, p.Stop(t))
}

func TestItIsSaidAtStartWhereAlertsCannotBeMailed(t *testing.T) {
	bin := testprogram.Build(t, programFolder)
	for name, tt := range map[string]struct {
		args []string
		want string // "" if nothing is printed
	}{
		"a mail server and no address": {[]string{"-smtp", "smtp://localhost:25?from=a@example.com"},
			"alerts by mail: none to account linktrack, which has no mail address; -email or its account page sets one\n"},
		"an address and no mail server": {[]string{"-email", "ada@example.com"},
			"alerts by mail: none, because -smtp is not set; account linktrack has a mail address\n"},
		"an address and a webhook": {[]string{"-email", "ada@example.com", "-alert-webhook", testHook},
			"alerts by mail: none, because -smtp is not set; account linktrack has a mail address\n"},
		"neither": {nil, ""},
	} {
		p := start(t, bin, nil, append(tt.args, "-addr", "127.0.0.1:0")...)
		p.Line(t, "  curl ")
		if tt.want == "" {
			assert.NotContains(t, p.Stdout(), "alerts by mail", name)
		} else {
			assert.Contains(t, p.Stdout(), tt.want, name)
		}
		assert.Equal(t, 0, p.Stop(t), name)
	}
}
