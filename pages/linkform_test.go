package pages_test

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

// every has every parameter of a link, none with its default.
var every = url.Values{
	"external_url": {"https://example.com/spring?a=1&b=2"}, "host": {"alt.example"}, "vanity_link": {"Spring_Sale"},
	"title": {"Spring שלום 😀"}, "group": {"News"}, "description": {"one\r\ntwo"}, "notes": {"\r\nthree"},
	"password": {"let me in"}, "expires_at": {"2199-12-24T10:35"}, "deactivate_at": {"100"}, "alert_at": {"50"},
	"has_alert_email": {"1"}, "is_public": {"1"}, "has_plus_tracking": {"1"}, "has_public_tracking": {"1"},
	"has_conversion_tracking": {"1"}, "forward_query": {"1"}, "has_public_revenue": {"1"},
}

func TestEverySettingHasAFieldInTheForm(t *testing.T) {
	r := signedIn(t, "ada").get("links/new")
	for name := range (linktrack.LinkSettings{}).Properties() {
		fields := r.all(func(n *html.Node) bool { return attribute(n, "id") == "f-"+name && attribute(n, "name") == name })
		require.Len(t, fields, 1, name)
		require.Equal(t, name == "is_active", every[name] == nil, "the tests of this file set %s", name)
	}
}

func TestALinkIsMadeWithEveryParameter(t *testing.T) {
	s := signedIn(t, "ada")
	r := s.post("links/new", every)
	require.Equal(t, 303, r.StatusCode, r.texts("error"))
	require.Equal(t, "/account/links?made=alt.example%2FSpring_Sale", r.Header.Get("Location"))
	require.Contains(t, s.get(r.Header.Get("Location")).texts("made")[0], "Your new link:\nhttps://alt.example/Spring_Sale")

	l := s.link("https://alt.example/spring_sale")
	require.True(t, l.HasPassword())
	_, err := s.tracker.Follow(t.Context(), linktrack.Visit{Host: "alt.example", Path: "spring_sale", Peek: true})
	require.ErrorIs(t, err, linktrack.ErrInactive, "its box had no mark")
	l.ID, l.PasswordHash, l.CreatedAt = 0, nil, time.Time{}
	require.Equal(t, linktrack.Link{
		Account: s.ada.ID, Host: "alt.example", Path: "Spring_Sale", LinkSettings: linktrack.LinkSettings{
			ExternalURL: "https://example.com/spring?a=1&b=2", Disabled: true,
			Title: "Spring שלום 😀", Group: "News", Description: "one\ntwo", Notes: "\nthree",
			ExpiresAt:    time.Date(2199, 12, 24, 10, 35, 0, 0, s.tracker.TimeZone()).UTC(),
			DeactivateAt: 100, AlertAt: 50, HasAlertEmail: true, IsPublic: true, HasPlusTracking: true,
			HasPublicTracking: true, HasConversionTracking: true, ForwardQuery: true, HasPublicRevenue: true,
		},
	}, l)
}

func TestTheFormAsItComesMakesAnActiveLink(t *testing.T) {
	s := signedIn(t, "ada")
	form := s.get("links/new?external_url=https%3A%2F%2Fexample.com%2Fx").form()
	require.Equal(t, "https://example.com/x", form.Get("external_url"))
	require.Equal(t, 303, s.post("links/new", form).StatusCode)
	l := s.links(s.ada)[0]
	require.Equal(t, linktrack.Link{
		ID: l.ID, Account: s.ada.ID, Host: "go.example.com", Path: l.Path, LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/x"}, CreatedAt: l.CreatedAt,
	}, l)
}

func TestAFormThatIsSavedAsItIsChangesNothing(t *testing.T) {
	s := signedIn(t, "ada")
	s.post("links/new", every)
	s.make(s.ada, linktrack.NewLink{VanityLink: "plain"})
	s.make(s.ada, linktrack.NewLink{VanityLink: "crlf", LinkSettings: linktrack.LinkSettings{Notes: "a\r\nb", ExpiresAt: time.Now().Add(time.Hour).Truncate(time.Microsecond)}})
	for _, path := range []string{"alt.example/Spring_Sale", "go.example.com/plain", "go.example.com/crlf"} {
		before := s.link("https://" + path)
		r := s.post("links/"+path+"/edit", s.get("links/"+path+"/edit").form())
		require.Equal(t, 303, r.StatusCode)
		require.Equal(t, before, s.link("https://"+path))
		require.Contains(t, s.get(r.Header.Get("Location")).texts("notice")[0], "Changes saved: https://"+path)
	}
}

