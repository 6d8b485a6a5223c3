package linktrack_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

// chosenPass are the ways in which somebody gives an account a pass.
func chosenPass(s *service, pass string) map[string]error {
	_, _, made := s.tracker.CreateAccount(context.Background(), linktrack.NewAccount{Pass: pass})
	_, set := s.tracker.SetPass(context.Background(), s.account, pass)
	return map[string]error{"CreateAccount": made, "SetPass": set}
}

func TestAPassThatSomebodyChoosesHasEightCharactersOrMore(t *testing.T) {
	s := newService(t, memstore.New(), linktrack.Options{})
	for bad, want := range map[string]string{
		"x":                      "pass must have at least 8 characters",
		"1234567":                "pass must have at least 8 characters",
		"ääääääa":                "pass must have at least 8 characters",
		"12345678\n":             "pass must not have control characters",
		"1234567\xff":            "pass must be UTF-8",
		strings.Repeat("x", 201): "pass must have at most 200 characters",
	} {
		for door, err := range chosenPass(s, bad) {
			require.ErrorAs(t, err, new(*linktrack.InvalidError), "%s %q", door, bad)
			require.Equal(t, want, err.Error(), "%s %q", door, bad)
		}
	}
	_, err := s.tracker.Authenticate(t.Context(), login, pass, "")
	require.NoError(t, err, "the pass before still works")
	for _, good := range []string{"12345678", "ääääääää", strings.Repeat("x", 200)} {
		for door, err := range chosenPass(s, good) {
			require.NoError(t, err, "%s %q", door, good)
		}
		_, err := s.tracker.Authenticate(t.Context(), login, good, "")
		require.NoError(t, err, "%q", good)
	}
}

func TestAnAccountThatHasAShortPassKeepsIt(t *testing.T) {
	store := memstore.New()
	_, err := store.CreateAccount(t.Context(), linktrack.Account{Login: "old", PassHash: linktrack.HashPass("x"), Type: linktrack.Free})
	require.NoError(t, err)
	s := newService(t, store, linktrack.Options{})
	_, err = s.tracker.Authenticate(t.Context(), "old", "x", "")
	require.NoError(t, err)
}

func TestEditsOfAnAccountAtTheSameTimeAllHold(t *testing.T) {
	s := newService(t, memstore.New(), linktrack.Options{})
	for range 200 {
		var renewed string
		var both sync.WaitGroup
		both.Go(func() {
			var err error
			renewed, err = s.tracker.RenewPass(context.Background(), s.account)
			assert.NoError(t, err)
		})
		both.Go(func() {
			_, err := s.tracker.SetEmail(context.Background(), s.account, "ada@example.com")
			assert.NoError(t, err)
		})
		both.Wait()
		a, err := s.tracker.Authenticate(t.Context(), login, renewed, "")
		require.NoError(t, err, "the pass that was renewed works")
		require.Equal(t, "ada@example.com", a.Email)
		_, err = s.tracker.SetEmail(t.Context(), s.account, "")
		require.NoError(t, err)
	}
}

func TestAHostsOwnAccountsAndThoseSwitchedOffGetNoPass(t *testing.T) {
	s := newService(t, memstore.New(), linktrack.Options{})
	off := s.account
	off.Disabled = true
	require.NoError(t, s.store.UpdateAccount(t.Context(), off))
	_, err := s.tracker.SetPass(t.Context(), s.account, "a pass of one's own")
	require.ErrorIs(t, err, linktrack.ErrForbidden)

	s = newService(t, memstore.New(), linktrack.Options{Authenticate: func(context.Context, string, string) (linktrack.Account, error) {
		return linktrack.Account{ID: 1}, nil
	}})
	_, err = s.tracker.SetPass(t.Context(), linktrack.Account{ID: s.account.ID}, "a pass of one's own")
	require.ErrorIs(t, err, linktrack.ErrNotFound)
}
