package storetest

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// odd is text that stores have been known to alter: beyond the basic plane,
// from right to left, what SQL and its patterns give a meaning to, and a space
// at the end.
const odd = `Grüße 😀 שלום "double" 'single' \back\ 100% _ ; -- ` + "`tick` "

func someone(login string) linktrack.Account {
	return linktrack.Account{
		Login:     login,
		PassHash:  []byte{0, 1, 2, 0xff, '\'', '\\', 0},
		Type:      linktrack.AccountTypeProfessional,
		CreatedAt: noon,
	}
}

var accounts = []rule{
	{"accounts are listed in the order of their ids, page by page", func(t *testing.T, s linktrack.Store) {
		accounts := func(after linktrack.AccountID, limit int) []linktrack.Account {
			page, err := s.Accounts(t.Context(), after, limit)
			require.NoError(t, err)
			require.NotNil(t, page)
			return page
		}
		require.Empty(t, accounts(0, 10))
		var all []linktrack.Account
		for _, login := range []string{"c", "a", "d", "b"} {
			a := someone(login)
			a.Disabled = login == "d"
			a, err := s.CreateAccount(t.Context(), a)
			require.NoError(t, err)
			all = append(all, a)
		}
		require.Equal(t, all, accounts(0, 10))
		require.Equal(t, all, accounts(-5, 4))
		require.Equal(t, all[:2], accounts(0, 2))
		require.Equal(t, all[2:], accounts(all[1].ID, 2))
		require.Empty(t, accounts(all[3].ID, 2))
		for _, limit := range []int{0, -1} {
			_, err := s.Accounts(t.Context(), 0, limit)
			require.Error(t, err)
		}
	}},
	{"every field of an account comes back as it was given", func(t *testing.T, s linktrack.Store) {
		want := linktrack.Account{
			Login:     odd,
			PassHash:  bytes.Repeat([]byte{0, 0xff, '\\', '\''}, 12),
			Type:      "ünusual type",
			Email:     "jörg+%@example.com",
			Hosts:     []string{"go.example.com", "go2.example.com:8080"},
			Disabled:  true,
			CreatedAt: noon,
		}
		made, err := s.CreateAccount(t.Context(), want)
		require.NoError(t, err, "an account with a new login is made")
		require.Positive(t, made.ID, "no account of linktrack's own has an ID below 1")
		want.ID = made.ID
		require.Equal(t, want, made, "CreateAccount returns the account with its ID")
		_, found, err := s.KeyByLogin(t.Context(), odd)
		require.NoError(t, err, "an account that was made is found by its login")
		require.Equal(t, want, found, "KeyByLogin returns what was kept")
		found, err = s.AccountByID(t.Context(), made.ID)
		require.NoError(t, err, "an account that was made is found by its ID")
		require.Equal(t, want, found, "AccountByID returns what was kept")
	}},
	{"fields of maximal length are kept whole", func(t *testing.T, s linktrack.Store) {
		a := someone(strings.Repeat("😀", 100))
		a.Email = strings.Repeat("é", 127) + strings.Repeat("m", 127)
		made, err := s.CreateAccount(t.Context(), a)
		require.NoError(t, err, "a login of 100 characters and an email of 254 are allowed")
		a.ID = made.ID
		_, found, err := s.KeyByLogin(t.Context(), a.Login)
		require.NoError(t, err, "a login of 100 characters is found")
		require.Equal(t, a, found, "long fields are not truncated")
	}},
	{"what an account does not have comes back as zero", func(t *testing.T, s linktrack.Store) {
		for _, a := range []linktrack.Account{
			{Login: "nil slices"},
			{Login: "empty slices", PassHash: []byte{}, Hosts: []string{}},
		} {
			made, err := s.CreateAccount(t.Context(), a)
			require.NoError(t, err, "an account needs a login and nothing else")
			_, found, err := s.KeyByLogin(t.Context(), a.Login)
			require.NoError(t, err, "an account that was made is found by its login")
			for _, got := range []linktrack.Account{made, found} {
				require.Nil(t, got.Hosts, "nil and empty Hosts are the same to a store, and come back as nil")
				require.Empty(t, got.PassHash, "no PassHash comes back as none")
				require.Zero(t, got.CreatedAt, "the zero time comes back as the zero time")
				require.False(t, got.Disabled, "an account is not switched off by itself")
			}
		}
	}},
	{"a login that exists is taken", func(t *testing.T, s linktrack.Store) {
		first, err := s.CreateAccount(t.Context(), someone("ada"))
		require.NoError(t, err, "an account with a new login is made")
		other := someone("ada")
		other.Email = "other@example.com"
		_, err = s.CreateAccount(t.Context(), other)
		require.ErrorIs(t, err, linktrack.ErrTaken, "a second account with the same login is ErrTaken")
		_, found, err := s.KeyByLogin(t.Context(), "ada")
		require.NoError(t, err, "the first account is still there")
		require.Equal(t, first, found, "a refused account changes nothing of the first")
	}},
	{"logins are compared byte by byte", func(t *testing.T, s linktrack.Store) {
		logins := []string{"ada", "Ada", "ada ", " ada", "adä", "a\u0308da", "äda"}
		ids := map[linktrack.AccountID]bool{}
		for _, login := range logins {
			made, err := s.CreateAccount(t.Context(), someone(login))
			require.NoError(t, err, "login %q differs from all others in a byte", login)
			require.False(t, ids[made.ID], "every account has an ID of its own")
			ids[made.ID] = true
		}
		for _, login := range logins {
			_, found, err := s.KeyByLogin(t.Context(), login)
			require.NoError(t, err, "login %q exists", login)
			require.Equal(t, login, found.Login, "the account found has the very login")
		}
		_, _, err := s.KeyByLogin(t.Context(), "ADA")
		require.ErrorIs(t, err, linktrack.ErrNotFound, "a login in another case is another login")
	}},
	{"an account is found by its ID", func(t *testing.T, s linktrack.Store) {
		_, err := s.AccountByID(t.Context(), 1)
		require.ErrorIs(t, err, linktrack.ErrNotFound, "an ID that no account has is ErrNotFound")
		first, err := s.CreateAccount(t.Context(), someone("first"))
		require.NoError(t, err, "an account with a new login is made")
		second := someone("second")
		second.Hosts, second.Email, second.Disabled = []string{"go.example.com"}, "ada@example.com", true
		second, err = s.CreateAccount(t.Context(), second)
		require.NoError(t, err, "an account with a new login is made")
		for _, want := range []linktrack.Account{first, second} {
			found, err := s.AccountByID(t.Context(), want.ID)
			require.NoError(t, err, "an account that was made is found by its ID")
			require.Equal(t, want, found, "AccountByID returns what was kept")
		}
	}},
	{"an unknown login is not found", func(t *testing.T, s linktrack.Store) {
		_, _, err := s.KeyByLogin(t.Context(), "nobody")
		require.ErrorIs(t, err, linktrack.ErrNotFound, "an unknown login is ErrNotFound")
		_, err = s.AccountByID(t.Context(), 4711)
		require.ErrorIs(t, err, linktrack.ErrNotFound, "an unknown ID is ErrNotFound")
	}},
	{"what the caller does with its slices later is not seen", func(t *testing.T, s linktrack.Store) {
		a := linktrack.Account{Login: "ada", PassHash: []byte("hash"), Hosts: []string{"one", "two"}}
		made, err := s.CreateAccount(t.Context(), a)
		require.NoError(t, err, "an account with a new login is made")
		a.PassHash[0], a.Hosts[0] = 'X', "changed"
		made.PassHash[1], made.Hosts[1] = 'X', "changed"
		_, found, err := s.KeyByLogin(t.Context(), "ada")
		require.NoError(t, err, "an account that was made is found by its login")
		require.Equal(t, []byte("hash"), found.PassHash, "the hash kept is the store's own")
		require.Equal(t, []string{"one", "two"}, found.Hosts, "the hosts kept are the store's own")
	}},
	{"the first secret is kept forever", func(t *testing.T, s linktrack.Store) {
		first := []byte{0, 1, 2, 0xff, '\\', '\'', 0}
		want := bytes.Clone(first)
		got, err := s.Secret(t.Context(), first)
		require.NoError(t, err, "the first call keeps its candidate")
		require.Equal(t, want, got, "the first call returns its candidate")
		first[0], got[1] = 99, 99
		for range 2 {
			got, err = s.Secret(t.Context(), []byte("another candidate, and a longer one"))
			require.NoError(t, err, "a later call finds the secret")
			require.Equal(t, want, got, "later calls return what the first one kept")
		}
	}},
	{"the first zone that is given is kept forever", func(t *testing.T, s linktrack.Store) {
		for _, step := range []struct{ candidate, want, why string }{
			{"", "", "nothing is kept yet"},
			{"", "", "to ask keeps nothing"},
			{"America/Argentina/ComodRivadavia", "America/Argentina/ComodRivadavia", "the first call keeps its candidate"},
			{"Europe/Berlin", "America/Argentina/ComodRivadavia", "later calls return what the first one kept"},
			{"", "America/Argentina/ComodRivadavia", "and so do those that give none"},
		} {
			zone, err := s.Zone(t.Context(), step.candidate)
			require.NoError(t, err, step.why)
			require.Equal(t, step.want, zone, step.why)
		}
	}},
	{"a zone name of 100 bytes is kept as it is", func(t *testing.T, s linktrack.Store) {
		long := strings.Repeat("Zone/'\\é ", 10)[:100]
		zone, err := s.Zone(t.Context(), long)
		require.NoError(t, err, "the first call keeps its candidate")
		require.Equal(t, long, zone, "byte by byte")
	}},
	{"concurrent first calls agree on one zone", func(t *testing.T, s linktrack.Store) {
		var mu sync.Mutex
		got := map[string]bool{}
		err := together(16, func(i int) error {
			zone, err := s.Zone(t.Context(), fmt.Sprintf("Zone/%d", i))
			mu.Lock()
			defer mu.Unlock()
			got[zone] = true
			return err
		})
		require.NoError(t, err, "every one of the first callers gets a zone")
		require.Len(t, got, 1, "all callers get the same zone")
		require.NotContains(t, got, "", "the zone is one of the candidates")
	}},
	{"concurrent first calls agree on one secret", func(t *testing.T, s linktrack.Store) {
		var mu sync.Mutex
		got := map[string]bool{}
		err := together(16, func(i int) error {
			secret, err := s.Secret(t.Context(), fmt.Appendf(nil, "candidate %d", i))
			mu.Lock()
			defer mu.Unlock()
			got[string(secret)] = true
			return err
		})
		require.NoError(t, err, "every one of the first callers gets a secret")
		require.Len(t, got, 1, "all callers get the same secret, or cookies signed by one are refused by another")
		for secret := range got {
			require.Contains(t, secret, "candidate ", "the secret is one of the candidates")
		}
	}},
}
