package linktrack_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// chosenPass are the ways in which somebody gives an account a pass.
func chosenPass(s *trackertest.Service, pass string) map[string]error {
	_, _, made := s.Tracker.CreateAccount(context.Background(), linktrack.NewAccount{Pass: pass})
	_, set := s.Tracker.SetPass(context.Background(), s.Account, pass)
	return map[string]error{"CreateAccount": made, "SetPass": set}
}

func TestAPassThatSomebodyChoosesHasEightCharactersOrMore(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
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
	_, err := s.Tracker.Authenticate(t.Context(), trackertest.Login, trackertest.Pass, "")
	require.NoError(t, err, "the pass before still works")
	for _, good := range []string{"12345678", "ääääääää", strings.Repeat("x", 200)} {
		for door, err := range chosenPass(s, good) {
			require.NoError(t, err, "%s %q", door, good)
		}
		_, err := s.Tracker.Authenticate(t.Context(), trackertest.Login, good, "")
		require.NoError(t, err, "%q", good)
	}
}

func TestAnAccountThatHasAShortPassKeepsIt(t *testing.T) {
	store := memstore.New()
	old := linktrack.Account{Login: "old", Type: linktrack.AccountTypeFree}
	old.SetPass("x")
	_, err := store.CreateAccount(t.Context(), old)
	require.NoError(t, err)
	s := trackertest.NewService(t, store, linktrack.Options{})
	_, err = s.Tracker.Authenticate(t.Context(), "old", "x", "")
	require.NoError(t, err)
}

func TestAHostsOwnAccountsAndThoseSwitchedOffGetNoPass(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	trackertest.SetDisabled(t, s.Store, s.Account, true)
	_, err := s.Tracker.SetPass(t.Context(), s.Account, "a pass of one's own")
	require.ErrorIs(t, err, linktrack.ErrForbidden)

	s = trackertest.NewService(t, memstore.New(), linktrack.Options{Accounts: linktrack.AccountOptions{Authenticate: func(context.Context, string, string) (linktrack.Account, error) {
		return linktrack.Account{ID: 1}, nil
	}}})
	_, err = s.Tracker.SetPass(t.Context(), linktrack.Account{ID: s.Account.ID}, "a pass of one's own")
	require.ErrorIs(t, err, linktrack.ErrNotFound)
}
