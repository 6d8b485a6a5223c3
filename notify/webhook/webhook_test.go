package webhook_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/notify/webhook"
)

var secret = []byte("0123456789abcdef")

func testAlert() linktrack.Alert {
	return linktrack.Alert{
		ID:      "17-alert_at",
		Kind:    linktrack.AlertAt,
		URL:     "https://go.example.com/.f2jt",
		Email:   "me@example.com",
		Count:   100,
		Reached: time.Date(2024, 12, 24, 10, 35, 16, 123456000, time.FixedZone("CST", -6*3600)),
		Link: linktrack.Link{
			ID: 17, Account: 3, Host: "go.example.com", Path: ".f2jt",
			LinkSettings: linktrack.LinkSettings{
				ExternalURL: "https://example.com/spring?a=1&b=<2>", Title: "Spring & <Sale>", Notes: "for me only",
				AlertAt: 100,
			}, PasswordHash: []byte("hash of hush"),
			CreatedAt: time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC),
			Counts:    linktrack.Counts{People: 101, Unique: 87, Bots: 4, Conversions: 3},
		},
	}
}

// receive starts a server and returns the hook's URL.
func receive(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func newHook(t *testing.T, o webhook.Options) *webhook.Hook {
	t.Helper()
	o.AllowPrivate = true
	h, err := webhook.New(o)
	require.NoError(t, err)
	return h
}

func TestAnAlertIsPostedAsItIsDocumented(t *testing.T) {
	var got *http.Request
	var body []byte
	address := receive(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	address = strings.Replace(address, "http://", "http://user:hush@", 1) + "/hook?key=hush"
	require.NoError(t, newHook(t, webhook.Options{URL: address, Secret: secret}).Notify(t.Context(), testAlert()))

	require.Equal(t, "POST /hook?key=hush", got.Method+" "+got.RequestURI)
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Equal(t, "17-alert_at", got.Header.Get("Idempotency-Key"))
	require.Contains(t, got.UserAgent(), "linktrack")
	user, pass, _ := got.BasicAuth()
	require.Equal(t, "user:hush", user+":"+pass)
	require.NoError(t, webhook.Verify(got.Header, body, secret))
	require.JSONEq(t, `{
		"id": "17-alert_at",
		"kind": "alert_at",
		"count": 100,
		"reached": "2024-12-24T16:35:16.123456Z",
		"link": {
			"redirect_hash": ".f2jt",
			"url": "https://go.example.com/.f2jt",
			"external_url": "https://example.com/spring?a=1&b=<2>",
			"host": "go.example.com",
			"title": "Spring & <Sale>",
			"group": "",
			"alert_at": 100,
			"deactivate_at": 0,
			"expires_at": null,
			"created_at": "2024-12-01T00:00:00Z",
			"count_total": 101,
			"count_unique": 87,
			"count_bot": 4,
			"count_conversion": 3
		}
	}`, string(body))
	for _, private := range []string{"for me only", "hush", "aGFzaCBvZiBodXNo", "me@example.com"} {
		require.NotContains(t, string(body), private)
	}
	var m webhook.Message
	require.NoError(t, json.Unmarshal(body, &m))
	require.True(t, m.Reached.Equal(testAlert().Reached))
}

func TestWithoutASecretNothingIsSigned(t *testing.T) {
	address := receive(t, func(_ http.ResponseWriter, r *http.Request) {
		if _, signed := r.Header[webhook.SignatureHeader]; signed {
			t.Error("there is a signature")
		}
		assert.Equal(t, []string{"17-alert_at"}, r.Header[webhook.IDHeader], "the id is there for those who drop repeats")
	})
	require.NoError(t, newHook(t, webhook.Options{URL: address}).Notify(t.Context(), testAlert()))
}

// whsec returns the secret of a key of that many bytes.
func whsec(bytes int) []byte {
	key := strings.Repeat("\xfb\xff7", bytes)[:bytes]
	return []byte("whsec_" + base64.StdEncoding.EncodeToString([]byte(key)))
}

func TestTheVerifierOfStandardWebhooksTakesWhatIsSent(t *testing.T) {
	verifier := func(w *standard.Webhook, err error) *standard.Webhook {
		require.NoError(t, err)
		return w
	}
	raw := []byte("whsec-0123456789abcdef/+=\n")
	for name, tt := range map[string]struct {
		secret   []byte
		verifier *standard.Webhook
	}{
		"a key of 24 bytes":              {whsec(24), verifier(standard.NewWebhook(string(whsec(24))))},
		"a key of 64 bytes":              {whsec(64), verifier(standard.NewWebhook(string(whsec(64))))},
		"the key of the specification":   {[]byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), verifier(standard.NewWebhook("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))},
		"a raw secret":                   {raw, verifier(standard.NewWebhookRaw(raw))},
		"a raw secret in the other form": {raw, verifier(standard.NewWebhook("whsec_" + base64.StdEncoding.EncodeToString(raw)))},
		"a raw secret that is base64":    {[]byte("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), verifier(standard.NewWebhookRaw([]byte("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))},
	} {
		t.Run(name, func(t *testing.T) {
			var header http.Header
			var body []byte
			address := receive(t, func(_ http.ResponseWriter, r *http.Request) {
				header = r.Header
				body, _ = io.ReadAll(r.Body)
			})
			require.NoError(t, newHook(t, webhook.Options{URL: address, Secret: tt.secret}).Notify(t.Context(), testAlert()))
			require.NoError(t, tt.verifier.Verify(body, header))
			require.NoError(t, webhook.Verify(header, body, tt.secret))
			require.Error(t, tt.verifier.Verify(append(body, ' '), header), "it verifies")
			require.Error(t, verifier(standard.NewWebhook(string(whsec(25)))).Verify(body, header), "another secret")

			theirs := http.Header{}
			sent := time.Now()
			signature, err := tt.verifier.Sign("17-alert_at", sent, body)
			require.NoError(t, err)
			theirs.Set("webhook-id", "17-alert_at")
			theirs.Set("webhook-timestamp", fmt.Sprint(sent.Unix()))
			theirs.Set("webhook-signature", signature)
			require.NoError(t, webhook.Verify(theirs, body, tt.secret), "what others sign is verified")
		})
	}
}

// Some verifiers look for the names as the specification writes them.
func TestTheHeadersAreSentInLowerCase(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	sent := make(chan string, 1)
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		data := make([]byte, 4096)
		n, _ := io.ReadAtLeast(c, data, 100)
		sent <- string(data[:n])
		io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
	}()
	require.NoError(t, newHook(t, webhook.Options{URL: "http://" + listener.Addr().String(), Secret: secret}).Notify(t.Context(), testAlert()))
	require.Regexp(t, `(?s)\r\nwebhook-id: 17-alert_at\r\n.*webhook-signature: v1,[A-Za-z0-9+/]{43}=\r\nwebhook-timestamp: \d{10}\r\n`, <-sent)
}

func TestOnlyAnAnswerFrom200To299Delivers(t *testing.T) {
	for code, want := range map[int]string{
		200: "", 201: "", 299: "",
		301: "301", 304: "304", 400: "400", 404: "404", 429: "429", 500: "500 Internal Server Error", 599: "599",
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			address := receive(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
			err := newHook(t, webhook.Options{URL: address}).Notify(t.Context(), testAlert())
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "it answered "+want)
			require.NotErrorIs(t, err, linktrack.ErrUndeliverable, "it may be tried again")
		})
	}
}

