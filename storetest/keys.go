package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var keys = []rule{
	{"an account's own key has ID 0 and all its rights", func(t *testing.T, s linktrack.Store) {
		ada := account(t, s, "ada")
		requireKey(t, s, "ada", ownKey(ada), ada)
		require.Equal(t, []linktrack.Key{ownKey(ada)}, keysOf(t, s, ada.ID), "an account without further keys has its own")
		ada = editAccount(t, s, ada.ID, func(a *linktrack.Account) { a.Login, a.PassHash, a.Disabled = "lovelace", nil, true })
		requireKey(t, s, "lovelace", ownKey(ada), ada)
		require.Equal(t, []linktrack.Key{ownKey(ada)}, keysOf(t, s, ada.ID), "a key that no pass fits is listed, too")
		require.Empty(t, keysOf(t, s, ada.ID)[0].PassHash, "an account without a PassHash has a key without one")
	}},
	{"every field of a key comes back as it was given", func(t *testing.T, s linktrack.Store) {
		ada := account(t, s, "ada")
		for _, want := range []linktrack.Key{
			{
				ID: 4711, Account: ada.ID, Login: odd, PassHash: []byte{0, 0xff, '\\', '\''}, Name: odd,
				Scope: linktrack.ScopeCreate, CreatedAt: noon, LastUsed: 7,
			},
			{Account: ada.ID, Login: strings.Repeat("😀", 100), Name: strings.Repeat("é", 100), Scope: "unknown"},
		} {
			made, err := s.CreateKey(t.Context(), want)
			require.NoError(t, err, "a key with a new login is made")
			require.Positive(t, made.ID, "ID 0 is the account's own key")
			require.NotEqual(t, int64(4711), made.ID, "the store gives the ID")
			want.ID, want.LastUsed = made.ID, 0
			require.Equal(t, want, made, "CreateKey returns the key with its ID")
			requireKey(t, s, want.Login, want, ada)
			require.Contains(t, keysOf(t, s, ada.ID), want, "Keys returns what was kept")
		}
	}},
	{"an account has any number of keys, which are in the order of their IDs", func(t *testing.T, s linktrack.Store) {
		ada, bob := account(t, s, "ada"), account(t, s, "bob")
		want := []linktrack.Key{ownKey(ada)}
		for i := range 30 {
			key(t, s, bob.ID, fmt.Sprint("bob", i))
			want = append(want, key(t, s, ada.ID, fmt.Sprint("ada", 30-i)))
		}
		require.Equal(t, want, keysOf(t, s, ada.ID), "the list has the account's keys and no others")
		require.Empty(t, keysOf(t, s, bob.ID+1), "an account that does not exist has no keys")
	}},
	{"a login is unique over accounts and keys, byte by byte", func(t *testing.T, s linktrack.Store) {
		ada, bob := account(t, s, "ada"), account(t, s, "bob")
		k := key(t, s, ada.ID, "key")
		for _, login := range []string{"ada", "bob", "key"} {
			_, err := s.CreateKey(t.Context(), linktrack.Key{Account: bob.ID, Login: login})
			require.ErrorIs(t, err, linktrack.ErrTaken, "no key can have the login %s", login)
			_, err = s.CreateAccount(t.Context(), someone(login))
			require.ErrorIs(t, err, linktrack.ErrTaken, "no account can have the login %s", login)
		}
		for _, id := range []linktrack.AccountID{ada.ID, bob.ID} {
			_, err := s.UpdateAccount(t.Context(), id, func(a *linktrack.Account) error { a.Login = "key"; return nil })
			require.ErrorIs(t, err, linktrack.ErrTaken, "no account can take the login of a key")
		}
		requireKey(t, s, "key", k, ada)
		requireKey(t, s, "bob", ownKey(bob), bob)
		require.Equal(t, []linktrack.Key{ownKey(bob)}, keysOf(t, s, bob.ID), "a refused key is not kept")
		for _, login := range []string{"Key", "key ", " key", "këy"} {
			_, _, err := s.KeyByLogin(t.Context(), login)
			require.ErrorIs(t, err, linktrack.ErrNotFound, "login %q differs in a byte", login)
			key(t, s, ada.ID, login)
		}
		editAccount(t, s, ada.ID, func(a *linktrack.Account) { a.Login = "lovelace" })
		key(t, s, bob.ID, "ada")
	}},
	{"one of any number of concurrent calls gets a login", func(t *testing.T, s linktrack.Store) {
		ada, bob := account(t, s, "ada"), account(t, s, "bob")
		for round := range 5 {
			login := fmt.Sprint("wanted", round)
			var got atomic.Int64
			err := together(9, func(i int) (err error) {
				switch i % 3 {
				case 0:
					_, err = s.CreateKey(t.Context(), linktrack.Key{Account: ada.ID, Login: login, Scope: linktrack.ScopeAll})
				case 1:
					_, err = s.CreateAccount(t.Context(), someone(login))
				default:
					_, err = s.UpdateAccount(t.Context(), bob.ID, func(a *linktrack.Account) error {
						if a.Login == login {
							return errChange
						}
						a.Login = login
						return nil
					})
				}
				if err == nil {
					got.Add(1)
				}
				if errors.Is(err, linktrack.ErrTaken) || errors.Is(err, errChange) {
					return nil
				}
				return err
			})
			require.NoError(t, err, "the others get ErrTaken")
			require.Equal(t, int64(1), got.Load(), "one of them has the login")
			k, _, err := s.KeyByLogin(t.Context(), login)
			require.NoError(t, err, "the login is found")
			require.Equal(t, login, k.Login, "the login is found")
		}
	}},
	{"a key of an unknown account is not made", func(t *testing.T, s linktrack.Store) {
		_, err := s.CreateKey(t.Context(), linktrack.Key{Account: 4711, Login: "key"})
		require.ErrorIs(t, err, linktrack.ErrNotFound, "there is no such account")
		_, _, err = s.KeyByLogin(t.Context(), "key")
		require.ErrorIs(t, err, linktrack.ErrNotFound, "the key is not kept")
	}},
	{"a deleted key is gone, and its login is free", func(t *testing.T, s linktrack.Store) {
		ada, bob := account(t, s, "ada"), account(t, s, "bob")
		one, other := key(t, s, ada.ID, "one"), key(t, s, ada.ID, "other")
		require.ErrorIs(t, s.DeleteKey(t.Context(), bob.ID, one.ID), linktrack.ErrNotFound, "it is the key of another account")
		require.NoError(t, s.DeleteKey(t.Context(), ada.ID, one.ID), "a key of the account is deleted")
		_, _, err := s.KeyByLogin(t.Context(), "one")
		require.ErrorIs(t, err, linktrack.ErrNotFound, "the key is gone")
		for _, id := range []int64{one.ID, 0, -1, other.ID + 100} {
			require.ErrorIs(t, s.DeleteKey(t.Context(), ada.ID, id), linktrack.ErrNotFound, "the account has no key %d that can be deleted", id)
		}
		require.Equal(t, []linktrack.Key{ownKey(ada), other}, keysOf(t, s, ada.ID), "the other keys stay")
		again := key(t, s, bob.ID, "one")
		require.NotEqual(t, one.ID, again.ID, "an ID is not given again")
	}},
	{"the last use of a key is its latest day", func(t *testing.T, s linktrack.Store) {
		ada := account(t, s, "ada")
		k, other := key(t, s, ada.ID, "key"), key(t, s, ada.ID, "other")
		bob := account(t, s, "bob")
		for _, day := range []linktrack.Day{20000, 20002, 20001, 20002} {
			require.NoError(t, s.UseKey(t.Context(), ada.ID, k.ID, day), "the use of a key is noted")
			require.NoError(t, s.UseKey(t.Context(), ada.ID, 0, day+1), "the use of the account's own key is noted")
		}
		require.NoError(t, s.UseKey(t.Context(), bob.ID, k.ID, 30000), "a key of another account is no error")
		require.NoError(t, s.UseKey(t.Context(), bob.ID+1, 0, 30000), "a key of no account is no error")
		k.LastUsed = 20002
		own := ownKey(ada)
		own.LastUsed = 20003
		require.Equal(t, []linktrack.Key{own, k, other}, keysOf(t, s, ada.ID), "the later day is kept, and no other key changes")
		requireKey(t, s, "key", k, ada)
		requireKey(t, s, "ada", own, ada)
		requireKey(t, s, "bob", ownKey(bob), bob)
		ada = editAccount(t, s, ada.ID, func(a *linktrack.Account) { a.PassHash = []byte("other") })
		own.PassHash = []byte("other")
		requireKey(t, s, "ada", own, ada)
	}},
	{"what the caller does with the slices of a key later is not seen", func(t *testing.T, s linktrack.Store) {
		ada := account(t, s, "ada")
		given := linktrack.Key{Account: ada.ID, Login: "key", PassHash: []byte("hash")}
		made, err := s.CreateKey(t.Context(), given)
		require.NoError(t, err, "a key with a new login is made")
		given.PassHash[0], made.PassHash[1] = 'X', 'X'
		found, a, err := s.KeyByLogin(t.Context(), "key")
		require.NoError(t, err, "a key that was made is found by its login")
		require.Equal(t, []byte("hash"), found.PassHash, "the hash kept is the store's own")
		found.PassHash[2], a.PassHash[0] = 'X', 'X'
		listed := keysOf(t, s, ada.ID)
		listed[0].PassHash[0] = 'X'
		require.Equal(t, []byte("hash"), listed[1].PassHash, "the hash kept is the store's own")
		require.Equal(t, ada, kept(t, s, ada.ID), "the account's hash is the store's own")
	}},
}

