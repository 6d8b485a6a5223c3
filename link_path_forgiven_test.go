package linktrack_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

// asTheyArrive are forms in which mail programs, chats and people write a path
// behind the host.
var asTheyArrive = []string{
	"/PATH", "/PATH/", "//PATH", "//PATH//", "/PATH%20", "/%20PATH", "/PATH%C2%A0", "/PATH%E2%80%8B", "/PATH%E3%80%80", "/PATH%E2%80%9D", "/%E2%80%9CPATH",
	"/PATH”", "/PATH…", "/PATH»", "/«PATH»", "/PATH。", "/PATH、", "/PATH’s", "/PATH%0D%0A", "/PATH%09", "/PATH%2520", "/PATH%22%3E", "/PATH*", "/*PATH*", "/PATH%FF%FE", "/%C3PATH",
	"/PATH&utm_source=x", "/PATH/&utm_source=x", "/PATH%26utm_source=x", "/PATH%3Futm_source=x", "/PATH&amp;utm_source=x", "/PATH%23top", "/PATH%E7%9C%8B", "/PATH).", "/PATH~", "/PATH|", "/PATH%5C",
}

func TestALinkIsFoundAsItArrivesFromMailAndText(t *testing.T) {
	for name, base := range map[string]string{"at the root": "http://go.example.com", "under a prefix": "http://go.example.com/to/l"} {
		t.Run(name, func(t *testing.T) {
			s := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: base})
			vanity := strings.TrimPrefix(s.MakeLink("vanity_link", "spring_sale", "external_url", "https://example.com/vanity"), base+"/")
			dotted := strings.TrimPrefix(s.MakeLink("external_url", "https://example.com/dotted"), base+"/")
			next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
			for _, handler := range []http.Handler{s.Tracker.Handler(), s.Tracker.Middleware(next)} {
				s.Handler = handler
				for path, want := range map[string]string{vanity: "vanity", dotted: "dotted", dotted[1:]: "dotted", "." + dotted: "dotted", strings.ToUpper(dotted): "dotted"} {
					for _, form := range asTheyArrive {
						if strings.HasSuffix(form, "’s") {
							continue // what follows may be a path of its own
						}
						target := base + strings.ReplaceAll(form, "PATH", path)
						require.Equal(t, "https://example.com/"+want, s.Get(target).Header.Get("Location"), target)
					}
				}
			}
		})
	}
}

func TestTheExactPathComesFirst(t *testing.T) {
	store := memstore.New()
	s := trackertest.NewService(t, store, linktrack.Options{})
	_, err := trackertest.CreateLink(t.Context(), store, linktrack.Link{
		Account: s.Account.ID, Host: "go.example.com", Path: ".abcd123", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/dotted"},
	})
	require.NoError(t, err)
	for target, want := range map[string]string{"/abcd123": "dotted", "/.abcd123": "dotted", "/..abcd123": "dotted", "//abcd123/": "dotted"} {
		require.Equal(t, "https://example.com/"+want, s.Get(target).Header.Get("Location"), target)
	}
	s.MakeLink("vanity_link", "abcd123", "external_url", "https://example.com/vanity")
	for target, want := range map[string]string{"/abcd123": "vanity", "/.abcd123": "dotted", "/..abcd123": "dotted", "//abcd123/": "vanity", "/abcd123&a=b": "vanity"} {
		require.Equal(t, "https://example.com/"+want, s.Get(target).Header.Get("Location"), target)
	}
}

func TestNothingInsideAPathIsForgiven(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	s.MakeLink("vanity_link", "spring_sale")
	for _, target := range []string{
		"/spring/sale", "/spring%20sale", "/spring%E2%80%8B_sale", "/spring_sale/x", "/x/spring_sale", "/spring_sale%20x", "/spring_sale.html",
		"/spring_sale’s", "/.spring_sale", "/spring_salé_", "/spring-sale", "/springsale", "/spring_sale-", "/spring_sale_",
	} {
		require.Equal(t, http.StatusNotFound, s.Get(target).StatusCode, target)
	}
}

func TestTheQueryBehindAnAmpersandIsRecordedAndForwarded(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Links: linktrack.LinkOptions{ForwardQuery: true}})
	link := s.MakeLink("vanity_link", "spring_sale")
	for target, want := range map[string]string{
		"/spring_sale&utm_source=x":         "utm_source=x",
		"/spring_sale&a=b%26c&d=%C3%BC?e=f": "a=b%26c&d=%C3%BC&e=f",
		"/spring_sale%3Fa=b%20c":            "a=b%20c",
	} {
		r := s.Get(target)
		require.Equal(t, "https://example.com/page?"+want, r.Header.Get("Location"), target)
		require.Equal(t, want, s.History(link)[0]["query"], target)
	}
}