func TestAnAnswerOf410IsFinal(t *testing.T) {
	address := receive(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	err := newHook(t, webhook.Options{URL: address}).Notify(t.Context(), testAlert())
	require.ErrorIs(t, err, linktrack.ErrUndeliverable)
}

func TestNoRedirectIsFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		var second atomic.Bool
		address := receive(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/second" {
				second.Store(true)
				return
			}
			http.Redirect(w, r, "/second", code)
		})
		err := newHook(t, webhook.Options{URL: address}).Notify(t.Context(), testAlert())
		require.ErrorContains(t, err, fmt.Sprint(code))
		require.False(t, second.Load(), "%d was followed", code)
	}
}

func TestOneCallPostsOnce(t *testing.T) {
	var calls atomic.Int32
	address := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) > 1 {
			panic(http.ErrAbortHandler) // the connection is cut
		}
	})
	h := newHook(t, webhook.Options{URL: address})
	require.NoError(t, h.Notify(t.Context(), testAlert()))
	require.Error(t, h.Notify(t.Context(), testAlert()))
	require.EqualValues(t, 2, calls.Load())
}

// hang answers nothing until the test ends.
func hang(t *testing.T, before func(http.ResponseWriter)) string {
	end := make(chan struct{})
	address := receive(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		before(w)
		<-end
	})
	t.Cleanup(func() { close(end) }) // before the server's
	return address
}

