package rules

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

var apiMakeLink = []rule{
	{"makeLink answers 201 and the link and nothing else", makeLinkAnswers201AndTheLinkAndNothingElse},
	{"makeLink takes every documented parameter", makeLinkTakesEveryDocumentedParameter},
	{"an error of makeLink is one plain line that names the rule", anErrorOfMakeLinkIsOnePlainLineThatNamesTheRule},
	{"an account type allows its parameters", anAccountTypeAllowsItsParameters},
	{"only right credentials are taken", rightCredentialsOnlyAreTaken},
	{"destinations stay as they were written", destinationsStayAsTheyWereWritten},
	{"right credentials are not throttled however many come at once", rightCredentialsAreNotThrottledHoweverManyComeAtOnce},
}

func makeLinkAnswers201AndTheLinkAndNothingElse(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	r := s.Get("/api/v1_0/makeLink?login=" + trackertest.Login + "&pass=" + trackertest.Pass + "&external_url=http://www.google.com")
	require.Equal(t, http.StatusCreated, r.StatusCode)
	require.Equal(t, "text/plain; charset=utf-8", r.Header.Get("Content-Type"))
	body := trackertest.Text(t, r)
	require.Regexp(t, `^http://go\.example\.com/\.[0-9a-z]{7}$`, body)
	again := trackertest.Text(t, s.Get("/api/v1_0/makeLink?login="+trackertest.Login+"&pass="+trackertest.Pass+"&external_url=http://www.google.com"))
	require.NotEqual(t, body, again, "every call makes a new link")
	require.Len(t, s.Hashes(), 2)
}

func makeLinkTakesEveryDocumentedParameter(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{Hosts: []string{"alternate_domain.com"}})
	link := s.MakeLink(
		"external_url", "http://www.google.com",
		"expires_at", "2094-12-24 10:35:16",
		"vanity_link", "my_Vanity_link",
		"title", "My Title ✓ 😀",
		"description", "A description here",
		"notes", "Some notes\nhere",
		"password", "letmein",
		"host", "Alternate_domain.com",
		"alert_at", "100",
		"deactivate_at", "100",
		"is_public", "1",
		"has_public_tracking", "1",
		"is_active", "1",
		"has_alert_email", "yes",
		"has_plus_tracking", "on",
		"has_conversion_tracking", "true",
		"group", "My Group",
	)
	require.Equal(t, "http://alternate_domain.com/my_Vanity_link", link)
	l := s.Link("my_vanity_link")
	created := l["created_at"].(string)
	delete(l, "created_at")
	at, err := time.ParseInLocation("2006-01-02 15:04:05", created, trackertest.Chicago(t))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, time.Minute)
	require.Equal(t, map[string]any{
		"redirect_hash": "my_Vanity_link", "link": link, "external_url": "http://www.google.com",
		"host": "alternate_domain.com", "vanity_link": "my_Vanity_link", "title": "My Title ✓ 😀",
		"description": "A description here", "notes": "Some notes\nhere", "group": "My Group",
		"is_active": 1.0, "is_public": 1.0, "has_plus_tracking": 1.0, "has_public_tracking": 1.0,
		"has_conversion_tracking": 1.0, "has_alert_email": 1.0, "has_password": 1.0,
		"alert_at": 100.0, "deactivate_at": 100.0, "expires_at": "2094-12-24 10:35:16", "updated_at": nil,
		"count_day": 0.0, "count_total": 0.0, "count_unique": 0.0, "count_bot": 0.0, "count_conversion": 0.0,
	}, l)
}