func TestPlusPagesAndCodesForgiveToo(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{Visitors: linktrack.VisitorOptions{Pages: qrAsText{}}})
	link := s.MakeLink("has_plus_tracking", "1", "is_public", "1")
	path := strings.TrimPrefix(link, "http://go.example.com/")
	for _, p := range []string{path, path[1:], "." + path, "/" + path} {
		for _, end := range []string{"+", "%2B", "%252B", "+/", "+%20", "+”", "”+", "+.", "+&utm=x"} {
			require.Equal(t, "summary", trackertest.Text(t, s.Get("/"+p+end)), p+end)
		}
		for _, end := range []string{".qr", ".qr/", ".qr%20", ".qr”", ".qr&format=png"} {
			require.Equal(t, "code", trackertest.Text(t, s.Get("/"+p+end)), p+end)
		}
	}
	require.EqualValues(t, 0, s.Link(link)["count_total"])
}

// qrAsText are pages that say what they are.
type qrAsText struct{}

func (qrAsText) ServePage(w http.ResponseWriter, _ *http.Request, p linktrack.Page) {
	w.WriteHeader(p.Status)
	w.Write([]byte(map[linktrack.PageKind]string{linktrack.PageSummary: "summary", linktrack.PageQR: "code"}[p.Kind]))
}

func TestThePasswordFormOfAForgivenPathIsAnswered(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	link := s.MakeLink("password", "letmein", "vanity_link", "secret_page")
	for _, end := range []string{"/", "%20", "”", "&a=b"} {
		require.Contains(t, trackertest.Text(t, s.Get(link+end)), `type="password"`)
		r := s.Post(link+end, trackertest.Values("password", "letmein"))
		require.Equal(t, http.StatusSeeOther, r.StatusCode, end)
		require.Equal(t, "https://example.com/page", r.Header.Get("Location"))
	}
	require.EqualValues(t, 4, s.Link(link)["count_total"])
}

func TestAVisitorIsKnownAgainAtTheSameForgivenPath(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: "http://go.example.com/l"})
	link := s.MakeLink("vanity_link", "spring_sale")
	for target, want := range map[string]string{
		link:                                   "/l/spring_sale",
		link + "/":                             "/l/spring_sale", // the browser sends it back to both
		link + "%20":                           "/l/spring_sale%20",
		link + "%e2%80%9d":                     "/l/spring_sale%e2%80%9d",
		link + "&a=b":                          "/l/spring_sale&a=b",
		link + "%3B%20x=%3Fy":                  "", // not a link
		link + ";":                             "/l/spring_sale",
		"http://go.example.com/l//spring_sale": "/l//spring_sale",
		"http://go.example.com/l/SPRING_sale":  "/l/SPRING_sale",
		link + "&x=" + strings.Repeat("long", 1000): "/l/spring_sale",
	} {
		cookies := s.Get(target).Cookies()
		if want == "" {
			require.Empty(t, cookies, target)
			continue
		}
		require.Len(t, cookies, 1, target)
		require.Equal(t, want, cookies[0].Path, target)
	}
}

// A lookups is a store that counts the questions of the redirect.
type lookups struct {
	linktrack.Store
	byPath atomic.Int64
}

func (s *lookups) LinkByPath(ctx context.Context, host, key string) (linktrack.Link, error) {
	s.byPath.Add(1)
	return s.Store.LinkByPath(ctx, host, key)
}

func (s *lookups) LinksByPath(ctx context.Context, names []linktrack.LinkName) (map[linktrack.LinkName]linktrack.Link, error) {
	s.byPath.Add(int64(len(names)))
	return s.Store.LinksByPath(ctx, names)
}

func TestHowOftenARequestAsksTheStore(t *testing.T) {
	store := &lookups{Store: memstore.New()}
	s := trackertest.NewService(t, store, linktrack.Options{})
	s.MakeLink("vanity_link", "spring_sale")
	reached := 0
	s.Handler = s.Tracker.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	for target, most := range map[string]int64{
		"/":                              0,
		"/assets/app.css":                0,
		"/style.css":                     0,
		"/products/1/":                   0,
		"/favicon.ico":                   0,
		"/a_page":                        1, // no generated path has "_"
		"/.b1234":                        1,
		"/..c1234":                       1,
		"/about":                         2, // or /.about
		"/contact/":                      2,
		"/…………%20%20/offers”/////":       2,
		"/" + strings.Repeat("x/", 1000): 0,
		"/" + strings.Repeat("x", 101):   0,
	} {
		before, was := store.byPath.Load(), reached
		s.Get(target)
		require.Equal(t, was+1, reached, "what is no link is the app's: %s", target)
		require.Equal(t, most, store.byPath.Load()-before, target)
		s.Get(target)
		require.Equal(t, most, store.byPath.Load()-before, "that there is none is kept: %s", target)
	}
	before := store.byPath.Load()
	for _, form := range asTheyArrive {
		if !strings.HasSuffix(form, "’s") {
			require.Equal(t, http.StatusFound, s.Get(strings.ReplaceAll(form, "PATH", "spring_sale")).StatusCode)
		}
	}
	require.EqualValues(t, 1, store.byPath.Load()-before, "all forms are one link")
}

