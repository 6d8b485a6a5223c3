package pages_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

func TestEveryPageHasItsHeadersAndNothingInline(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "spring", LinkSettings: linktrack.LinkSettings{Title: "<script>alert(1)</script>", Group: "g"}})
	answers := map[string]*answer{}
	for _, path := range []string{
		"links", "links?q=spring", "links?sort=none", "links?made=go.example.com/spring", "links/new",
		"links/go.example.com/spring/edit", "links/go.example.com/spring/report", "links/go.example.com/spring/report?from=x",
		"links/go.example.com/spring/report/report.csv", "links/go.example.com/spring/report/history.json", "links/go.example.com/spring/qr.svg", "links/go.example.com/none/edit",
		"import", "export",
		"none", "static/none.css", "",
		"api", "api/makeLink", "api/none", "pass", "bookmarklet", "mark?url=javascript%3Aalert(1)&title=%3C/title%3E", "mark?made=go.example.com/spring",
	} {
		answers[path] = s.get(path)
	}
	answers["a form with an error"] = s.post("links/new", nil)
	answers["another site's form"] = s.post("links/new", nil, "Sec-Fetch-Site", "cross-site")
	answers["a call"] = s.post("api/getLinks", nil)
	answers["a pass"] = s.post("pass", s.get("pass").form())
	answers["a form of another method"] = s.post("links", nil)
	s.post("logout", nil)
	answers["login"], answers["a wrong pass"] = s.get("login"), s.signIn("ada", "wrong")
	for name, r := range answers {
		require.Equal(t, "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			r.Header.Get("Content-Security-Policy"), name)
		require.Equal(t, "nosniff", r.Header.Get("X-Content-Type-Options"), name)
		require.Equal(t, "same-origin", r.Header.Get("Referrer-Policy"), name)
		require.Equal(t, "noindex", r.Header.Get("X-Robots-Tag"), name)
		require.Contains(t, r.Header.Get("Cache-Control"), "private", name)
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
			continue
		}
		require.Empty(t, r.all(func(n *html.Node) bool {
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					return true
				}
			}
			return n.Data == "style" || n.Data == "script" && attribute(n, "src") == ""
		}), "%s: a style or a script inside", name)
		require.NotContains(t, r.body, "ZgotmplZ", name)
	}
}

func TestFormsFromOtherSitesAreRefused(t *testing.T) {
	s := signedIn(t, "ada")
	l := s.make(s.ada, linktrack.NewLink{VanityLink: "spring", LinkSettings: linktrack.LinkSettings{Title: "old"}})
	for path, form := range map[string]url.Values{
		"links/new":                          {"external_url": {"https://example.com/"}},
		"links/go.example.com/spring/edit":   {"external_url": {"https://example.com/other"}},
		"links/go.example.com/spring/active": {"active": {"0"}},
		"logout":                             {},
		"api/makeLink":                       {"external_url": {"https://example.com/"}},
		"mark":                               {"external_url": {"https://example.com/"}},
		"pass":                               s.get("pass").form(),
		"login":                              {"login": {"bob"}, "pass": {pass}},
	} {
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
			{"Sec-Fetch-Site", "", "Origin", "null"},
		} {
			require.Equal(t, 403, s.post(path, form, headers...).StatusCode, "%s %v", path, headers)
		}
		s.get(path + "?" + form.Encode()) // GET must not change anything
	}
	require.Equal(t, []linktrack.Link{l}, s.links(s.ada), "nothing is made or changed")
	require.Contains(t, s.get("links").texts("login"), "ada")
}

func TestStaticFilesHaveTheirHashInTheirName(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{Accent: "#FFDD00"})
	found := regexp.MustCompile(`"(/account/static/(\w+)\.[0-9a-f]{16}\.(\w+))"`).FindAllStringSubmatch(s.get("login").body, -1)
	require.Len(t, found, 5)
	for _, m := range found {
		r := s.get(m[1])
		require.Equal(t, 200, r.StatusCode)
		require.Equal(t, "public, max-age=31536000, immutable", r.Header.Get("Cache-Control"))
		require.Equal(t, map[string]string{
			"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
		}[m[3]], r.Header.Get("Content-Type"))
		if m[2] == "brand" {
			require.Contains(t, r.body, "--accent:#ffdd00;--on-accent:#000000")
		}
	}
	for _, path := range []string{"static/style.css", "static/../links.html", "static/"} {
		require.NotEqual(t, 200, s.get(path).StatusCode, path)
	}
}

func TestAnErrorKeepsTheMenuOfWhoIsSignedIn(t *testing.T) {
	s := signedIn(t, "ada")
	require.Contains(t, s.get("none").texts("nav")[0], "Links")
	require.Contains(t, s.get("links/go.example.com/none/edit").texts("nav")[0], "Links")
	s.post("logout", nil)
	require.Empty(t, s.get("none").texts("nav"))
}
