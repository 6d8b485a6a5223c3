package browsertest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAQuickLinkIsMadeByAnyoneAndClaimedOnce(t *testing.T) {
	s := newSite(t, "carol")
	b := s.newTab(t)
	b.open("/")
	b.fill("external_url", "nonsense")
	require.Equal(t, 400, b.press(submitForm).status)
	require.Equal(t, "nonsense", b.value("external_url"), "what is wrong can be mended")
	b.fill("external_url", s.destination+"quick")
	page := b.press(submitForm)
	require.Equal(t, "Your link", b.text("h1"))
	link := strings.TrimSpace(b.text(".url a"))
	require.Equal(t, s.destination+"quick", s.leadsTo(t, strings.TrimPrefix(link, s.root)))
	require.Equal(t, 1, b.count("time"), "it says when the link ends")

	require.True(t, strings.HasPrefix(b.press("main a.button").url, s.pages+"login?next="))
	b.fill("login", "ada")
	b.fill("pass", pass)
	require.Equal(t, page.url, b.press(submitForm).url, "who signs in comes back to the link")
	require.Equal(t, "Keep it in the account ada", b.text("form button"))
	b.press(submitForm)
	require.Equal(t, "This link is yours", b.text("h1"))
	require.Contains(t, b.text("main"), "does not expire")
	b.open("links")
	require.Contains(t, b.text(".link"), link)

	carol := s.signedIn(t, "carol")
	require.Equal(t, 410, carol.open(page.url).status)
	require.Equal(t, "This link has been claimed", carol.text("h1"))
	require.NotContains(t, carol.text("main"), "quick")
	require.Equal(t, 410, s.post(t, "carol", page.url, nil), "nor can it be claimed again")
	carol.open("links")
	require.Empty(t, carol.titles())
	wrong := page.url[:len(page.url)-4] + "AAAA"
	require.Equal(t, 404, carol.open(wrong).status)
	b.quiet()
	carol.quiet()
}
