package program

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/pages"
)

// serving returns the service of a config, with a link at /known.
func serving(t *testing.T, c config) http.Handler {
	t.Helper()
	to, err := newElsewhere(c)
	require.NoError(t, err)
	visitors, err := pages.ForVisitors(pages.Options{})
	require.NoError(t, err)
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: c.baseURL, Hosts: c.hosts, Visitors: linktrack.VisitorOptions{Pages: to.wrap(visitors)}, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { tracker.Close(context.Background()) })
	a, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Type: linktrack.AccountTypeProfessional})
	require.NoError(t, err)
	_, err = tracker.MakeLink(t.Context(), a, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}, VanityLink: "known"})
	require.NoError(t, err)
	handler, err := withPages(tracker, c, to, pages.Options{})
	require.NoError(t, err)
	return handler
}

func TestTheRootAndPathsThatDoNotExistLeadWhereTheFlagsSay(t *testing.T) {
	const base, below, home, gone = "https://go.example.com", "https://go.example.com/l", "https://www.example.com/", "https://www.example.com/gone?from=links"
	for name, tt := range map[string]struct {
		config config
		want   map[string]string // the Location or the status, by the requested path
	}{
		"by default": {config{baseURL: base}, map[string]string{
			"/": "/account/", "/known": "https://example.com/", "/none": "404", "/none+": "404", "/account/login": "200",
		}},
		"below a path": {config{baseURL: below}, map[string]string{
			"/": "/l/account/", "/l": "/l/account/", "/l/": "/l/account/", "/l/known": "https://example.com/", "/l/none": "404", "/none": "404",
		}},
		"with a front page": {config{baseURL: base, anonymousLinks: true}, map[string]string{"/": "200", "/account/quick": "200"}},
		"with a front page below a path": {config{baseURL: below, anonymousLinks: true}, map[string]string{
			"/l/": "200", "/l": "/l/account/", "/": "/l/account/",
		}},
		"with a home": {config{baseURL: base, home: home}, map[string]string{"/": home, "/none": "404", "/account/login": "200", "/known": "https://example.com/"}},
		"with a home and a page for anonymous links": {config{baseURL: base, home: home, anonymousLinks: true}, map[string]string{"/": home, "/account/quick": "200"}},
		"with a home below a path": {config{baseURL: below, home: "https://go.example.com/"}, map[string]string{
			"/l/": "https://go.example.com/", "/l": "https://go.example.com/", "/": "/l/account/",
		}},
		"with a home at a link": {config{baseURL: base, home: base + "/known"}, map[string]string{"/": base + "/known", "/known": "https://example.com/"}},
		"with a place for unknown paths": {config{baseURL: base, notFound: gone}, map[string]string{
			"/": "/account/", "/none": gone, "/none+": gone, "/none.qr": gone, "/a/b/c": gone, "/.f2jt": gone, "/%00": gone,
			"/known": "https://example.com/", "/api/v1_0/none": "404", "/api/none": "404", "/robots.txt": "404", "/favicon.ico": "404",
			"/.well-known/security.txt": "404", "/account/none": "404",
		}},
		"with the root for unknown paths":  {config{baseURL: base, notFound: base}, map[string]string{"/none": base, "/": "/account/"}},
		"with the pages for unknown paths": {config{baseURL: below, notFound: below + "/account/"}, map[string]string{"/l/none": below + "/account/"}},
		"with a page outside the base for unknown paths": {config{baseURL: below, notFound: base + "/gone"}, map[string]string{
			"/l/none": base + "/gone", "/l/gone": base + "/gone", "/gone": "404",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			handler := serving(t, tt.config)
			for path, want := range tt.want {
				for _, method := range []string{http.MethodGet, http.MethodHead} {
					w := httptest.NewRecorder()
					r := httptest.NewRequest(method, "https://go.example.com"+path, nil)
					r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0")
					handler.ServeHTTP(w, r)
					got := http.StatusText(w.Code)
					if w.Code == http.StatusFound {
						got = w.Header().Get("Location")
						assert.Contains(t, w.Header().Get("Cache-Control"), "no-store", "%s %s", method, path)
					}
					if code := map[string]int{"200": 200, "404": 404}[want]; code != 0 {
						assert.Equal(t, code, w.Code, "%s %s", method, path)
						continue
					}
					assert.Equal(t, want, got, "%s %s", method, path)
				}
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "https://go.example.com"+path, nil))
				assert.NotEqual(t, http.StatusFound, w.Code, "POST %s", path)
			}
		})
	}
}

