package browsertest

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testmysql"
)

// A mode is a width and a color scheme of the window.
type mode struct {
	width, height int64
	scheme        string
}

var modes = []mode{{1280, 900, "light"}, {1280, 900, "dark"}, {390, 844, "light"}, {390, 844, "dark"}}

func (m mode) String() string { return fmt.Sprintf("%d-%s", m.width, m.scheme) }

// setMode sets the mode of the window.
func (b *tab) setMode(m mode) {
	b.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: m.width, Height: m.height, DeviceScaleFactor: 1})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: m.scheme}},
	})
}

// A view is a page in a certain state, for a certain person.
type view struct {
	name   string // of the pictures
	as     string // who is signed in; "" nobody
	path   string // where it begins: see site.at
	then   func(*tab) *document
	status int // 0: 200
}

// The views of an ordinary site: every page that there is, with each of its
// states that look different.
func ordinaryViews() []view {
	submit := func(b *tab) *document { return b.press("main form button:not([type=button])") }
	return []view{
		{name: "login", path: "login"},
		{name: "login-wrong", path: "login", status: 403, then: func(b *tab) *document {
			b.fill("login", "ada")
			b.fill("pass", "wrong")
			return submit(b)
		}},

		{name: "links", as: "ada", path: "links"},
		{name: "links-empty", as: "bob", path: "links"},
		{name: "links-many", as: "carol", path: "links?page=2"},
		{name: "links-found", as: "ada", path: "links?q=spring&group=Newsletter&sort=d.title&order=asc"},
		{name: "links-none-found", as: "ada", path: "links?q=nothing+is+like+this"},
		{name: "links-error", as: "ada", path: "links?sort=none", status: 400},
		{name: "links-made", as: "ada", path: "links/new", then: func(b *tab) *document {
			b.fill("external_url", b.site.destination)
			return submit(b)
		}},
		{name: "links-saved", as: "ada", path: "links?saved={host}/spring"},

		{name: "form-new", as: "ada", path: "links/new"},
		{name: "form-free", as: "bob", path: "links/new"},
		{name: "form-edit", as: "ada", path: "links/{host}/spring/edit"},
		{name: "form-edit-password", as: "ada", path: "links/{host}/secret/edit"},
		{name: "form-error", as: "ada", path: "links/new", status: 400, then: func(b *tab) *document {
			b.fill("external_url", "http://destination")
			return submit(b)
		}},
		{name: "form-taken", as: "ada", path: "links/new", status: 409, then: func(b *tab) *document {
			b.fill("external_url", b.site.destination)
			b.fill("vanity_link", "spring")
			return submit(b)
		}},

		{name: "report", as: "ada", path: "links/{host}/spring/report"},
		{name: "report-hours", as: "ada", path: "links/{host}/spring/report?by=hour&days=7"},
		{name: "report-older", as: "ada", path: "links/{host}/often/report", then: func(b *tab) *document { return b.press(`.clicks [rel="next"]`) }},
		{name: "report-none", as: "ada", path: "links/{host}/limited/report"},
		{name: "report-past", as: "ada", path: "links/{host}/spring/report?from=2020-01-01&to=2020-01-31"},
		{name: "report-error", as: "ada", path: "links/{host}/spring/report?from=yesterday", status: 400},
		{name: "report-error-range", as: "ada", path: "links/{host}/spring/report?from=2026-02-01&to=2026-01-01", status: 400},
		{name: "report-error-by", as: "ada", path: "links/{host}/spring/report?by=minute", status: 400},
		{name: "report-free", as: "bob", path: "links/{host}/{free}/report"},

		{name: "api", as: "ada", path: "api"},
		{name: "api-free", as: "bob", path: "api"},
		{name: "api-try-make", as: "ada", path: "api/makeLink"},
		{name: "api-try-make-free", as: "bob", path: "api/makeLink"},
		{name: "api-try-ping", as: "ada", path: "api/ping"},
		{name: "api-tried", as: "ada", path: "api/getReport", then: func(b *tab) *document {
			b.fill("redirect_hash", "spring")
			b.fill("format", "json")
			return submit(b)
		}},
		{name: "api-tried-wrong", as: "ada", path: "api/makeLink", then: func(b *tab) *document {
			b.fill("external_url", "nonsense")
			return submit(b)
		}},
		{name: "account", as: "ada", path: "account"},
		{name: "account-free", as: "bob", path: "account"},
		{name: "account-wrong", as: "carol", path: "account", status: 400, then: func(b *tab) *document {
			b.fill("email", "carol@example.com, ada@example.com")
			eval[chromedp.Void](b, `document.querySelector("main form[data-once]").noValidate = true`)
			return b.press("main form[data-once] button")
		}},
		{name: "pass", as: "dora", path: "pass"},
		{name: "pass-stale", as: "dora", path: "pass", status: 409, then: func(b *tab) *document {
			eval[chromedp.Void](b, `document.querySelector("[name=hash]").value = "that of another pass"`)
			return submit(b)
		}},
		{name: "pass-renewed", as: "dora", path: "pass", then: submit},

		{name: "bookmarklet", as: "ada", path: "bookmarklet"},
		{name: "bookmarklet-by-hand", as: "ada", path: "bookmarklet", then: func(b *tab) *document {
			return b.then(func() { b.click("summary") })
		}},
		{name: "mark", as: "ada", path: "mark?url=https%3A%2F%2Fnews.example.com%2Fspring&title=Spring+is+here"},
		{name: "mark-free", as: "bob", path: "mark?url=https%3A%2F%2Fnews.example.com%2Fspring&title=Spring+is+here"},
		{name: "mark-error", as: "ada", path: "mark?url=about%3Ablank", status: 400, then: submit},
		{name: "mark-made", as: "ada", path: "mark?url=https%3A%2F%2Fnews.example.com%2Fspring", then: submit},

		{name: "import", as: "ada", path: "import"},
		{name: "import-problems", as: "ada", path: "import", then: func(b *tab) *document { return b.upload("#file", importProblems) }},
		{name: "import-unreadable", as: "ada", path: "import", status: 400, then: func(b *tab) *document { return b.upload("#file", "hello\n") }},
		{name: "import-checked", as: "ada", path: "import", then: func(b *tab) *document { return b.upload("#file", importGood) }},
		{name: "import-done", as: "carol", path: "import", then: func(b *tab) *document {
			file := strings.ReplaceAll(importGood, "imported-", "carols-")
			b.upload("#file", file)
			return b.upload("#again", file)
		}},

		{name: "quick", path: "/"},
		{name: "quick-below", path: "quick"},
		{name: "quick-error", path: "/", status: 400, then: func(b *tab) *document {
			b.fill("external_url", "nonsense")
			return submit(b)
		}},
		{name: "quick-made", path: "{quick}"},
		{name: "quick-made-signed-in", as: "ada", path: "{quick}"},
		{name: "quick-own", as: "ada", path: "{claimed}"},
		{name: "quick-claimed", path: "{claimed}", status: 410},
		{name: "quick-throttled", path: "/", status: 429, then: func(b *tab) *document {
			for range 8 { // the site has made two
				b.site.quick(b.T, "https://example.com/")
			}
			b.fill("external_url", "https://example.com/")
			return submit(b)
		}},

		{name: "error-notfound", as: "ada", path: "none", status: 404},
		{name: "error-notfound-link", as: "ada", path: "links/{host}/none/edit", status: 404},
		{name: "error-invalid", as: "ada", path: "links/{host}/spring/qr.png?scale=99", status: 400},

		{name: "visitor-notfound", path: "/none", status: 404},
		{name: "visitor-inactive", path: "/inactive", status: 410},
		{name: "visitor-expired", path: "/expired", status: 410},
		{name: "visitor-usedup", path: "/usedup", status: 410},
		{name: "visitor-password", path: "/secret"},
		{name: "visitor-password-wrong", path: "/secret", status: 403, then: func(b *tab) *document {
			eval[chromedp.Void](b, `document.querySelector("[name=password]").value = "wrong"`)
			return submit(b)
		}},
		{name: "visitor-throttled", path: "/throttled", status: 429, then: func(b *tab) *document {
			for range 5 {
				b.site.tryPassword(b.T, "/throttled", "wrong")
			}
			eval[chromedp.Void](b, `document.querySelector("[name=password]").value = "open sesame"`)
			return submit(b)
		}},
		{name: "visitor-preview", path: "/none", then: func(b *tab) *document { return asBot(b, "/limited") }},
		{name: "visitor-summary", path: "/plus+"},
		{name: "visitor-report", path: "/report+"},
	}
}

