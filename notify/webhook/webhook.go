// Package webhook delivers alerts by posting them to a URL.
//
// The request's body is JSON, a [Message]:
//
//	{
//	  "id": "…",
//	  "kind": "alert_at",
//	  "count": 100,
//	  "reached": "2024-12-24T16:35:16Z",
//	  "link": {
//	    "redirect_hash": ".f2jt",
//	    "url": "https://go.example.com/.f2jt",
//	    …
//	  }
//	}
//
// Its headers, beside Content-Type and User-Agent, are those of Standard
// Webhooks (https://www.standardwebhooks.com), which has verifiers for many
// languages; [Verify] is one for Go:
//
//   - webhook-id: the id of the alert. An alert may come more than once, with
//     the same id each time, so a receiver drops an id that it has seen.
//   - webhook-timestamp: when this attempt was made, in seconds since 1970.
//   - webhook-signature: v1,8z6QqRQD…, if the hook has a secret: the base64 of
//     the HMAC-SHA256, with the secret's key, of the id, a dot, the timestamp,
//     a dot, and the body.
//   - Idempotency-Key: the id once more.
//
// Any status from 200 to 299 says that the alert has arrived. 410 Gone says
// that it never will, and it is not sent again. After any other, or none in
// time, the caller tries again; a Hook itself sends once per call and follows
// no redirects.
package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// Options are the choices of a host. URL is required.
type Options struct {
	// URL is posted to. It must be https, or with AllowPrivate may be http. A
	// user and password in it are sent as Basic credentials. No error shows
	// them, or the path or the query.
	URL string

	// Secret signs what is sent. It is whsec_ and the base64 of a random key of
	// 24 to 64 bytes, as Standard Webhooks has it:
	//
	//	echo whsec_$(openssl rand -base64 32)
	//
	// A secret without whsec_ is itself the key, of at least 16 bytes; most
	// verifiers have to be told that it is raw, or be given whsec_ and the
	// base64 of it. Default: posts are not signed.
	Secret []byte

	// AllowPrivate permits http, and hosts with addresses that are not public:
	// private networks, this machine, link-local ones and the like. Without it
	// these are refused when the connection is made, whatever the name in URL.
	AllowPrivate bool

	// Timeout is how long one delivery may take. Default: 10 s.
	Timeout time.Duration

	// Proxy returns the proxy for a request, as [http.Transport] has it:
	// [http.ProxyFromEnvironment] for one. It is the proxy that connects to
	// the hook's host then, so it needs AllowPrivate. Default: no proxy.
	Proxy func(*http.Request) (*url.URL, error)
}

// A Hook is a [linktrack.Notifier] that posts alerts. It is safe for
// concurrent use. Make one with [New].
type Hook struct {
	url    string
	origin string // what errors show of url
	key    []byte // nil: nothing is signed
	client http.Client
}

var (
	_ linktrack.Notifier = (*Hook)(nil)
	_ linktrack.Mailer   = (*Hook)(nil)
)

// Mails implements [linktrack.Mailer]: a Hook mails nothing.
func (h *Hook) Mails() bool { return false }

const (
	maxAnswer = 64 << 10 // bytes of an answer that are read, of its header and its body each
	userAgent = "linktrack (+https://github.com/linktrackhq/linktrack)"
)

// New returns a Hook, and connects to nothing yet. The error is a
// [*linktrack.InvalidError] that names the option.
func New(o Options) (*Hook, error) {
	u, err := url.Parse(o.URL)
	key, reason := signingKey(o.Secret)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, &linktrack.InvalidError{Param: "URL", Reason: "must be an absolute https URL"}
	case u.Scheme == "http" && !o.AllowPrivate:
		return nil, &linktrack.InvalidError{Param: "URL", Reason: "must be https, unless private addresses are allowed"}
	case len(o.Secret) > 0 && reason != "":
		return nil, &linktrack.InvalidError{Param: "Secret", Reason: reason}
	case o.Timeout < 0:
		return nil, &linktrack.InvalidError{Param: "Timeout", Reason: "must not be negative"}
	case o.Proxy != nil && !o.AllowPrivate:
		return nil, &linktrack.InvalidError{Param: "Proxy", Reason: "needs AllowPrivate, for it connects to any address"}
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	dialer := &net.Dialer{Timeout: o.Timeout}
	if !o.AllowPrivate {
		dialer.Control = refusePrivate
	}
	return &Hook{
		url:    o.URL,
		origin: u.Scheme + "://" + u.Host,
		key:    key,
		client: http.Client{
			Timeout:       o.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				Proxy:                  o.Proxy,
				DialContext:            dialer.DialContext,
				DisableKeepAlives:      true, // on a kept one, a request with an Idempotency-Key may be sent twice
				MaxResponseHeaderBytes: maxAnswer,
			},
		},
	}, nil
}

// Notify posts the alert, once.
func (h *Hook) Notify(ctx context.Context, a linktrack.Alert) error {
	body, err := encode(a)
	if err != nil {
		return fmt.Errorf("webhook %s: %w", h.origin, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("webhook %s: %w", h.origin, withoutURL(err))
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Idempotency-Key", a.ID)
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	request.Header[strings.ToLower(IDHeader)] = []string{a.ID}
	request.Header[strings.ToLower(TimestampHeader)] = []string{stamp}
	if h.key != nil {
		request.Header[strings.ToLower(SignatureHeader)] = []string{signature(a.ID, stamp, body, h.key)}
	}
	response, err := h.client.Do(request)
	if err != nil {
		return fmt.Errorf("webhook %s: %w", h.origin, withoutURL(err))
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)) // what it says does not matter
	switch code := response.StatusCode; {
	case code >= 200 && code <= 299:
		return nil
	case code == http.StatusGone:
		return fmt.Errorf("webhook %s: %w: it answered 410 Gone", h.origin, linktrack.ErrUndeliverable)
	default:
		return fmt.Errorf("webhook %s: it answered %d %s", h.origin, code, http.StatusText(code))
	}
}

// withoutURL takes the whole URL, with all secrets in it, out of an error of
// the client.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func encode(a linktrack.Alert) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(newMessage(a))
	return b.Bytes(), err
}