func TestThePagesAreBelowThePathOfEachHost(t *testing.T) {
	handler := serving(t, config{baseURL: "https://go.example.com/l/", hosts: []string{"alt.example", "https://root.example", "http://www.example.com/go", "http://localhost/here", "http://127.0.0.1"}})
	for address, want := range map[string]string{
		"https://go.example.com/l/":          "/l/account/",
		"https://alt.example/l":              "/l/account/",
		"https://root.example/":              "/account/",
		"http://www.example.com/go":          "/go/account/",
		"http://other.example/":              "/l/account/",
		"http://localhost/here":              "/here/account/",
		"http://127.0.0.1/":                  "/account/",
		"https://root.example/account":       "/account/",
		"https://root.example/account/links": "/account/login?next=%2Faccount%2Flinks",
		"http://www.example.com/go/account/": "/go/account/login",
		"https://root.example/account/login": "200",
		"https://root.example/l/account/":    "404",
		"http://www.example.com/account/":    "404",
		"https://go.example.com/l/known":     "https://example.com/",
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
		got := w.Header().Get("Location")
		if got == "" {
			got = strconv.Itoa(w.Code)
		}
		assert.Equal(t, want, got, address)
	}
}

func TestNobodyIsSentInCircles(t *testing.T) {
	const base, below, local = "https://go.example.com", "https://go.example.com/l", "http://localhost:18220"
	for _, tt := range []struct {
		config config
		want   string // "": fine
	}{
		{config{baseURL: base, home: base}, "-home must not lead to the root"},
		{config{baseURL: base, home: "HTTP://GO.example.com:80/?x=1"}, "-home must not lead to the root"},
		{config{baseURL: base, hosts: []string{"b.example"}, home: "https://b.example/"}, "-home must not lead to the root"},
		{config{baseURL: below, home: below + "/"}, "-home must not lead to the root"},
		{config{baseURL: below, home: base + "/"}, ""},
		{config{baseURL: below, hosts: []string{"https://root.example"}, home: "https://root.example/"}, "-home must not lead to the root"},
		{config{baseURL: base, hosts: []string{"https://b.example/l"}, home: "https://b.example/"}, ""},
		{config{baseURL: base, hosts: []string{"https://b.example/l"}, home: "https://b.example/l"}, "-home must not lead to the root"},
		{config{baseURL: "http://localhost:8080", home: "http://localhost:3000/"}, ""},
		{config{baseURL: base, notFound: base + "/gone"}, "-not-found must not lead to a link"},
		{config{baseURL: base, notFound: base + "/accounts"}, "-not-found must not lead to a link"},
		{config{baseURL: base, notFound: base + "/account/login"}, ""},
		{config{baseURL: below, notFound: below + "/gone"}, "-not-found must not lead to a link"},
		{config{baseURL: below, notFound: base + "/gone"}, ""},
		{config{baseURL: base, notFound: base + "/", home: base + "/welcome"}, "-not-found must not lead to the root"},
		{config{baseURL: base, notFound: base + "/", home: "https://www.example.com/"}, ""},

		{config{baseURL: base, home: base + "/."}, "-home must not lead to the root"},
		{config{baseURL: base, home: base + "/./"}, "-home must not lead to the root"},
		{config{baseURL: base, home: base + "/%2e/"}, "-home must not lead to the root"},
		{config{baseURL: base, home: base + "//"}, "-home must not lead to the root"},
		{config{baseURL: base, home: base + "/account/.."}, "-home must not lead to the root"},
		{config{baseURL: below, home: base + "/x/../l/"}, "-home must not lead to the root"},
		{config{baseURL: base, home: "https://go.example.com./"}, "-home must not lead to the root"},
		{config{baseURL: "https://b\u00fccher.example", home: "https://xn--bcher-kva.example/"}, "-home must not lead to the root"},
		{config{baseURL: base, notFound: base + "/account/../x"}, "-not-found must not lead to a link"},
		{config{baseURL: base, notFound: base + "/account/..//x"}, "-not-found must not lead to a link"},
		{config{baseURL: base, notFound: base + "/%61ccount/../x"}, "-not-found must not lead to a link"},
		{config{baseURL: base, notFound: base + "/account/%2E%2e/x"}, "-not-found must not lead to a link"},
		{config{baseURL: base, notFound: base + "/x/../account/"}, ""},

		{config{baseURL: local, home: "http://127.0.0.1:18220/"}, "-home must not lead to the root"},
		{config{baseURL: local, home: "http://127.1:18220/"}, "-home must not lead to the root"},
		{config{baseURL: local, home: "http://[::1]:18220/"}, "-home must not lead to the root"},
		{config{baseURL: local, home: "http://0.0.0.0:18220/"}, "-home must not lead to the root"},
		{config{baseURL: local, home: "http://go.localhost:18220/"}, "-home must not lead to the root"},
		{config{baseURL: "http://127.0.0.1:18220", home: "http://localhost:18220/"}, "-home must not lead to the root"},
		{config{baseURL: local, notFound: "http://127.0.0.1:18220/zzz"}, "-not-found must not lead to a link"},
		{config{baseURL: local, home: "http://127.0.0.1:18220/zzz", notFound: local + "/"}, "-not-found must not lead to the root"},
		{config{baseURL: local, home: "http://127.0.0.1:18221/"}, ""},

		{config{baseURL: local + "/l", home: local + "/x", notFound: local + "/"}, "-not-found must not lead to the root"},
		{config{baseURL: local + "/l", home: local + "/x", notFound: local + "/l/"}, "-not-found must not lead to the root"},
		{config{baseURL: local + "/l", home: local + "/l/x", notFound: local + "/"}, "-not-found must not lead to the root"},
		{config{baseURL: local + "/l", home: local + "/account/x", notFound: local}, "-not-found must not lead to the root"},
		{config{baseURL: local + "/l", home: local + "/", notFound: local + "/"}, ""},
	} {
		_, err := newElsewhere(tt.config)
		if tt.want == "" {
			assert.NoError(t, err, "%+v", tt.config)
		} else {
			assert.ErrorContains(t, err, tt.want, "%+v", tt.config)
		}
	}
}