// then opens the page again and runs do, which does not lead to another page.
func (b *tab) then(do func()) *document {
	b.Helper()
	d := b.open(eval[string](b, "location.href"))
	do()
	return d
}

// asBot sets the user agent of a bot.
func asBot(b *tab, path string) *document {
	b.setUserAgent("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
	defer b.setUserAgent(person)
	return b.open(path)
}

// setUserAgent sets the browser's user agent.
func (b *tab) setUserAgent(as string) {
	b.Helper()
	call(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: as})
}

// ordinarySite has links in every state.
func ordinarySite(t *testing.T) *site {
	s := newSite(t, "bob", "carol", "dora")
	s.make(t, "ada", "spring", "title", "The spring sale", "group", "Newsletter", "description", "What the April newsletter leads to.",
		"notes", "Ask Bob before it goes out.", "alert_at", "1000", "deactivate_at", "5000", "has_alert_email", "1", "is_public", "1",
		"has_plus_tracking", "1", "has_conversion_tracking", "1", "expires_at", "2099-12-31 12:00:00")
	s.make(t, "ada", "secret", "title", "The price list", "group", "Dealers", "password", "open sesame")
	s.make(t, "ada", "throttled", "password", "open sesame")
	s.make(t, "ada", "inactive", "title", "The winter sale", "group", "Newsletter", "is_active", "0")
	s.make(t, "ada", "expired", "title", "Tickets for the autumn fair")
	require.Equal(t, 200, s.post(t, "ada", s.page("expired", "edit"), url.Values{
		"external_url": {s.destination + "expired"}, "title": {"Tickets for the autumn fair"}, "is_active": {"1"}, "expires_at": {"2020-01-01"}}))
	s.make(t, "ada", "usedup", "title", "A gift for the first visitor", "deactivate_at", "1")
	s.make(t, "ada", "limited", "title", "A gift for a hundred visitors", "deactivate_at", "100")
	s.make(t, "ada", "plus", "title", "A link with a summary", "has_plus_tracking", "1")
	s.make(t, "ada", "report", "title", "A link with a report", "has_public_tracking", "1", "has_plus_tracking", "1")
	for _, path := range []string{"/spring", "/spring", "/usedup", "/plus", "/report", "/report"} {
		require.Equal(t, 302, s.click(t, path, "Referer", "https://news.example.com/april"), path)
	}
	s.make(t, "ada", "often", "title", "A link that is often used")
	for i := range 51 {
		require.Equal(t, 302, s.click(t, "/often", "Referer", fmt.Sprintf("https://news-%d.example.com/", i)))
	}
	free := strings.TrimPrefix(s.make(t, "bob", ""), s.root+"/")
	require.Equal(t, 302, s.click(t, "/"+free))
	s.places["free"] = url.PathEscape(free)
	s.convert(t, "ada", "spring", "12.34", "EUR")
	s.places["quick"] = s.quick(t, "https://example.com/quick")
	s.places["claimed"] = s.quick(t, "https://example.com/claimed")
	require.Equal(t, 200, s.post(t, "ada", s.places["claimed"], nil))
	for i := range 52 {
		s.make(t, "carol", fmt.Sprintf("many-%d", i))
	}
	return s
}

