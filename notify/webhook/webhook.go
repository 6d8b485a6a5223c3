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
// Its headers, besides Content-Type and User-Agent, are those of Standard
// Webhooks (https://www.standardwebhooks.com), which has verifiers for many
// languages; [Verify] is a verifier for Go:
//
//   - webhook-id: the id of the alert. An alert may arrive more than once, always
//     with the same id, so a receiver must ignore ids that it has seen.
//   - webhook-timestamp: the time of this attempt, in seconds since 1970.
//   - webhook-signature: v1,8z6QqRQD…, if the hook has a secret: the base64 of
//     the HMAC-SHA256, with the secret's key, of the id, a dot, the timestamp,
//     a dot, and the body.
//   - Idempotency-Key: the id again.
//
// A status from 200 to 299 means that the alert was received. 410 Gone means that
// the receiver will never accept it, and it is not sent again. After any other
// status, or a timeout, the caller tries again. A Hook itself posts once per call
// and does not follow redirects.
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

// Options configures a Hook. URL is required.
type Options struct {
	// URL is the address to which alerts are posted. It must be https; with
	// AllowPrivate, it may be http. A user and password in it are sent as HTTP
	// Basic credentials. Errors show neither these nor the path nor the query.
	URL string

	// Secret signs the posts. It is whsec_ followed by the base64 of a random key
	// of 24 to 64 bytes, as in Standard Webhooks:
	//
	//	echo whsec_$(openssl rand -base64 32)
	//
	// A secret without whsec_ is itself the key, and has at least 16 bytes. Most
	// verifiers then need an option for a raw key, or whsec_ followed by the base64
	// of the key. Default: posts are not signed.
	Secret []byte

	// AllowPrivate permits http, and hosts whose addresses are not public:
	// private networks, this machine, link-local addresses, and so on. Otherwise
	// such an address is refused when the connection is made, whatever the name
	// in URL.
	AllowPrivate bool

	// Timeout limits the time of one delivery. Default: 10 s.
	Timeout time.Duration

	// Proxy returns the proxy for a request, as in [http.Transport]; for
	// example, [http.ProxyFromEnvironment]. A proxy can connect to any address,
	// so it requires AllowPrivate. Default: no proxy.
	Proxy func(*http.Request) (*url.URL, error)
}

// A Hook is a [linktrack.Notifier] that posts alerts. It is safe for
// concurrent use. Make one with [New].
type Hook struct {
	url    string
	origin string // the part of url that errors show
	key    []byte // nil: posts are not signed
	client http.Client
}

var (
	_ linktrack.Notifier = (*Hook)(nil)
	_ linktrack.Mailer   = (*Hook)(nil)
)

// Mails implements [linktrack.Mailer]: a Hook does not mail.
func (h *Hook) Mails() bool { return false }

const (
	maxAnswer = 64 << 10 // maximum bytes of an answer's header, and of its body
	userAgent = "linktrack (+https://github.com/linktrackhq/linktrack)"
)

// New returns a Hook. It does not connect yet. The error is a
// [*linktrack.InvalidError] that names the option.
func New(o Options) (*Hook, error) {
	u, err := url.Parse(o.URL)
	key, reason := signingKey(o.Secret)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, &linktrack.InvalidError{Param: "URL", Reason: "must be an absolute https URL"}
	case u.Scheme == "http" && !o.AllowPrivate:
		return nil, &linktrack.InvalidError{Param: "URL", Reason: "must be https, unless AllowPrivate is set"}
	case len(o.Secret) > 0 && reason != "":
		return nil, &linktrack.InvalidError{Param: "Secret", Reason: reason}
	case o.Timeout < 0:
		return nil, &linktrack.InvalidError{Param: "Timeout", Reason: "must not be negative"}
	case o.Proxy != nil && !o.AllowPrivate:
		return nil, &linktrack.InvalidError{Param: "Proxy", Reason: "requires AllowPrivate, because a proxy can connect to any address"}
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
				DisableKeepAlives:      true, // on a reused connection, net/http may send a request with an Idempotency-Key twice
				MaxResponseHeaderBytes: maxAnswer,
			},
		},
	}, nil
}

// Notify posts the alert once.
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
	io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)) // the content does not matter
	switch code := response.StatusCode; {
	case code >= 200 && code <= 299:
		return nil
	case code == http.StatusGone:
		return fmt.Errorf("webhook %s: %w: it answered 410 Gone", h.origin, linktrack.ErrUndeliverable)
	default:
		return fmt.Errorf("webhook %s: it answered %d %s", h.origin, code, http.StatusText(code))
	}
}

// withoutURL removes the URL, which may contain secrets, from an error of the
// client.
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
