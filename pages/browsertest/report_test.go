package browsertest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// leadsTo returns the destination of a link.
func (s *site) leadsTo(t *testing.T, path string) string {
	t.Helper()
	r, err := http.NewRequest("GET", s.at(path), nil)
	require.NoError(t, err)
	r.Header.Set("User-Agent", person)
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	res.Body.Close()
	return res.Header.Get("Location")
}

// call makes a call of the API.
func (s *site) call(t *testing.T, login, name string, more ...string) {
	t.Helper()
	form := url.Values{"login": {login}, "pass": {pass}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	res, err := http.PostForm(s.root+"/api/v1_0/"+name, form)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Less(t, res.StatusCode, 300, "%s: %s", name, body)
}

// convert clicks a link that tracks conversions, and reports a conversion.
func (s *site) convert(t *testing.T, login, path, value, currency string) {
	t.Helper()
	to, err := url.Parse(s.leadsTo(t, "/"+path))
	require.NoError(t, err)
	s.call(t, login, "conversion", "click_id", to.Query().Get("lt_click"), "order_id", "1042", "value", value, "currency", currency)
}

// totals returns the numbers at the top of a report, by their names.
func (b *tab) totals() map[string]string {
	b.Helper()
	return eval[map[string]string](b, `Object.fromEntries(Array.from(document.querySelectorAll(".totals > div"),
		e => [e.querySelector("dt").innerText, e.querySelector("dd").innerText]))`)
}

func TestAReportShowsWhatWasClicked(t *testing.T) {
	s := newSite(t)
	s.make(t, "ada", "spring", "title", "The spring sale", "has_conversion_tracking", "1")
	b := s.signedIn(t, "ada")
	b.open("links")
	b.press(`.link a[href$="/report"]`)
	require.Equal(t, "Report", b.text("h1"))
	require.Equal(t, "Nothing was counted in this period.", b.text(".counts .nothing"))
	require.Zero(t, b.count(".chart"))

	for range 3 {
		require.Equal(t, 302, s.click(t, "/spring?utm_source=mail", "Referer", "https://news.example.com/april"))
	}
	s.convert(t, "ada", "spring", "12.34", "EUR") // its click is the fourth, with no referrer
	s.click(t, "/spring", "User-Agent", "Googlebot/2.1")

	b.open(s.page("spring", "report"))
	require.Equal(t, 1, b.count(".chart svg[role=img]"), "there is a chart")
	totals := b.totals()
	require.Equal(t, "4", totals["Clicks"])
	require.Equal(t, "1", totals["Clicks by bots"])
	require.Equal(t, "1", totals["Conversions"])
	require.Equal(t, "12.34", totals["Value (EUR)"])
	require.Contains(t, b.text(".breakdown:first-child"), "news.example.com")
	require.Contains(t, b.text(".breakdown:first-child"), "75.0%")

	require.Equal(t, 30, b.count(".chart tbody tr"))
	b.click(".chart summary")
	require.Regexp(t, `\s4\s+[1-4]\s+1\s+1$`, b.text(".chart tbody tr:last-child"), "the table says the numbers of today")
	require.Equal(t, 5, b.count(".clicks tbody tr"), "each click is in the list")
	require.Contains(t, b.text(".clicks tbody"), "utm_source=mail")

	b.fill("by", "hour")
	b.fill("from", strings.Fields(b.text(".counts > .note"))[2])
	b.press(".days button")
	require.Equal(t, 24, b.count(".chart tbody tr"), "the hours of one day")
	require.Equal(t, "4", b.totals()["Clicks"])
	b.press(".presets a:first-child")
	require.Equal(t, "true", eval[string](b, `document.querySelector(".presets a").ariaCurrent`))
	require.Equal(t, 7*24, b.count(".chart tbody tr"), "hours stay hours")

	d := b.open(s.page("spring", "report") + "?from=2020-02-30")
	require.Equal(t, 400, d.status)
	require.Contains(t, b.text("#from-error"), "must be a day")
	require.Equal(t, "from", eval[string](b, "document.activeElement.id"))
	b.quiet()
}

func TestAReportForEveryoneHasNoAddressesOfVisitors(t *testing.T) {
	s := newSite(t)
	s.make(t, "ada", "spring", "title", "The spring sale", "has_plus_tracking", "1", "has_public_tracking", "1")
	s.make(t, "ada", "private", "title", "Nobody else's")
	s.click(t, "/spring?token=secret", "Referer", "https://news.example.com/inbox?token=secret")
	owner, b := s.signedIn(t, "ada"), s.newTab(t)
	owner.open(s.page("spring", "report"))
	require.Contains(t, owner.text(".clicks tbody"), "127.0.0.", "the owner sees where visitors come from")

	require.Equal(t, 200, b.open("/spring+").status)
	require.Equal(t, "The spring sale", b.text("h1"))
	require.Equal(t, 1, b.count(".chart svg[role=img]"))
	require.Equal(t, "1", b.totals()["Clicks"])
	require.Contains(t, b.text(".breakdowns"), "news.example.com")
	page := eval[string](b, "document.documentElement.outerHTML")
	for _, private := range []string{"127.0.0.", "secret", "inbox", "Mozilla", "/account/"} {
		require.NotContains(t, page, private)
	}
	require.Zero(t, b.count(".clicks"), "there is no list of clicks")
	require.Equal(t, 404, b.open("/private+").status)
	b.quiet()
	owner.quiet()
}
