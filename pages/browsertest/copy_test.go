package browsertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// clipboard returns the content of the clipboard.
func (b *tab) clipboard() string {
	b.Helper()
	eval[chromedp.Void](b, `{
		const area = document.createElement("textarea");
		area.id = "pasted";
		document.body.append(area);
		area.focus({ preventScroll: true });
	}`)
	call(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Commands: []string{"paste"}})
	return eval[string](b, `(area => { area.remove(); return area.value; })(document.getElementById("pasted"))`)
}

// copyButtons are the pages with such buttons, and how many each has at least.
var copyButtons = []struct {
	path string
	then func(*tab)
	want int
}{
	{"links", nil, 2},
	{"links?made={host}/spring", nil, 3},
	{"links/{host}/spring/edit", nil, 1},
	{"links/{host}/spring/report", nil, 1},
	{"mark?made={host}/spring", nil, 1},
	{"api", nil, 1 + 9*3},
	{"api/getLinks", func(b *tab) { b.press(submitForm) }, 1},
	{"account", nil, 1},
	{"bookmarklet", nil, 1},
	{"{quick}", nil, 2},
	{"pass", func(b *tab) { b.press(submitForm) }, 1},
}

func TestEveryCopyButtonCopiesWhatStandsBesideIt(t *testing.T) {
	s := newSite(t)
	s.make(t, "ada", "spring", "title", "The spring sale")
	s.make(t, "ada", "summer")
	s.places["quick"] = s.quick(t, s.destination+"quick")
	insecure := *s
	insecure.root = strings.Replace(s.root, "localhost", "alt.example", 1)
	insecure.pages = strings.Replace(s.pages, "localhost", "alt.example", 1)
	// The last page renews the pass, so that comes last.
	password := pass
	for _, c := range []struct {
		site   *site
		secure bool
	}{{s, true}, {&insecure, false}} {
		b := c.site.newTab(t)
		b.signIn("ada", password)
		for _, p := range copyButtons {
			path := p.path
			for name, place := range s.places {
				path = strings.ReplaceAll(path, "{"+name+"}", place)
			}
			b.open(path)
			if p.then != nil {
				p.then(b)
			}
			require.Equal(t, c.secure, eval[bool](b, "isSecureContext"), path)
			eval[chromedp.Void](b, `for (const d of document.querySelectorAll("details")) d.open = true`)
			n := b.count("button[data-copy]")
			require.GreaterOrEqual(t, n, p.want, path)
			for i := range n {
				button := fmt.Sprintf(`document.querySelectorAll("button[data-copy]")[%d]`, i)
				want := eval[string](b, fmt.Sprintf(`(e => e.hasAttribute("data-address") ? location.href : e.previousElementSibling.textContent)(%s)`, button))
				eval[chromedp.Void](b, button+".scrollIntoView({ block: 'center' })")
				at := eval[float64](b, "scrollY")
				b.do(chromedp.Evaluate[chromedp.Void](button + `.id = "now"`))
				b.click("#now")
				require.True(t, eval[bool](b, `new Promise(done => {
					const look = n => document.querySelector("#now").textContent == "Copied" ? done(true) : n ? setTimeout(look, 20, n - 1) : done(false);
					look(250);
				})`), "%s, button %d", path, i)
				require.Equal(t, at, eval[float64](b, "scrollY"), "%s, button %d: the page stays where it is", path, i)
				require.Equal(t, want, b.clipboard(), "%s, button %d", path, i)
				eval[chromedp.Void](b, button+`.id = ""`)
				if strings.HasPrefix(path, "pass") {
					password = want
				}
			}
		}
		if c.secure { // elsewhere it says that it heeds no Cross-Origin-Opener-Policy
			b.quiet()
		}
	}
}
