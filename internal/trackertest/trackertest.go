// Package trackertest is what tests of a [linktrack.Tracker] share: a [Service]
// that is used by HTTP, a [Follower] that visits one link without it, a store
// that fails on demand, and a log that may be read while it is written.
package trackertest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// Host is the host of links and requests that name no other.
const Host = "go.example.com"

// The user agents of a person and of a bot that says so.
const (
	Firefox   = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	Googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)

// Request returns a request for a test's handler. target is a URL, or a path on
// [Host]; header is names and values in turn.
func Request(method, target, body string, header ...string) *http.Request {
	if strings.HasPrefix(target, "/") {
		target = "http://" + Host + target
	}
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// Values makes form values of names and values in turn; the last of a name
// counts.
func Values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// Text returns the body of an answer.
func Text(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

// Decode reads the JSON of an answer.
func Decode(t testing.TB, r *http.Response, into any) {
	t.Helper()
	body := Text(t, r)
	require.NoError(t, json.Unmarshal([]byte(body), into), "%s", body)
}

// ClickOf returns the value of a cookie that [Service.Click] returned.
func ClickOf(cookie string) string { return cookie[strings.Index(cookie, "=")+1:] }

// Chicago is the zone of a service that is not told another.
func Chicago(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	require.NoError(t, err)
	return zone
}

// SetDisabled switches an account off or on.
func SetDisabled(t testing.TB, store linktrack.Store, a linktrack.Account, off bool) {
	t.Helper()
	_, err := store.UpdateAccount(t.Context(), a.ID, func(a *linktrack.Account) error { a.Disabled = off; return nil })
	require.NoError(t, err)
}
