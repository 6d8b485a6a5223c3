package pages_test

import (
	"io/fs"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/pages"
)

// withOptions makes the pages of accounts and of visitors.
func withOptions(t *testing.T, o pages.Options) (account, visitors error) {
	t.Helper()
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
	require.NoError(t, err)
	defer tracker.Close(t.Context())
	_, account = pages.New(tracker, o)
	_, visitors = pages.ForVisitors(o)
	return account, visitors
}

func TestOurOwnTemplatesPassTheCheckOfTheHosts(t *testing.T) {
	own := fstest.MapFS{}
	names, err := fs.Glob(os.DirFS("templates"), "*.html")
	require.NoError(t, err)
	for _, name := range names {
		content, err := os.ReadFile("templates/" + name)
		require.NoError(t, err)
		own[name] = &fstest.MapFile{Data: content}
	}
	account, visitors := withOptions(t, pages.Options{Templates: own, Texts: pages.Texts()})
	require.NoError(t, account)
	require.NoError(t, visitors)
}

func TestATextThatReplacesNoneOrDoesNotFitIsAnErrorOfNew(t *testing.T) {
	for _, c := range []struct{ key, text, want string }{
		{"login.titel", "Anmelden", `Texts has the key "login.titel", which no text has, did you mean login.title?`},
		{"Login.title", "Anmelden", `did you mean login.title?`},
		{"gibberish", "x", `Texts has the key "gibberish", which no text has`},
		{"link.limit", "%s von Klicks", `Texts has a wrong text for link.limit: its verbs do not fit`},
		{"link.limit", "%s von %s Klicks, %s", `the original is "%s of %s clicks used"`},
		{"link.limit", "%d von %d Klicks", `%!d(string=text)`},
		{"anonymous.life", "%s Tage", `Texts has a wrong text for anonymous.life`},
		{"report.percent", "%.1f %", `Texts has a wrong text for report.percent`},
		{"login.title", "Anmelden %s", `must not have verbs such as %s, because it gets no values`},
		{"zone.bare", "%[1]s %[4]s", `Texts has a wrong text for zone.bare`},
		{"dir", "left", `Texts has "left" for dir, which must be ltr or rtl`},
	} {
		account, visitors := withOptions(t, pages.Options{Texts: map[string]string{c.key: c.text}})
		for _, err := range []error{account, visitors} {
			var invalid *linktrack.InvalidError
			require.ErrorAs(t, err, &invalid, "%s: %s", c.key, c.text)
			require.ErrorContains(t, err, c.want)
		}
	}
	account, visitors := withOptions(t, pages.Options{Texts: map[string]string{
		"link.limit": "%[2]s / %[1]s", "zone.bare": "%[3]s", "zone.name": "Zone %[1]s", "anonymous.life": "%[1]d Tage", "report.percent": "%.2f %%",
		"login.title": "100 % sicher", "dir": "rtl", "is missing": "fehlt", "country.DE": "Allemagne",
	}})
	require.NoError(t, account)
	require.NoError(t, visitors)
}

func TestATemplateThatCannotWorkIsAnErrorOfNew(t *testing.T) {
	main := func(s string) string { return `{{define "main"}}` + s + `{{end}}` }
	for _, c := range []struct{ name, content, want string }{
		{"link.html", main(""), "Templates has a file link.html, which replaces no file of the pages, did you mean links.html?"},
		{"stlye.css", "", "did you mean style.css?"},
		{"notours.svg", "", "Templates has a file notours.svg, which replaces no file of the pages"},
		{"links.html", main("{{.Lnks}}"), "Links has no field Lnks, did you mean Links?"},
		{"links.html", main("{{if false}}{{range .Links}}{{.ExternalUrl}}{{end}}{{end}}"), "Link has no field ExternalUrl, did you mean ExternalURL?"},
		{"links.html", main("\n\n{{.Title}}"), "links.html:3:"},
		{"links.html", main("{{.Made.URL}}"), "nil pointer"},
		{"links.html", main("{{(index .Links 0).URL}}"), "pages: with data in which everything is empty: template: links.html"},
		{"links.html", main(`{{text "links.titel"}}`), `there is no text "links.titel", did you mean links.title?`},
		{"links.html", main(`{{text "links.range" .First}}`), `the text "links.range" needs 2 values, not 1`},
		{"links.html", main(`{{text "anonymous.life" .Search}}`), `a text gets a wrong value: %!d(string=text)`},
		{"links.html", main(`{{asset "styles.css"}}`), `there is no static file "styles.css", did you mean style.css?`},
		{"links.html", main(`{{count .Search}}`), `count needs a value of type int64, not string`},
		{"links.html", main(`{{template "none" .}}`), `there is no template "none"`},
		{"links.html", main(`<a href="{{if .Search}}"{{end}}>`), `links.html`},
		{"links.html", main("{{"), "pages: template: links.html"},
		{"error.html", `{{define "man"}}{{end}}`, `there is no template "main"`},
		{"layout.html", "{{.Tilte}}", "Frame has no field Tilte, did you mean Title?"},
		{"counts.html", `{{define "counts"}}{{.Dayz}}{{end}}`, "Counts has no field Dayz, did you mean Days?"},
		{"extra.css", "</style>", "extra.css must not contain </"},
		{"static/style.css", "", "static/style.css has the name of a file of the pages"},
	} {
		account, _ := withOptions(t, pages.Options{Templates: fstest.MapFS{c.name: {Data: []byte(c.content)}}})
		require.ErrorContains(t, account, c.want, "%s: %s", c.name, c.content)
	}
	for content, want := range map[string]string{
		"{{.Headline}}": "Visitor has no field Headline, did you mean Heading?",
		`{{if .Report}}{{else}}{{.Report.Nothing}}{{end}}`: "Counts has no field Nothing",
		`{{.Summary.Title}}`: "nil pointer",
	} {
		_, visitors := withOptions(t, pages.Options{Templates: fstest.MapFS{"visitor.html": {Data: []byte(content)}}})
		require.ErrorContains(t, visitors, want, content)
	}
	account, visitors := withOptions(t, pages.Options{Templates: fstest.MapFS{
		"README.md": {}, ".gitignore": {}, "visitor.html": {Data: []byte(`{{.Heading}}`)}, "links.html": {Data: []byte(main(`{{range .Links}}{{.URL}}{{end}}`))},
	}})
	require.NoError(t, account)
	require.NoError(t, visitors)
}

