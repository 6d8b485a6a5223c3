package browsertest

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

func TestTheBookmarkletMakesALinkForThePageOnWhichItIsClicked(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t, "ada")
	b.open("bookmarklet")
	code := eval[string](b, `document.querySelector("[data-drag]").href`)
	require.Equal(t, code, eval[string](b, `document.querySelector("details code").textContent`), "what can be copied is the same")
	require.NotContains(t, code, pass)
	require.NotContains(t, code, "ada")
	b.click("[data-drag]")
	require.Equal(t, s.pages+"bookmarklet", eval[string](b, "location.href"), "it does nothing on its own page")

	b.open(s.destination + "page?a=1&b=%C3%A4")
	program, err := url.PathUnescape(strings.TrimPrefix(code, "javascript:"))
	require.NoError(t, err)
	eval[chromedp.Void](b, `window.open = (address, name, how) => { opened = {address, how}; return window; }`)
	eval[chromedp.Void](b, program)
	require.Equal(t, "width=560,height=680", eval[string](b, `opened.how`), "it is a small window")

	b.open(eval[string](b, `opened.address`))
	require.Equal(t, "Link to this page", b.text("h1"))
	require.Equal(t, s.destination+"page?a=1&b=%C3%A4", b.value("external_url"))
	require.Equal(t, "Arrived", b.value("title"), "the title is that of the page")
	require.Equal(t, "Make link", eval[string](b, "document.activeElement.innerText"))
	b.press(submitForm)
	require.Equal(t, "Your new link", b.text("h1"))
	require.Equal(t, s.destination+"page?a=1&b=%C3%A4", s.leadsTo(t, strings.TrimPrefix(b.made(), s.root)))

	b.open(s.destination + "blocked")
	d := b.lead(chromedp.Evaluate[chromedp.Void](`window.open = () => null; ` + program))
	require.True(t, strings.HasPrefix(d.url, s.pages+"mark?"), "where no window may be opened, it leaves the page: %s", d.url)
	require.Equal(t, s.destination+"blocked", b.value("external_url"))
	b.quiet()

	nobody := s.newTab(t)
	d = nobody.open("mark?url=https%3A%2F%2Fexample.com%2F")
	require.True(t, strings.HasPrefix(d.url, s.pages+"login?next="))
	nobody.fill("login", "ada")
	nobody.fill("pass", pass)
	nobody.press(submitForm)
	require.Equal(t, "https://example.com/", nobody.value("external_url"), "who signs in comes back to the form")
	nobody.quiet()
}