func TestEveryPageFitsCanBeReadByEveryoneAndLoadsNothingElse(t *testing.T) {
	axeScript(t) // or skip before anything is built
	s := ordinarySite(t)
	s.visit(t, ordinaryViews(), (*tab).inspect)
}

func TestThePagesOfAnOutageAreNoWorse(t *testing.T) {
	axeScript(t)
	running(t)
	database := testmysql.Start(t)
	s := newSiteOn(t, database.DSN("links"))
	b := s.signedIn(t, "ada")
	database.Kill()
	for _, v := range []view{
		{name: "error-unavailable", path: "links", status: 503},
		{name: "visitor-unavailable", path: "/spring", status: 503},
	} {
		b.inspect(v, b.see(v))
		b.quiet()
	}
}

// inspect checks the page in all modes.
func (b *tab) inspect(v view, d *document) {
	b.Helper()
	checkHeaders(b.T, d, b.site)
	b.prepareAxe()
	for _, m := range modes {
		b.setMode(m)
		b.fits(m)
		b.keep(b.picture(m), "ordinary", v.name+"-"+m.String()+".png")
		b.accessible()
	}
}

// visit checks views. Each person has one window.
func (s *site) visit(t *testing.T, views []view, look func(*tab, view, *document)) {
	t.Helper()
	byPerson := map[string][]view{}
	for _, v := range views {
		byPerson[v.as] = append(byPerson[v.as], v)
	}
	for login, views := range byPerson {
		t.Run("of "+cmp.Or(login, "nobody"), func(t *testing.T) {
			t.Parallel()
			b := s.newTab(t)
			if login != "" {
				b.signIn(login, pass)
			}
			for _, v := range views {
				t.Run(v.name, func(t *testing.T) {
					b.T = t
					look(b, v, b.see(v))
					b.quiet()
				})
			}
		})
	}
}

