package rules

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

var accounts = []rule{
	{"edits of an account by processes at the same time all hold", editsOfAnAccountByProcessesAtTheSameTimeAllHold},
	{"an edit of an account keeps what another process changed meanwhile", anEditOfAnAccountKeepsWhatAnotherProcessChangedMeanwhile},
	{"an account gets another mail address and nothing else changes", anAccountGetsAnotherMailAddressAndNothingElseChanges},
	{"a renewed pass takes the place of the old one at once", aRenewedPassTakesThePlaceOfTheOldOneAtOnce},
	{"the operator lists accounts and changes them, also if they are switched off", theOperatorListsAccountsAndChangesThem},
}

func editsOfAnAccountByProcessesAtTheSameTimeAllHold(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	other, _ := trackertest.Open(t, store, linktrack.Options{BaseURL: "http://" + trackertest.Host}) // as another process
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

func anEditOfAnAccountKeepsWhatAnotherProcessChangedMeanwhile(t *testing.T, store linktrack.Store) {
	late := &overtaken{Store: store}
	s := trackertest.NewService(t, late, linktrack.Options{})
	other, _ := trackertest.Open(t, store, linktrack.Options{BaseURL: "http://" + trackertest.Host}) // as another process
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
}

func anAccountGetsAnotherMailAddressAndNothingElseChanges(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	for _, email := range []string{"ada@example.com", "ada@example.com", "jörg+%@mail.example.org", ""} {
		a, err := s.Tracker.SetEmail(t.Context(), s.Account, email)
		require.NoError(t, err, email)
		want := s.Account
		want.Email = email
		require.Equal(t, want, a)
		kept, err := s.Tracker.Account(t.Context(), s.Account.ID)
		require.NoError(t, err)
		require.Equal(t, want, kept)
	}
}

func aRenewedPassTakesThePlaceOfTheOldOneAtOnce(t *testing.T, store linktrack.Store) {
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
}

func theOperatorListsAccountsAndChangesThem(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	bob, _, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: "bob"})
	require.NoError(t, err)
	key, _, err := s.Tracker.CreateKey(t.Context(), bob, linktrack.NewKey{Scope: linktrack.ScopeAll})
	require.NoError(t, err)

	all, err := s.Tracker.Accounts(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []linktrack.Account{s.Account, bob}, all)
	all, err = s.Tracker.Accounts(t.Context(), s.Account.ID, 1)
	require.NoError(t, err)
	require.Equal(t, []linktrack.Account{bob}, all)
	all, err = s.Tracker.Accounts(t.Context(), bob.ID, 1)
	require.NoError(t, err)
	require.Empty(t, all)
	_, err = s.Tracker.Accounts(t.Context(), 0, 0)
	require.EqualError(t, err, "limit must be at least 1")
	found, err := s.Tracker.AccountByLogin(t.Context(), "bob")
	require.NoError(t, err)
	require.Equal(t, bob, found)
	for _, login := range []string{"BOB", key.Login, ""} {
		_, err = s.Tracker.AccountByLogin(t.Context(), login)
		require.ErrorIs(t, err, linktrack.ErrNotFound, login)
	}

	want := bob
	update := func(change func(*linktrack.AccountEdit)) {
		t.Helper()
		a, err := s.Tracker.UpdateAccount(t.Context(), bob.ID, change)
		require.NoError(t, err)
		want.PassHash = a.PassHash
		require.Equal(t, want, a)
		kept, err := s.Tracker.Account(t.Context(), bob.ID)
		require.NoError(t, err)
		require.Equal(t, want, kept)
	}
	want.Disabled = true
	update(func(e *linktrack.AccountEdit) { e.Disabled = true })
	require.Equal(t, bob.PassHash, want.PassHash, "a pass that is not given stays")
	want.Type, want.Email = linktrack.AccountTypeProfessional, "bob@example.com"
	update(func(e *linktrack.AccountEdit) { e.Type, e.Email = want.Type, want.Email })
	update(func(e *linktrack.AccountEdit) { e.Pass = "a pass of one's own" })
	_, err = s.Tracker.Authenticate(t.Context(), "bob", "a pass of one's own", "")
	require.ErrorIs(t, err, linktrack.ErrForbidden)
	want.Disabled = false
	update(func(e *linktrack.AccountEdit) { require.True(t, e.Disabled); e.Disabled = false })
	_, err = s.Tracker.Authenticate(t.Context(), "bob", "a pass of one's own", "")
	require.NoError(t, err)

	for text, change := range map[string]func(*linktrack.AccountEdit){
		`type must be free or professional, not "gold"`:        func(e *linktrack.AccountEdit) { e.Email, e.Type = "", "gold" },
		"email must be a mail address such as ada@example.com": func(e *linktrack.AccountEdit) { e.Disabled, e.Email = true, "bob" },
		"pass must have at least 8 characters":                 func(e *linktrack.AccountEdit) { e.Disabled, e.Pass = true, "x" },
	} {
		_, err = s.Tracker.UpdateAccount(t.Context(), bob.ID, change)
		require.EqualError(t, err, text)
		require.ErrorAs(t, err, new(*linktrack.InvalidError))
	}
	update(func(*linktrack.AccountEdit) {})
	_, err = s.Tracker.UpdateAccount(t.Context(), 4711, func(*linktrack.AccountEdit) {})
	require.ErrorIs(t, err, linktrack.ErrNotFound)

	_, err = store.UpdateAccount(t.Context(), bob.ID, func(a *linktrack.Account) error { a.Type, a.Email = "gone", "old"; return nil })
	require.NoError(t, err)
	want.Type, want.Email, want.Disabled = "gone", "old", true
	update(func(e *linktrack.AccountEdit) { e.Disabled = true })
}
