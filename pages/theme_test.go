package pages_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/pages"
)

func TestEveryTextThatATemplateAsksForIsThere(t *testing.T) {
	texts := pages.Texts()
	use := regexp.MustCompile(`\btext "([^"]+)"`)
	used := map[string]bool{}
	names, err := fs.Glob(os.DirFS("templates"), "*.html")
	require.NoError(t, err)
	for _, name := range names {
		content, err := os.ReadFile("templates/" + name)
		require.NoError(t, err)
		for _, m := range use.FindAllStringSubmatch(string(content), -1) {
			used[m[1]] = true
			require.Contains(t, texts, m[1], name)
		}
		// Text between tags must come from the texts: otherwise it cannot be translated.
		bare := regexp.MustCompile(`(?s)\{\{define "fieldstate"\}\}.*|\{\{.*?\}\}|<!DOCTYPE html>|<[^>]*>`).ReplaceAllString(string(content), "")
		require.NotRegexp(t, `\pL`, bare, name)
	}
	require.Greater(t, len(used), 50)
}

func TestAHostTranslatesAndReplaces(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{
		Name: "Kürzer <1>",
		Texts: map[string]string{
			"lang": "de", "login.title": "Anmelden", "param.external_url": "Ziel", "is missing": "fehlt",
			"visitor.notfound.title": "Diesen Link gibt es nicht",
		},
		Templates: fstest.MapFS{
			"error.html": {Data: []byte(`{{define "main"}}<p class="mine">{{brand}}: {{.Text}}</p>{{end}}`)},
			"style.css":  {Data: []byte("body{color:red}")},
		},
	})
	r := s.get("login")
	require.Equal(t, []string{"Anmelden"}, r.texts("h1"))
	require.Equal(t, []string{"Anmelden – Kürzer <1>"}, r.texts("title"))
	require.Contains(t, r.body, `<html lang="de" dir="ltr">`)
	require.Contains(t, s.get(regexp.MustCompile(`/account/static/style\.\w+\.css`).FindString(r.body)).body, "color:red")
	require.Contains(t, s.get("none").texts("mine")[0], "Kürzer <1>: This page or link does not exist")
	require.Equal(t, []string{"Diesen Link gibt es nicht"}, s.get("/none").texts("h1"))
	s.signIn("ada", pass)
	require.Equal(t, "Ziel fehlt", s.post("links/new", nil).id("f-external_url-error"))
}

func TestOptionsThatCannotWorkAreErrors(t *testing.T) {
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
	require.NoError(t, err)
	defer tracker.Close(t.Context())
	for want, options := range map[string]pages.Options{
		"Accent must be a color such as #1f5fd0, not \"red\"":                                {Accent: "red"},
		"Accent must be a color such as #1f5fd0, not \"#12345g\"":                            {Accent: "#12345g"},
		"Accent must be a color such as #1f5fd0, not \"#fff;}a{\"":                           {Accent: "#fff;}a{"},
		"Prefix must be a path with a slash at both ends such as /account/, not \"account\"": {Prefix: "account"},
		"Prefix must be a path with a slash at both ends such as /account/, not \"/a\"":      {Prefix: "/a"},
		"pages: template: links.html":                                                        {Templates: fstest.MapFS{"links.html": {Data: []byte("{{")}}},
	} {
		_, err := pages.New(tracker, options)
		require.ErrorContains(t, err, want)
	}
}

func TestThePagesStandUnderAnyPrefix(t *testing.T) {
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
	require.NoError(t, err)
	defer tracker.Close(t.Context())
	p, err := pages.New(tracker, pages.Options{Prefix: "/my/pages/"})
	require.NoError(t, err)
	s := &site{T: t, handler: p}
	require.Equal(t, "/my/pages/login", s.get("/my/pages/").Header.Get("Location"))
	body := s.get("/my/pages/login").body
	require.Contains(t, body, `action="/my/pages/login"`)
	require.False(t, strings.Contains(body, "/account/"))
}