func TestEveryParameterIsEdited(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "spring", LinkSettings: linktrack.LinkSettings{ExpiresAt: time.Now().Add(time.Hour)}})
	const path = "links/go.example.com/spring/edit"
	form := s.get(path).form()
	require.Equal(t, "1", form.Get("is_active"))
	require.Empty(t, form["host"])
	require.Empty(t, form["vanity_link"])
	maps.Copy(form, every)
	form.Del("is_active")
	require.Equal(t, 303, s.post(path, form).StatusCode)
	l := s.link("spring")
	require.True(t, l.HasPassword())
	hash := l.PasswordHash
	l.PasswordHash = nil
	require.Equal(t, linktrack.Link{
		ID: l.ID, CreatedAt: l.CreatedAt, Account: s.ada.ID, Host: "go.example.com", Path: "spring", LinkSettings: linktrack.LinkSettings{
			ExternalURL: "https://example.com/spring?a=1&b=2", Disabled: true,
			Title: "Spring שלום 😀", Group: "News", Description: "one\ntwo", Notes: "\nthree",
			ExpiresAt:    time.Date(2199, 12, 24, 10, 35, 0, 0, s.tracker.TimeZone()).UTC(),
			DeactivateAt: 100, AlertAt: 50, HasAlertEmail: true, IsPublic: true, HasPlusTracking: true,
			HasPublicTracking: true, HasConversionTracking: true, ForwardQuery: true, HasPublicRevenue: true,
		},
	}, l)

	form = s.get(path).form()
	require.Equal(t, "2199-12-24T10:35:00", form.Get("expires_at"))
	require.Empty(t, form.Get("password"), "nobody sees the password")
	form.Set("title", "new")
	s.post(path, form)
	require.Equal(t, hash, s.link("spring").PasswordHash, "a password that is left empty stays")

	cleared := url.Values{"external_url": {"https://example.com/"}, "password_clear": {"1"}, "is_active": {"1"}}
	require.Equal(t, 303, s.post(path, cleared).StatusCode)
	l = s.link("spring")
	require.Equal(t, linktrack.Link{
		ID: l.ID, CreatedAt: l.CreatedAt, Account: s.ada.ID, Host: "go.example.com", Path: "spring", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"},
	}, l)
}

