package pages_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/pages"
)

// titles returns the titles of the links on a page, in their order.
func titles(r *answer) string { return strings.Join(r.texts("h2"), " ") }

func TestLinksAreListedSearchedAndSorted(t *testing.T) {
	s := signedIn(t, "ada")
	require.Contains(t, s.get("links").texts("empty")[0], "You have no links yet.")
	s.make(s.ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: "B", Group: "News", Notes: "ask Carol"}, VanityLink: "one"})
	s.make(s.ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: "C", Group: "News & more", ExternalURL: "https://example.org/100%"}, VanityLink: "two"})
	s.make(s.ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: "A", Group: "news"}, VanityLink: "one", Host: "alt.example"})
	s.make(s.bob, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/carol"}})
	for query, want := range map[string]string{
		"":                                     "A C B",
		"sort=d.title&order=asc":               "A B C",
		"sort=d.title&order=desc":              "C B A",
		"sort=l.redirect_hash&order=asc":       "B A C",
		"q=CAROL":                              "B",
		"q=100%25":                             "C",
		"q=+two+":                              "C",
		"q=none":                               "",
		"group=News":                           "A B",
		"group=News+%26+more":                  "C",
		"group=unknown":                        "",
		"group=News&q=one&sort=d.title":        "B A",
		"q=https://alt.example/one":            "A",
		"q=https%3A%2F%2Fgo.example.com%2Ftwo": "C",
		"page=2":                               "",
		"page=-1":                              "A C B",
		"page=x":                               "A C B",
	} {
		r := s.get("links?" + query)
		require.Equal(t, 200, r.StatusCode)
		require.Equal(t, want, titles(r), query)
	}
	s.make(s.ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: "D", Group: `Berlin, "Summer"`}})
	require.Equal(t, "D", titles(s.get("links?"+url.Values{"group": {`Berlin, "Summer"`}}.Encode())), "the filter is one name, commas and all")
	r := s.get("links?group=News+%26+more&q=a%22b&sort=d.title&order=asc")
	require.Equal(t, url.Values{"q": {`a"b`}, "group": {"News & more"}, "sort": {"d.title"}, "order": {"asc"}}, r.form(), "the form keeps what was asked for")

	r = s.get("links?sort=none")
	require.Equal(t, 400, r.StatusCode)
	require.Contains(t, r.id("q-error"), "The sort must be one of")
	require.NotContains(t, r.body, "aria-invalid", "the search is not what is wrong")
	r = s.get("links?q=" + strings.Repeat("x", 256))
	require.Equal(t, 400, r.StatusCode)
	require.Contains(t, r.id("q-error"), "The search")
	require.Contains(t, r.body, "aria-invalid")
	require.Equal(t, 200, s.get("links?page=999999999").StatusCode)
}

func TestManyLinksStandOnPages(t *testing.T) {
	s := signedIn(t, "ada")
	for i := range 101 {
		s.make(s.ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Title: fmt.Sprint("t", i)}})
	}
	next := "links?q=example&sort=l.created_at"
	var seen []string
	for page := 1; ; page++ {
		r := s.get(next)
		seen = append(seen, r.texts("h2")...)
		links := r.all(func(n *html.Node) bool { return attribute(n, "rel") == "next" })
		if page == 2 {
			require.Equal(t, "Links 51 to 100 · Show all links", r.texts("range")[0])
			require.Len(t, r.all(func(n *html.Node) bool { return attribute(n, "rel") == "prev" }), 1)
		}
		if len(links) == 0 {
			break
		}
		next = attribute(links[0], "href")
	}
	require.Len(t, seen, 101)
	require.Equal(t, "t100", seen[0])
	require.Equal(t, "t0", seen[100])
}

func TestALinkShowsItsStateAndCounts(t *testing.T) {
	s := signedIn(t, "ada")
	l := s.make(s.ada, linktrack.NewLink{VanityLink: "used", LinkSettings: linktrack.LinkSettings{DeactivateAt: 1, ExpiresAt: time.Now().Add(time.Hour)}, Password: "x"})
	require.Equal(t, []string{"Active"}, s.get("links").texts("state"))
	visit := linktrack.Visit{Path: "used", UserAgent: "Mozilla/5.0 (X11; Linux) Firefox/130", Password: "x", HasPassword: true}
	_, err := s.tracker.Follow(t.Context(), visit)
	require.NoError(t, err)
	r := s.get("links")
	require.Equal(t, []string{"Used up"}, r.texts("state"))
	require.Equal(t, []string{"1", "1", "1"}, r.texts("dd"))
	facts := r.texts("facts")[0]
	require.Contains(t, facts, "1 of 1 clicks used")
	require.Contains(t, facts, "Expires "+l.ExpiresAt.In(s.tracker.TimeZone()).Format("2006-01-02 15:04 MST"))
	require.Contains(t, facts, "Password")

	s.make(s.ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{Disabled: true}})
	past := time.Now().Add(-time.Hour)
	_, err = s.tracker.UpdateLink(t.Context(), s.ada, s.make(s.ada, linktrack.NewLink{}).Path, func(e *linktrack.LinkEdit) { e.ExpiresAt = past })
	require.NoError(t, err)
	require.Equal(t, []string{"Expired", "Switched off", "Used up"}, s.get("links").texts("state"))
	s.make(s.ada, linktrack.NewLink{LinkSettings: linktrack.LinkSettings{StartsAt: time.Now().Add(time.Hour)}})
	require.Equal(t, []string{"Not yet", "Expired", "Switched off", "Used up"}, s.get("links").texts("state"))
}

