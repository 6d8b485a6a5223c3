package linktrack_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestARedirectHasItsHeaders(t *testing.T) {
	for name, c := range map[string]struct{ base, cookie string }{
		"plain":          {"http://go.example.com", "; Path=/spring; Max-Age=31536000; HttpOnly; SameSite=Lax"},
		"TLS":            {"https://go.example.com", "; Path=/spring; Max-Age=31536000; HttpOnly; SameSite=None; Secure"},
		"under a prefix": {"http://go.example.com/to/l", "; Path=/to/l/spring; Max-Age=31536000; HttpOnly; SameSite=Lax"},
	} {
		t.Run(name, func(t *testing.T) {
			s := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: c.base})
			s.MakeLink("vanity_link", "spring")
			link := c.base + "/spring"
			r := s.Get(link)
			require.Equal(t, http.StatusFound, r.StatusCode)
			require.Equal(t, "https://example.com/page", r.Header.Get("Location"))
			require.Equal(t, "private, no-store", r.Header.Get("Cache-Control"))
			require.Equal(t, "noindex", r.Header.Get("X-Robots-Tag"))
			require.Equal(t, "*", r.Header.Get("Access-Control-Allow-Origin"))
			require.Empty(t, trackertest.Text(t, r))
			cookie := r.Header.Get("Set-Cookie")
			require.True(t, strings.HasPrefix(cookie, "linktrack_visit=") && strings.HasSuffix(cookie, c.cookie), cookie)
			require.Len(t, r.Cookies(), 1)
			token := r.Cookies()[0].Value

			head := s.Do(trackertest.Request(http.MethodHead, link, ""))
			require.Equal(t, http.StatusFound, head.StatusCode)
			r.Header.Del("Set-Cookie") // a HEAD is no visit
			require.Equal(t, r.Header, head.Header)
			require.EqualValues(t, 1, s.Link("spring")["count_total"])

			again := s.Get(link, "Cookie", "other=1; linktrack_visit="+token+"; more=2")
			require.Equal(t, 302, again.StatusCode)
			require.EqualValues(t, 1, s.Link("spring")["count_unique"])
			require.EqualValues(t, 2, s.Link("spring")["count_total"])
		})
	}
}

func TestAPublicLinkMayBeIndexed(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	require.Empty(t, s.Get(s.MakeLink("is_public", "1")).Header.Get("X-Robots-Tag"))
}

func TestEveryPrefetchHeaderIsKnown(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	link := s.MakeLink()
	for _, header := range [][2]string{{"Sec-Purpose", "prefetch;prerender"}, {"Purpose", "prefetch"}, {"X-Moz", "prefetch"}, {"Sec-Purpose", "Prefetch"}} {
		r := s.Get(link, header[0], header[1])
		require.Equal(t, 302, r.StatusCode)
		require.Empty(t, r.Header.Get("Set-Cookie"))
	}
	s.Get(link, "Purpose", "fun")
	require.EqualValues(t, 1, s.Link(link)["count_total"])
}

func TestPathsForgiveWhatMailProgramsAdd(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	link := s.MakeLink("has_plus_tracking", "1")
	for _, end := range []string{".", ",", ";", ":", "!", ")", "]", "%7D", "%3E", "'", "%22", ").", "%3E.", "?utm=1", ".?utm=1", "/", "%20", "%00"} {
		require.Equal(t, 302, s.Get(link+end).StatusCode, end)
	}
	require.Equal(t, 302, s.Get(strings.ToUpper(link[len("http://go.example.com"):])).StatusCode)
	for _, end := range []string{"x", "..x", "-", "/x"} {
		require.Equal(t, 404, s.Get(link+end).StatusCode, end)
	}
	for _, plus := range []string{"+", "%2B", "%2b", "+.", "+?x=1"} {
		require.Equal(t, 200, s.Get(link+plus).StatusCode, plus)
	}
	require.EqualValues(t, 19, s.Link(link)["count_total"], "the + page does not count")
}

