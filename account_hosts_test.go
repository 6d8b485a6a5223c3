package linktrack_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestAKeyIsItsPurposesAlone(t *testing.T) {
	store := memstore.New()
	one, two := trackertest.NewService(t, store, linktrack.Options{}), trackertest.NewService(t, memstore.New(), linktrack.Options{})
	again, err := linktrack.New(store, linktrack.Options{})
	require.NoError(t, err)
	defer again.Close(t.Context())
	require.Equal(t, one.Tracker.Key("a"), again.Key("a"), "all processes of one service have the same")
	require.NotEqual(t, one.Tracker.Key("a"), one.Tracker.Key("b"))
	require.NotEqual(t, one.Tracker.Key("a"), two.Tracker.Key("a"))
	require.NotZero(t, one.Tracker.Key(""))
}

func TestAnAccountIsFoundByItsIDAndMayWhatItsTypeSays(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{
		Hosts:    []string{"alt.example"},
		Accounts: linktrack.AccountOptions{Types: map[string]linktrack.AccountType{"titles": {Params: []string{"title"}}}},
	})
	found, err := s.Tracker.Account(t.Context(), s.Account.ID)
	require.NoError(t, err)
	require.Equal(t, s.Account, found)
	_, err = s.Tracker.Account(t.Context(), 4711)
	require.ErrorIs(t, err, linktrack.ErrNotFound)

	typ, err := s.Tracker.TypeOf(linktrack.Account{Type: "titles"})
	require.NoError(t, err)
	require.Equal(t, []string{"title"}, typ.Params)
	_, err = s.Tracker.TypeOf(linktrack.Account{Type: "gone"})
	require.ErrorIs(t, err, linktrack.ErrForbidden)
	require.Equal(t, []string{"go.example.com", "alt.example"}, s.Tracker.HostsOf(s.Account))
	require.Equal(t, []string{"alt.example"}, s.Tracker.HostsOf(linktrack.Account{Hosts: []string{"alt.example"}}))

	own := trackertest.NewService(t, memstore.New(), linktrack.Options{Accounts: linktrack.AccountOptions{Authenticate: func(context.Context, string, string) (linktrack.Account, error) {
		return linktrack.Account{ID: 1}, nil
	}}})
	_, err = own.Tracker.Account(t.Context(), own.Account.ID)
	require.ErrorIs(t, err, linktrack.ErrNotFound, "a host's own users have other numbers")
}

func TestPublicShowsNothingButPublicLinks(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	for name, public := range map[string]bool{"shown": true, "hidden": false} {
		_, err := s.Tracker.MakeLink(t.Context(), s.Account, linktrack.NewLink{
			LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", Title: "T", Notes: "N", Group: "G", IsPublic: public}, VanityLink: name, Password: "P",
		})
		require.NoError(t, err)
	}
	shown, err := s.Tracker.Public(t.Context(), "go.example.com", "Shown", linktrack.PageQR)
	require.NoError(t, err)
	l := shown.Link
	require.Equal(t, "T", l.Title)
	require.Zero(t, l.ExternalURL+l.Notes+l.Group)
	require.Nil(t, l.PasswordHash)
	first, err := s.Tracker.Public(t.Context(), "", "shown", linktrack.PageQR)
	require.NoError(t, err)
	require.Equal(t, shown, first, "no host is the first host")
	for _, at := range [][2]string{{"go.example.com", "hidden"}, {"go.example.com", "none"}, {"other.example", "shown"}, {"", "hidden"}, {"go.example.com", "a b"}} {
		_, err := s.Tracker.Public(t.Context(), at[0], at[1], linktrack.PageQR)
		require.ErrorIs(t, err, linktrack.ErrNotFound, at)
	}
}

func TestLinksArePagedAndSearchedWithinBounds(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	for _, title := range []string{"one", "two", "twofold"} {
		_, err := s.Tracker.MakeLink(t.Context(), s.Account, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", Title: title, Group: title}})
		require.NoError(t, err)
	}
	links, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{Search: "TWO", Offset: 1})
	require.NoError(t, err)
	require.Len(t, links, 1)
	require.Equal(t, "two", links[0].Title)
	groups, err := s.Tracker.Groups(t.Context(), s.Account)
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two", "twofold"}, groups)
	for param, q := range map[string]linktrack.LinksQuery{
		"offset": {Offset: -1},
		"search": {Search: "\x00"},
	} {
		_, err := s.Tracker.Links(t.Context(), s.Account, q)
		var invalid *linktrack.InvalidError
		require.ErrorAs(t, err, &invalid)
		require.Equal(t, param, invalid.Param)
	}
	_, err = s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{Offset: 100_001})
	require.ErrorContains(t, err, "offset must be from 0 to 100000")
}

func TestParametersAreReadAsTheAPIReadsThem(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{TimeZone: time.UTC})
	in, err := s.Tracker.ParseNewLink(map[string]string{
		"external_url": "https://example.com/", "is_active": "no", "alert_at": "7", "expires_at": "2199-01-02", "forward_query": "on", "has_public_revenue": "1", "unknown": "x",
	})
	require.NoError(t, err)
	require.Equal(t, linktrack.NewLink{
		LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", AlertAt: 7, ExpiresAt: time.Date(2199, 1, 2, 0, 0, 0, 0, time.UTC), ForwardQuery: true, HasPublicRevenue: true, Disabled: true},
	}, in)
	_, err = s.Tracker.ParseNewLink(map[string]string{"forward_query": "maybe"})
	require.ErrorContains(t, err, "forward_query must be 1 or 0")
}

func TestClientsAreToldApartByWhoIsConnected(t *testing.T) {
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
	require.NoError(t, err)
	for addr, want := range map[string]string{
		"192.0.2.7:1234":            "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::",
		"@":                         "@",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = addr
		require.Equal(t, want, tracker.ClientOf(r))
	}
}
