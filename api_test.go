package linktrack_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestMakeLinkAnswers201AndTheLinkAndNothingElse(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{})
		r := s.Get("/api/v1_0/makeLink?login=" + trackertest.Login + "&pass=" + trackertest.Pass + "&external_url=http://www.google.com")
		require.Equal(t, http.StatusCreated, r.StatusCode)
		require.Equal(t, "text/plain; charset=utf-8", r.Header.Get("Content-Type"))
		body := trackertest.Text(t, r)
		require.Regexp(t, `^http://go\.example\.com/\.[0-9a-z]{7}$`, body)
		again := trackertest.Text(t, s.Get("/api/v1_0/makeLink?login="+trackertest.Login+"&pass="+trackertest.Pass+"&external_url=http://www.google.com"))
		require.NotEqual(t, body, again, "every call makes a new link")
		require.Len(t, s.Hashes(), 2)
	})
}

func TestMakeLinkTakesEveryDocumentedParameter(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
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
	})
}

func TestParametersComeByQueryFormMultipartAndBasicAuth(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	t.Run("the query string counts on POST too, the body before it", func(t *testing.T) {
		r := s.Post("/api/v1_0/makeLink?login="+trackertest.Login+"&pass="+trackertest.Pass+"&title=query&notes=query",
			trackertest.Values("external_url", "http://example.com", "title", "body"))
		require.Equal(t, 201, r.StatusCode)
		l := s.Link(trackertest.Text(t, r))
		require.Equal(t, "body", l["title"])
		require.Equal(t, "query", l["notes"])
	})
	t.Run("multipart", func(t *testing.T) {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for name, value := range map[string]string{"login": trackertest.Login, "pass": trackertest.Pass, "external_url": "http://example.com/?a=1&b=2", "title": "Ünï"} {
			require.NoError(t, m.WriteField(name, value))
		}
		f, err := m.CreateFormFile("notes", "notes.txt")
		require.NoError(t, err)
		f.Write([]byte("a file is no parameter"))
		require.NoError(t, m.Close())
		r := s.Do(trackertest.Request(http.MethodPost, "/api/v1_0/makeLink", b.String(), "Content-Type", m.FormDataContentType()))
		require.Equal(t, 201, r.StatusCode)
		l := s.Link(trackertest.Text(t, r))
		require.Equal(t, "http://example.com/?a=1&b=2", l["external_url"])
		require.Equal(t, "Ünï", l["title"])
		require.Nil(t, l["notes"])
	})
	t.Run("Basic", func(t *testing.T) {
		r := trackertest.Request(http.MethodGet, "/api/v1_0/makeLink?external_url=http://example.com/?a&b=1", "")
		r.SetBasicAuth(trackertest.Login, trackertest.Pass)
		w := s.Do(r)
		require.Equal(t, 201, w.StatusCode)
		require.Equal(t, "http://example.com/?a&b=1", s.Link(trackertest.Text(t, w))["external_url"])
	})
	t.Run("parameters nobody knows are ignored", func(t *testing.T) {
		require.Equal(t, 201, s.Call("makeLink", trackertest.Values("external_url", "http://example.com", "colour", "red")).StatusCode)
	})
}

func TestAnErrorOfMakeLinkIsOnePlainLineThatNamesTheRule(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
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
	})
}

func TestOtherParametersOnGETAreRefusedAndNothingIsMade(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	credentials := "login=" + trackertest.Login + "&pass=" + trackertest.Pass
	r := s.Get("/api/v1_0/makeLink?" + credentials + "&external_url=http%3A%2F%2Fexample.com&password=x")
	require.Equal(t, 400, r.StatusCode)
	require.Equal(t, "Error: password is taken with POST only", trackertest.Text(t, r))
	require.Equal(t, 400, s.Get("/api/v1_0/makeLink?"+credentials+"&password=x&external_url=http://example.com").StatusCode)
	require.Empty(t, s.Hashes())
	r = s.Get("/api/v1_0/makeLink?" + credentials + "&external_url=http://example.com/?x=1&password=x")
	require.Equal(t, 201, r.StatusCode, "behind a pasted URL it is part of the URL")
	require.Equal(t, "http://example.com/?x=1&password=x", s.Link(trackertest.Text(t, r))["external_url"])
	require.Equal(t, 201, s.Get("/api/v1_0/makeLink?"+credentials+"&external_url=http%3A%2F%2Fexample.com&password=").StatusCode)
}

