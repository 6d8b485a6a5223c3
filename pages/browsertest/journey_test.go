package browsertest

import (
	"bytes"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testtool"
)

const submitForm = "main form button:not([type=button])"

// newLink fills the form of a new link with pairs of names and values, and sends it.
func (b *tab) newLink(fields ...string) *document {
	b.Helper()
	b.open("links/new")
	for i := 0; i < len(fields); i += 2 {
		b.fill(fields[i], fields[i+1])
	}
	return b.press(submitForm)
}

// made returns the address of the new link that the list shows.
func (b *tab) made() string {
	b.Helper()
	return strings.TrimSpace(b.text(".made .short"))
}

// titles returns the titles in the list, from top to bottom.
func (b *tab) titles() []string {
	b.Helper()
	return eval[[]string](b, `Array.from(document.querySelectorAll(".link h2"), e => e.innerText)`)
}

func TestFromSigningInToSigningOut(t *testing.T) {
	s := newSite(t)
	b := s.newTab(t)

	d := b.open("links?q=spring")
	require.Equal(t, s.pages+"login?next="+url.QueryEscape("/account/links?q=spring"), d.url, "one who is not signed in is sent to sign in")
	b.fill("login", "ada")
	b.fill("pass", "wrong")
	require.Equal(t, 403, b.press(submitForm).status)
	require.Equal(t, "The login or the pass is wrong.", b.text("[role=alert]"))
	require.Equal(t, "ada", b.value("login"), "the login stays")
	require.Empty(t, b.value("pass"), "the pass does not")
	b.fill("pass", pass)
	require.Equal(t, s.pages+"links?q=spring", b.press(submitForm).url, "and comes to where he wanted to go")

	b.newLink("external_url", s.destination+"spring", "vanity_link", "spring", "title", "The spring sale")
	require.Equal(t, s.root+"/spring", b.made())
	require.Equal(t, s.destination+"spring", b.open("/spring").url, "the link leads there")

	b.open("links?made=" + url.QueryEscape(s.host+"/spring"))
	b.click(".made [data-copy]")
	require.True(t, eval[bool](b, `new Promise(done => {
		const look = () => document.querySelector(".made [data-copy]").textContent == "Copied" ? done(true) : requestAnimationFrame(look);
		look();
	})`))
	b.fill("q", "")
	call(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Commands: []string{"paste"}})
	require.Equal(t, s.root+"/spring", b.value("q"), "the link can be pasted")

	b.open(s.page("spring", "edit"))
	b.fill("external_url", s.destination+"summer")
	b.fill("title", "The summer sale")
	require.Contains(t, b.press(submitForm).url, "saved=")
	require.Equal(t, []string{"The summer sale"}, b.titles())
	require.Equal(t, s.destination+"summer", b.open("/spring").url, "the link leads to where the edit says")

	b.open("links")
	b.press(".does form button")
	require.Equal(t, "Switched off", b.text(".link .state"))
	require.Equal(t, 410, b.open("/spring").status)
	b.open("links")
	b.press(".does form button")
	require.Equal(t, "Active", b.text(".link .state"))
	require.Equal(t, 200, b.open("/spring").status)

	b.open("links")
	require.Equal(t, s.pages+"login", b.press(".signout button").url)
	b.back()
	require.NotContains(t, b.text("body"), "The summer sale", "the button to go back shows nothing")
	require.Equal(t, "Sign in", b.text("h1"))
	require.Equal(t, s.pages+"login?next="+url.QueryEscape("/account/links"), b.open("links").url)
	b.quiet()
}

