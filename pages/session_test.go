package pages

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestASessionEndsAfterThirtyDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
		require.NoError(t, err)
		defer tracker.Close(t.Context())
		a, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{})
		require.NoError(t, err)
		s := newSessions(tracker, "/account/")
		w := httptest.NewRecorder()
		s.begin(w, httptest.NewRequest("POST", "http://localhost/account/login", nil), a)
		cookie := w.Result().Cookies()[0]
		require.False(t, cookie.Secure, "no browser would send it back without TLS")
		r := httptest.NewRequest("GET", "/account/links", nil)
		r.AddCookie(cookie)

		time.Sleep(30*24*time.Hour - 2*time.Second)
		found, err := s.account(r)
		require.NoError(t, err)
		require.Equal(t, a, found)
		time.Sleep(2 * time.Second)
		_, err = s.account(r)
		require.ErrorIs(t, err, linktrack.ErrUnauthorized)
	})
}

// counted counts the look-ups of sessions.
type counted struct {
	linktrack.Store
	asked int
}

func (c *counted) Session(ctx context.Context, a linktrack.AccountID, id linktrack.SessionID) (int64, bool, error) {
	c.asked++
	return c.Store.Session(ctx, a, id)
}

func TestARequestWithManySessionCookiesAsksTheStoreAFewTimes(t *testing.T) {
	store := &counted{Store: memstore.New()}
	tracker, err := linktrack.New(store, linktrack.Options{})
	require.NoError(t, err)
	defer tracker.Close(t.Context())
	a, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{})
	require.NoError(t, err)
	s := newSessions(tracker, "/account/")
	signIn := func() *http.Cookie {
		w := httptest.NewRecorder()
		require.NoError(t, s.begin(w, httptest.NewRequest("POST", "http://localhost/account/login", nil), a))
		return w.Result().Cookies()[0]
	}
	over, good := signIn(), signIn()
	ended := httptest.NewRequest("GET", "/account/links", nil)
	ended.AddCookie(over)
	require.NoError(t, s.end(httptest.NewRecorder(), ended, false))

	request := func(cookies ...*http.Cookie) *http.Request {
		r := httptest.NewRequest("GET", "/account/links", nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		store.asked = 0
		return r
	}
	many := make([]*http.Cookie, 300)
	for i := range many {
		many[i] = over
	}
	_, err = s.account(request(many...))
	require.ErrorIs(t, err, linktrack.ErrUnauthorized)
	require.Equal(t, 4, store.asked)
	for _, everywhere := range []bool{false, true} {
		require.NoError(t, s.end(httptest.NewRecorder(), request(many...), everywhere))
		require.Equal(t, 4, store.asked)
	}
	found, err := s.account(request(over, over, over, good))
	require.NoError(t, err, "a browser may send those of other paths first")
	require.Equal(t, a, found)
}