func TestAccountTypes(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
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
	})
}

func TestCredentials(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
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
	})
}

func TestRepeatedFailuresAreThrottledPerLoginAndClient(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	try := func(client, login, pass string) *http.Response {
		r := trackertest.Request(http.MethodPost, "/api/v1_0/getLinks", trackertest.Values("login", login, "pass", pass).Encode(), "Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr = client + ":1234"
		return s.Do(r)
	}
	for range 10 {
		require.Equal(t, 401, try("192.0.2.1", trackertest.Login, "wrong").StatusCode)
	}
	r := try("192.0.2.1", trackertest.Login, trackertest.Pass)
	require.Equal(t, 429, r.StatusCode, "even with the right pass")
	require.Regexp(t, `^[1-9][0-9]?$`, r.Header.Get("Retry-After"))
	require.Equal(t, 200, try("192.0.2.2", trackertest.Login, trackertest.Pass).StatusCode, "another client is not locked out")
	for i := range 60 {
		status := try("192.0.2.3", fmt.Sprint("login", i), "wrong").StatusCode
		require.Equal(t, map[bool]int{true: 401, false: 429}[i < 50], status, i)
	}
	require.Equal(t, 429, try("192.0.2.3", trackertest.Login, trackertest.Pass).StatusCode)
	for range 200 {
		require.Equal(t, 200, try("192.0.2.4", trackertest.Login, trackertest.Pass).StatusCode, "success is never throttled")
	}
	require.Equal(t, 401, try("[2001:db8::1]", trackertest.Login, "wrong").StatusCode)
}

func TestAHostsOwnCheckOfCredentials(t *testing.T) {
	var checked string
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{
		BaseURL: "http://go.example.com",
		Accounts: linktrack.AccountOptions{Authenticate: func(_ context.Context, login, pass string) (linktrack.Account, error) {
			checked = login
			switch pass {
			case "right":
				return linktrack.Account{ID: 42, Type: linktrack.AccountTypeFree}, nil
			case "down":
				return linktrack.Account{}, errors.New("secret detail")
			}
			return linktrack.Account{}, fmt.Errorf("user 7: %w", linktrack.ErrUnauthorized)
		}},
	})
	require.NoError(t, err)
	s := &trackertest.Service{T: t, Tracker: tracker, Handler: tracker.Handler()}
	for pass, want := range map[string]string{
		"right": "201 http://go.example.com/",
		"wrong": "401 Error: login or pass is wrong",
		"down":  "503 Error: the service is unavailable for the moment",
	} {
		r := s.Post("/api/v1_0/makeLink", trackertest.Values("login", "me", "pass", pass, "external_url", "http://example.com"))
		require.Equal(t, want, strings.Split(fmt.Sprint(r.StatusCode, " ", trackertest.Text(t, r)), ".com/")[0]+map[bool]string{true: ".com/"}[pass == "right"])
	}
	require.Equal(t, "me", checked)
}

func TestMethodsAndUnknownPaths(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	link := s.MakeLink("vanity_link", "there")
	protected := s.MakeLink("password", "x")
	summary := s.MakeLink("has_plus_tracking", "1")
	for _, c := range []struct {
		method, target string
		status         int
		allow          string
	}{
		{"PUT", "/api/v1_0/makeLink", 405, "GET, POST"},
		{"HEAD", "/api/v1_0/makeLink", 405, "GET, POST"},
		{"DELETE", "/api/v1_0/getLink", 405, "GET, POST"},
		{"OPTIONS", "/api/v1_0/getLinks", 405, "GET, POST"},
		{"PATCH", "/api/v1_0/getLinkHistory", 405, "GET, POST"},
		{"POST", "/api/ping", 405, "GET, HEAD"},
		{"POST", link, 405, "GET, HEAD"},
		{"DELETE", link, 405, "GET, HEAD"},
		{"PUT", protected, 405, "GET, HEAD, POST"},
		{"POST", summary + "+", 405, "GET, HEAD"},
		{"GET", "/", 404, ""},
		{"GET", "/api", 404, ""},
		{"GET", "/api/", 404, ""},
		{"GET", "/api/v1_0", 404, ""},
		{"GET", "/api/v1_0/makelink", 404, ""},
		{"GET", "/api/v1_0/makeLink/", 404, ""},
		{"GET", "/api/v2_0/makeLink", 404, ""},
		{"GET", "/favicon.ico", 404, ""},
		{"GET", "/robots.txt", 404, ""},
		{"GET", "/not_there", 404, ""},
		{"POST", "/not_there", 404, ""},
		{"GET", "/there/more", 404, ""},
		{"GET", "/there+", 404, ""},
		{"GET", "/.there", 404, ""},
	} {
		r := s.Do(trackertest.Request(c.method, c.target, ""))
		require.Equal(t, c.status, r.StatusCode, "%s %s", c.method, c.target)
		require.Equal(t, c.allow, r.Header.Get("Allow"), "%s %s", c.method, c.target)
	}
}

