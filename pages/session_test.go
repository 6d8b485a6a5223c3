package pages

import (
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