func TestAMenuEntryThatLeadsNowhereIsAnErrorOfNew(t *testing.T) {
	for want, m := range map[string]pages.MenuEntry{
		"Menu[1].Text is missing":                                    {URL: "/help"},
		"Menu[1].URL must be a path that begins with a slash":        {Text: "Help", URL: "help"},
		`or an address with http:// or https://, not "javascript:0"`: {Text: "Help", URL: "javascript:0"},
		`not "//help.example/"`:                                      {Text: "Help", URL: "//help.example/"},
		`not ""`:                                                     {Text: "Help"},
	} {
		account, _ := withOptions(t, pages.Options{Menu: []pages.MenuEntry{{Text: "Home", URL: "/"}, m}})
		require.ErrorContains(t, account, want)
	}
}

func TestAHostAddsAMenuEntryAStyleSheetAndStaticFiles(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{
		AnonymousLinks: true,
		Menu:           []pages.MenuEntry{{Text: "Help & <more>", URL: "/help"}, {Text: "Status", URL: "https://status.example/"}},
		Templates: fstest.MapFS{
			"extra.css":           {Data: []byte("h1 { background: url(img/logo.svg) }")},
			"static/img/logo.svg": {Data: []byte("<svg/>")},
			"static/own.woff2":    {Data: []byte("font")},
			"error.html":          {Data: []byte(`{{define "main"}}<img src="{{asset "img/logo.svg"}}" alt="">{{end}}`)},
		},
	})
	require.NotContains(t, s.get("login").body, "Help", "the menu is for those who are signed in")
	s.signIn("ada", pass)
	r := s.get("links")
	require.Contains(t, r.body, `<a href="/help">Help &amp; &lt;more&gt;</a>`)
	require.Contains(t, r.body, `<a href="https://status.example/">Status</a>`)

	for _, page := range []string{"links", "quick"} {
		r = s.get(page)
		_, after, found := strings.Cut(r.body, `/account/static/report.`)
		if page == "quick" {
			_, after, found = strings.Cut(r.body, `/account/static/anonymous.`)
		}
		require.True(t, found, page)
		_, after, found = strings.Cut(after, `href="/account/static/extra.`)
		require.True(t, found, "the host's style sheet comes last on %s", page)
		hash, _, _ := strings.Cut(after, `.css"`)
		css := s.get("static/extra." + hash + ".css")
		require.Equal(t, "h1 { background: url(img/logo.svg) }", css.body)
		require.Equal(t, "text/css; charset=utf-8", css.Header.Get("Content-Type"))
		require.Equal(t, "public, max-age=31536000, immutable", css.Header.Get("Cache-Control"))
	}
	require.Contains(t, r.Header.Get("Content-Security-Policy"), "; font-src 'self'")

	logo := s.get("static/img/logo.svg")
	require.Equal(t, 200, logo.StatusCode)
	require.Equal(t, "<svg/>", logo.body)
	require.Equal(t, "image/svg+xml", logo.Header.Get("Content-Type"))
	require.Equal(t, "public, no-cache", logo.Header.Get("Cache-Control"))
	_, address, _ := strings.Cut(s.get("nothing-here").body, `<img src="`)
	address, _, _ = strings.Cut(address, `"`)
	require.Regexp(t, `^/account/static/img/logo\.[0-9a-f]{16}\.svg$`, address)
	require.Equal(t, "public, max-age=31536000, immutable", s.get(address).Header.Get("Cache-Control"))
	require.Equal(t, "font/woff2", s.get("static/own.woff2").Header.Get("Content-Type"))
	require.Equal(t, 404, s.get("static/img/none.svg").StatusCode)
	require.Equal(t, 404, s.get("static/img/").StatusCode)

	r = s.get("/none")
	require.Contains(t, r.body, "h1 { background: url(img/logo.svg) }</style>")
	checkVisitorPage(t, r)
}

func TestTextsCanBeReplacedByThemselves(t *testing.T) {
	texts := maps.Clone(pages.Texts())
	account, visitors := withOptions(t, pages.Options{Texts: texts})
	require.NoError(t, account)
	require.NoError(t, visitors)
}