func TestPing(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: "https://Go.Example.com:8443/l"})
	r := s.Get("/api/ping")
	require.Equal(t, 200, r.StatusCode)
	require.Regexp(t, regexp.MustCompile(`^go\.example\.com \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[56]:00$`), trackertest.Text(t, r))
	require.Equal(t, "text/plain; charset=utf-8", r.Header.Get("Content-Type"))
	_, stamp, _ := strings.Cut(trackertest.Text(t, s.Get("/api/ping")), " ")
	at, err := time.Parse(time.RFC3339, stamp)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, 10*time.Second)
}

func TestGetLinkAcceptsEveryWayToNameALink(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{Hosts: []string{"alt.example"}})
		made := s.MakeLink()
		path := strings.TrimPrefix(made, "http://go.example.com/")
		vanity := s.MakeLink("vanity_link", "My_vanity")
		for _, name := range []string{path, path[1:], strings.ToUpper(path), made, "https://go.example.com/" + path, "go.example.com/" + path, "/" + path, " " + path + " ", made + "+"} {
			require.Equal(t, made, s.Link(name)["link"], name)
		}
		for _, name := range []string{"My_vanity", "MY_VANITY", ".my_vanity", vanity} {
			require.Equal(t, vanity, s.Link(name)["link"], name)
		}
		for _, name := range []string{"nope", "http://other.example/" + path, "http://alt.example/" + path, "a/b/" + path, "äöü", "%", "\x00", strings.Repeat("x", 5000), "+", "."} {
			r := s.Call("getLink", trackertest.Values("redirect_hash", name))
			require.Equal(t, 404, r.StatusCode, name)
			require.Equal(t, xml.Header+"<error><code>404</code><message>not found</message></error>\n", trackertest.Text(t, r))
		}
		on2 := s.MakeLink("vanity_link", "my_vanity", "host", "alt.example")
		for _, call := range []string{"getLink", "getLinkHistory", "getReport", "exportHistory"} {
			for _, name := range []string{"my_vanity", "/MY_VANITY"} {
				r := s.Call(call, trackertest.Values("redirect_hash", name, "format", "json"))
				require.Equal(t, 400, r.StatusCode, "%s %s", call, name)
				require.Contains(t, trackertest.Text(t, r), `"message":"redirect_hash must be the whole tracking URL, such as `+vanity+`, because the account has links with this path on several hosts"`)
			}
			require.Equal(t, 200, s.Call(call, trackertest.Values("redirect_hash", on2, "format", "json")).StatusCode, call)
		}
		require.Equal(t, vanity, s.Link(vanity)["link"])
		require.Equal(t, on2, s.Link("http://alt.example/my_vanity")["link"])
	})
}

func TestGetLinkWithoutAHashIsGetLinks(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	s.MakeLink("title", "b")
	s.MakeLink("title", "a")
	r := s.Get("/api/v1_0/getLink?login=" + trackertest.Login + "&pass=" + trackertest.Pass + "&sort=d.title&order=ASC")
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, "application/xml; charset=utf-8", r.Header.Get("Content-Type"))
	var document struct {
		XMLName xml.Name `xml:"links"`
		Titles  []string `xml:"link>title"`
	}
	require.NoError(t, xml.Unmarshal([]byte(trackertest.Text(t, r)), &document))
	require.Equal(t, []string{"a", "b"}, document.Titles)
}