func TestWhatIsWrongStandsAtItsFieldAndAllValuesStay(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "taken", Host: "alt.example"})
	s.make(s.ada, linktrack.NewLink{VanityLink: "edited"})
	for _, c := range []struct {
		field, value string
		status       int
		want         string
	}{
		{"external_url", "", 400, "Destination is missing"},
		{"external_url", "https://nodot", 400, "Destination must have a complete domain name with a dot as its host"},
		{"external_url", " https://example.com", 400, "Destination must not begin or end with white space"},
		{"host", "other.example", 400, "Host is not a host that is served here"},
		{"vanity_link", "a b", 400, "Custom path may have letters (a-z), digits, _ and - only"},
		{"vanity_link", "account", 400, "Custom path is a reserved word"},
		{"vanity_link", "TAKEN", 409, "This custom path is already taken."},
		{"title", strings.Repeat("x", 256), 400, "Title must have at most 255 characters"},
		{"description", strings.Repeat("x", 2001), 400, "Description must have at most 2000 characters"},
		{"notes", strings.Repeat("😀", 10001), 400, "Notes must have at most 10000 characters"},
		{"group", strings.Repeat("x", 256), 400, "Group must have at most 255 characters"},
		{"password", strings.Repeat("x", 1001), 400, "Password must have at most 1000 bytes"},
		{"expires_at", "2001-01-01T00:00:00", 400, "Expiration must not be in the past"},
		{"expires_at", "tomorrow", 400, "Expiration must be a time such as 2024-11-24 10:35:16 or a day such as 2024-11-24, from 1970 on"},
		{"deactivate_at", "-1", 400, "Click limit must be a whole number, 0 or more"},
		{"alert_at", "many", 400, "Alert threshold must be a whole number, 0 or more"},
		{"is_public", "maybe", 400, "The link may be listed publicly and found by search engines must be 1 or 0"},
	} {
		form := maps.Clone(every)
		form.Set(c.field, c.value)
		before := len(s.links(s.ada))
		r := s.post("links/new", form)
		require.Equal(t, c.status, r.StatusCode, "%s %.20q", c.field, c.value)
		require.Equal(t, []string{c.want}, r.texts("error"), "%s %.20q", c.field, c.value)
		require.Equal(t, c.want, r.id("f-"+c.field+"-error"), "the error stands at its field")
		wrong := r.all(func(n *html.Node) bool { return has(n, "aria-invalid") })
		require.Equal(t, c.field, attribute(wrong[0], "name"))
		require.Contains(t, attribute(wrong[0], "aria-describedby"), "f-"+c.field+"-error")
		kept := r.form()
		for name := range form {
			want := form.Get(name)
			if want == "2199-12-24T10:35" {
				want += ":00"
			}
			if name != "is_public" && c.value != "other.example" {
				require.Equal(t, want, kept.Get(name), "%s, after an error at %s", name, c.field)
			}
		}
		require.Len(t, s.links(s.ada), before, "nothing is made")

		if c.field == "host" || c.field == "vanity_link" || c.value == "2001-01-01T00:00:00" {
			continue // they cannot be edited, and an expiry may then be in the past
		}
		l := s.link("edited")
		r = s.post("links/go.example.com/edited/edit", form)
		require.Equal(t, c.status, r.StatusCode)
		require.Equal(t, c.want, r.id("f-"+c.field+"-error"))
		require.Equal(t, l, s.link("edited"), "nothing is changed")
	}
}

func TestAHostsRefusalIsShown(t *testing.T) {
	s := newSite(t, linktrack.Options{Links: linktrack.LinkOptions{CheckDestination: func(context.Context, string) error { return errors.New("<it> is on a list") }}}, pages.Options{})
	s.signIn("ada", pass)
	r := s.post("links/new", url.Values{"external_url": {"https://example.com/kept"}})
	require.Equal(t, 403, r.StatusCode)
	require.Equal(t, []string{"This was refused: not allowed: external_url is refused: <it> is on a list."}, r.texts("notice"))
	require.Equal(t, "https://example.com/kept", r.form().Get("external_url"))
}

func TestAnAccountSeesWhatItsTypeDoesNotHave(t *testing.T) {
	s := signedIn(t, "bob")
	r := s.get("links/new")
	require.Equal(t, []string{"external_url", "forward_query"}, func() (names []string) {
		for _, n := range r.all(func(n *html.Node) bool {
			return strings.HasPrefix(attribute(n, "id"), "f-") && has(n, "name") && !has(n, "disabled")
		}) {
			names = append(names, attribute(n, "name"))
		}
		return names
	}())
	require.Equal(t, "Not included in your account type.", r.id("f-title-hint"))
	require.Contains(t, r.texts("notice")[0], "free")
	form := r.form()
	form.Set("external_url", "https://example.com/one")
	require.Equal(t, 303, s.post("links/new", form).StatusCode)

	form.Set("title", "sneaked in")
	r = s.post("links/new", form)
	require.Equal(t, 403, r.StatusCode)
	require.Contains(t, r.texts("notice")[0], "may not use title")
	l := s.links(s.bob)
	require.Len(t, l, 1)
	path := "links/go.example.com/" + l[0].Path + "/edit"
	form = s.get(path).form()
	form.Set("external_url", "https://example.com/two")
	form.Set("title", "sneaked in")
	require.Equal(t, 303, s.post(path, form).StatusCode)
	want := l[0]
	want.ExternalURL = "https://example.com/two"
	require.Equal(t, []linktrack.Link{want}, s.links(s.bob), "only what the type has is changed")
}

func TestAFormThatIsTooLargeIsRefused(t *testing.T) {
	s := signedIn(t, "ada")
	require.Equal(t, 413, s.post("links/new", url.Values{"notes": {strings.Repeat("x", 600<<10)}}).StatusCode)
	require.Empty(t, s.links(s.ada))
}
