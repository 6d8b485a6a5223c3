package gzipped_test

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/gzipped"
)

var long = strings.Repeat("a line of text\n", 200)

// ask asks a real server for what serve answers, and does not unpack it.
func ask(t *testing.T, kind gzipped.Kind, method string, serve http.HandlerFunc, header ...string) *http.Response {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gzipped.Serve(w, r, kind, func(w http.ResponseWriter) { serve(w, r) })
	}))
	t.Cleanup(s.Close)
	r, err := http.NewRequest(method, s.URL, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := (&http.Transport{DisableCompression: true}).RoundTrip(r)
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func unpacked(t *testing.T, r io.Reader) string {
	t.Helper()
	z, err := gzip.NewReader(r)
	require.NoError(t, err)
	b, err := io.ReadAll(z)
	require.NoError(t, err)
	return string(b)
}

func answer(contentType, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		io.WriteString(w, body)
	}
}

func TestLongTextsAreCompressed(t *testing.T) {
	for _, contentType := range []string{"text/html; charset=utf-8", "text/css", "text/csv; charset=utf-8; header=present", "application/json", "application/xml",
		"image/svg+xml", "text/javascript", "application/problem+json", ""} {
		res := ask(t, gzipped.Private, "GET", answer(contentType, long, "ETag", `"1"`), "Accept-Encoding", "gzip")
		require.Equal(t, "gzip", res.Header.Get("Content-Encoding"), contentType)
		require.Equal(t, "Accept-Encoding", res.Header.Get("Vary"))
		require.Equal(t, `W/"1"`, res.Header.Get("ETag"))
		require.NotEqual(t, int64(len(long)), res.ContentLength)
		require.NotContains(t, res.Header.Get("Content-Type"), "gzip")
		require.Equal(t, long, unpacked(t, res.Body))
	}
}

func TestWhatIsNotWorthItOrMustNotBeStaysAsItIs(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"a short text":      answer("text/html", long[:1000]),
		"a picture":         answer("image/png", long),
		"what is packed":    answer("text/html", long, "Content-Encoding", "br"),
		"a part of a whole": answer("text/html", long, "Content-Range", "bytes 0-2999/9000"),
		"what must stay":    answer("text/html", long, "Cache-Control", "no-store, no-transform"),
	} {
		res := ask(t, gzipped.Public, "GET", serve, "Accept-Encoding", "gzip")
		require.NotEqual(t, "gzip", res.Header.Get("Content-Encoding"), name)
		require.Empty(t, res.Header.Get("Vary"), name)
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(long, string(b)), name)
	}
	for _, status := range []int{204, 304} {
		res := ask(t, gzipped.Public, "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }, "Accept-Encoding", "gzip")
		require.Equal(t, status, res.StatusCode)
		require.Empty(t, res.Header.Get("Content-Encoding"))
	}
}

func TestWhoDoesNotAcceptGzipGetsNone(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "identity": false, "br": false, "gzip;q=0": false, "gzip; q=0.0": false, "*;q=0": false, "gzip;q=0, *": false, "gzip;q=x": false,
		"gzip": true, "GZIP": true, "br, gzip": true, "gzip;q=0.5, identity": true, "*": true, "x-gzip": true,
	} {
		res := ask(t, gzipped.Public, "GET", answer("text/html", long), "Accept-Encoding", accept)
		require.Equal(t, want, res.Header.Get("Content-Encoding") == "gzip", "%q", accept)
		require.Equal(t, "Accept-Encoding", res.Header.Get("Vary"), "%q: caches must know that there are two", accept)
	}
}

func TestWhatAnotherSiteAsksForIsNotCompressedIfItIsPrivate(t *testing.T) {
	for site, want := range map[string]bool{"cross-site": false, "same-site": false, "same-origin": true, "none": true, "": true} {
		res := ask(t, gzipped.Private, "GET", answer("text/html", long), "Accept-Encoding", "gzip", "Sec-Fetch-Site", site)
		require.Equal(t, want, res.Header.Get("Content-Encoding") == "gzip", site)
		res = ask(t, gzipped.Public, "GET", answer("text/html", long), "Accept-Encoding", "gzip", "Sec-Fetch-Site", site)
		require.Equal(t, "gzip", res.Header.Get("Content-Encoding"), site)
	}
}

func TestHEADSaysWhatGETWould(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"writes":          answer("text/css", long),
		"says its length": answer("text/css", long, "Content-Length", strconv.Itoa(len(long))),
		"flushes": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/css")
			http.NewResponseController(w).Flush()
			io.WriteString(w, long)
		},
		"serves": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/css")
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(long))
		},
	} {
		res := ask(t, gzipped.Public, "HEAD", serve, "Accept-Encoding", "gzip")
		require.Equal(t, "gzip", res.Header.Get("Content-Encoding"), name)
		require.Equal(t, "Accept-Encoding", res.Header.Get("Vary"), name)
		require.Empty(t, res.Header.Values("Content-Length"), "%s: what GET would send, or none", name)
	}
}

func TestWhatIsFlushedArrivesAtOnce(t *testing.T) {
	for _, accept := range []string{"gzip", "identity"} {
		next := make(chan bool)
		res := ask(t, gzipped.Private, "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			for _, line := range []string{"one\n", "two\n"} {
				io.WriteString(w, line)
				if err := http.NewResponseController(w).Flush(); err != nil {
					panic(err)
				}
				<-next
			}
			io.WriteString(w, "three\n")
		}, "Accept-Encoding", accept)
		var body io.Reader = res.Body
		if accept == "gzip" {
			z, err := gzip.NewReader(res.Body)
			require.NoError(t, err)
			body = z
		}
		lines := bufio.NewReader(body)
		for _, want := range []string{"one\n", "two\n"} {
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, want, line)
			next <- true
		}
		rest, err := io.ReadAll(lines)
		require.NoError(t, err)
		require.Equal(t, "three\n", string(rest))
	}
}

func TestAnAnswerThatBreaksOffHasNoEnd(t *testing.T) {
	res := ask(t, gzipped.Private, "GET", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		io.WriteString(w, long)
		panic(http.ErrAbortHandler)
	}, "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(res.Body)
	require.NoError(t, err)
	b, err := io.ReadAll(z)
	require.Error(t, err)
	require.Equal(t, long, string(b), "what was written is there")
}
