package linktrack_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/notify"
)

func TestWhatIsNoMailAddressIsRefusedWhereverOneIsGiven(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	for _, email := range []string{
		"ada", "@example.com", "ada@", "ada @example.com", " ada@example.com", "ada@example.com ", "Ada <ada@example.com>", "<ada@example.com>",
		"ada@example.com,bob@example.com", "ada@example.com\r\nBcc: bob@example.com", "ada@exa\x00mple.com", "ada@example.com\xff",
		"ada@example.com;bob@example.com", "ada@example.com (Ada)", "ada\u202e@example.com", "ada\u00a0@example.com",
		`"ada lovelace"@example.com`, "a@b@example.com", "ada@example..com", "ada@[192.0.2.1]", "friends:ada@example.com;",
		strings.Repeat("a", 250) + "@example.com",
	} {
		var invalid *linktrack.InvalidError
		_, err := s.Tracker.SetEmail(t.Context(), s.Account, email)
		require.ErrorAs(t, err, &invalid, "%q", email)
		require.Equal(t, "email", invalid.Param)
		_, _, err = s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Email: email})
		require.ErrorAs(t, err, &invalid, "%q", email)
	}
	kept, err := s.Tracker.Account(t.Context(), s.Account.ID)
	require.NoError(t, err)
	require.Equal(t, s.Account, kept)
}

func TestOnlyAnAccountOfTheStoreThatIsSwitchedOnGetsAMailAddress(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	_, err := s.Tracker.SetEmail(t.Context(), linktrack.Account{ID: 4711}, "ada@example.com")
	require.ErrorIs(t, err, linktrack.ErrNotFound)
	trackertest.SetDisabled(t, s.Store, s.Account, true)
	_, err = s.Tracker.SetEmail(t.Context(), s.Account, "ada@example.com")
	require.ErrorIs(t, err, linktrack.ErrForbidden)

	hosts := trackertest.NewService(t, memstore.New(), linktrack.Options{Accounts: linktrack.AccountOptions{Authenticate: func(context.Context, string, string) (linktrack.Account, error) {
		return linktrack.Account{ID: 1}, nil
	}}})
	_, err = hosts.Tracker.SetEmail(t.Context(), hosts.Account, "ada@example.com")
	require.ErrorIs(t, err, linktrack.ErrNotFound)
}

// A mailing is a receiver that says whether it mails.
type mailing struct {
	receiver
	mails bool
}

func (m *mailing) Mails() bool { return m.mails }

func TestWhereAlertsAreNotMailedTheReasonIsSaid(t *testing.T) {
	own := func(context.Context, string, string) (linktrack.Account, error) { return linktrack.Account{ID: 1}, nil }
	for _, c := range []struct {
		name    string
		options linktrack.Options
		email   string
		want    error
	}{
		{"nobody delivers", linktrack.Options{}, "ada@example.com", linktrack.ErrNoMailer},
		{"who delivers does not mail", linktrack.Options{Notify: &mailing{}}, "ada@example.com", linktrack.ErrNoMailer},
		{"none of a group mails", linktrack.Options{Notify: notify.All(&mailing{}, &mailing{})}, "ada@example.com", linktrack.ErrNoMailer},
		{"one of a group mails", linktrack.Options{Notify: notify.All(&mailing{}, &mailing{mails: true})}, "ada@example.com", nil},
		{"who delivers mails", linktrack.Options{Notify: &mailing{mails: true}}, "ada@example.com", nil},
		{"who delivers does not say", linktrack.Options{Notify: &receiver{}}, "ada@example.com", nil},
		{"there is no address", linktrack.Options{Notify: &mailing{mails: true}}, "", linktrack.ErrNoAddress},
		{"accounts are the host's", linktrack.Options{Notify: &mailing{mails: true}, Accounts: linktrack.AccountOptions{Authenticate: own}}, "", linktrack.ErrHostsAccount},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := trackertest.NewService(t, memstore.New(), c.options)
			if c.email != "" {
				_, err := s.Tracker.SetEmail(t.Context(), s.Account, c.email)
				require.NoError(t, err)
			}
			email, err := s.Tracker.AlertEmail(t.Context(), s.Account)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, c.email, email)
		})
	}
}
