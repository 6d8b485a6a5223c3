package pages_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/pages"
)

// newPages returns pages below a prefix.
func newPages(t *testing.T, prefix string) (*pages.Pages, error) {
	t.Helper()
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { tracker.Close(t.Context()) })
	return pages.New(tracker, pages.Options{Prefix: prefix, AnonymousLinks: true})
}

func TestAPrefixThatCannotBeServedIsRefusedAndNothingPanics(t *testing.T) {
	for _, prefix := range []string{
		"account/", "/account", "account", "//", "/a//b/", "/../", "/a/../b/", "/a/..", "/./", "/a/./b/",
		"/{a}/", "/{a...}/", "/{$}/", "/{/", "/}/", "/a b/", "/a?b/", "/a#b/", `/a\b/`, "/a%2fb/", "/a%/", "/a;b/",
		"/é/", "/\x00/", "/\x7f/", "/\xff/", "/\n/", `/"/`, "/</", "/^/", "/`/", "/|/", "GET /a/", "example.com/a/",
	} {
		_, err := newPages(t, prefix)
		var invalid *linktrack.InvalidError
		require.ErrorAs(t, err, &invalid, "prefix %q", prefix)
		require.Equal(t, "Prefix", invalid.Param)
	}
}

func TestPagesAreServedBelowEveryPrefixThatIsTaken(t *testing.T) {
	prefixes := []string{"/", "/account/", "/a/b/c/", "/.well-known/x/", "/.../", "/a..b/", "/~ada/", "/a:b@c/"}
	for c := range 128 { // every character, alone
		prefixes = append(prefixes, "/"+string(rune(c))+"/")
	}
	served := 0
	for _, prefix := range prefixes {
		p, err := newPages(t, prefix)
		if err != nil {
			continue
		}
		served++
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", prefix+"login", nil))
		require.Equal(t, http.StatusOK, w.Code, "prefix %q", prefix)
	}
	require.Greater(t, served, 70)
}
