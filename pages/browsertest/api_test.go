package browsertest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheAPIIsTriedOnItsPage(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t, "ada")
	b.open("api")
	require.Contains(t, b.text(".access"), s.root+"/api/")
	require.NotContains(t, eval[string](b, "document.documentElement.outerHTML"), pass)
	b.press(`a[href$="api/makeLink"]`)
	b.fill("external_url", s.destination+"tried")
	b.fill("vanity_link", "tried")
	b.fill("title", "It is tried")
	b.press(submitForm)
	require.Contains(t, b.text(".method"), "201 Created")
	require.Equal(t, s.root+"/tried", strings.TrimSpace(b.text(".answer")))
	require.Equal(t, s.destination+"tried", s.leadsTo(t, "/tried"))
	b.press(submitForm)
	require.Contains(t, b.text(".method"), "409 Conflict", "the form keeps what was given")
	require.Equal(t, "It is tried", b.value("title"))
	b.quiet()
}

func TestAPassThatIsRenewedEndsTheOldOneAndAllOtherSessions(t *testing.T) {
	s := newSite(t)
	b, elsewhere := s.signedIn(t, "ada"), s.signedIn(t, "ada")
	b.open("api")
	b.press(`a[href$="/pass"]`)
	b.press(submitForm)
	renewed := strings.TrimSpace(b.text(".secret code"))
	require.Greater(t, len(renewed), 15)
	b.click("[data-copy]")
	require.Equal(t, s.pages+"links", b.open("links").url, "who renewed it stays signed in")
	require.True(t, strings.HasPrefix(elsewhere.open("links").url, s.pages+"login"), "others are signed out")
	require.Equal(t, 403, elsewhere.signIn("ada", pass).status, "the old pass is none")
	require.Equal(t, s.pages+"links", elsewhere.signIn("ada", renewed).url)
	b.open("pass")
	require.NotContains(t, b.text("main"), renewed, "it is shown once")
	b.quiet()
}
