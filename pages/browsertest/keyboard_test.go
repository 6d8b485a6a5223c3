package browsertest

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// number gives each usable element of the page a number, and returns how many there
// are.
const number = `(() => {
	const usable = Array.from(document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]"))
		.filter(e => !e.disabled && e.type != "hidden" && e.tabIndex >= 0 && e.getClientRects().length && e.checkVisibility()); // not in details that are closed
	usable.forEach((e, i) => e.dataset.number = i);
	return usable.length;
})()`

// focused returns which of them has the focus, and whether that is visible. The
// window may be scrolled to it some frames after it got the focus, and by whole
// pixels; of a box for many lines it is scrolled to the one where one types.
const focused = `new Promise(done => {
	const e = document.activeElement, s = getComputedStyle(e);
	const inside = r => r.width > 0 && r.height > 0 && r.top > -1 && r.left >= 0 && Math.min(r.bottom, r.top + 50) < innerHeight + 1 && r.right <= innerWidth;
	const look = frames => inside(e.getBoundingClientRect()) || !frames ? done({
		number: e.dataset.number || "",
		what: e.outerHTML.slice(0, 150) + " from " + e.getBoundingClientRect().top + " to " + e.getBoundingClientRect().bottom + " in " + innerWidth + "x" + innerHeight,
		outlined: s.outlineStyle != "none" && parseFloat(s.outlineWidth) >= 2,
		inside: inside(e.getBoundingClientRect()),
	}) : requestAnimationFrame(() => look(frames - 1));
	look(e.dataset.number ? 30 : 0);
})`

type focus struct {
	Number   string `json:"number"`
	What     string `json:"what"`
	Outlined bool   `json:"outlined"`
	Inside   bool   `json:"inside"`
}

// fromTheTop lets the Tab key begin at the top of the page. It waits until the page
// is painted, because a field with autofocus gets the focus then.
func (b *tab) fromTheTop() {
	b.Helper()
	eval[bool](b, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
	eval[chromedp.Void](b, `document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex")`)
}

// tabThrough goes through the page with the tabulator, and fails unless
// everything that can be used is reached in its order and seen to have the
// focus.
func (b *tab) tabThrough() {
	b.Helper()
	count := eval[int](b, number)
	require.NotZero(b, count)
	b.fromTheTop()
	reached := 0
	for range 3 * count { // a date has parts
		b.do(chromedp.KeyEvent(kb.Tab))
		f := eval[focus](b, focused)
		if f.Number == "" {
			break // behind the last
		}
		if f.Number == eval[string](b, `String(window.lastNumber)`) {
			continue
		}
		eval[chromedp.Void](b, `window.lastNumber = document.activeElement.dataset.number`)
		require.True(b, f.Outlined, "the focus cannot be seen on %s", f.What)
		require.True(b, f.Inside, "what has the focus is not in the window: %s", f.What)
		require.Equal(b, strconv.Itoa(reached), f.Number, "the order is that of the page: %s", f.What)
		reached++
	}
	require.Equal(b, count, reached, "everything is reached")
}

func TestTheTabulatorReachesEverythingAndIsSeen(t *testing.T) {
	s := newSite(t)
	s.make(t, "ada", "spring", "title", "The spring sale", "group", "Newsletter", "password", "open sesame")
	s.make(t, "ada", "often", "has_plus_tracking", "1", "has_public_tracking", "1")
	require.Equal(t, 302, s.click(t, "/often"))
	b := s.newTab(t)
	for _, m := range modes {
		b.setMode(m)
		b.open("login")
		b.tabThrough()
		b.open("/spring")
		b.tabThrough()
		b.open("/")
		b.tabThrough()
		b.open("/often+")
		b.tabThrough()
	}
	b.signIn("ada", pass)
	for _, m := range modes {
		b.setMode(m)
		for _, path := range []string{"links", "links/new", s.page("spring", "edit"), s.page("often", "report"),
			"import", "bookmarklet", "mark", "pass", "api/getReport"} {
			b.open(path)
			b.tabThrough()
		}
	}
	b.quiet()
}

// keys presses keys.
func keys(texts ...string) chromedp.Action[chromedp.Void] {
	return chromedp.KeyEvent(strings.Join(texts, ""))
}

// tabTo presses the tabulator until a field has the focus.
func (b *tab) tabTo(name string) {
	b.Helper()
	for range 60 {
		if eval[string](b, `document.activeElement.name || ""`) == name {
			return
		}
		b.do(keys(kb.Tab))
	}
	b.Fatalf("the tabulator does not reach %s", name)
}

func TestALinkIsMadeWithTheKeyboardAlone(t *testing.T) {
	s := newSite(t)
	b := s.newTab(t)
	b.open("login")
	require.True(t, eval[bool](b, `new Promise(done => {
		const look = () => document.activeElement.id == "login" ? done(true) : requestAnimationFrame(look);
		look();
	})`), "the focus is on the login")
	b.do(keys("ada", kb.Tab, pass))
	require.Equal(t, s.pages+"links", b.lead(keys(kb.Enter)).url)

	b.do(keys(kb.Tab, kb.Enter)) // skip the menu
	require.Equal(t, "main", eval[string](b, `location.hash.slice(1)`))
	b.fromTheTop()
	for range 10 {
		b.do(keys(kb.Tab))
		if strings.HasSuffix(eval[string](b, `document.activeElement.href || ""`), "/links/new") {
			break
		}
	}
	require.Equal(t, s.pages+"links/new", b.lead(keys(kb.Enter)).url)

	b.tabTo("external_url")
	b.do(keys(s.destination, "keys"))
	b.tabTo("host")
	b.do(keys(kb.ArrowDown)) // the hosts in their order
	b.tabTo("vanity_link")
	b.do(keys("keys"))
	b.tabTo("expires_at")
	b.do(keys("12312099", kb.Tab, "010203PM"))
	b.tabTo("has_plus_tracking")
	b.do(keys(" "))
	require.Contains(t, b.lead(keys(kb.Enter)).url, "made=") // Enter in a box sends the form
	require.Equal(t, "http://alt.example/keys", b.made())
	b.open("links/alt.example/keys/edit")
	require.Equal(t, "1", b.value("has_plus_tracking"))
	require.Equal(t, "2099-12-31T13:02:03", b.value("expires_at"))
	b.quiet()
}

func TestEverythingWorksWithoutJavaScript(t *testing.T) {
	s := newSite(t)
	b := s.newTab(t)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	require.Equal(t, 403, b.signIn("ada", "wrong").status)
	require.Equal(t, s.pages+"links", b.signIn("ada", pass).url)
	require.Equal(t, 400, b.newLink("external_url", "nonsense", "title", "It stays").status)
	require.Equal(t, "It stays", b.value("title"))
	b.newLink("external_url", s.destination+"plain", "vanity_link", "plain", "title", "Plain", "is_public", "1")
	require.Equal(t, s.root+"/plain", b.made())
	require.Zero(t, eval[int](b, `Array.from(document.querySelectorAll("[data-copy]")).filter(e => e.getClientRects().length).length`),
		"there is no button that would do nothing")
	b.press(".does form button")
	require.Equal(t, "Switched off", b.text(".link .state"))
	b.open(s.page("plain", "edit"))
	b.fill("is_active", "1")
	b.fill("password", "open sesame")
	b.press(submitForm)
	b.open("/plain")
	b.fill("password", "open sesame")
	require.Equal(t, s.destination+"plain", b.press(submitForm).url)
	b.open("links")
	require.Equal(t, s.pages+"login", b.press(".signout button").url)
}