// A machine can have many names; the service knows only those in its flags.
func TestNobodyIsSentInCirclesUnderANameThatTheServiceWasNotTold(t *testing.T) {
	const base, other, third = "https://go.example.com", "https://go.other.example", "https://go.third.example"
	for name, c := range map[string]config{
		"the root":                    {baseURL: base, home: other},
		"a link":                      {baseURL: base, notFound: other + "/gone"},
		"the root and a link":         {baseURL: base, home: other + "/welcome", notFound: other},
		"a link, and the root by it":  {baseURL: base, home: base + "/welcome", notFound: other},
		"under two names":             {baseURL: base, home: other + "/welcome", notFound: third},
		"outside the base":            {baseURL: base + "/l", home: base + "/", notFound: base + "/gone"},
		"an escaped path":             {baseURL: base + "/l", notFound: base + "/x%2f..%2fgone"},
		"the base without its prefix": {baseURL: base + "/l", home: other + "/x", notFound: other},
	} {
		t.Run(name, func(t *testing.T) {
			handler := serving(t, c)
			for _, start := range []string{base + "/", base + "/none", base + "/l/", base + "/l/none", other + "/", other + "/none", third + "/none"} {
				at := start
				for hops := 0; ; hops++ {
					w := httptest.NewRecorder()
					r := httptest.NewRequest(http.MethodGet, at, nil)
					handler.ServeHTTP(w, r)
					if w.Code < 300 || w.Code > 399 {
						break
					}
					if !assert.Less(t, hops, 6, "%s leads on to %s", start, at) {
						break
					}
					next, err := r.URL.Parse(w.Header().Get("Location"))
					require.NoError(t, err)
					at = next.String()
				}
			}
		})
	}
}
