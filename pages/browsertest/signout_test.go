package browsertest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABrowserIsSignedOutFromAnother(t *testing.T) {
	s := newSite(t)
	here, there := s.signedIn(t, "ada"), s.signedIn(t, "ada")
	require.Equal(t, s.pages+"links", there.open("links").url)
	here.open("account")
	require.Equal(t, s.pages+"login", here.press("main button[formaction]").url)
	there.open("links")
	require.Equal(t, "Sign in", there.text("h1"))
	here.quiet()
	there.quiet()
}