// Each parameter of a link is set once in the form, and seen to have come true:
// in the form that edits the link, and where visitors notice.
func TestEveryOptionOfALinkCanBeSetInTheForm(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t, "ada")
	options := []string{
		"external_url", s.destination + "all",
		"host", "alt.example",
		"vanity_link", "All_of-them",
		"forward_query", "1",
		"title", "All of them",
		"group", "A new group",
		"description", "One line\nand another",
		"notes", "For me\nalone",
		"is_active", "",
		"expires_at", "2099-12-31T12:34:56",
		"deactivate_at", "7",
		"password", "open sesame",
		"alert_at", "5",
		"has_alert_email", "1",
		"is_public", "1",
		"has_plus_tracking", "1",
		"has_public_tracking", "1",
		"has_public_revenue", "1",
		"has_conversion_tracking", "1",
	}
	b.open("links/new")
	names := eval[[]string](b, `Array.from(document.querySelectorAll(".linkform [name]"), e => e.name)`)
	for _, name := range names {
		require.Contains(t, options, name, "the form has a field that this test does not know")
	}
	require.Contains(t, b.newLink(options...).url, "made=")
	require.Equal(t, "http://alt.example/All_of-them", b.made())

	b.open("links/alt.example/All_of-them/edit")
	for i := 0; i < len(options); i += 2 {
		switch options[i] {
		case "host", "vanity_link": // they never change
			require.Zero(t, b.count(`main [name="`+options[i]+`"]`), options[i])
		case "password": // it is never shown
			require.Empty(t, b.value("password"))
			require.Equal(t, 1, b.count(`main [name="password_clear"]`), "there is one")
		default:
			require.Equal(t, options[i+1], b.value(options[i]), options[i])
		}
	}

	for _, o := range []struct {
		name   string
		fields []string
		status int
		url    string // of the destination, without its root; "" any
	}{
		{"forward_query", []string{"forward_query", "1"}, 200, "forward_query?x=1"},
		{"is_active", []string{"is_active", ""}, 410, ""},
		{"deactivate_at", []string{"deactivate_at", "1"}, 200, "deactivate_at"},
		{"password", []string{"password", "open sesame"}, 200, ""},
	} {
		b.newLink(append(o.fields, "external_url", s.destination+o.name, "vanity_link", o.name)...)
		require.Equal(t, s.root+"/"+o.name, b.made())
		d := b.open("/" + o.name + "?x=1")
		require.Equal(t, o.status, d.status, o.name)
		if o.url != "" {
			require.Equal(t, s.destination+o.url, d.url)
		}
	}
	require.Equal(t, 410, b.open("/deactivate_at").status, "one visit was allowed")
	b.newLink("external_url", s.destination, "vanity_link", "plus", "title", "With a summary", "has_plus_tracking", "1")
	require.Equal(t, 200, b.open("/plus+").status)
	require.Equal(t, "With a summary", b.text("h1"))

	b.open("/password")
	b.fill("password", "wrong")
	require.Equal(t, 403, b.press(submitForm).status)
	require.Equal(t, "The password is wrong.", b.text("[role=alert]"))
	b.fill("password", "open sesame")
	require.Equal(t, s.destination+"password", b.press(submitForm).url, "the right password leads on")

	b.open(s.page("password", "edit"))
	b.fill("password_clear", "1")
	b.press(submitForm)
	require.Equal(t, s.destination+"password", b.open("/password").url, "without its password the link leads on at once")
	b.quiet()
}

func TestEveryFieldSaysWhatIsWrongWithItAndKeepsTheRest(t *testing.T) {
	s := newSite(t)
	s.make(t, "ada", "taken")
	b := s.signedIn(t, "ada")
	for _, wrong := range []struct {
		field, value string
		says         string
		status       int
	}{
		{"external_url", "www.example.com", "Destination must begin with http:// or https://", 400},
		{"external_url", "http://destination", "Destination ", 400},
		{"vanity_link", "a b", "Custom path may have letters (a-z), digits, _ and - only", 400},
		{"vanity_link", "Taken", "This custom path is already taken.", 409},
		{"vanity_link", "api", "Custom path is a reserved word", 400},
		{"title", strings.Repeat("t", 256), "Title must have at most 255 characters", 400},
		{"group", strings.Repeat("g", 256), "Group ", 400},
		{"description", strings.Repeat("d", 2001), "Description must have at most 2000 characters", 400},
		{"notes", strings.Repeat("n", 10001), "Notes must have at most 10000 characters", 400},
		{"expires_at", "2001-02-03T04:05:06", "Expiration must not be in the past", 400},
		{"deactivate_at", "-1", "Click limit ", 400},
		{"alert_at", "many", "Alert threshold ", 400},
		{"password", strings.Repeat("p", 2000), "Password ", 400},
	} {
		fields := []string{"external_url", s.destination, "title", "It stays", "has_plus_tracking", "1", wrong.field, wrong.value}
		d := b.newLink(fields...)
		require.Equal(t, wrong.status, d.status, "%s %.40q", wrong.field, wrong.value)
		at := fmt.Sprintf(`main [name="%s"]`, wrong.field)
		require.Contains(t, b.text("#f-"+wrong.field+"-error"), wrong.says)
		require.Equal(t, "true", eval[string](b, fmt.Sprintf("document.querySelector(%q).ariaInvalid", at)), wrong.field)
		require.Contains(t, eval[string](b, fmt.Sprintf("document.querySelector(%q).getAttribute('aria-describedby')", at)), "f-"+wrong.field+"-error")
		require.Equal(t, wrong.field, eval[string](b, "document.activeElement.name"), "what is wrong has the focus")
		require.Equal(t, wrong.value, b.value(wrong.field), "what is wrong can be mended where it stands")
		if wrong.field != "title" {
			require.Equal(t, "It stays", b.value("title"))
		}
		require.Equal(t, "1", b.value("has_plus_tracking"))
	}
	b.open("links")
	require.Len(t, b.titles(), 1, "nothing was made")
	b.quiet()
}

