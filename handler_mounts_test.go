package linktrack_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestATrackerIsMountedWhereEachHostSays(t *testing.T) {
	var checked []string
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{
		BaseURL: "https://www.example.com/go",
		Hosts:   []string{"http://alt.example", "third.example"},
		Links: linktrack.LinkOptions{CheckPath: func(_ context.Context, host, path string) error {
			checked = append(checked, host+path)
			return nil
		}},
	})
	mounts := map[string]struct{ base, cookies string }{
		"www.example.com": {"https://www.example.com/go/", "HttpOnly; SameSite=None; Secure"},
		"alt.example":     {"http://alt.example/", "HttpOnly; SameSite=Lax"},
		"third.example":   {"https://third.example/go/", "HttpOnly; SameSite=None; Secure"},
	}
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the app") })
	for host, want := range mounts {
		s.Handler = s.Tracker.Handler()
		made := s.Do(trackertest.Request("POST", want.base+"api/v1_0/makeLink", trackertest.Values("login", trackertest.Login, "pass", trackertest.Pass, "external_url", "https://example.com/", "host", host,
			"vanity_link", "sale", "has_plus_tracking", "1", "has_conversion_tracking", "1", "is_public", "1").Encode(), "Content-Type", "application/x-www-form-urlencoded"))
		require.Equal(t, 201, made.StatusCode)
		link := trackertest.Text(t, made)
		require.Equal(t, want.base+"sale", link)
		require.Equal(t, link, s.Link(link)["link"])
		require.Contains(t, checked, strings.SplitN(link, "://", 2)[1], "the whole path is checked")

		mount := strings.TrimPrefix(want.base, "http://")
		mount = strings.TrimPrefix(strings.TrimPrefix(mount, "https://"), host)
		for name, handler := range map[string]http.Handler{"Handler": s.Tracker.Handler(), "Middleware": s.Tracker.Middleware(app)} {
			s.Handler = handler
			r := s.Get(link)
			require.Equal(t, 302, r.StatusCode, "%s %s", name, link)
			require.Equal(t, []string{"linktrack_visit", "linktrack_click_" + "1"}, cookieNames(r))
			for i, path := range []string{mount + "sale", mount + "c.gif"} {
				require.Contains(t, r.Header["Set-Cookie"][i], "; Path="+path+"; ", name)
				require.Contains(t, r.Header["Set-Cookie"][i], want.cookies)
			}
			r = s.Get(strings.Replace(link, "sale", "SALE.", 1))
			require.Contains(t, r.Header["Set-Cookie"][0], "; Path="+mount+"SALE.; ", "in the case that the browser has")
			require.Contains(t, trackertest.Text(t, s.Get(link+"+")), link, "the plus page shows the address")
			require.Equal(t, 200, s.Get(want.base+"api/ping").StatusCode)
			require.Equal(t, 200, s.Get(want.base+"c.gif").StatusCode)
		}
		s.Handler = s.Tracker.Middleware(app)
		other := map[string]string{"/": "/go/", "/go/": "/"}[mount]
		require.Equal(t, "the app", trackertest.Text(t, s.Get("http://"+host+other+"sale")), "a link is nowhere else")
		require.Equal(t, "the app", trackertest.Text(t, s.Get("http://"+host+other+"api/ping")))

		address, err := s.Tracker.OptOutURL(s.Account, host)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(address, want.base+"api/optout?"), address)
		r := s.Get(address)
		require.Equal(t, 200, r.StatusCode)
		require.Contains(t, r.Header.Get("Set-Cookie"), "; Path="+mount+"; ")
		require.Contains(t, r.Header.Get("Set-Cookie"), want.cookies)
		require.Contains(t, s.Tracker.OptOutCookie(s.Account, host, time.Time{}), "; Path="+mount+"; Max-Age=0; "+want.cookies)

		gotHost, path, ok := s.Tracker.Locate(httptest.NewRequest("GET", link, nil))
		require.True(t, ok)
		require.Equal(t, [2]string{host, "sale"}, [2]string{gotHost, path})
		found, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{Search: link})
		require.NoError(t, err)
		require.Len(t, found, 1, "people search for the address that they have")
	}
	require.Equal(t, "https://www.example.com/go/", s.Tracker.TrackingURL(linktrack.Link{}))
	s.Handler = s.Tracker.Handler()
	require.Equal(t, 200, s.Get("http://10.0.0.7/go/api/ping").StatusCode, "the API answers under any name")
	require.Equal(t, 200, s.Get("http://10.0.0.7/api/ping").StatusCode)
}

func cookieNames(r *http.Response) (names []string) {
	for _, c := range r.Cookies() {
		names = append(names, c.Name)
	}
	return names
}