func TestALinkIsSwitchedOffAndOn(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "spring"})
	r := s.get("links?q=spring&page=1")
	for _, want := range []bool{false, true} {
		form := formValues(r.all(func(n *html.Node) bool { return strings.HasSuffix(attribute(n, "action"), "/active") })[0])
		r = s.post("links/go.example.com/spring/active", form)
		require.Equal(t, 303, r.StatusCode)
		require.Equal(t, "/account/links?page=1&q=spring", r.Header.Get("Location"), "back to the same list")
		require.Equal(t, want, !s.link("spring").Disabled)
		r = s.get(r.Header.Get("Location"))
	}
	require.Equal(t, 400, s.post("links/go.example.com/spring/active", url.Values{"active": {"2"}}).StatusCode)
	require.Equal(t, 404, s.post("links/go.example.com/none/active", url.Values{"active": {"0"}}).StatusCode)

	s = signedIn(t, "bob")
	l := s.make(s.bob, linktrack.NewLink{})
	require.NotContains(t, s.get("links").body, "/active", "an account of type free may not")
	require.Equal(t, 403, s.post("links/go.example.com/"+l.Path+"/active", url.Values{"active": {"0"}}).StatusCode)
}

func TestAnotherAccountsLinkIsNotThere(t *testing.T) {
	s := signedIn(t, "ada")
	l := s.make(s.bob, linktrack.NewLink{})
	for _, path := range []string{"/edit", "/qr.svg", "/qr.png"} {
		require.Equal(t, 404, s.get("links/go.example.com/"+l.Path+path).StatusCode, path)
	}
	form := url.Values{"active": {"0"}, "external_url": {"https://evil.example.com/"}}
	for _, path := range []string{"/edit", "/active"} {
		require.Equal(t, 404, s.post("links/go.example.com/"+l.Path+path, form).StatusCode, path)
	}
	r := s.get("links?made=go.example.com/" + l.Path + "&saved=go.example.com/" + l.Path)
	require.NotContains(t, r.body, l.Path)
	require.Equal(t, []linktrack.Link{l}, s.links(s.bob))
}

func TestHostileTextsStayTexts(t *testing.T) {
	s := signedIn(t, "ada")
	const evil = "\u202e\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}\u2066"
	s.make(s.ada, linktrack.NewLink{VanityLink: "evil", LinkSettings: linktrack.LinkSettings{
		Title: evil, Group: evil, Notes: evil, Description: evil,
		ExternalURL: "https://example.com/'\"><script>alert(1)</script>",
	}})
	for _, path := range []string{"links", "links?q=evil&group=" + url.QueryEscape(evil), "links?made=go.example.com/evil", "links/go.example.com/evil/edit"} {
		r := s.get(path)
		require.Equal(t, 200, r.StatusCode)
		require.Len(t, r.all(func(n *html.Node) bool { return n.Data == "script" }), 1, path)
		require.Empty(t, r.all(func(n *html.Node) bool { return has(n, "onerror") }), path)
	}
	require.Equal(t, evil, s.get("links/go.example.com/evil/edit").form().Get("notes"))
	group := s.get("links").all(func(n *html.Node) bool { return n.Data == "bdi" && text(n) == evil })
	require.NotEmpty(t, group, "what may run from right to left is kept apart")
}

func TestALinkOfAHostThatIsServedNoMoreCanBeEdited(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{})
	l, err := trackertest.CreateLink(t.Context(), s.store, linktrack.Link{
		Account: s.ada.ID, Host: "old.example", Path: "spring", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com"}, CreatedAt: time.Now(),
	})
	require.NoError(t, err)
	s.signIn("ada", pass)
	require.Equal(t, 303, s.post("links/old.example/spring/active", url.Values{"active": {"0"}}).StatusCode)
	require.True(t, s.link("spring").Disabled)
	require.Equal(t, l.ID, s.link("spring").ID)
	require.Equal(t, 404, s.get("links/other.example/spring/edit").StatusCode)
}
