package linktrack_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
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

func TestEditsOfAnAccountByProcessesAtTheSameTimeAllHold(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{})
		other := trackerOn(t, store)
		for range 30 {
			var renewed string
			var both sync.WaitGroup
			both.Go(func() {
				var err error
				renewed, err = other.RenewPass(context.Background(), s.Account)
				assert.NoError(t, err)
			})
			both.Go(func() {
				_, err := s.Tracker.SetEmail(context.Background(), s.Account, "ada@example.com")
				assert.NoError(t, err)
			})
			both.Wait()
			a, err := s.Tracker.Authenticate(t.Context(), trackertest.Login, renewed, "")
			require.NoError(t, err, "the pass that was renewed works")
			require.Equal(t, "ada@example.com", a.Email)
			_, err = s.Tracker.SetEmail(t.Context(), s.Account, "")
			require.NoError(t, err)
		}
	})
}

// An overtaken store is one whose updates of accounts come late: it calls change
// on the account as it stands, and again after another process has edited it.
type overtaken struct {
	linktrack.Store
	edit func()
}

func (o *overtaken) UpdateAccount(ctx context.Context, id linktrack.AccountID, change func(*linktrack.Account) error) (linktrack.Account, error) {
	if a, err := o.AccountByID(ctx, id); err == nil {
		_ = change(&a) // as in a transaction that fails
	}
	o.edit()
	return o.Store.UpdateAccount(ctx, id, change)
}

func TestAnEditOfAnAccountKeepsWhatAnotherProcessChangedMeanwhile(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		late := &overtaken{Store: store}
		s := trackertest.NewService(t, late, linktrack.Options{})
		other := trackerOn(t, store)
		var renewed string
		late.edit = func() {
			var err error
			renewed, err = other.RenewPass(t.Context(), s.Account)
			require.NoError(t, err)
		}
		a, err := s.Tracker.SetEmail(t.Context(), s.Account, "ada@example.com")
		require.NoError(t, err)
		require.Equal(t, "ada@example.com", a.Email)
		_, err = s.Tracker.Authenticate(t.Context(), trackertest.Login, trackertest.Pass, "")
		require.ErrorIs(t, err, linktrack.ErrUnauthorized, "the pass that was renewed away stays dead")
		found, err := s.Tracker.Authenticate(t.Context(), trackertest.Login, renewed, "")
		require.NoError(t, err, "the new pass works")
		require.Equal(t, a, found, "SetEmail returns the account as it is kept")

		late.edit = func() {
			_, err := other.SetEmail(t.Context(), s.Account, "bob@example.com")
			require.NoError(t, err)
		}
		a, err = s.Tracker.SetPass(t.Context(), s.Account, "a pass of one's own")
		require.NoError(t, err)
		require.Equal(t, "bob@example.com", a.Email, "the address that was set meanwhile stays")

		late.edit = func() { trackertest.SetDisabled(t, store, s.Account, true) }
		for name, edit := range map[string]func() error{
			"SetEmail":  func() error { _, err := s.Tracker.SetEmail(t.Context(), s.Account, ""); return err },
			"SetPass":   func() error { _, err := s.Tracker.SetPass(t.Context(), s.Account, "another pass"); return err },
			"RenewPass": func() error { _, err := s.Tracker.RenewPass(t.Context(), s.Account); return err },
		} {
			trackertest.SetDisabled(t, store, s.Account, false)
			require.ErrorIs(t, edit(), linktrack.ErrForbidden, name)
			a.Disabled = true
			kept, err := s.Tracker.Account(t.Context(), s.Account.ID)
			require.NoError(t, err)
			require.Equal(t, a, kept, "%s: the account that was switched off meanwhile stays so, and as it was", name)
		}
	})
}

// trackerOn is another process's Tracker.
func trackerOn(t *testing.T, store linktrack.Store) *linktrack.Tracker {
	t.Helper()
	tracker, err := linktrack.New(store, linktrack.Options{BaseURL: "http://go.example.com", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = tracker.Close(context.Background()) })
	return tracker
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
