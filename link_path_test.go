package linktrack

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThePathOfALinkForgivesWhatMailProgramsAdd(t *testing.T) {
	for path, want := range map[string]string{
		".f2jt":              ".f2jt",
		".F2JT":              ".f2jt",
		"My_Vanity-1":        "my_vanity-1",
		".f2jt.":             ".f2jt",
		".f2jt).":            ".f2jt",
		`.f2jt>'";:!)]`:      ".f2jt",
		"spring,":            "spring",
		"spring}":            "spring",
		"/spring":            "spring",
		"//spring//":         "spring",
		" spring ":           "spring",
		"\u00a0spring\u200b": "spring",
		"“spring”":           "spring",
		"«.f2jt»":            ".f2jt",
		"(spring)…":          "spring",
		"<spring>":           "spring",
		"\t.f2jt\r\n":        ".f2jt",
		"spring。看看":          "spring",
		"spring\xff\xfe":     "spring",
		"\xc3.f2jt\x00":      ".f2jt",
		"spring%20":          "spring",
		"spring%2520":        "spring",
		"%252espring":        ".spring",
		"spring%E2%80%9D":    "spring",
		"spring%":            "spring",
		"..f2jt":             ".f2jt",
		"/..f2jt/":           ".f2jt",
		"...f2jt":            ".f2jt",
		".spring_sale":       ".spring_sale",
		"..spring_sale":      "spring_sale",
		"*spring*":           "spring",
		"*.f2jt*":            ".f2jt",
		"`spring`":           "spring",
		"spring&":            "spring",
		"spring#top":         "spring",
		"spring)&x=(":        "spring",
		strings.Repeat("a", 100) + strings.Repeat("!", 10_000): strings.Repeat("a", 100),
	} {
		p, ok := parseLinkPath(path)
		require.True(t, ok, "%q", path)
		require.Equal(t, linkPath{key: want}, linkPath{key: p.key, view: p.view}, "%q", path)
	}
	for _, path := range []string{".f2jt+", ".f2jt+.", ".F2jt.+", "/.f2jt+/", ".f2jt%2B", ".f2jt%252B", "“.f2jt+”", ".f2jt+ ", ".f2jt+&x=1", ".f2jt ++"} {
		p, ok := parseLinkPath(path)
		require.True(t, ok, path)
		require.Equal(t, ".f2jt", p.key, path)
		require.Equal(t, summaryView, p.view, path)
	}
	for _, path := range []string{".f2jt.qr", "/.f2jt.qr/", ".f2jt.qr ", ".f2jt.qr”", "..f2jt.qr", ".f2jt.qr&format=png"} {
		p, ok := parseLinkPath(path)
		require.True(t, ok, path)
		require.Equal(t, ".f2jt", p.key, path)
		require.Equal(t, codeView, p.view, path)
	}
	for _, path := range []string{
		"", ".", "..", "+", ".+", "/", "a/b", "a.b", "/a/b/", "ä", "a b", "a+b", "%2e", "style.css", "\x00", "favicon.ico", "a+.qr", "a.qr+", "a.qrx",
		"spring_sale”x", "a%2fb", "&", "&&", "#a",
		strings.Repeat("a", 101), "." + strings.Repeat("a", 101), strings.Repeat("a", 101) + "/",
	} {
		if path == "#a" { // what stands before a path goes
			continue
		}
		_, ok := parseLinkPath(path)
		require.False(t, ok, "%q", path)
	}
}

func TestTheDotIsForgivenWhereALinkMayHaveOne(t *testing.T) {
	for path, want := range map[string]string{
		"f2jt": ".f2jt", ".f2jt": "", "..f2jt": "", "F2JT.": ".f2jt", ".spring_sale": "",
		"spring_sale": "", "spring-sale": "", strings.Repeat("a", 33): "",
	} {
		p, ok := parseLinkPath(path)
		require.True(t, ok, path)
		other, ok := dottedKey(p.key)
		require.Equal(t, want != "", ok, path)
		require.Equal(t, want, other, path)
	}
}

func TestAQueryBehindThePathStaysAsItWasSent(t *testing.T) {
	for target, want := range map[string]string{
		"/spring":                         "",
		"/spring&utm_source=x":            "utm_source=x",
		"/spring&utm_source=x?b=c":        "utm_source=x&b=c",
		"/spring/&a=b%26c%2Bd+e&f=%C3%BC": "a=b%26c%2Bd+e&f=%C3%BC",
		"/spring%26a=b%20c":               "a=b%20c",
		"/spring%3Fa=1&b=2":               "a=1&b=2",
		"/spring%253Fa=1":                 "a=1",
		"/spring&amp;a=b&amp;c=d":         "a=b&amp;c=d",
		"/spring?a=b":                     "a=b",
		"/spring&?a=b":                    "a=b",
		"/spring&\"a\"=<b>":               "%22a%22=%3Cb%3E",
	} {
		u, err := url.ParseRequestURI(target)
		require.NoError(t, err, target)
		p, ok := parseLinkPath(u.Path)
		require.True(t, ok, target)
		require.Equal(t, "spring", p.key)
		require.Equal(t, want, joinQuery(p.queryOf(u), u.RawQuery), target)
	}
}

func BenchmarkParseLinkPath(b *testing.B) {
	for name, path := range map[string]string{"as it is": ".f2jt123", "with dirt": "/.f2jt123”."} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				parseLinkPath(path)
			}
		})
	}
}

func TestAPathAsItIsCostsNothing(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, func() { parseLinkPath(".f2jt123") }))
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{".f2jt", "My_Vanity", ".f2jt+", ".f2jt).", "../x", "ä", "+", "..a.qr&b=c", "%252Ea%2b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := parseLinkPath(s)
		if !ok {
			return
		}
		require.True(t, isLinkPath(p.key))
		again, ok := parseLinkPath(p.key)
		require.True(t, ok)
		require.Equal(t, linkPath{key: p.key}, again)
		again, ok = parseLinkPath("/" + p.key + viewSuffix[p.view] + "”")
		require.True(t, ok)
		if strings.HasPrefix(p.key, ".") == strings.HasPrefix(again.key, ".") {
			require.Equal(t, linkPath{key: p.key, view: p.view}, again)
		}
	})
}
