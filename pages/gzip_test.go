package pages_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages"
)

func (s *site) getGzip(path string, headers ...string) *answer {
	s.Helper()
	r := httptest.NewRequest("GET", at(path), nil)
	r.Header.Set("Accept-Encoding", "gzip, br")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return s.do(r)
}

func TestPagesAndStaticFilesAreCompressed(t *testing.T) {
	s := newSite(t, linktrack.Options{}, pages.Options{AnonymousLinks: true})
	s.signIn("ada", pass)
	s.make(s.ada, linktrack.NewLink{VanityLink: "spring", LinkSettings: linktrack.LinkSettings{HasPublicTracking: true, HasPlusTracking: true}})
	paths := []string{"links", "links?q=spring", "links/new", "links/go.example.com/spring/report", "account", "api", "quick", "/spring+", "/none"}
	paths = append(paths, regexp.MustCompile(`/account/static/(style|report|app)\.\w+\.\w+`).FindAllString(s.get("links").body, -1)...)
	require.Len(t, paths, 9+3)
	for _, path := range paths {
		want := s.get(path).body
		for _, from := range []string{"", "none", "same-origin"} {
			r := s.getGzip(path, "Sec-Fetch-Site", from)
			require.Equal(t, "gzip", r.Header.Get("Content-Encoding"), path)
			require.Contains(t, r.Header.Values("Vary"), "Accept-Encoding", path)
			z, err := gzip.NewReader(strings.NewReader(r.body))
			require.NoError(t, err)
			b, err := io.ReadAll(z)
			require.NoError(t, err)
			require.Equal(t, want, string(b), path)
		}
		private := !strings.HasPrefix(path, "/")
		r := s.getGzip(path, "Sec-Fetch-Site", "cross-site")
		require.Equal(t, private, r.Header.Get("Content-Encoding") == "", "%s: an attacker who makes a browser load a page must not learn its content from its compressed length", path)
	}
	r := s.getGzip("links/go.example.com/spring/qr.png")
	require.Empty(t, r.Header.Get("Content-Encoding"))
	require.Equal(t, 303, s.getGzip("").StatusCode)
}

func TestAClientThatUnpacksSeesThePage(t *testing.T) {
	s := signedIn(t, "ada")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, c := range s.cookies {
			r.AddCookie(c)
		}
		s.handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	res, err := http.PostForm(server.URL+"/account/api/getLinks", url.Values{"format": {"json"}}) // PostForm asks for gzip and decompresses the answer
	require.NoError(t, err)
	defer res.Body.Close()
	require.True(t, res.Uncompressed)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Contains(t, string(b), "200 OK")
	require.True(t, strings.HasSuffix(strings.TrimSpace(string(b)), "</html>"))
}