func TestTheListIsSearchedSortedAndFiltered(t *testing.T) {
	s := newSite(t)
	s.make(t, "ada", "one", "title", "Cherries", "group", "Fruit")
	s.make(t, "ada", "two", "title", "Apples", "group", "Fruit")
	s.make(t, "ada", "three", "title", "Beans", "group", "Vegetables", "notes", "green as apples")
	s.click(t, "/three")
	b := s.signedIn(t, "ada")

	find := func(fields ...string) []string {
		b.open("links")
		for i := 0; i < len(fields); i += 2 {
			eval[chromedp.Void](b, fmt.Sprintf(`document.querySelector(".search [name='%s']").value = %q`, fields[i], fields[i+1]))
		}
		b.press(".search button")
		for i := 0; i < len(fields); i += 2 {
			require.Equal(t, fields[i+1], b.value(fields[i]), "the form shows what was asked for")
		}
		return b.titles()
	}
	require.Equal(t, []string{"Beans", "Apples", "Cherries"}, find(), "newest first")
	require.Equal(t, []string{"Apples", "Beans", "Cherries"}, find("sort", "d.title", "order", "asc"))
	require.Equal(t, []string{"Cherries", "Beans", "Apples"}, find("sort", "d.title", "order", "desc"))
	require.Equal(t, "Beans", find("sort", "lc.count_total")[0])
	require.Equal(t, []string{"Apples", "Cherries"}, find("group", "Fruit"))
	require.Equal(t, []string{"Beans", "Apples"}, find("q", "apples"))
	require.Equal(t, []string{"Apples"}, find("q", "apples", "group", "Fruit"))
	require.Equal(t, []string{"Cherries"}, find("q", s.root+"/one"), "a whole link means that link")
	require.Empty(t, find("q", "nothing"))
	b.quiet()
}

func TestAScannerReadsTheQRCodes(t *testing.T) {
	zbarimg := testtool.Path(t, "zbarimg")
	s := newSite(t)
	b := s.signedIn(t, "ada")
	b.newLink("external_url", s.destination, "title", "In print")
	link := b.made()
	path := strings.TrimPrefix(link, s.root+"/")
	read := func(png []byte, name string) string {
		b.keep(png, "qr", name)
		var stderr bytes.Buffer
		cmd := exec.Command(zbarimg, "--quiet", "--raw", "--nodbus", filepath.Join("screenshots", "qr", name))
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, "%s: %s", name, stderr.String())
		return strings.TrimSpace(string(out))
	}
	require.True(t, eval[bool](b, `document.querySelector(".made img").naturalWidth > 0`), "the picture is there")
	require.Equal(t, link, read(b.picture(modes[0]), "page.png"), "as the page of a new link shows it")
	b.setMode(modes[3])
	require.Equal(t, link, read(b.picture(modes[3]), "page-dark.png"), "and in the dark")
	for _, scale := range []string{"", "?scale=3", "?scale=40"} {
		status, png := b.get(s.page(path, "qr.png") + scale)
		require.Equal(t, 200, status)
		require.Equal(t, link, read(png, "qr"+strings.Trim(scale, "?scale=")+".png"))
	}
	status, png := b.get(link + ".qr?format=png")
	require.Equal(t, 200, status, "its owner is signed in")
	require.Equal(t, link, read(png, "qr-address.png"))
	b.quiet()
}
