package browsertest

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostile has texts of strangers that a page may show. If one of them is run, it
// sets window.pwned.
var hostile = map[string]string{
	"script":   `<script>window.pwned=1;alert(1)</script>`,
	"element":  `</title></textarea></option></style><img src=x onerror="window.pwned=1">`,
	"breakout": `"' autofocus onfocus="window.pwned=1" onmouseover=window.pwned=1 x='"><svg onload=window.pwned=1>`,
	"address":  `javascript:window.pwned=1//`,
	"template": `{{.Login}}${window.pwned=1}</script><script>window.pwned=1`,
	"turned":   "safe \u202egpj.exe\u202c \u2066\u202e\u2067 and on",
	"long":     "",
	"words":    "ab ",
	"wide":     "\u2003𒐫﷽",
	"marks":    "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309",
}

// filled repeats a hostile text up to a number of characters.
func filled(text string, length int) string {
	if text == "" {
		text = "W"
	}
	r := []rune(strings.Repeat(text, length/len([]rune(text))+1))
	return strings.TrimSpace(string(r[:length]))
}

// hostileSite returns a site with hostile texts, as long as the rules allow, in
// Ada's links and in the requests of visitors.
func hostileSite(t *testing.T) *site {
	s := newSite(t)
	for name, text := range hostile {
		path := filled(name, 100)
		s.make(t, "ada", path, "title", filled(text, 255), "group", filled(text, 255), "description", filled(text, 2000),
			"notes", filled(text, 10_000), "has_plus_tracking", "1", "external_url", filled(s.destination+"W"+strings.Repeat("W", 4096), 4096))
		s.make(t, "ada", "report-"+name, "title", filled(text, 255), "has_plus_tracking", "1", "has_public_tracking", "1")
		s.make(t, "ada", "limited-"+name, "title", text+"W", "deactivate_at", "1000000000")
		s.make(t, "ada", "secret-"+name, "title", text+"W", "password", "open sesame")
		for _, path := range []string{path, "report-" + name} {
			for _, referrer := range []string{text, filled(text, 1000), "https://" + filled(text, 200) + ".example/", "https://example.com/?" + text,
				"https://" + strings.Repeat("long.", 45) + "example/"} {
				require.Equal(t, 302, s.click(t, "/"+path, "Referer", referrer, "User-Agent", "Mozilla/5.0 (X11; "+text+") "+filled(text, 500)))
			}
		}
	}
	s.places["quick"] = s.quick(t, filled(s.destination+strings.Repeat("W", 4096), 4096))
	return s
}

// hostileFile is a file to import in which each line has a problem.
func hostileFile(text string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.WriteAll([][]string{
		// In a header with many semicolons, the semicolon would be the separator.
		{"external_url", "redirect_hash", "host", "is_active", filled(strings.ReplaceAll(text, ";", ","), 255)},
		{text + "W", "", "", "", ""},
		{"https://example.com/", text + "W", "", "", ""},
		{"https://example.com/", "", text + "W", "", ""},
		{"https://example.com/", "", "", text + "W", ""},
	})
	return b.String()
}

// hostileViews are the views that show texts of strangers.
func hostileViews() []view {
	views := []view{
		{name: "links", as: "ada", path: "links"},
		{name: "login", path: "login", status: 403, then: func(b *tab) *document { return b.signIn(filled(hostile["breakout"], 300), "wrong") }},
		{name: "login-next", path: "login?next=" + escaped(hostile["breakout"])},
		{name: "login-next-address", path: "login?next=" + escaped(hostile["address"])},
		{name: "quick-long", path: "{quick}"},
		{name: "quick-none", path: "quick/{host}/x/" + escaped(hostile["script"]), status: 404},
		{name: "notfound", path: "/" + escaped(hostile["script"]), status: 404},
		{name: "notfound-page", as: "ada", path: escaped(hostile["script"]), status: 404},
	}
	for name, text := range hostile {
		path := filled(name, 100)
		views = append(views,
			view{name: "owners-report-" + name, as: "ada", path: "links/{host}/" + path + "/report"},
			view{name: "owners-report-error-" + name, as: "ada", path: "links/{host}/" + path + "/report?status=1&from=" + escaped(text+"W"), status: 400},
			view{name: "api-try-" + name, as: "ada", path: "api/makeLink?title=" + escaped(filled(text, 255)) + "&notes=" + escaped(text)},
			view{name: "api-tried-" + name, as: "ada", path: "api/getLinkHistory?redirect_hash=" + escaped(path), then: func(b *tab) *document { return b.press(submitForm) }},
			view{name: "mark-" + name, as: "ada", path: "mark?url=" + escaped(text+"W") + "&title=" + escaped(filled(text, 1000))},
			view{name: "mark-error-" + name, as: "ada", path: "mark?url=" + escaped(text+"W") + "&title=" + escaped(filled(text, 1000)), status: 400,
				then: func(b *tab) *document { return b.press(submitForm) }},
			view{name: "mark-made-" + name, as: "ada", path: "mark?made={host}/" + path},
			view{name: "import-" + name, as: "ada", path: "import", then: func(b *tab) *document {
				return b.upload("#file", hostileFile(text))
			}},
			view{name: "quick-error-" + name, path: "/", status: 400, then: func(b *tab) *document {
				b.fill("external_url", text+"W")
				return b.press(submitForm)
			}},
			view{name: "links-" + name, as: "ada", path: "links?q=" + escaped(text) + "&group=" + escaped(filled(text, 255))},
			view{name: "edit-" + name, as: "ada", path: "links/{host}/" + path + "/edit"},
			view{name: "saved-" + name, as: "ada", path: "links?made={host}/" + path + "&saved={host}/" + path + "&q=none"},
			view{name: "form-" + name, as: "ada", path: "links/new", status: 400, then: func(b *tab) *document {
				return b.newLink("external_url", text+"W", "vanity_link", text+"W", "title", filled(text, 256), "password", text+"W", "alert_at", text+"W")
			}},
			view{name: "summary-" + name, path: "/" + path + "+"},
			view{name: "report-" + name, path: "/report-" + name + "+"},
			view{name: "password-" + name, path: "/secret-" + name},
			view{name: "preview-" + name, path: "/none", then: func(b *tab) *document { return asBot(b, "/limited-"+name) }},
		)
	}
	return views
}

func escaped(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func TestWhatStrangersWriteDoesNothingAndBreaksNoPage(t *testing.T) {
	s := hostileSite(t)
	s.visit(t, hostileViews(), func(b *tab, v view, d *document) {
		checkHeaders(b.T, d, s)
		for _, m := range []mode{modes[0], modes[2]} {
			b.setMode(m)
			b.fits(m)
			b.keep(b.picture(m), "hostile", v.name+"-"+m.String()+".png")
		}
		require.Equal(b, "undefined", eval[string](b, `typeof window.pwned`), "a script ran")
		require.Zero(b, b.count("svg[onload], img[onerror], [onfocus], [onmouseover], script:not([src])"), "there is an element that is none of ours")
	})
}
