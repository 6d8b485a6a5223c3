package program

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/trackertest"
)

func TestTheServersLogHasNoLineForAFailedHandshake(t *testing.T) {
	var log trackertest.LogBuffer
	l := serverLog(slog.New(slog.NewTextHandler(&log, nil)))
	l.Printf("http: TLS handshake error from %s: EOF", "192.0.2.7:51234")
	require.Empty(t, log.String())
	l.Printf("http: superfluous response.WriteHeader call")
	require.Contains(t, log.String(), "superfluous")
}

func TestTheServersLogHasNoWholeAddress(t *testing.T) {
	for line, want := range map[string]string{
		"http: panic serving 203.0.113.7:1234: oops\ngoroutine 12 [running]:\nserver.go:1947 +0x1ad": "http: panic serving 203.0.113.0: oops\ngoroutine 12 [running]:\nserver.go:1947 +0x1ad",
		"http2: server: error reading preface from client [2001:db8:1:2::7]:443: EOF":                "http2: server: error reading preface from client 2001:db8:1::: EOF",
		"http2: server connection error from [fe80::7:8%eth0.1]:443: x":                              "http2: server connection error from fe80::: x",
		"timeout waiting for SETTINGS frames from [::ffff:203.0.113.7]:9":                            "timeout waiting for SETTINGS frames from 203.0.113.0",
		"write tcp 192.0.2.1:80->203.0.113.7:1234: broken pipe":                                      "write tcp 192.0.2.0->203.0.113.0: broken pipe",
		"of 203.0.113.7, 2001:db8:1:2::7, and (203.0.113.8).":                                        "of 203.0.113.0, 2001:db8:1::, and (203.0.113.0).",
		"of 2001:db8:1:2::7: 203.0.113.7.":                                                           "of 2001:db8:1::: 203.0.113.0.",
		"of [2001:db8:1:2::7]: [2001:db8:1:2::7]":                                                    "of [2001:db8:1::]: [2001:db8:1::]",
		"x:203.0.113.7:8 and x:2001:db8:1:2:3:4:5:6":                                                 "x:203.0.113.0 and x:2001:db8:1::",
		"accept tcp [::]:8080: too many open files; retrying in 5ms":                                 "accept tcp [::]:8080: too many open files; retrying in 5ms",
		"at 12:34:56, main.go:12:3, Go 1.26.8, 0xc000::x, std::move":                                 "at 12:34:56, main.go:12:3, Go 1.26.8, 0xc000::x, std::move",
	} {
		var log trackertest.LogBuffer
		serverLog(slog.New(slog.NewJSONHandler(&log, nil))).Print(line)
		var entry struct{ Msg string }
		require.NoError(t, json.Unmarshal([]byte(log.String()), &entry))
		assert.Equal(t, want, entry.Msg)
	}
}

// A distantListener has a visitor at the other end of its connections who is far away.
type distantListener struct{ net.Listener }

type distantConn struct{ net.Conn }

func (l distantListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return distantConn{c}, err
}

func (distantConn) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 12345}
}

func TestAPanicIsLoggedWithoutTheVisitorsAddress(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			var log trackertest.LogBuffer
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "203.0.113.7:12345", r.RemoteAddr)
				assert.Equal(t, proto, r.Proto)
				panic("oops at " + r.RemoteAddr)
			}))
			s.Listener = distantListener{s.Listener}
			s.Config.ErrorLog = serverLog(slog.New(slog.NewTextHandler(&log, nil)))
			s.EnableHTTP2 = proto == "HTTP/2.0"
			s.StartTLS()
			_, err := tls.Dial("tcp", s.Listener.Addr().String(), &tls.Config{}) // does not trust the certificate
			require.Error(t, err)
			r, err := s.Client().Get(s.URL)
			if err == nil {
				_, err = io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
			require.Error(t, err)
			require.Eventually(t, func() bool { return log.String() != "" }, time.Minute, time.Millisecond) // HTTP/2 answers first
			s.Close()
			require.Contains(t, log.String(), "panic serving 203.0.113.0: oops at 203.0.113.0")
			require.Contains(t, log.String(), "serverlog_test.go", "the stack is there")
			require.NotContains(t, log.String(), "203.0.113.7")
			require.NotContains(t, log.String(), "handshake")
		})
	}
}