func anErrorOfMakeLinkIsOnePlainLineThatNamesTheRule(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{
		Hosts: []string{"alt.example"},
		Links: linktrack.LinkOptions{
			Reserved: []string{"About"},
			CheckDestination: func(_ context.Context, u string) error {
				if strings.Contains(u, "spam") {
					return errors.New("the domain is on a list")
				}
				return nil
			},
		},
	})
	s.MakeLink("vanity_link", "Taken")
	before := len(s.Hashes())
	for _, c := range []struct {
		pairs  []string
		status int
		body   string
	}{
		{[]string{"external_url", ""}, 400, "external_url is missing"},
		{[]string{"external_url", "example.com"}, 400, "external_url must begin with http:// or https://"},
		{[]string{"external_url", " http://example.com"}, 400, "external_url must not begin or end with white space"},
		{[]string{"external_url", "http://go.example.com/x"}, 400, "external_url must not lead to go.example.com, which serves tracking links itself (a loop)"},
		{[]string{"external_url", "http://alt.example/x"}, 400, "external_url must not lead to alt.example, which serves tracking links itself (a loop)"},
		{[]string{"external_url", "http://spam.example"}, 403, "not allowed: external_url is refused: the domain is on a list"},
		{[]string{"host", "other.example"}, 400, "host is not a host that is served here"},
		{[]string{"vanity_link", "taken"}, 409, "vanity_link taken is already taken"},
		{[]string{"vanity_link", "a.b"}, 400, "vanity_link may have letters (a-z), digits, _ and - only"},
		{[]string{"vanity_link", "API"}, 400, "vanity_link is a reserved word"},
		{[]string{"vanity_link", "about"}, 400, "vanity_link is a reserved word"},
		{[]string{"title", strings.Repeat("ü", 256)}, 400, "title must have at most 255 characters"},
		{[]string{"title", "a\nb"}, 400, "title must not have control characters"},
		{[]string{"title", "\xff"}, 400, "title must be UTF-8"},
		{[]string{"description", strings.Repeat("x", 2001)}, 400, "description must have at most 2000 characters"},
		{[]string{"notes", strings.Repeat("x", 10001)}, 400, "notes must have at most 10000 characters"},
		{[]string{"group", strings.Repeat("x", 256)}, 400, "group must have at most 255 characters"},
		{[]string{"alert_at", "-1"}, 400, "alert_at must be a whole number, 0 or more"},
		{[]string{"deactivate_at", "ten"}, 400, "deactivate_at must be a whole number, 0 or more"},
		{[]string{"is_active", "2"}, 400, "is_active must be 1 or 0"},
		{[]string{"expires_at", "2020-01-01"}, 400, "expires_at must not be in the past"},
		{[]string{"expires_at", "soon"}, 400, "expires_at must be a time such as 2024-11-24 10:35:16 or a day such as 2024-11-24, from 1970 on"},
	} {
		form := trackertest.Values("external_url", "https://example.com/")
		for i := 0; i < len(c.pairs); i += 2 {
			form.Set(c.pairs[i], c.pairs[i+1])
		}
		r := s.Call("makeLink", form)
		require.Equal(t, "Error: "+c.body, trackertest.Text(t, r))
		require.Equal(t, c.status, r.StatusCode, c.body)
		require.Equal(t, "text/plain; charset=utf-8", r.Header.Get("Content-Type"))
	}
	require.Len(t, s.Hashes(), before, "nothing was made")
	require.Equal(t, 201, s.Call("makeLink", trackertest.Values("external_url", "http://a.example", "host", "alt.example", "vanity_link", "taken")).StatusCode,
		"the same path may exist on two hosts")
	require.Equal(t, 201, s.Call("makeLink", trackertest.Values("external_url", "http://a.example", "vanity_link", "", "host", "", "alert_at", "", "is_active", "")).StatusCode,
		"empty counts as absent")
	require.Equal(t, 201, s.Call("makeLink", trackertest.Values("external_url", "http://a.example", "title", strings.Repeat("😀", 255), "notes", strings.Repeat("ü", 10000), "description", strings.Repeat("é", 2000), "group", strings.Repeat("İ", 255))).StatusCode,
		"lengths are in characters")
}

