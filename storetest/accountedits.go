package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var accountEdits = []rule{
	{"an update keeps what change leaves in an account, but ID and CreatedAt", func(t *testing.T, s linktrack.Store) {
		made, err := s.CreateAccount(t.Context(), linktrack.Account{
			Login: "old", PassHash: []byte("old"), Type: "old", Email: "old", Hosts: []string{"old"}, CreatedAt: noon,
		})
		require.NoError(t, err, "an account with a new login is made")
		other := account(t, s, "other")
		want := linktrack.Account{
			ID: made.ID, Login: "new", PassHash: []byte("new"), Type: "new", Email: "new",
			Hosts: []string{"new", "newer"}, Disabled: true, CreatedAt: noon,
		}
		got := editAccount(t, s, made.ID, func(a *linktrack.Account) {
			require.Equal(t, made, *a, "change gets the account as it stands")
			*a = want
			a.ID, a.CreatedAt = other.ID, noon.AddDate(1, 0, 0)
		})
		require.Equal(t, want, got, "UpdateAccount returns the account as it is kept")
		require.Equal(t, want, kept(t, s, made.ID), "UpdateAccount keeps what change left")
		require.Equal(t, other, kept(t, s, other.ID), "no other account is touched")
		_, found, err := s.KeyByLogin(t.Context(), "new")
		require.NoError(t, err, "the account is found by its new login")
		require.Equal(t, want, found, "KeyByLogin returns what was kept")
		_, _, err = s.KeyByLogin(t.Context(), "old")
		require.ErrorIs(t, err, linktrack.ErrNotFound, "the old login is free")
		_, err = s.CreateAccount(t.Context(), someone("old"))
		require.NoError(t, err, "the old login can be given again")

		editAccount(t, s, made.ID, func(a *linktrack.Account) { *a = linktrack.Account{Login: "new"} })
		_, found, err = s.KeyByLogin(t.Context(), "new")
		require.NoError(t, err, "the account keeps its login")
		require.Nil(t, found.Hosts, "an update takes away the hosts")
		require.Empty(t, found.PassHash, "an update takes away the hash")
		require.False(t, found.Disabled, "an update switches on")
	}},
	{"an update that changes nothing is no error", func(t *testing.T, s linktrack.Store) {
		made := account(t, s, "same")
		require.Equal(t, made, editAccount(t, s, made.ID, func(*linktrack.Account) {}), "no row that changes is not the same as no row")
	}},
	{"an error of change is returned, and nothing of the account is kept", func(t *testing.T, s linktrack.Store) {
		made, err := s.CreateAccount(t.Context(), linktrack.Account{Login: "ada", PassHash: []byte("hash"), Hosts: []string{"one"}})
		require.NoError(t, err, "an account with a new login is made")
		_, err = s.UpdateAccount(t.Context(), made.ID, func(a *linktrack.Account) error {
			a.PassHash[0], a.Hosts[0] = 'X', "changed"
			a.Login, a.Email, a.Disabled = "changed", "changed@example.com", true
			return errChange
		})
		require.ErrorIs(t, err, errChange, "change's error comes back")
		require.Equal(t, []byte("hash"), kept(t, s, made.ID).PassHash, "nothing of a refused change is kept")
		require.Equal(t, []string{"one"}, kept(t, s, made.ID).Hosts, "nothing of a refused change is kept")
		require.Empty(t, kept(t, s, made.ID).Email, "nothing of a refused change is kept")
		_, _, err = s.KeyByLogin(t.Context(), "changed")
		require.ErrorIs(t, err, linktrack.ErrNotFound, "nothing of a refused change is kept")
		editAccount(t, s, made.ID, func(a *linktrack.Account) { a.Email = "ada@example.com" })
		require.Equal(t, "ada@example.com", kept(t, s, made.ID).Email, "the account can be edited after a refused change")
	}},
	{"an update to a login of another account is taken and changes nothing", func(t *testing.T, s linktrack.Store) {
		account(t, s, "first")
		second := account(t, s, "second")
		_, err := s.UpdateAccount(t.Context(), second.ID, func(a *linktrack.Account) error {
			a.Login, a.Email = "first", "changed@example.com"
			return nil
		})
		require.ErrorIs(t, err, linktrack.ErrTaken, "another account has the login")
		_, found, err := s.KeyByLogin(t.Context(), "second")
		require.NoError(t, err, "the refused account keeps its login")
		require.Equal(t, second, found, "a refused update changes nothing")
	}},
	{"an update of an unknown account is not found", func(t *testing.T, s linktrack.Store) {
		for _, id := range []linktrack.AccountID{0, -1, account(t, s, "ada").ID + 1, 1 << 62} {
			called := false
			_, err := s.UpdateAccount(t.Context(), id, func(a *linktrack.Account) error {
				a.Login, called = "nobody", true
				return nil
			})
			require.ErrorIs(t, err, linktrack.ErrNotFound, "there is no account %d", id)
			require.False(t, called, "there is nothing to change")
			_, _, err = s.KeyByLogin(t.Context(), "nobody")
			require.ErrorIs(t, err, linktrack.ErrNotFound, "a refused update makes no account")
		}
	}},
	{"what change and its caller do with slices later is not seen", func(t *testing.T, s linktrack.Store) {
		made := account(t, s, "ada")
		hash, hosts := []byte("hash"), []string{"one", "two"}
		got := editAccount(t, s, made.ID, func(a *linktrack.Account) { a.PassHash, a.Hosts = hash, hosts })
		hash[0], hosts[0] = 'X', "changed"
		got.PassHash[1], got.Hosts[1] = 'X', "changed"
		require.Equal(t, []byte("hash"), kept(t, s, made.ID).PassHash, "the hash kept is the store's own")
		require.Equal(t, []string{"one", "two"}, kept(t, s, made.ID).Hosts, "the hosts kept are the store's own")
	}},
	{"concurrent updates of an account lose nothing of each other", func(t *testing.T, s linktrack.Store) {
		made, err := s.CreateAccount(t.Context(), linktrack.Account{CreatedAt: noon})
		require.NoError(t, err, "an account with a new login is made")
		edits := []func(a *linktrack.Account){ // each its own field
			func(a *linktrack.Account) { a.Login += "x" },
			func(a *linktrack.Account) { a.PassHash = append(a.PassHash, 'x') },
			func(a *linktrack.Account) { a.Type += "x" },
			func(a *linktrack.Account) { a.Email += "x" },
			func(a *linktrack.Account) { a.Hosts = append(a.Hosts, "x") },
			func(a *linktrack.Account) { a.Disabled = !a.Disabled },
		}
		err = together(len(edits), func(i int) error {
			for range 9 {
				_, err := s.UpdateAccount(t.Context(), made.ID, func(a *linktrack.Account) error { edits[i](a); return nil })
				if err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err, "every update is kept")
		want := linktrack.Account{ID: made.ID, CreatedAt: noon}
		for range 9 {
			for _, edit := range edits {
				edit(&want)
			}
		}
		require.Equal(t, want, kept(t, s, made.ID), "no update runs on what another has replaced")
	}},
}

// editAccount edits an account that exists.
func editAccount(t *testing.T, s linktrack.Store, id linktrack.AccountID, change func(a *linktrack.Account)) linktrack.Account {
	t.Helper()
	a, err := s.UpdateAccount(t.Context(), id, func(a *linktrack.Account) error { change(a); return nil })
	require.NoError(t, err, "an account that exists can be edited")
	return a
}

// kept returns an account that exists.
func kept(t *testing.T, s linktrack.Store, id linktrack.AccountID) linktrack.Account {
	t.Helper()
	a, err := s.AccountByID(t.Context(), id)
	require.NoError(t, err, "an account that was made is found by its ID")
	return a
}
