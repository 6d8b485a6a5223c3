package linktrack_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestLongAnswersOfTheAPIAreCompressedAndRedirectsAreNot(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	for i := range 50 {
		s.MakeLink("vanity_link", fmt.Sprint("link-", i), "title", "A title that is long enough to be worth it", "has_plus_tracking", "1", "has_public_tracking", "1")
	}
	const call, credentials = "/api/v1_0/", "?login=" + trackertest.Login + "&pass=" + trackertest.Pass
	for _, path := range []string{
		call + "getLinks" + credentials, call + "getLinks" + credentials + "&format=json", call + "getReport" + credentials + "&redirect_hash=link-1&format=csv",
		"/api/openapi.json", "/link-1+",
	} {
		plain := s.Get(path)
		require.Equal(t, 200, plain.StatusCode, path)
		require.Empty(t, plain.Header.Get("Content-Encoding"), path)
		packed := s.Get(path, "Accept-Encoding", "gzip")
		require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"), path)
		require.Equal(t, "Accept-Encoding", packed.Header.Get("Vary"), path)
		require.Equal(t, plain.Header.Get("Content-Type"), packed.Header.Get("Content-Type"), path)
		z, err := gzip.NewReader(packed.Body)
		require.NoError(t, err)
		b, err := io.ReadAll(z)
		require.NoError(t, err)
		require.Equal(t, trackertest.Text(t, plain), string(b), path)
	}
	r := s.Get("/api/openapi.json", "Accept-Encoding", "gzip")
	r = s.Get("/api/openapi.json", "Accept-Encoding", "gzip", "If-None-Match", r.Header.Get("ETag"))
	require.Equal(t, 304, r.StatusCode)
	require.Empty(t, r.Header.Get("Content-Encoding"))

	for path, status := range map[string]int{"/link-1": 302, "/api/ping": 200, call + "getLink" + credentials + "&redirect_hash=link-1": 200} {
		r := s.Get(path, "Accept-Encoding", "gzip")
		require.Equal(t, status, r.StatusCode, path)
		require.Empty(t, r.Header.Get("Content-Encoding"), path)
		require.Empty(t, r.Header.Get("Vary"), path)
	}
	require.Empty(t, s.Get(call+"getLinks"+credentials, "Accept-Encoding", "gzip", "Sec-Fetch-Site", "cross-site").Header.Get("Content-Encoding"),
		"what another site makes a browser ask tells nothing by its length")
}

func TestWhatAHostAnswersItselfIsNotTouched(t *testing.T) {
	tracker, err := linktrack.New(memstore.New(), linktrack.Options{BaseURL: "http://go.example.com"})
	require.NoError(t, err)
	defer tracker.Close(t.Context())
	var got http.ResponseWriter
	handler := tracker.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got = w }))
	for _, path := range []string{"/", "/none", "/api/none", "/api/v1_0/none"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, trackertest.Request("GET", path, "", "Accept-Encoding", "gzip"))
		require.Same(t, w, got, path)
	}
}
