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
	old := linktrack.Account{Login: "old", Type: linktrack.AccountTypeFree}
	old.SetPass("x")
	_, err := store.CreateAccount(t.Context(), old)
	require.NoError(t, err)
	s := newService(t, store, linktrack.Options{})
	_, err = s.tracker.Authenticate(t.Context(), "old", "x", "")
	require.NoError(t, err)
}

func TestEditsOfAnAccountByProcessesAtTheSameTimeAllHold(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := newService(t, store, linktrack.Options{})
		other := trackerOn(t, store)
		for range 30 {
			var renewed string
			var both sync.WaitGroup
			both.Go(func() {
				var err error
				renewed, err = other.RenewPass(context.Background(), s.account)
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
		s := newService(t, late, linktrack.Options{})
		other := trackerOn(t, store)
		var renewed string
		late.edit = func() {
			var err error
			renewed, err = other.RenewPass(t.Context(), s.account)
			require.NoError(t, err)
		}
		a, err := s.tracker.SetEmail(t.Context(), s.account, "ada@example.com")
		require.NoError(t, err)
		require.Equal(t, "ada@example.com", a.Email)
		_, err = s.tracker.Authenticate(t.Context(), login, pass, "")
		require.ErrorIs(t, err, linktrack.ErrUnauthorized, "the pass that was renewed away stays dead")
		found, err := s.tracker.Authenticate(t.Context(), login, renewed, "")
		require.NoError(t, err, "the new pass works")
		require.Equal(t, a, found, "SetEmail returns the account as it is kept")

		late.edit = func() {
			_, err := other.SetEmail(t.Context(), s.account, "bob@example.com")
			require.NoError(t, err)
		}
		a, err = s.tracker.SetPass(t.Context(), s.account, "a pass of one's own")
		require.NoError(t, err)
		require.Equal(t, "bob@example.com", a.Email, "the address that was set meanwhile stays")

		late.edit = func() { setDisabled(t, store, s.account, true) }
		for name, edit := range map[string]func() error{
			"SetEmail":  func() error { _, err := s.tracker.SetEmail(t.Context(), s.account, ""); return err },
			"SetPass":   func() error { _, err := s.tracker.SetPass(t.Context(), s.account, "another pass"); return err },
			"RenewPass": func() error { _, err := s.tracker.RenewPass(t.Context(), s.account); return err },
		} {
			setDisabled(t, store, s.account, false)
			require.ErrorIs(t, edit(), linktrack.ErrForbidden, name)
			a.Disabled = true
			kept, err := s.tracker.Account(t.Context(), s.account.ID)
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

// setDisabled switches an account off or on.
func setDisabled(t *testing.T, store linktrack.Store, a linktrack.Account, off bool) {
	t.Helper()
	_, err := store.UpdateAccount(t.Context(), a.ID, func(a *linktrack.Account) error { a.Disabled = off; return nil })
	require.NoError(t, err)
}

func TestAHostsOwnAccountsAndThoseSwitchedOffGetNoPass(t *testing.T) {
	s := newService(t, memstore.New(), linktrack.Options{})
	setDisabled(t, s.store, s.account, true)
	_, err := s.tracker.SetPass(t.Context(), s.account, "a pass of one's own")
	require.ErrorIs(t, err, linktrack.ErrForbidden)

	s = newService(t, memstore.New(), linktrack.Options{Accounts: linktrack.AccountOptions{Authenticate: func(context.Context, string, string) (linktrack.Account, error) {
		return linktrack.Account{ID: 1}, nil
	}}})
	_, err = s.tracker.SetPass(t.Context(), linktrack.Account{ID: s.account.ID}, "a pass of one's own")
	require.ErrorIs(t, err, linktrack.ErrNotFound)
}