// see opens a view.
func (b *tab) see(v view) *document {
	b.Helper()
	b.mu.Lock()
	b.problems = nil // of the view before
	b.mu.Unlock()
	path := v.path
	for name, place := range b.site.places {
		path = strings.ReplaceAll(path, "{"+name+"}", place)
	}
	d := b.open(path)
	if v.then != nil {
		d = v.then(b)
	}
	want := v.status
	if want == 0 {
		want = 200
	}
	require.Equal(b, want, d.status, d.url)
	require.Contains(b, d.header.Get("Content-Type"), "text/html")
	return d
}

// fits fails if the page is wider than its window.
func (b *tab) fits(m mode) {
	b.Helper()
	wide := eval[[]string](b, fmt.Sprintf(`document.documentElement.scrollWidth <= %d ? [] :
		[document.documentElement.scrollWidth + " pixels"].concat(Array.from(document.querySelectorAll("body *"))
			.filter(e => e.getBoundingClientRect().right > %[1]d).map(e => e.outerHTML.slice(0, 200)))`, m.width))
	require.Empty(b, wide, "%v: wider than the window", m)
	out := eval[[]string](b, `Array.from(document.querySelectorAll(".panel button, .panel .button, .panel input, .panel select, .panel textarea"))
		.filter(e => e.checkVisibility()).filter(e => {
			const panel = e.closest(".panel"), style = getComputedStyle(panel);
			const room = panel.getBoundingClientRect(), place = e.getBoundingClientRect();
			return place.left < room.left + parseFloat(style.paddingLeft) || place.right > room.right - parseFloat(style.paddingRight);
		}).map(e => e.outerHTML.slice(0, 200))`)
	require.Empty(b, out, "%v: stands in the margin of its panel", m)
	cut := eval[[]string](b, `Array.from(document.querySelectorAll("[placeholder]")).filter(e => {
		const value = e.value;
		e.value = e.placeholder;
		const cut = e.scrollWidth > e.clientWidth;
		e.value = value;
		return cut;
	}).map(e => e.placeholder)`)
	require.Empty(b, cut, "%v: a placeholder is cut off", m)
}

// picture returns a picture of the whole page.
func (b *tab) picture(m mode) []byte {
	b.Helper()
	height := call(b, page.GetLayoutMetrics, struct{}{}).CSSContentSize.Height
	beyond, fast := true, true
	return call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Clip:                  &page.Viewport{Width: float64(m.width), Height: height, Scale: 1},
		CaptureBeyondViewport: &beyond,
		OptimizeForSpeed:      &fast,
	}).Data
}

// checkHeaders fails if the policy of a page allows more than it needs, or if the page
// may be cached.
func checkHeaders(t *testing.T, d *document, s *site) {
	t.Helper()
	policy := map[string][]string{}
	for directive := range strings.SplitSeq(d.header.Get("Content-Security-Policy"), ";") {
		if words := strings.Fields(directive); len(words) > 0 {
			policy[words[0]] = words[1:]
		}
	}
	for _, name := range []string{"default-src", "base-uri", "frame-ancestors"} {
		require.Equal(t, []string{"'none'"}, policy[name], "%s of %s", name, d.url)
	}
	for name, sources := range policy {
		for _, source := range sources {
			hash := (name == "style-src" || name == "script-src") && strings.HasPrefix(source, "'sha256-")
			require.True(t, source == "'none'" || source == "'self'" || hash, "%s of %s has %s", name, d.url, source)
		}
	}
	if strings.HasPrefix(d.url, s.pages) {
		require.Equal(t, []string{"'self'"}, policy["form-action"], d.url)
	}
	require.Equal(t, "nosniff", d.header.Get("X-Content-Type-Options"), d.url)
	require.Contains(t, d.header.Get("Cache-Control"), "no-store", d.url)
}