// key makes a key with a new login.
func key(t *testing.T, s linktrack.Store, a linktrack.AccountID, login string) linktrack.Key {
	t.Helper()
	k, err := s.CreateKey(t.Context(), linktrack.Key{
		Account: a, Login: login, PassHash: []byte("hash of " + login), Name: "name of " + login, Scope: linktrack.ScopeRead, CreatedAt: noon,
	})
	require.NoError(t, err, "a key with a new login is made")
	return k
}

func ownKey(a linktrack.Account) linktrack.Key {
	return linktrack.Key{Account: a.ID, Login: a.Login, PassHash: a.PassHash, Scope: linktrack.ScopeAll, CreatedAt: a.CreatedAt}
}

func keysOf(t *testing.T, s linktrack.Store, a linktrack.AccountID) []linktrack.Key {
	t.Helper()
	found, err := s.Keys(t.Context(), a)
	require.NoError(t, err, "the keys of an account can be listed at any time")
	return found
}

func requireKey(t *testing.T, s linktrack.Store, login string, want linktrack.Key, of linktrack.Account) {
	t.Helper()
	k, a, err := s.KeyByLogin(t.Context(), login)
	require.NoError(t, err, "a key is found by its login")
	require.Equal(t, want, k, "KeyByLogin returns the key as it is kept")
	require.Equal(t, of, a, "KeyByLogin returns the key's account")
}