func TestGetLinksSortsFiltersAndLimits(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{})
		s.MakeLink("vanity_link", "one", "external_url", "http://c.example", "title", "Zebra", "group", "News")
		s.MakeLink("vanity_link", "Two", "external_url", "http://a.example", "title", "apple", "group", "news")
		s.MakeLink("vanity_link", "three", "external_url", "http://b.example")
		for range 3 {
			s.Get("/two")
		}
		s.Get("/three")
		for sort, want := range map[string]string{
			"l.external_url":  "Two three one",
			"l.redirect_hash": "one three Two",
			"l.created_at":    "one Two three",
			"lc.count_day":    "one three Two",
			"lc.count_total":  "one three Two",
			"lc.updated_at":   "one Two three",
			"d.title":         "three one Two",
			"g.name":          "three one Two",
		} {
			require.Equal(t, strings.Fields(want), s.Hashes("sort", sort, "order", "asc"), sort)
			backwards := strings.Fields(want)
			for i, j := 0, len(backwards)-1; i < j; i, j = i+1, j-1 {
				backwards[i], backwards[j] = backwards[j], backwards[i]
			}
			require.Equal(t, backwards, s.Hashes("sort", sort, "order", "DESC"), sort)
			require.Equal(t, backwards[:2], s.Hashes("sort", sort, "limit", "2"), sort)
		}
		require.Equal(t, []string{"three", "Two", "one"}, s.Hashes(), "the newest first")
		require.Equal(t, []string{"Two", "one"}, s.Hashes("links", " ONE, .two ,nope,one"))
		require.Equal(t, []string{"Two", "one"}, s.Hashes("groups", "x, NEWS"))
		require.Equal(t, []string{"one"}, s.Hashes("groups", "news", "links", "one,three"), "both must hold")
		require.Empty(t, s.Hashes("links", "nope"))
		require.Empty(t, s.Hashes("groups", "nope"))
		s.MakeLink("vanity_link", "comma", "external_url", "http://d.example", "group", `Berlin, "Summer"`)
		require.Equal(t, []string{"comma"}, s.Hashes("groups", `nope, "berlin, ""summer"""`), "a group with a comma can be asked for")
		require.Equal(t, []string{"comma", "Two", "one"}, s.Hashes("groups", `"Berlin, ""Summer""",news`))
		require.Equal(t, []string{"comma", "Two"}, s.Hashes("links", `"comma", ".two"`))
		require.Equal(t, "News", s.Link("two")["group"], "a group keeps the name it was made with")
		for pairs, want := range map[[2]string]string{
			{"sort", "title"}:                         "sort must be one of l.external_url, l.redirect_hash, l.created_at, lc.count_day, lc.count_total, lc.updated_at, d.title, g.name",
			{"sort", "l.created_at; DROP TABLE link"}: "sort must be one of l.external_url, l.redirect_hash, l.created_at, lc.count_day, lc.count_total, lc.updated_at, d.title, g.name",
			{"order", "up"}:                           "order must be asc or desc",
			{"limit", "0"}:                            "limit must be a number from 1 to 1000",
			{"limit", "1001"}:                         "limit must be a number from 1 to 1000",
			{"links", strings.Repeat("a,", 1001)}:     "links must have at most 1000 items",
			{"groups", strings.Repeat("a,", 1001)}:    "groups must have at most 1000 items",
			{"links", `"one`}:                         "links has an unclosed quotation mark",
			{"groups", `"News" x`}:                    "groups has text after a closing quotation mark",
			{"format", "jsonp"}:                       "format must be xml or json",
		} {
			r := s.Call("getLinks", trackertest.Values(pairs[0], pairs[1]))
			require.Equal(t, 400, r.StatusCode)
			require.Equal(t, xml.Header+"<error><code>400</code><message>"+want+"</message></error>\n", trackertest.Text(t, r))
		}
	})
}