func TestHostAndPathIdentifyALink(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: "http://go.example.com", Hosts: []string{"alt.example", "dev.example:8081"}})
	s.MakeLink("vanity_link", "x", "external_url", "https://one.example")
	s.MakeLink("vanity_link", "x", "external_url", "https://two.example", "host", "alt.example")
	require.Equal(t, "http://dev.example:8081/y", s.MakeLink("vanity_link", "y", "external_url", "https://three.example", "host", "dev.example"))
	for target, want := range map[string]string{
		"http://go.example.com/x":     "https://one.example",
		"http://GO.example.com:80/X":  "https://one.example",
		"http://go.example.com:99/x":  "https://one.example",
		"http://go.example.com./x":    "https://one.example",
		"http://alt.example/x":        "https://two.example",
		"http://dev.example:8081/y":   "https://three.example",
		"http://dev.example/y":        "https://three.example",
		"http://dev.example:8081/x":   "",
		"http://other.example/x":      "",
		"http://xgo.example.com/x":    "",
		"http://192.0.2.1/x":          "",
		"http://[2001:db8::1]:8080/x": "",
	} {
		r := s.Get(target)
		require.Equal(t, want, r.Header.Get("Location"), target)
		require.Equal(t, map[bool]int{true: 302, false: 404}[want != ""], r.StatusCode, target)
	}
	alone := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: "http://localhost:8080"})
	alone.MakeLink("vanity_link", "x")
	require.Equal(t, 302, alone.Get("http://127.0.0.1:9999/x").StatusCode, "with one host, any name is taken for it")
}

func TestPagesOfLinksThatDoNotSimplyRedirect(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	const secret = "https://destination.example/secret"
	inactive := s.MakeLink("external_url", secret, "is_active", "0")
	used := s.MakeLink("external_url", secret, "deactivate_at", "1", "title", "Tickets <b>")
	protected := s.MakeLink("external_url", secret, "password", "letmein", "has_plus_tracking", "1", "title", "Protected")
	require.Equal(t, 302, s.Get(used).StatusCode)
	limited := s.MakeLink("external_url", secret, "deactivate_at", "1", "title", "Tickets <b>", "notes", "private note", "description", "private too")
	for _, c := range []struct {
		target, userAgent string
		status            int
		want              string
	}{
		{"/nope", trackertest.Firefox, 404, "This link does not exist"},
		{inactive, trackertest.Firefox, 410, "Its owner has switched it off."},
		{used, trackertest.Firefox, 410, "The number of visits that it was made for has been reached."},
		{used, trackertest.Googlebot, 410, "The number of visits that it was made for has been reached."},
		{limited, trackertest.Googlebot, 200, "Tickets &lt;b&gt;"},
		{protected, trackertest.Firefox, 200, `<input id="password" name="password" type="password"`},
		{protected + "+", trackertest.Firefox, 200, "Clicks in the last 24 hours"},
	} {
		r := s.Get(c.target, "User-Agent", c.userAgent)
		body := trackertest.Text(t, r)
		require.Equal(t, c.status, r.StatusCode, c.target)
		require.Contains(t, body, c.want)
		require.NotContains(t, body, "destination.example")
		require.NotContains(t, body, "private")
		require.Equal(t, "text/html; charset=utf-8", r.Header.Get("Content-Type"))
		require.Equal(t, "private, no-store", r.Header.Get("Cache-Control"))
		require.Equal(t, "noindex", r.Header.Get("X-Robots-Tag"))
		require.Contains(t, r.Header.Get("Content-Security-Policy"), "default-src 'none'")
		require.Empty(t, r.Header.Get("Set-Cookie"))
		require.Empty(t, r.Header.Get("Location"))
	}
	r := s.Get(limited, "Sec-Purpose", "prefetch", "User-Agent", trackertest.Firefox)
	require.Equal(t, 503, r.StatusCode)
	require.NotEmpty(t, r.Header.Get("Retry-After"))
	require.Equal(t, 302, s.Get(limited, "User-Agent", trackertest.Firefox).StatusCode, "nothing of that used the link up")
	require.EqualValues(t, 0, s.Link(limited)["is_active"], "and now it is")
}

