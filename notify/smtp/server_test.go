package smtp_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	server "github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// A mailServer is a real mail server that keeps the mails it receives.
type mailServer struct {
	addr  string
	roots *tls.Config // trusts its certificate

	mu     sync.Mutex
	mails  []received
	logins []string

	refuseRcpt, refuseData error
}

type received struct {
	from string
	to   []string
	data string
	tls  bool
	helo string
}

const testPassword = "hush, says the mail server"

// serveMail starts a server with implicit TLS, or with STARTTLS, which it requires
// before a login.
func serveMail(t *testing.T, implicit bool) *mailServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	certificate, roots := selfMade(t)
	s := &mailServer{addr: listener.Addr().String(), roots: &tls.Config{RootCAs: roots}}
	srv := server.NewServer(server.BackendFunc(func(c *server.Conn) (server.Session, error) {
		return &session{server: s, conn: c}, nil
	}))
	srv.Domain = "mail.example.com"
	srv.ErrorLog = quiet{}
	srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	if implicit {
		listener = tls.NewListener(listener, srv.TLSConfig)
	}
	go srv.Serve(listener)
	t.Cleanup(func() { srv.Close() })
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (s *mailServer) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

type session struct {
	server *mailServer
	conn   *server.Conn
	mail   received
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.server.logins = append(s.server.logins, username)
		if password != testPassword {
			return server.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *server.MailOptions) error {
	_, encrypted := s.conn.TLSConnectionState()
	s.mail = received{from: from, tls: encrypted, helo: s.conn.Hostname()}
	return nil
}

func (s *session) Rcpt(to string, _ *server.RcptOptions) error {
	s.mail.to = append(s.mail.to, to)
	return s.server.refuseRcpt
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.server.refuseData != nil {
		return s.server.refuseData
	}
	s.mail.data = string(data)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.mail)
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// selfMade makes a certificate for 127.0.0.1, and a pool that trusts it.
func selfMade(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// A scripted server answers commands by their first word: "" hangs, and "cut" closes
// the connection. The mail after DATA is the command ".".
type scripted struct {
	addr     string
	mu       sync.Mutex
	commands []string // the commands that it received
}

func serveScript(t *testing.T, answers map[string]string) *scripted {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &scripted{addr: listener.Addr().String()}
	end := make(chan struct{})
	t.Cleanup(func() { listener.Close(); close(end) })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if s.talk(c, answers) {
					<-end
				}
			}()
		}
	}()
	return s
}

// talk returns true if the script hangs.
func (s *scripted) talk(c net.Conn, answers map[string]string) bool {
	lines := bufio.NewScanner(c)
	command, inData := "greeting", false
	for {
		answer, known := answers[command]
		switch {
		case !known:
			answer = "250 fine"
		case answer == "cut":
			return false
		case answer == "":
			return true
		}
		io.WriteString(c, answer+"\r\n")
		inData = command == "DATA"
		for {
			if !lines.Scan() {
				return false
			}
			if !inData || lines.Text() == "." {
				break
			}
		}
		s.mu.Lock()
		s.commands = append(s.commands, lines.Text())
		s.mu.Unlock()
		command, _, _ = strings.Cut(lines.Text(), " ")
	}
}

func (s *scripted) received() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.commands, "\n")
}