func TestASlowHookFailsAfterTheTimeout(t *testing.T) {
	address := hang(t, func(http.ResponseWriter) {})
	err := newHook(t, webhook.Options{URL: address, Timeout: 50 * time.Millisecond}).Notify(t.Context(), testAlert())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestTheCallersContextEndsADelivery(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address := hang(t, func(http.ResponseWriter) { cancel() })
	require.ErrorIs(t, newHook(t, webhook.Options{URL: address}).Notify(ctx, testAlert()), context.Canceled)
}

func TestAnAnswerThatNeverEndsStillDelivers(t *testing.T) {
	const huge = 1 << 30
	var written atomic.Int64
	done := make(chan struct{})
	address := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(done)
		part := make([]byte, 32<<10)
		for written.Load() < huge {
			n, err := w.Write(part)
			if written.Add(int64(n)); err != nil {
				return
			}
		}
	})
	require.NoError(t, newHook(t, webhook.Options{URL: address}).Notify(t.Context(), testAlert()))
	<-done
	require.Less(t, written.Load(), int64(huge), "it was read to its end")
}

func TestErrorsShowNoSecretOfTheURL(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed.Close()
	answers := receive(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	slow := hang(t, func(http.ResponseWriter) {})
	for name, host := range map[string]string{
		"refused": closed.Addr().String(),
		"500":     strings.TrimPrefix(answers, "http://"),
		"slow":    strings.TrimPrefix(slow, "http://"),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHook(t, webhook.Options{URL: "http://hush1:hush2@" + host + "/hush3?key=hush4", Timeout: time.Second / 5})
			err := h.Notify(t.Context(), testAlert())
			require.ErrorContains(t, err, host)
			require.NotContains(t, err.Error(), "hush")
		})
	}
	for _, address := range []string{"https://hush:hush@ho st/", "https://h/%zzhush", "hush", "ftp://hush@h/", "https://hush@/", "http://hush@h/"} {
		_, err := webhook.New(webhook.Options{URL: address})
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), "hush")
	}
}

func TestOptionsThatAreWrongAreNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		o     webhook.Options
		param string
	}{
		"no URL":                       {webhook.Options{}, "URL"},
		"http to a public host":        {webhook.Options{URL: "http://example.com/"}, "URL"},
		"a short secret":               {webhook.Options{URL: "https://example.com/", Secret: []byte("short")}, "Secret"},
		"a prefix without a key":       {webhook.Options{URL: "https://example.com/", Secret: []byte("whsec_")}, "Secret"},
		"a short key":                  {webhook.Options{URL: "https://example.com/", Secret: whsec(23)}, "Secret"},
		"a long key":                   {webhook.Options{URL: "https://example.com/", Secret: whsec(65)}, "Secret"},
		"a key that is no base64":      {webhook.Options{URL: "https://example.com/", Secret: []byte("whsec_" + strings.Repeat("*", 32))}, "Secret"},
		"a key without its padding":    {webhook.Options{URL: "https://example.com/", Secret: bytes.TrimRight(whsec(32), "=")}, "Secret"},
		"a key in two lines":           {webhook.Options{URL: "https://example.com/", Secret: append(whsec(24), '\n')}, "Secret"},
		"a key pair's private key":     {webhook.Options{URL: "https://example.com/", Secret: []byte("whsk_" + strings.Repeat("A", 44))}, "Secret"},
		"a key pair's public key":      {webhook.Options{URL: "https://example.com/", Secret: []byte("whpk_" + strings.Repeat("A", 44))}, "Secret"},
		"a negative timeout":           {webhook.Options{URL: "https://example.com/", Timeout: -1}, "Timeout"},
		"a proxy around the addresses": {webhook.Options{URL: "https://example.com/", Proxy: http.ProxyFromEnvironment}, "Proxy"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := webhook.New(tt.o)
			var invalid *linktrack.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, tt.param, invalid.Param)
			if len(tt.o.Secret) > 0 {
				require.NotContains(t, err.Error(), strings.TrimPrefix(string(tt.o.Secret)+"?", "whsec_"))
				require.ErrorIs(t, webhook.Verify(nil, nil, tt.o.Secret), webhook.ErrSignature)
			}
		})
	}
}

