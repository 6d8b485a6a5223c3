package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var sessions = []rule{
	{"a session that was ended stays ended, and no other is", func(t *testing.T, s linktrack.Store) {
		ada, bob := account(t, s, "ada"), account(t, s, "bob")
		one, other := linktrack.SessionID{0: 1, 15: 0}, linktrack.SessionID{0: 1, 15: ' '}
		standing(t, s, ada.ID, one, 0, false, "a session of which nothing was said has not ended")
		for range 2 {
			require.NoError(t, s.EndSession(t.Context(), ada.ID, one, noon.AddDate(0, 0, 30), noon), "a session may be ended again")
		}
		standing(t, s, ada.ID, one, 0, true, "a session that was ended has ended")
		standing(t, s, ada.ID, other, 0, false, "another session goes on, whatever its bytes")
		standing(t, s, bob.ID, one, 0, false, "a session of another account goes on")
	}},
	{"ended sessions are kept until they would have ended by themselves", func(t *testing.T, s linktrack.Store) {
		ada := account(t, s, "ada")
		ids := []linktrack.SessionID{{1}, {2}, {3}}
		for i, id := range ids {
			require.NoError(t, s.EndSession(t.Context(), ada.ID, id, noon.Add(time.Duration(i+1)*time.Hour), noon.Add(time.Duration(i)*29*time.Minute)), "a session is ended")
		}
		for _, id := range ids {
			standing(t, s, ada.ID, id, 0, true, "a session whose time has not come is not forgotten")
		}
	}},
	{"to end all sessions raises the epoch of that account", func(t *testing.T, s linktrack.Store) {
		ada, bob := account(t, s, "ada"), account(t, s, "bob")
		for want := range int64(3) {
			standing(t, s, ada.ID, linktrack.SessionID{1}, want, false, "the epoch is how often all sessions were ended")
			require.NoError(t, s.EndSessions(t.Context(), ada.ID), "the sessions of an account are ended")
		}
		standing(t, s, bob.ID, linktrack.SessionID{1}, 0, false, "the epoch of another account stays")
		found, err := s.AccountByID(t.Context(), ada.ID)
		require.NoError(t, err, "the account is still there")
		require.Equal(t, ada, found, "nothing else of the account changes")
		editAccount(t, s, ada.ID, func(a *linktrack.Account) { a.Email = "ada@example.com" })
		standing(t, s, ada.ID, linktrack.SessionID{1}, 3, false, "an update keeps the epoch")
	}},
	{"ends that come at once all count", func(t *testing.T, s linktrack.Store) {
		ada := account(t, s, "ada")
		require.NoError(t, together(8, func(i int) error {
			if i%2 == 0 {
				return s.EndSessions(t.Context(), ada.ID)
			}
			return s.EndSession(t.Context(), ada.ID, linktrack.SessionID{byte(i)}, noon.AddDate(0, 0, 30), noon)
		}), "sessions are ended at the same time")
		for i := 1; i < 8; i += 2 {
			standing(t, s, ada.ID, linktrack.SessionID{byte(i)}, 4, true, "no end is lost")
		}
	}},
	{"an unknown account has no sessions", func(t *testing.T, s linktrack.Store) {
		_, _, err := s.Session(t.Context(), 4711, linktrack.SessionID{1})
		require.ErrorIs(t, err, linktrack.ErrNotFound, "there is no such account")
		require.ErrorIs(t, s.EndSessions(t.Context(), 4711), linktrack.ErrNotFound, "there is no such account")
	}},
}

func account(t *testing.T, s linktrack.Store, login string) linktrack.Account {
	t.Helper()
	a, err := s.CreateAccount(t.Context(), someone(login))
	require.NoError(t, err, "an account with a new login is made")
	return a
}

func standing(t *testing.T, s linktrack.Store, a linktrack.AccountID, id linktrack.SessionID, epoch int64, ended bool, why string) {
	t.Helper()
	e, x, err := s.Session(t.Context(), a, id)
	require.NoError(t, err, "a session of an account that exists is looked up")
	require.Equal(t, epoch, e, why)
	require.Equal(t, ended, x, why)
}
