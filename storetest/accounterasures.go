package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var accountErasures = []rule{
	{"an erased account is gone with all that is its own", func(t *testing.T, s linktrack.Store) {
		ada, bob := account(t, s, "ada"), account(t, s, "bob")
		k := key(t, s, bob.ID, "other")
		for _, a := range []linktrack.Account{ada, bob} {
			key(t, s, a.ID, fmt.Sprint("key of ", a.Login))
			require.NoError(t, s.EndSession(t.Context(), a.ID, linktrack.SessionID{1}, noon.AddDate(0, 0, 30), noon))
			require.NoError(t, s.EndSessions(t.Context(), a.ID))
			l := grouped("sale"+a.Login, "News")
			l.Account, l.Tags = a.ID, []string{"Red"}
			l = create(t, s, l)
			send(t, s, people(l.ID, 3, noon)...)
			if a.ID == ada.ID {
				purge(t, s, l)
			}
		}
		require.NoError(t, s.EraseAccount(t.Context(), ada.ID), "an account without links is erased")

		_, err := s.AccountByID(t.Context(), ada.ID)
		require.ErrorIs(t, err, linktrack.ErrNotFound, "AccountByID")
		_, err = s.UpdateAccount(t.Context(), ada.ID, func(*linktrack.Account) error { return nil })
		require.ErrorIs(t, err, linktrack.ErrNotFound, "UpdateAccount")
		require.Empty(t, keysOf(t, s, ada.ID), "Keys")
		_, err = s.CreateKey(t.Context(), linktrack.Key{Account: ada.ID, Login: "new"})
		require.ErrorIs(t, err, linktrack.ErrNotFound, "CreateKey")
		_, _, err = s.Session(t.Context(), ada.ID, linktrack.SessionID{1})
		require.ErrorIs(t, err, linktrack.ErrNotFound, "Session")
		require.ErrorIs(t, s.EndSessions(t.Context(), ada.ID), linktrack.ErrNotFound, "EndSessions")
		requireTags(t, s, ada.ID)
		groups, err := s.Groups(t.Context(), ada.ID, 10)
		require.NoError(t, err)
		require.Empty(t, groups, "Groups")
		for _, of := range []linktrack.RollupOf{{}, {Group: "News"}, {Tag: "Red"}} {
			of.Account = ada.ID
			require.Empty(t, sumsOf(t, s, of), "%+v", of)
			of.Account = bob.ID
			require.EqualValues(t, 3, sumsOf(t, s, of)[0].People, "%+v", of)
		}
		requireCounted(t, s, ada.ID)
		requireCounted(t, s, bob.ID)
		for _, login := range []string{"ada", "key of ada"} {
			_, _, err = s.KeyByLogin(t.Context(), login)
			require.ErrorIs(t, err, linktrack.ErrNotFound, login)
			require.Greater(t, account(t, s, login).ID, bob.ID, "a login is free, and the ID is another one")
		}
		require.Contains(t, keysOf(t, s, bob.ID), k, "other accounts stay")
		standing(t, s, bob.ID, linktrack.SessionID{1}, 1, true, "other accounts stay")
		requireTags(t, s, bob.ID, "Red")
	}},
	{"an account that does not exist, or no longer, cannot be erased", func(t *testing.T, s linktrack.Store) {
		ada := account(t, s, "ada")
		require.ErrorIs(t, s.EraseAccount(t.Context(), ada.ID+1), linktrack.ErrNotFound)
		require.NoError(t, s.EraseAccount(t.Context(), ada.ID))
		require.ErrorIs(t, s.EraseAccount(t.Context(), ada.ID), linktrack.ErrNotFound)
		left, err := s.Accounts(t.Context(), 0, 10)
		require.NoError(t, err)
		require.NotContains(t, left, ada)
	}},
	{"an account with a link stays as it is, even if the link is deleted", func(t *testing.T, s linktrack.Store) {
		ada := account(t, s, "ada")
		own := key(t, s, ada.ID, "own")
		l := plain("sale")
		l.Account, l.Group, l.Tags, l.IsArchived = ada.ID, "News", []string{"Red"}, true
		l = create(t, s, l)
		send(t, s, people(l.ID, 3, noon)...)
		refused := func() {
			t.Helper()
			require.ErrorIs(t, s.EraseAccount(t.Context(), ada.ID), linktrack.ErrHasLinks)
			require.Equal(t, []linktrack.Key{ownKey(ada), own}, keysOf(t, s, ada.ID))
			requireTags(t, s, ada.ID, "Red")
			require.EqualValues(t, 3, sumsOf(t, s, linktrack.RollupOf{Account: ada.ID})[0].People)
			requireCounted(t, s, ada.ID)
		}
		refused()
		remove(t, s, l)
		refused()
		require.NoError(t, s.PurgeLink(t.Context(), l.ID, true))
		require.NoError(t, s.EraseAccount(t.Context(), ada.ID))
	}},
	{"a link that has left an erased account keeps all it has", func(t *testing.T, s linktrack.Store) {
		ada, bob := account(t, s, "ada"), account(t, s, "bob")
		l := plain("sale")
		l.Account = ada.ID
		l = create(t, s, l)
		send(t, s, people(l.ID, 3, noon)...)
		c := conversion(l, "order")
		require.True(t, convert(t, s, c))
		apply(t, s, time.UTC)
		l = move(t, s, l.ID, bob.ID)
		before, days := recorded(t, s, l.ID), sumsOf(t, s, linktrack.RollupOf{Link: l.ID})
		require.NoError(t, s.EraseAccount(t.Context(), ada.ID), "its only link has left it")
		require.Equal(t, l, look(t, s, l))
		require.Equal(t, before, recorded(t, s, l.ID))
		require.Equal(t, days, sumsOf(t, s, linktrack.RollupOf{Link: l.ID}))
		require.False(t, convert(t, s, c), "the click was counted before")
		c.Trusted = true
		require.True(t, convert(t, s, c), "a trusted conversion replaces that of the same click")
		apply(t, s, time.UTC)
		require.EqualValues(t, 1, look(t, s, l).Counts.Conversions)
		require.Empty(t, sumsOf(t, s, linktrack.RollupOf{Account: ada.ID}))
	}},
	{"the paths that are reserved for an account are free when it is erased", func(t *testing.T, s linktrack.Store) {
		ada, bob := account(t, s, "ada"), account(t, s, "bob")
		for _, a := range []linktrack.Account{ada, bob} {
			l := move(t, s, renamed(t, s).ID, a.ID)
			remove(t, s, l)
			require.NoError(t, s.PurgeLink(t.Context(), l.ID, false))
			require.ErrorIs(t, s.EraseAccount(t.Context(), 1<<40), linktrack.ErrNotFound)
			_, err := createOne(t.Context(), s, plain("first"))
			require.ErrorIs(t, err, linktrack.ErrTaken, "an account that exists keeps its paths")
			if a.ID == ada.ID {
				require.NoError(t, s.EraseAccount(t.Context(), ada.ID))
			}
		}
		require.NoError(t, s.EraseAccount(t.Context(), bob.ID))
		for _, path := range []string{"first", "second", "third"} {
			create(t, s, plain(path))
		}
	}},
	{"of many concurrent calls, one erases the account", func(t *testing.T, s linktrack.Store) {
		ada := account(t, s, "ada")
		var erased atomic.Int32
		err := together(8, func(i int) error {
			if i%2 == 0 {
				_, err := s.CreateKey(t.Context(), linktrack.Key{Account: ada.ID, Login: fmt.Sprint("key", i)})
				if errors.Is(err, linktrack.ErrNotFound) {
					return nil
				}
				return err
			}
			err := s.EraseAccount(t.Context(), ada.ID)
			if errors.Is(err, linktrack.ErrNotFound) {
				return nil
			}
			if err == nil {
				erased.Add(1)
			}
			return err
		})
		require.NoError(t, err, "the others get ErrNotFound")
		require.EqualValues(t, 1, erased.Load())
		for i := range 8 {
			account(t, s, fmt.Sprint("key", i))
		}
	}},
}