func TestTheHandlerServesWhereTheHostMountsIt(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: "http://go.example.com/l"})
	stripped := http.NewServeMux()
	stripped.Handle("/l/", http.StripPrefix("/l", s.Tracker.Handler()))
	whole := http.NewServeMux()
	whole.Handle("/l/", s.Tracker.Handler())
	whole.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "the app") })
	for name, mux := range map[string]http.Handler{"stripped": stripped, "whole": whole} {
		s.Handler = mux
		r := s.Post("/l/api/v1_0/makeLink", trackertest.Values("login", trackertest.Login, "pass", trackertest.Pass, "external_url", "https://example.com/"))
		link := trackertest.Text(t, r)
		require.Regexp(t, `^http://go\.example\.com/l/\.[0-9a-z]{7}$`, link, name)
		require.Equal(t, 302, s.Get(link).StatusCode, name)
		require.Equal(t, 200, s.Get("/l/api/ping").StatusCode, name)
		require.Equal(t, 404, s.Get("/l/nope").StatusCode, name)
	}
	s.Handler = whole
	require.Equal(t, "the app", trackertest.Text(t, s.Get("/elsewhere")))
}

func TestMiddlewareHandsOnAllThatIsNotOurs(t *testing.T) {
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "app %s %s", r.Method, r.URL.Path) })
	s.MakeLink("vanity_link", "spring", "has_plus_tracking", "1")
	s.Handler = s.Tracker.Middleware(app)
	require.Equal(t, 302, s.Get("/spring").StatusCode)
	require.Equal(t, 200, s.Get("/api/ping").StatusCode)
	require.Equal(t, 405, s.Do(trackertest.Request("PUT", "/spring", "")).StatusCode)
	require.Contains(t, trackertest.Text(t, s.Get("/spring+")), "Unique visitors")
	for _, path := range []string{"/", "/about", "/spring/more", "/style.css", "/api/v2/things", "/api", "/.nothere", "/about+"} {
		require.Equal(t, "app GET "+path, trackertest.Text(t, s.Get(path)))
	}
	require.Equal(t, "app PUT /about", trackertest.Text(t, s.Do(trackertest.Request("PUT", "/about", ""))))
	require.Equal(t, "app GET /spring", trackertest.Text(t, s.Get("http://app.example/spring")), "another host of the app's")
	store.Down.Store(true)
	require.Equal(t, "app GET /unknown", trackertest.Text(t, s.Get("/unknown")), "the app's own pages go on")
	require.Equal(t, 503, s.Get("/.unknown").StatusCode)
}

func TestAnswersWhileTheStoreIsDown(t *testing.T) {
	var log trackertest.LogBuffer
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	link := s.MakeLink()
	require.Equal(t, 302, s.Get(link).StatusCode)
	store.Down.Store(true)
	require.Equal(t, 302, s.Get(link).StatusCode)
	for range 10 {
		r := s.Get("/unknown")
		require.Equal(t, 503, r.StatusCode)
		require.Equal(t, "1", r.Header.Get("Retry-After"))
		r = s.Call("makeLink", trackertest.Values("external_url", "https://example.com"))
		require.Equal(t, 503, r.StatusCode)
		require.Equal(t, "Error: the service is unavailable for the moment", trackertest.Text(t, r))
		require.Equal(t, "1", r.Header.Get("Retry-After"))
		r = s.Call("getLinks", trackertest.Values("format", "json"))
		require.Equal(t, `{"error":{"code":503,"message":"the service is unavailable for the moment"}}`+"\n", trackertest.Text(t, r))
	}
	require.Equal(t, 1, strings.Count(log.String(), "API calls fail"), log.String())
	require.Equal(t, 1, strings.Count(log.String(), "links cannot be looked up"))
	require.NotContains(t, log.String(), trackertest.Pass)
	store.Down.Store(false)
}

