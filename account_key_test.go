package linktrack_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// callWith calls the API with a login and pass, and returns the status and the body.
func callWith(t *testing.T, s *trackertest.Service, method, call, login, pass string, basic bool) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, "http://"+trackertest.Host+"/api/v1_0/"+call, nil)
	if basic {
		r.SetBasicAuth(login, pass)
	} else {
		q := url.Values{"login": {login}, "pass": {pass}}.Encode()
		r.URL.RawQuery = strings.TrimPrefix(q+"&"+r.URL.RawQuery, "&")
	}
	w := httptest.NewRecorder()
	s.Tracker.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestAKeyMakesTheCallsOfItsScope(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	l, err := s.Tracker.MakeLink(t.Context(), s.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
	require.NoError(t, err)
	calls := []struct {
		method, call string
		needs        linktrack.KeyScope
		status       int // of a key that may make the call
	}{
		{"GET", "getLink?redirect_hash=" + l.Path, linktrack.ScopeRead, 200},
		{"POST", "getLinks", linktrack.ScopeRead, 200},
		{"GET", "getLinkHistory?redirect_hash=" + l.Path, linktrack.ScopeRead, 200},
		{"GET", "getReport?redirect_hash=" + l.Path, linktrack.ScopeRead, 200},
		{"GET", "exportHistory?redirect_hash=" + l.Path, linktrack.ScopeRead, 200},
		{"GET", "makeLink?external_url=https%3A%2F%2Fexample.com%2F", linktrack.ScopeCreate, 201},
		{"GET", "getOptOutLink", linktrack.ScopeCreate, 200},
		{"POST", "conversion?click_id=unknown", linktrack.ScopeCreate, 400},
	}
	may := map[linktrack.KeyScope][]linktrack.KeyScope{
		linktrack.ScopeRead:   {linktrack.ScopeRead},
		linktrack.ScopeCreate: {linktrack.ScopeRead, linktrack.ScopeCreate},
		linktrack.ScopeAll:    {linktrack.ScopeRead, linktrack.ScopeCreate, linktrack.ScopeAll},
	}
	for scope, included := range may {
		k, pass, err := s.Tracker.CreateKey(t.Context(), s.Account, linktrack.NewKey{Name: "a key", Scope: scope})
		require.NoError(t, err)
		for _, c := range calls {
			for _, basic := range []bool{false, true} {
				status, body := callWith(t, s, c.method, c.call, k.Login, pass, basic)
				why := fmt.Sprint(scope, " ", c.method, " ", c.call, " ", body)
				if allowed := strings.Contains(fmt.Sprint(included), string(c.needs)); allowed {
					require.Equal(t, c.status, status, why)
				} else {
					require.Equal(t, http.StatusForbidden, status, why)
					require.Contains(t, body, "the key has the scope "+string(scope)+", but this needs "+string(c.needs))
				}
			}
		}
		a, err := s.Tracker.Authenticate(t.Context(), k.Login, pass, "")
		if scope == linktrack.ScopeAll {
			require.NoError(t, err)
			require.Equal(t, s.Account.ID, a.ID)
		} else {
			require.ErrorIs(t, err, linktrack.ErrForbidden, "only a key with all rights signs in")
			require.NotErrorIs(t, err, linktrack.ErrUnauthorized)
		}
	}
	links, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{})
	require.NoError(t, err)
	require.Len(t, links, 5, "a refused call makes nothing")
}

func TestARevokedKeyStopsAtOnceAndNoOtherDoes(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	k, pass, err := s.Tracker.CreateKey(t.Context(), s.Account, linktrack.NewKey{Scope: linktrack.ScopeAll})
	require.NoError(t, err)
	status := func(login, pass string) int {
		status, _ := callWith(t, s, "GET", "getLinks", login, pass, false)
		return status
	}
	require.Equal(t, 200, status(k.Login, pass))
	require.Equal(t, 200, status(trackertest.Login, trackertest.Pass))
	require.Equal(t, 401, status(k.Login, trackertest.Pass), "each login has its own pass")

	require.NoError(t, s.Tracker.RevokeKey(t.Context(), s.Account, k.ID))
	require.Equal(t, 401, status(k.Login, pass), "although it was verified before")
	require.Equal(t, 200, status(trackertest.Login, trackertest.Pass))
	epoch, _, err := s.Tracker.Session(t.Context(), s.Account.ID, linktrack.SessionID{})
	require.NoError(t, err)
	require.Equal(t, int64(1), epoch, "sessions that began with the key end")
	require.ErrorIs(t, s.Tracker.RevokeKey(t.Context(), s.Account, k.ID), linktrack.ErrNotFound)

	other, otherPass, err := s.Tracker.CreateKey(t.Context(), s.Account, linktrack.NewKey{Scope: linktrack.ScopeRead})
	require.NoError(t, err)
	require.NoError(t, s.Tracker.RevokeKey(t.Context(), s.Account, 0))
	require.Equal(t, 401, status(trackertest.Login, trackertest.Pass))
	require.Equal(t, 200, status(other.Login, otherPass))
	keys, err := s.Tracker.Keys(t.Context(), s.Account)
	require.NoError(t, err)
	require.Len(t, keys, 1, "a revoked key is not listed")
	require.Equal(t, other.ID, keys[0].ID)
	require.ErrorIs(t, s.Tracker.RevokeKey(t.Context(), s.Account, 0), linktrack.ErrNotFound)
	renewed, err := s.Tracker.RenewPass(t.Context(), s.Account)
	require.NoError(t, err)
	require.Equal(t, 200, status(trackertest.Login, renewed), "a new pass makes the first key work again")
}