func TestAnAccountSeesItsOwnLinksOnly(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{})
		s.MakeLink("vanity_link", "mine", "group", "g")
		other, otherPass, err := s.Tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
		require.NoError(t, err)
		as := func(name string, pairs ...string) *http.Response {
			return s.Post("/api/v1_0/"+name, trackertest.Values(append([]string{"login", other.Login, "pass", otherPass, "format", "json"}, pairs...)...))
		}
		for _, name := range []string{"getLink", "getLinkHistory"} {
			r := as(name, "redirect_hash", "mine")
			require.Equal(t, 404, r.StatusCode)
			mine := trackertest.Text(t, r)
			require.Equal(t, mine, trackertest.Text(t, as(name, "redirect_hash", "does_not_exist")), "as if it did not exist")
		}
		require.Equal(t, `{"links":[]}`+"\n", trackertest.Text(t, as("getLinks")))
		require.Equal(t, `{"links":[]}`+"\n", trackertest.Text(t, as("getLinks", "links", "mine")))
		require.Equal(t, `{"links":[]}`+"\n", trackertest.Text(t, as("getLinks", "groups", "g")))
		_, err = s.Tracker.UpdateLink(t.Context(), other, "mine", func(e *linktrack.LinkEdit) { e.Title = "x" })
		require.ErrorIs(t, err, linktrack.ErrNotFound)
		require.Equal(t, 409, as("makeLink", "external_url", "http://example.com", "vanity_link", "MINE").StatusCode)
	})
}

func TestHistory(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{})
		s.MakeLink("vanity_link", "spring")
		for i := range 5 {
			r := trackertest.Request(http.MethodGet, fmt.Sprintf("/spring?n=%d&x=%%zz", i), "",
				"User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
				"Referer", "https://News.example.org:8080/a?b=c")
			r.RemoteAddr = "192.0.2.7:1234"
			require.Equal(t, 302, s.Do(r).StatusCode)
		}
		s.Get("/spring", "User-Agent", "Googlebot/2.1 (+http://www.google.com/bot.html)")
		items := s.History("spring")
		require.Len(t, items, 6)
		require.Equal(t, 1.0, items[0]["is_bot"])
		require.Equal(t, 0.0, items[0]["is_unique"])
		first := items[5]
		_, ok := linktrack.ParseClickID(first["id"].(string))
		require.True(t, ok)
		delete(first, "id")
		delete(first, "created_at")
		require.Equal(t, map[string]any{
			"ip_address": "192.0.2.0", "referrer": "https://News.example.org:8080/a?b=c", "referrer_host": "news.example.org",
			"user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
			"browser":    "Firefox", "platform": "Windows", "is_unique": 1.0, "is_bot": 0.0, "query": "n=0&x=%zz",
		}, first)
		l := s.Link("spring")
		require.Equal(t, []any{5.0, 5.0, 5.0, 1.0}, []any{l["count_total"], l["count_unique"], l["count_day"], l["count_bot"]})
		require.NotNil(t, l["updated_at"])

		asc := s.History("spring", "order", "asc")
		require.Equal(t, items[0]["query"], asc[5]["query"])
		var paged []any
		after := ""
		for range 3 {
			page := s.History("spring", "order", "asc", "limit", "2", "after", after)
			for _, item := range page {
				paged = append(paged, item["id"])
			}
			after = page[len(page)-1]["id"].(string)
		}
		for i := range asc {
			require.Equal(t, asc[i]["id"], paged[i])
		}
		require.Len(t, s.History("spring", "before", asc[2]["id"].(string)), 2)

		today := time.Now().In(trackertest.Chicago(t))
		day := func(n int) string { return today.AddDate(0, 0, n).Format("2006-01-02") }
		require.Len(t, s.History("spring", "start_date", day(-30)), 6)
		require.Len(t, s.History("spring", "start_date", day(0)), 6)
		require.Empty(t, s.History("spring", "start_date", day(1)))
		require.Empty(t, s.History("spring", "end_date", day(0)))
		require.Empty(t, s.History("spring", "start_date", day(-2), "end_date", day(-1)))
		require.Empty(t, s.History("spring", "start_date", day(-1), "end_date", day(-2)), "end before start")
		require.Len(t, s.History("spring", "end_date", today.Add(time.Hour).Format("2006-01-02 15:04:05")), 6)
		for pairs, want := range map[[2]string]string{
			{"start_date", day(-32)}:   "start_date must not be more than 30 days back",
			{"start_date", "x"}:        "start_date must be a time such as",
			{"end_date", "2024-11-31"}: "end_date must be a time such as",
			{"sort", "l.created_at"}:   "sort must be h.created_at",
			{"limit", "1001"}:          "limit must be a number from 1 to 1000",
			{"before", "5"}:            "before must be the id of a click",
			{"order", "x"}:             "order must be asc or desc",
		} {
			r := s.Call("getLinkHistory", trackertest.Values("redirect_hash", "spring", pairs[0], pairs[1]))
			require.Equal(t, 400, r.StatusCode)
			require.Contains(t, trackertest.Text(t, r), want)
		}
		r := s.Call("getLinkHistory", nil)
		require.Equal(t, 400, r.StatusCode)
		require.Contains(t, trackertest.Text(t, r), "redirect_hash is missing")
		require.Equal(t, 200, s.Call("getLinkHistory", trackertest.Values("redirect_hash", "spring", "sort", "h.created_at")).StatusCode)
	})
}

