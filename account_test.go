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
