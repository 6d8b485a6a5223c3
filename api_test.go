package linktrack_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

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
	t.Run("unknown parameters are ignored", func(t *testing.T) {
		require.Equal(t, 201, s.Call("makeLink", trackertest.Values("external_url", "http://example.com", "colour", "red")).StatusCode)
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
