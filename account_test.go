package linktrack_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestARenewedPassTakesThePlaceOfTheOldOneAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{})
		require.Equal(t, 200, s.Call("getLinks", nil).StatusCode)
		renewed, err := s.Tracker.RenewPass(t.Context(), s.Account)
		require.NoError(t, err)
		require.Regexp(t, "^[0-9a-f]{32}$", renewed)
		require.Equal(t, 401, s.Call("getLinks", nil).StatusCode)
		require.Equal(t, 200, s.Post("/api/v1_0/getLinks", trackertest.Values("login", trackertest.Login, "pass", renewed)).StatusCode)

		kept, err := s.Tracker.Account(t.Context(), s.Account.ID)
		require.NoError(t, err)
		require.NotContains(t, string(kept.PassHash), renewed)
		kept.PassHash = s.Account.PassHash
		require.Equal(t, s.Account, kept, "nothing else is changed")

		again, err := s.Tracker.RenewPass(t.Context(), s.Account)
		require.NoError(t, err)
		require.NotEqual(t, renewed, again)

		trackertest.SetDisabled(t, store, s.Account, true)
		kept, err = s.Tracker.Account(t.Context(), s.Account.ID)
		require.NoError(t, err)
		_, err = s.Tracker.RenewPass(t.Context(), s.Account)
		require.ErrorIs(t, err, linktrack.ErrForbidden)
		after, err := s.Tracker.Account(t.Context(), s.Account.ID)
		require.NoError(t, err)
		require.Equal(t, kept, after, "it stays switched off")
		_, err = s.Tracker.RenewPass(t.Context(), linktrack.Account{ID: 4711})
		require.ErrorIs(t, err, linktrack.ErrNotFound)
	})
}

func TestAHostsOwnAccountsHaveNoPassToRenew(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Accounts: linktrack.AccountOptions{Authenticate: func(context.Context, string, string) (linktrack.Account, error) {
		return linktrack.Account{ID: 1}, nil
	}}})
	_, err := s.Tracker.RenewPass(t.Context(), linktrack.Account{ID: s.Account.ID})
	require.ErrorIs(t, err, linktrack.ErrNotFound)
}

func TestTheAPIIsCalledInAnAccountsName(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: "http://go.example.com/l"})
	other := linktrack.Account{ID: 4711, Type: linktrack.AccountTypeFree}
	answer := func(a linktrack.Account, target string) (int, string) {
		w := httptest.NewRecorder()
		s.Tracker.API(a).ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		return w.Code, w.Body.String()
	}
	const call = "http://go.example.com/l/api/v1_0/"
	status, link := answer(other, call+"makeLink?external_url=https://example.com/")
	require.Equal(t, 201, status)
	status, body := answer(other, call+"getLinks?format=json&login="+trackertest.Login+"&pass="+trackertest.Pass)
	require.Equal(t, 200, status, "login and pass are not looked at")
	require.Contains(t, body, link)
	_, body = answer(s.Account, call+"getLinks?format=json")
	require.Equal(t, "{\"links\":[]}\n", body)
	status, _ = answer(linktrack.Account{ID: 4711, Disabled: true}, call+"getLinks")
	require.Equal(t, 403, status)
	for _, path := range []string{link, "http://go.example.com/l/c.gif", "http://go.example.com/api/ping", "http://go.example.com/l/api/none"} {
		status, _ = answer(other, path)
		require.Equal(t, 404, status, path)
	}
	status, _ = answer(other, "http://go.example.com/l/api/ping")
	require.Equal(t, 200, status)
}
