package linktrack

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Parameters are read before the login is known.
func TestManyParametersAreRefusedAndCostLittle(t *testing.T) {
	const size = 1 << 20
	for name, s := range map[string]string{
		"names": strings.Repeat("a&", size/2), "pairs": strings.Repeat("=&", size/2), "links": strings.Repeat("external_url=http://&pass=&", size/27),
	} {
		var inv *InvalidError
		require.ErrorAs(t, newParams(allNames...).parse(s, true), &inv, name)
		require.Equal(t, "the query must have at most 1000 parameters", inv.Error(), name)
		require.ErrorContains(t, newParams(allNames...).parse(s, false), "the body must have at most 1000 parameters", name)
		require.LessOrEqual(t, testing.AllocsPerRun(1, func() { newParams(allNames...).parse(s, true) }), 100.0, name)
	}
	p := newParams("login", "title")
	require.NoError(t, p.parse(strings.Repeat("&", size)+"login=x"+strings.Repeat("&", size), true))
	require.Equal(t, params{"login": "x", "title": ""}, p, "what is empty is no parameter")
	require.NoError(t, newParams(allNames...).parse(strings.Repeat("a=b&", maxPairs), true))
	require.NoError(t, p.parse("title="+strings.Repeat("%41+", 1000), false))
	require.Equal(t, strings.Repeat("A ", 1000), p["title"])
}

// They are parsed before the login is known, too: a megabyte of them takes a
// tenth of a second.
func TestLongHeadersOfABodyAreRefusedBeforeTheyAreParsed(t *testing.T) {
	parameters := func(size int) string { return strings.Repeat("; a0*=utf-8''b", size/14) }
	part := func(header string) string { return "--b\r\n" + header + "\r\n\r\nx\r\n" }
	title := `Content-Disposition: form-data; name="title"`
	const ofParts = "the body must have at most 4096 bytes in the header of a part, and 131072 in all of them"
	for name, tt := range map[string]struct{ contentType, body, want string }{
		"a part's disposition":  {"multipart/form-data; boundary=b", part(title + parameters(1<<19)), ofParts},
		"a part's many fields":  {"multipart/form-data; boundary=b", part(title + strings.Repeat("\r\nx: yyyyyyyyyy", 5000)), ofParts},
		"a part's folded field": {"multipart/form-data; boundary=b", part(title + strings.Repeat(";\r\n a0*=utf-8''b", 5000)), ofParts},
		"all parts":             {"multipart/form-data; boundary=b", strings.Repeat(part(title+parameters(4000)), 200), ofParts},
		"a media type":          {"multipart/form-data; boundary=b" + parameters(8000), part(title), "the Content-Type must have at most 4096 bytes"},
		"a form's media type":   {"application/x-www-form-urlencoded" + parameters(8000), "title=x", "the Content-Type must have at most 4096 bytes"},
		"what clients send":     {"multipart/form-data; boundary=b", strings.Repeat(part(title+"\r\nContent-Type: text/plain; charset=utf-8"), 999), ""},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(tt.body+"--b--\r\n"))
		r.Header.Set("Content-Type", tt.contentType)
		p := newParams("title")
		err := p.readBody(httptest.NewRecorder(), r)
		if tt.want == "" {
			require.NoError(t, err, name)
			require.Equal(t, params{"title": "x"}, p, name)
			continue
		}
		var inv *InvalidError
		require.ErrorAs(t, err, &inv, name)
		require.Equal(t, tt.want, inv.Error(), name)
		require.Empty(t, p["title"], name)
	}
}

func BenchmarkParamsOfAMegabyte(b *testing.B) {
	for name, s := range map[string]string{
		"ampersands": strings.Repeat("&", 1<<20), "names": strings.Repeat("a&", 1<<19), "escapes": "title=" + strings.Repeat("%41", 1<<20/3), "pluses": "title=" + strings.Repeat("+", 1<<20),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				newParams(allNames...).parse(s, false)
			}
		})
	}
}