func TestTheEnvironmentsProxyIsNotAsked(t *testing.T) {
	var proxied atomic.Bool
	proxy := receive(t, func(http.ResponseWriter, *http.Request) { proxied.Store(true) })
	t.Setenv("HTTP_PROXY", proxy)
	t.Setenv("HTTPS_PROXY", proxy)
	h := newHook(t, webhook.Options{URL: "http://hook.invalid/"})
	require.Error(t, h.Notify(t.Context(), testAlert()))
	require.False(t, proxied.Load())

	at, err := url.Parse(proxy)
	require.NoError(t, err)
	h = newHook(t, webhook.Options{URL: "http://hook.invalid/", Proxy: http.ProxyURL(at)})
	require.NoError(t, h.Notify(t.Context(), testAlert()), "one that is named is used")
	require.True(t, proxied.Load())
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	var connections atomic.Int32
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			c.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "0.0.0.0", "[::]", "10.0.0.1", "169.254.169.254"} {
		t.Run(host, func(t *testing.T) {
			h, err := webhook.New(webhook.Options{URL: "https://" + host + ":" + port + "/"})
			require.NoError(t, err)
			require.ErrorContains(t, h.Notify(t.Context(), testAlert()), "not a public one")
		})
	}
	require.Zero(t, connections.Load())
}

// A name may have a public address when it is checked, and another when the
// connection is made.
func TestANameThatChangesItsAddressIsRefused(t *testing.T) {
	var reached atomic.Bool
	_, port, err := net.SplitHostPort(strings.TrimPrefix(receive(t, func(http.ResponseWriter, *http.Request) { reached.Store(true) }), "http://"))
	require.NoError(t, err)
	lookUpIn(t, func(asked int) [4]byte {
		if asked == 1 {
			return [4]byte{8, 8, 8, 8}
		}
		return [4]byte{127, 0, 0, 1}
	})
	addresses, err := net.DefaultResolver.LookupNetIP(t.Context(), "ip4", "hook.example.com")
	require.NoError(t, err)
	require.Equal(t, "8.8.8.8", addresses[0].String(), "at first it is public")

	h, err := webhook.New(webhook.Options{URL: "https://hook.example.com:" + port + "/"})
	require.NoError(t, err)
	require.ErrorContains(t, h.Notify(t.Context(), testAlert()), "not a public one")
	require.False(t, reached.Load())

	h = newHook(t, webhook.Options{URL: "http://hook.example.com:" + port + "/"})
	require.NoError(t, h.Notify(t.Context(), testAlert()), "it is there for who may connect to it")
	require.True(t, reached.Load())
}

// lookUpIn starts a DNS server that answers all look-ups of names. address returns
// the answer to the n-th look-up of an IPv4 address, from 1.
func lookUpIn(t *testing.T, address func(asked int) [4]byte) {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		server.Close()
	})
	go func() {
		asked := 0
		packet := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(packet)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:n]) != nil {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				asked++
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: address(asked)},
				}}
			}
			answer, err := m.Pack()
			if err == nil {
				server.WriteTo(answer, from)
			}
		}
	}()
}