func TestTheDayOfAKeysLastUseIsNotedOncePerDay(t *testing.T) {
	store := &usesStore{Store: memstore.New()}
	zone, err := time.LoadLocation("Pacific/Kiritimati") // UTC+14
	require.NoError(t, err)
	s := trackertest.NewService(t, store, linktrack.Options{TimeZone: zone})
	k, pass, err := s.Tracker.CreateKey(t.Context(), s.Account, linktrack.NewKey{Scope: linktrack.ScopeRead})
	require.NoError(t, err)
	require.Zero(t, k.LastUsed)
	first := linktrack.DayOf(time.Now().In(zone))
	for range 3 {
		status, _ := callWith(t, s, "GET", "getLinks", k.Login, pass, false)
		require.Equal(t, 200, status)
	}
	last := linktrack.DayOf(time.Now().In(zone))
	_, _ = callWith(t, s, "GET", "getLinks", k.Login, "wrong", false)
	keys, err := s.Tracker.Keys(t.Context(), s.Account)
	require.NoError(t, err)
	require.Zero(t, keys[0].LastUsed, "the account's own key was not used")
	require.GreaterOrEqual(t, keys[1].LastUsed, first)
	require.LessOrEqual(t, keys[1].LastUsed, last)
	require.LessOrEqual(t, store.uses, 1+int(last-first))

	store.err = trackertest.ErrDown
	_, err = s.Tracker.Authenticate(t.Context(), trackertest.Login, trackertest.Pass, "")
	require.NoError(t, err, "a call goes on if its day cannot be noted")
}

// A usesStore counts the calls of UseKey, which fail with err.
type usesStore struct {
	linktrack.Store
	uses int
	err  error
}

func (s *usesStore) UseKey(ctx context.Context, a linktrack.AccountID, id int64, day linktrack.Day) error {
	if s.uses++; s.err != nil {
		return s.err
	}
	return s.Store.UseKey(ctx, a, id, day)
}

func TestAKeyIsMadeWithAKnownScopeForAnAccountThatIsOn(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	for _, c := range []struct {
		in   linktrack.NewKey
		want string
	}{
		{linktrack.NewKey{}, "scope must be read, create or all"},
		{linktrack.NewKey{Scope: "ALL"}, "scope must be read, create or all"},
		{linktrack.NewKey{Scope: linktrack.ScopeAll, Name: strings.Repeat("x", 101)}, "name must have at most 100 characters"},
		{linktrack.NewKey{Scope: linktrack.ScopeAll, Name: "a\nb"}, "name must not have control characters"},
	} {
		_, _, err := s.Tracker.CreateKey(t.Context(), s.Account, c.in)
		var invalid *linktrack.InvalidError
		require.ErrorAs(t, err, &invalid)
		require.Contains(t, err.Error(), c.want)
	}
	_, _, err := s.Tracker.CreateKey(t.Context(), linktrack.Account{ID: 4711}, linktrack.NewKey{Scope: linktrack.ScopeAll})
	require.ErrorIs(t, err, linktrack.ErrNotFound)
	_, err = s.Store.UpdateAccount(t.Context(), s.Account.ID, func(a *linktrack.Account) error { a.Disabled = true; return nil })
	require.NoError(t, err)
	_, _, err = s.Tracker.CreateKey(t.Context(), s.Account, linktrack.NewKey{Scope: linktrack.ScopeAll})
	require.ErrorIs(t, err, linktrack.ErrForbidden)
	require.ErrorIs(t, s.Tracker.RevokeKey(t.Context(), s.Account, 0), linktrack.ErrForbidden)
}