func anAccountTypeAllowsItsParameters(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{
		Hosts:    []string{"alt.example"},
		Accounts: linktrack.AccountOptions{Types: map[string]linktrack.AccountType{"titles": {Params: []string{"title"}}}},
	})
	for _, c := range []struct {
		typ, param, value string
		status            int
	}{
		{"free", "title", "x", 403},
		{"free", "title", "", 201},
		{"free", "is_active", "1", 403},
		{"free", "host", "go.example.com", 403},
		{"titles", "title", "x", 201},
		{"titles", "notes", "x", 403},
	} {
		a, p, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: c.typ})
		require.NoError(t, err)
		require.Len(t, a.Login, 25)
		r := s.Post("/api/v1_0/makeLink", trackertest.Values("login", a.Login, "pass", p, "external_url", "http://example.com", c.param, c.value))
		require.Equal(t, c.status, r.StatusCode, c)
		if c.status == 403 {
			require.Equal(t, "Error: not allowed: an account of type "+c.typ+" may not use "+c.param, trackertest.Text(t, r))
			links, err := s.Tracker.Links(t.Context(), a, linktrack.LinksQuery{})
			require.NoError(t, err)
			require.Empty(t, links)
		}
	}
	_, _, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: "gold"})
	require.ErrorContains(t, err, "type")
	a, p, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional, Hosts: []string{"ALT.example"}})
	require.NoError(t, err)
	r := s.Post("/api/v1_0/makeLink", trackertest.Values("login", a.Login, "pass", p, "external_url", "http://example.com"))
	require.Regexp(t, `^http://alt\.example/\.`, trackertest.Text(t, r), "the first host that the account may use")
	r = s.Post("/api/v1_0/makeLink", trackertest.Values("login", a.Login, "pass", p, "external_url", "http://example.com", "host", "go.example.com"))
	require.Equal(t, 400, r.StatusCode)
}

func rightCredentialsOnlyAreTaken(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	_, _, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: trackertest.Login})
	require.ErrorIs(t, err, linktrack.ErrTaken)
	for _, c := range []struct {
		login, pass string
		status      int
		body        string
	}{
		{"", "", 400, "login is missing"},
		{trackertest.Login, "", 400, "pass is missing"},
		{"", trackertest.Pass, 400, "login is missing"},
		{trackertest.Login, "wrong", 401, "login or pass is wrong"},
		{"unknown", trackertest.Pass, 401, "login or pass is wrong"},
		{strings.ToUpper(trackertest.Login), trackertest.Pass, 401, "login or pass is wrong"},
		{"\x00'\"\xff", "\x00", 401, "login or pass is wrong"},
		{strings.Repeat("x", 100000), trackertest.Pass, 401, "login or pass is wrong"},
	} {
		r := s.Post("/api/v1_0/makeLink", trackertest.Values("login", c.login, "pass", c.pass, "external_url", "http://example.com"))
		require.Equal(t, "Error: "+c.body, trackertest.Text(t, r))
		require.Equal(t, c.status, r.StatusCode)
		r = s.Post("/api/v1_0/getLinks", trackertest.Values("login", c.login, "pass", c.pass, "format", "json"))
		require.Equal(t, fmt.Sprintf(`{"error":{"code":%d,"message":"%s"}}`+"\n", c.status, c.body), trackertest.Text(t, r))
		require.Equal(t, c.status, r.StatusCode)
		if c.status == 401 {
			require.NotEmpty(t, r.Header.Get("WWW-Authenticate"))
		}
	}
	trackertest.SetDisabled(t, store, s.Account, true)
	r := s.Call("makeLink", trackertest.Values("external_url", "http://example.com"))
	require.Equal(t, "Error: not allowed: the account is switched off", trackertest.Text(t, r))
	require.Equal(t, 403, r.StatusCode)
}

// URL values that must survive whole, whatever the way in.
func destinationsStayAsTheyWereWritten(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	for _, u := range []string{
		"http://example.com/?a=1&b=2&amp;c=3", "http://example.com/a+b%20c", "http://example.com/%zz?100%", "http://example.com/;x=1;y",
		"https://example.com/ü?ö#ä", "http://example.com/'\"<>{}|^`", "http://example.com/" + strings.Repeat("é", 2038),
	} {
		link := trackertest.Text(t, s.Call("makeLink", trackertest.Values("external_url", u)))
		require.Equal(t, u, s.Link(link)["external_url"])
		location := s.Get(link).Header.Get("Location")
		got, err := url.PathUnescape(strings.ReplaceAll(location, "%zz?100%", "%25zz?100%25"))
		require.NoError(t, err)
		want, err := url.PathUnescape(strings.ReplaceAll(u, "%zz?100%", "%25zz?100%25"))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func rightCredentialsAreNotThrottledHoweverManyComeAtOnce(t *testing.T, store linktrack.Store) {
	s := trackertest.NewService(t, store, linktrack.Options{})
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { assert.Equal(t, 200, s.Call("getLinks", nil).StatusCode) })
	}
	wg.Wait()
}