func TestCallersNameALinkInAllItsForms(t *testing.T) {
	for _, base := range []string{"http://go.example.com", "http://go.example.com/l"} {
		s := trackertest.NewService(t, memstore.New(), linktrack.Options{BaseURL: base})
		s.MakeLink("vanity_link", "spring_sale", "is_public", "1", "has_plus_tracking", "1", "has_public_tracking", "1")
		host := strings.TrimPrefix(base, "http://")
		for _, name := range []string{
			"spring_sale", "/spring_sale", "//spring_sale/", " spring_sale ", "Spring_Sale”", "spring_sale&a=b", "spring_sale?a=b#c", "spring_sale+",
			base + "/spring_sale", base + "/spring_sale/", base + "/spring_sale%20", base + "//spring_sale", base + "/spring_sale&a=b", "<" + base + "/spring_sale>",
			" " + base + "/spring_sale?a=http://x.example/y ", host + "/spring_sale", "//" + host + "/spring_sale", "“" + host + "/spring_sale”", strings.ToUpper(host[:5]) + host[5:] + "/spring_sale",
		} {
			l, err := s.Tracker.Link(t.Context(), s.Account, name)
			require.NoError(t, err, name)
			require.Equal(t, "spring_sale", l.Path)
			_, err = s.Tracker.Public(t.Context(), "", name, linktrack.PageSummary)
			require.NoError(t, err, name)
			_, err = s.Tracker.Public(t.Context(), "go.example.com", name, linktrack.PageQR)
			require.NoError(t, err, name)
			_, err = s.Tracker.Public(t.Context(), "", name, linktrack.PageReport)
			require.NoError(t, err, name)
			out, err := s.Tracker.Follow(t.Context(), linktrack.Visit{Path: name})
			if strings.HasSuffix(name, "+") {
				require.ErrorIs(t, err, linktrack.ErrNotFound, "%s is the page of its counts", name)
				continue
			}
			require.NoError(t, err, name)
			require.Equal(t, "https://example.com/page", out.Location)
		}
		for _, name := range []string{"", "/", "http://other.example/spring_sale", base + "/x/spring_sale", "x/spring_sale", "spring_sale/x", "http://go.example.com/x/spring_sale", "ftp//spring_sale", strings.Repeat("/", 10_000)} {
			_, err := s.Tracker.Link(t.Context(), s.Account, name)
			require.ErrorIs(t, err, linktrack.ErrNotFound, name)
			_, err = s.Tracker.Follow(t.Context(), linktrack.Visit{Path: name})
			require.ErrorIs(t, err, linktrack.ErrNotFound, name)
		}
	}
}

// Mail transport drops a dot that begins a line. An account that could take the
// path without the dot would get the visitors of the other link.
func TestNobodyTakesTheVisitorsOfALinkWhoseDotWentMissing(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	ctx := t.Context()
	ada, bob := linktrack.Account{ID: 1, Type: linktrack.AccountTypeProfessional}, linktrack.Account{ID: 2, Type: linktrack.AccountTypeProfessional}
	made, err := s.Tracker.MakeLink(ctx, ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/ada"}})
	require.NoError(t, err)
	bare := strings.TrimPrefix(made.Path, ".")
	for _, name := range []string{bare, strings.ToUpper(bare)} {
		_, err = s.Tracker.MakeLink(ctx, bob, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/bob"}, VanityLink: name})
		require.ErrorIs(t, err, linktrack.ErrTaken)
		checks, err := s.Tracker.CheckImport(ctx, bob, []linktrack.ImportedLink{{NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/bob"}, VanityLink: name}}})
		require.NoError(t, err)
		require.ErrorIs(t, checks[0].Err, linktrack.ErrTaken)
	}
	_, err = s.Tracker.MakeLink(ctx, bob, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/bob"}, VanityLink: bare + "x"})
	require.NoError(t, err)
	_, err = s.Tracker.MakeLink(ctx, ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/ada/too"}, VanityLink: bare})
	require.NoError(t, err, "she may have both herself")
	_, err = s.Tracker.MakeLink(ctx, ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/spring"}, VanityLink: "spring"})
	require.NoError(t, err)
	checks, err := s.Tracker.CheckImport(ctx, bob, []linktrack.ImportedLink{{NewLink: linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/bob"}}, Path: ".spring"}})
	require.NoError(t, err)
	require.ErrorIs(t, checks[0].Err, linktrack.ErrTaken, "its visitors would get to the other link")
}
