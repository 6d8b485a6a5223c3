package browsertest

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// inSight reports whether a link's row is in the window.
func (b *tab) inSight(vanity string) bool {
	b.Helper()
	return eval[bool](b, fmt.Sprintf(`(r => r.top >= 0 && r.top < innerHeight)(
		Array.from(document.querySelectorAll(".link")).find(e => e.querySelector(".short").textContent.endsWith("/%s")).getBoundingClientRect())`, vanity))
}

func TestWhoEditsOrSwitchesALinkComesBackToItsPlaceInTheList(t *testing.T) {
	s := newSite(t)
	for i := range 60 {
		s.make(t, "ada", fmt.Sprintf("sale-%d", i), "group", "Sales")
	}
	b := s.signedIn(t, "ada")
	const list = "links?group=Sales&order=asc&q=sale&sort=l.created_at"
	row := func(vanity, what string) string {
		return fmt.Sprintf(`Array.from(document.querySelectorAll(".link")).find(e => e.querySelector(".short").textContent.endsWith("/%s")).querySelector("%s").id = "now"`, vanity, what)
	}
	stays := func(vanity string) {
		t.Helper()
		got := eval[string](b, `((u => { for (const name of ["saved", "page"]) u.searchParams.delete(name); u.hash = ""; return u.href; })(new URL(location.href)))`)
		require.Equal(t, s.at(list), got)
		require.Greater(t, eval[float64](b, "scrollY"), 500.0, "not at the top")
		require.True(t, b.inSight(vanity), vanity)
	}
	b.open(list)
	for range 2 {
		b.do(chromedp.Evaluate[chromedp.Void](row("sale-30", ".does form button")))
		b.press("#now")
		stays("sale-30")
	}
	b.do(chromedp.Evaluate[chromedp.Void](row("sale-40", `a[href*='/edit']`)))
	b.press("#now")
	b.fill("title", "Edited")
	b.press(submitForm)
	stays("sale-40")
	require.Contains(t, b.text(".link .notice"), "Changes saved")
	b.do(chromedp.Evaluate[chromedp.Void](row("sale-41", `a[href*='/edit']`)))
	b.press("#now")
	b.press(".actions a")
	stays("sale-41")

	b.open(list + "&page=2")
	b.do(chromedp.Evaluate[chromedp.Void](row("sale-58", `a[href*='/edit']`)))
	b.press("#now")
	b.press(submitForm)
	require.Equal(t, "2", eval[string](b, `new URL(location.href).searchParams.get("page")`))
	require.True(t, b.inSight("sale-58"))
	b.quiet()
}

func TestAFormThatIsSentWhenTheSessionHasEndedIsThereAgain(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t, "ada")
	b.open("links/new")
	b.fill("external_url", s.destination+"spring")
	b.fill("title", "The spring sale")
	b.fill("password", "open sesame")
	b.fill("notes", "one\ntwo")
	elsewhere := s.signedIn(t, "ada")
	elsewhere.open("pass")
	elsewhere.press(submitForm)
	renewed := elsewhere.text(".secret code")
	require.NotEmpty(t, renewed)

	d := b.press(submitForm)
	require.Equal(t, 401, d.status)
	require.NotContains(t, d.url, "sesame")
	b.fill("login", "ada")
	b.fill("pass", renewed)
	b.press(submitForm)
	for name, want := range map[string]string{
		"external_url": s.destination + "spring", "title": "The spring sale", "password": "open sesame", "notes": "one\ntwo", "is_active": "1",
	} {
		require.Equal(t, want, b.value(name), name)
	}
	b.press(submitForm)
	require.Equal(t, []string{"The spring sale"}, b.titles())
	require.Equal(t, s.root, b.made()[:len(s.root)])
}

// contrasts returns the contrast ratios (WCAG) between the shapes of a page and their
// backgrounds.
const contrasts = `(() => {
	const parse = s => s.match(/[\d.]+/g).map(Number);
	const light = c => c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0.05);
	const over = (c, b) => [0, 1, 2].map(i => c[i] * (c[3] ?? 1) + b[i] * (1 - (c[3] ?? 1)));
	const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if ((c[3] ?? 1) == 1) return c; } };
	const found = [];
	const add = (name, c, opacity, b) => { c = over([...c.slice(0, 3), (c[3] ?? 1) * opacity], b); const [x, y] = [light(c), light(b)]; found.push({ name, ratio: Math.max(x, y) / Math.min(x, y) }); };
	for (const e of document.querySelectorAll("svg path.people, svg path.unique, svg rect.people")) {
		const style = getComputedStyle(e);
		add(e.outerHTML.slice(0, 40), parse(style.fill), style.fillOpacity * style.opacity, behind(e));
	}
	for (const e of document.querySelectorAll("svg .rule")) { const style = getComputedStyle(e); add("rule", parse(style.stroke), style.strokeOpacity, behind(e)); }
	for (const e of document.querySelectorAll(".key, .state")) { const style = getComputedStyle(e, "::before"); add("mark of " + e.className, parse(style.backgroundColor), style.opacity, behind(e)); }
	for (const e of document.querySelectorAll("input, select, textarea, button")) { if (e.type == "hidden" || e.hidden) continue; const style = getComputedStyle(e); add("edge of " + e.outerHTML.slice(0, 60), parse(style.borderTopColor), 1, behind(e.parentElement)); }
	for (const e of document.querySelectorAll("input[type=checkbox]")) { add("mark of a box", parse(getComputedStyle(e).accentColor), 1, behind(e.parentElement)); }
	return found;
})()`

func TestEveryShapeStandsOutFromWhatIsBehindIt(t *testing.T) {
	s := newSite(t)
	s.make(t, "ada", "spring", "has_public_tracking", "1", "has_plus_tracking", "1")
	for range 3 {
		s.click(t, "/spring", "Referer", "https://news.example.com/april")
	}
	b := s.signedIn(t, "ada")
	for _, path := range []string{"links", "links/new", s.page("spring", "report"), "account", "/spring+"} {
		b.open(path)
		for _, m := range modes {
			b.setMode(m)
			shapes := eval[[]struct {
				Name  string  `json:"name"`
				Ratio float64 `json:"ratio"`
			}](b, contrasts)
			require.NotEmpty(t, shapes, path)
			for _, found := range shapes {
				require.GreaterOrEqual(t, found.Ratio, 3.0, "%s on %s, %v", found.Name, path, m)
			}
		}
	}
}