func TestUpdateLinkKeepsTheRulesOfMakeLink(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{})
		s.MakeLink("vanity_link", "spring", "title", "Old", "group", "g")
		require.Equal(t, "https://example.com/page", s.Get("/spring").Header.Get("Location"))
		const destination = "https://example.org/new"
		l, err := s.Tracker.UpdateLink(t.Context(), s.Account, "spring", func(e *linktrack.LinkEdit) {
			e.ExternalURL, e.Title, e.Group = destination, "New", ""
		})
		require.NoError(t, err)
		require.Equal(t, "New", l.Title)
		require.EqualValues(t, 1, l.Counts.People)
		require.Equal(t, destination, s.Get("/spring").Header.Get("Location"), "an edit is seen at once")
		require.Nil(t, s.Link("spring")["group"])
		for want, edit := range map[string]func(*linktrack.LinkEdit){
			"external_url is missing":                    func(e *linktrack.LinkEdit) { e.ExternalURL = "" },
			"title must have at most 255 characters":     func(e *linktrack.LinkEdit) { e.Title = strings.Repeat("x", 256) },
			"deactivate_at must be a whole number":       func(e *linktrack.LinkEdit) { e.DeactivateAt = -1 },
			"external_url must begin with http:// or":    func(e *linktrack.LinkEdit) { e.ExternalURL, e.Title = "javascript://x", "changed" },
			"password must have at most 1000 bytes":      func(e *linktrack.LinkEdit) { e.Password = new(strings.Repeat("x", 1001)) },
			"expires_at must be a year from 1970 to 999": func(e *linktrack.LinkEdit) { e.ExpiresAt = time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC) },
		} {
			_, err := s.Tracker.UpdateLink(t.Context(), s.Account, "spring", edit)
			if strings.HasPrefix(want, "external_url must begin") {
				want = "external_url must not use the scheme javascript"
			}
			require.ErrorContains(t, err, want)
		}
		require.Equal(t, "New", s.Link("spring")["title"], "nothing is half done")
		_, err = s.Tracker.UpdateLink(t.Context(), s.Account, "spring", func(e *linktrack.LinkEdit) { e.Password = new("secret") })
		require.NoError(t, err)
		require.Equal(t, 200, s.Get("/spring").StatusCode)
		_, err = s.Tracker.UpdateLink(t.Context(), s.Account, "spring", func(e *linktrack.LinkEdit) {
			e.Password, e.ExpiresAt = new(""), time.Now().Add(-time.Second)
		})
		require.NoError(t, err)
		require.Equal(t, 410, s.Get("/spring").StatusCode)
		_, err = s.Tracker.UpdateLink(t.Context(), s.Account, "spring", func(e *linktrack.LinkEdit) { e.ExpiresAt = time.Time{} })
		require.NoError(t, err)
		require.Equal(t, 302, s.Get("/spring").StatusCode)
	})
}

// URL values that must survive whole, whatever the way in.
func TestDestinationsStayAsTheyWereWritten(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
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
	})
}