func TestACallerWhoWentAwayIsNoOutage(t *testing.T) {
	var log trackertest.LogBuffer
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	store.Hang.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	form := trackertest.Values("login", trackertest.Login, "pass", trackertest.Pass).Encode()
	s.Do(trackertest.Request(http.MethodPost, "/api/v1_0/getLinks", form, "Content-Type", "application/x-www-form-urlencoded").WithContext(ctx))
	store.Hang.Store(false)
	require.Empty(t, log.String())
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	for want, o := range map[string]linktrack.Options{
		`BaseURL must be an absolute http or https URL`: {BaseURL: "go.example.com"},
		`BaseURL must be an absolute`:                   {BaseURL: "https://u:p@go.example.com"},
		`Hosts has "a/b", which is not a host name`:     {Hosts: []string{"a/b"}},
		`Hosts has "localhost:8080" twice`:              {Hosts: []string{"localhost:8080"}},
		`PathLength must be from 5 to 32`:               {Links: linktrack.LinkOptions{PathLength: 4}},
		`Secret must have at least 16 bytes`:            {Secret: []byte("short")},
		`Schemes must not have "javascript"`:            {Links: linktrack.LinkOptions{Schemes: []string{"JavaScript"}}},
		`must not be negative`:                          {Recording: linktrack.RecordingOptions{AckTimeout: -1}},
	} {
		_, err := linktrack.New(memstore.New(), o)
		var inv *linktrack.InvalidError
		require.ErrorAs(t, err, &inv)
		require.ErrorContains(t, err, want)
	}
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
	require.NoError(t, err, "the zero value works")
	u, err := url.Parse(tracker.TrackingURL(linktrack.Link{Host: "localhost:8080", Path: ".x"}))
	require.NoError(t, err)
	require.Equal(t, "http://localhost:8080/.x", u.String())
}

func TestTheCookieComesBackForTheSpellingThatTheVisitorUses(t *testing.T) {
	for prefix, base := range map[string]string{"": "", "/to/l": "http://go.example.com/to/l"} {
		store := memstore.New()
		s := trackertest.NewService(t, store, linktrack.Options{BaseURL: base})
		s.MakeLink("vanity_link", "spring")
		generated := s.AddLink(linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
		name := generated.Path[1:]
		for target, path := range map[string]string{
			"/spring": "/spring", "/SPRING": "/SPRING", "/spring.": "/spring.", "/spring%22;": "/spring", "/spring,": "/spring",
			"/spring/": "/spring", "/Spring//": "/Spring", "/spring/%22": "/spring", "/spring/.": "/spring", "/spring/;": "/spring", "/spring/?a=b": "/spring",
			"/spring./": "/spring.", "/%22spring%22/": "/%22spring%22", "//spring/": "//spring", "/%22/spring/": "/%22/spring", "/%73pring/": "/%73pring",
			"/spring&a=/spring/": "/spring&a=",
			"/." + name:          "/." + name, "/." + name + "/": "/." + name, "/" + name: "/" + name, "/" + name + "/": "/" + name,
			"/.." + name: "/.." + name, "/.." + name + "/": "/.." + name,
		} {
			require.Contains(t, s.Get(prefix+target).Header.Get("Set-Cookie"), "; Path="+prefix+path+"; ", target)
		}
	}
}

func TestNothingHoldsABrowserBackBehindThePasswordForm(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	policy := s.Get(s.MakeLink("password", "x")).Header.Get("Content-Security-Policy")
	require.NotContains(t, policy, "form-action", "browsers apply it to the redirect that answers the form")
	link := s.MakeLink("password", "x")
	r := s.Post(link+"?password=x", trackertest.Values("other", "y"))
	require.Equal(t, 403, r.StatusCode, "a password belongs in the body, not in the history")
}

func TestAPageInPlaceOfAPublicLinkIsNotIndexed(t *testing.T) {
	store := &trackertest.FaultyStore{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	public := func(pairs ...string) string { return s.MakeLink(append(pairs, "is_public", "1")...) }
	usedUp, limited := public("deactivate_at", "1"), public("deactivate_at", "5")
	require.Equal(t, http.StatusFound, s.Get(usedUp).StatusCode)
	require.Equal(t, http.StatusFound, s.Get(limited).StatusCode)
	protected := public("password", "open sesame")
	wrong := func() *http.Response { return s.Post(protected, trackertest.Values("password", "wrong")) }
	store.Down.Store(true)
	unavailable := s.Get(limited)
	store.Down.Store(false)
	pages := map[string]*http.Response{
		"410 inactive":     s.Get(public("is_active", "0")),
		"410 used up":      s.Get(usedUp),
		"200 the password": s.Get(protected),
		"403 wrong":        wrong(),
		"503 unavailable":  unavailable,
		"404 none":         s.Get("/none"),
	}
	for range 5 {
		pages["429 throttled"] = wrong()
	}
	for name, r := range pages {
		require.Equal(t, name[:3], fmt.Sprint(r.StatusCode), name)
		require.Equal(t, "noindex", r.Header.Get("X-Robots-Tag"), name)
	}
}
