package linktrack_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestAnEditIsHeldToTheRulesOfWhatItChangesOnly(t *testing.T) {
	asked, refuse := 0, error(nil)
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{
		Links: linktrack.LinkOptions{CheckDestination: func(context.Context, string) error { asked++; return refuse }},
	})
	s.MakeLink("vanity_link", "spring", "title", "Old", "group", "g", "password", "x")
	asked, refuse = 0, errors.New("it is on a list")
	free := s.Account
	free.Type = linktrack.AccountTypeFree
	update := func(a linktrack.Account, change func(*linktrack.LinkEdit)) error {
		_, err := s.Tracker.UpdateLink(t.Context(), a, "spring", change)
		return err
	}
	require.NoError(t, update(s.Account, func(e *linktrack.LinkEdit) { e.Disabled = true }), "the destination was allowed once")
	require.NoError(t, update(free, func(e *linktrack.LinkEdit) { e.ForwardQuery = true }), "the title was allowed once")
	require.NoError(t, update(free, func(e *linktrack.LinkEdit) { e.Title, e.Group = "Old", " g " }), "nothing is different")
	require.Zero(t, asked)
	require.ErrorIs(t, update(free, func(e *linktrack.LinkEdit) { e.ExternalURL = "https://example.org/" }), linktrack.ErrForbidden)
	require.Equal(t, 1, asked)
	for want, change := range map[string]func(*linktrack.LinkEdit){
		"title":     func(e *linktrack.LinkEdit) { e.Title = "" },
		"is_active": func(e *linktrack.LinkEdit) { e.Disabled = false },
		"password":  func(e *linktrack.LinkEdit) { e.Password = new("") },
	} {
		err := update(free, change)
		require.ErrorIs(t, err, linktrack.ErrForbidden)
		require.EqualError(t, err, "not allowed: an account of type free may not use "+want)
	}
	free.Type = "unknown"
	require.ErrorIs(t, update(free, func(*linktrack.LinkEdit) {}), linktrack.ErrForbidden)
}

func TestAnAccountTypeAllowsEachParameterByItself(t *testing.T) {
	whole, err := trackertest.NewService(t, memstore.New(), linktrack.Options{}).Tracker.TypeOf(linktrack.Account{Type: linktrack.AccountTypeProfessional})
	require.NoError(t, err)
	require.ElementsMatch(t, strings.Fields(`
		host title vanity_link description notes alert_at deactivate_at has_alert_email password is_active is_public
		has_plus_tracking has_public_tracking has_conversion_tracking expires_at group`), whole.Params, "the documented ones")
	for _, name := range whole.Params {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{Accounts: linktrack.AccountOptions{Types: map[string]linktrack.AccountType{
			"most": {Params: slices.DeleteFunc(slices.Clone(whole.Params), func(p string) bool { return p == name })},
		}}})
		value := "1"
		switch name {
		case "host":
			value = "go.example.com"
		case "is_active":
			value = "0"
		case "expires_at":
			value = "2199-12-24"
		}
		given := map[string]string{"external_url": "https://example.com/", name: value}
		in, err := s.Tracker.ParseNewLink(given)
		require.NoError(t, err)
		a := linktrack.Account{ID: s.Account.ID, Type: "most"}
		_, err = s.Tracker.MakeLink(t.Context(), a, in)
		require.EqualError(t, err, "not allowed: an account of type most may not use "+name)
		if name == "host" || name == "vanity_link" {
			continue // an edit does not have them
		}
		s.MakeLink("vanity_link", "spring")
		change, err := s.Tracker.ParseLinkEdit(given)
		require.NoError(t, err)
		_, err = s.Tracker.UpdateLink(t.Context(), a, "spring", change)
		require.EqualError(t, err, "not allowed: an account of type most may not use "+name)
	}
}

func TestAnEditIsReadFromTheParametersThatAreGiven(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{TimeZone: time.UTC})
	s.MakeLink("vanity_link", "spring", "title", "Old", "notes", "kept", "expires_at", "2199-01-01", "is_active", "0", "password", "x")
	given := map[string]string{"title": "New", "expires_at": "", "is_active": "", "alert_at": "7", "vanity_link": "summer", "password": "", "unknown": "x"}
	change, err := s.Tracker.ParseLinkEdit(given)
	require.NoError(t, err)
	clear(given)
	l, err := s.Tracker.UpdateLink(t.Context(), s.Account, "spring", change)
	require.NoError(t, err)
	require.Equal(t, linktrack.LinkSettings{ExternalURL: "https://example.com/page", Title: "New", Notes: "kept", AlertAt: 7}, l.LinkSettings)
	require.False(t, l.HasPassword())
	require.Equal(t, "spring", l.Path)
	_, err = s.Tracker.ParseLinkEdit(map[string]string{"alert_at": "-1"})
	require.EqualError(t, err, "alert_at must be a whole number, 0 or more")
}