func TestErrorsAboutTheBodyOrTheMethodComeInTheFormatAskedFor(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	target := "/api/v1_0/getLinks?format=json&login=" + trackertest.Login + "&pass=" + trackertest.Pass
	for _, c := range []struct {
		method, contentType, body string
		status                    int
	}{
		{"POST", "application/json", "{}", 415},
		{"POST", "application/x-www-form-urlencoded", strings.Repeat("x", 1<<20+1), 413},
		{"PUT", "", "", 405},
	} {
		r := s.Do(trackertest.Request(c.method, target, c.body, "Content-Type", c.contentType))
		require.Equal(t, c.status, r.StatusCode)
		require.True(t, strings.HasPrefix(trackertest.Text(t, r), fmt.Sprintf(`{"error":{"code":%d,`, c.status)))
	}
}

func TestAWrongMethodIsRefusedInTheFormatAskedForAndCallsNothing(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	const inJSON = `{"error":{"code":405,"message":"method not allowed"}}`
	for target, want := range map[string]string{
		"GET /api/v1_0/conversion?format=json&":    inJSON,
		"PUT /api/v1_0/exportHistory?format=json&": inJSON,
		"PUT /api/v1_0/exportHistory?":             "Error: method not allowed",
		"PUT /api/v1_0/getOptOutLink?":             "Error: method not allowed",
		"PUT /api/v1_0/makeLink?format=json&":      "Error: method not allowed",
	} {
		method, path, _ := strings.Cut(target, " ")
		r := s.Do(trackertest.Request(method, path+"login="+trackertest.Login+"&pass="+trackertest.Pass, ""))
		require.Equal(t, 405, r.StatusCode, target)
		require.Equal(t, want, strings.TrimSpace(trackertest.Text(t, r)), target)
	}
}

func TestAListOfNothingMatchesNothing(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	s.MakeLink()
	require.Empty(t, s.Hashes("links", ","))
	require.Empty(t, s.Hashes("groups", " , "))
	require.Len(t, s.Hashes("links", "", "groups", ""), 1, "empty is absent")
}

func TestRightCredentialsAreNotThrottledHoweverManyComeAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{})
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { assert.Equal(t, 200, s.Call("getLinks", nil).StatusCode) })
		}
		wg.Wait()
	})
}

func TestClientsAreToldApartHoweverTheirAddressIsWritten(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Privacy: linktrack.Privacy{IP: linktrack.KeepIPWhole}})
	link := s.MakeLink()
	for address, want := range map[string]any{
		"192.0.2.7:1234": "192.0.2.7", "192.0.2.8": "192.0.2.8", "[2001:db8::1]:80": "2001:db8::1",
		"2001:db8:0:2::": "2001:db8:0:2::", "[::ffff:192.0.2.9]:1": "192.0.2.9", "@": nil, "": nil,
	} {
		r := trackertest.Request(http.MethodGet, link, "")
		r.RemoteAddr = address
		require.Equal(t, 302, s.Do(r).StatusCode)
		require.Equal(t, want, s.History(link)[0]["ip_address"], address)
		for range 10 {
			r := trackertest.Request(http.MethodGet, "/api/v1_0/getLinks?login="+trackertest.Login+"&pass=wrong", "")
			r.RemoteAddr = address
			require.Equal(t, 401, s.Do(r).StatusCode, address)
		}
	}
}

func TestALinkIsFoundByACopiedAddress(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	link := s.MakeLink()
	for _, copied := range []string{link + "?utm=1", link + "/", link + "#x", link + "."} {
		require.Equal(t, link, s.Link(copied)["link"])
	}
}

func TestAHostsOwnMessageIsPutOnOneLine(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{CheckDestination: func(context.Context, string) error {
		return errors.New("it is listed\r\n\tby one list\n\nand  another\n")
	}}})
	const want = "not allowed: external_url is refused: it is listed by one list and another"
	require.Equal(t, "Error: "+want, trackertest.Text(t, s.Call("makeLink", trackertest.Values("external_url", "https://spam.example/"))))
	_, _, err := s.Tracker.MakeAnonymousLink(t.Context(), "192.0.2.1", "https://spam.example/")
	require.ErrorContains(t, err, "\n", "to a host its own text comes as it is")
}
