package weburl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHostsAreReadAsBrowsersReadThem(t *testing.T) {
	for written, want := range map[string]string{
		"example.com":             "example.com",
		"EXAMPLE.com.":            "example.com",
		"ex%61mple.com":           "example.com",
		"b%C3%BCcher.example":     "xn--bcher-kva.example",
		"bücher.example":          "xn--bcher-kva.example",
		"BÜCHER.EXAMPLE":          "xn--bcher-kva.example",
		"XN--BCHER-KVA.example":   "xn--bcher-kva.example",
		"faß.example":             "xn--fa-hia.example",
		"ｇｏ．example。com":          "go.example.com",
		"so\u00adft.example":      "soft.example",
		"a_b.example":             "a_b.example",
		"ab--cd.example":          "ab--cd.example",
		"localhost":               "localhost",
		"10.0.0.5":                "10.0.0.5",
		"10.0.0.5.":               "10.0.0.5",
		"10.5":                    "10.0.0.5",
		"10.0.5":                  "10.0.0.5",
		"0xa.0.0.5":               "10.0.0.5",
		"0XA.0x0.0x.5":            "10.0.0.5",
		"012.0.0.5":               "10.0.0.5",
		"012.00000005":            "10.0.0.5",
		"167772165":               "10.0.0.5",
		"0xA000005":               "10.0.0.5",
		"１０．０．０．５":                "10.0.0.5",
		"10。5":                    "10.0.0.5",
		"%31%30.5":                "10.0.0.5",
		"255.255.255.255":         "255.255.255.255",
		"0":                       "0.0.0.0",
		"[::1]":                   "[::1]",
		"[0:0:0:0:0:0:0:1]":       "[::1]",
		"[2001:DB8:0:0::0001]":    "[2001:db8::1]",
		"[::ffff:10.0.0.5]":       "10.0.0.5",
		"[::FFFF:a00:5]":          "10.0.0.5",
		"[0:0:0:0:0:ffff:a00:05]": "10.0.0.5",
		"1.2.3.4.example":         "1.2.3.4.example",
		"0x.example":              "0x.example",
		"example.0xg":             "example.0xg",
	} {
		host, err := Host(written)
		require.NoError(t, err, written)
		require.Equal(t, want, host, written)
		again, err := Host(host)
		require.NoError(t, err, written)
		require.Equal(t, host, again, "the form is its own form")
	}
}

func TestWhatBrowsersOrNameServersDoNotTakeIsNoHost(t *testing.T) {
	for _, s := range []string{
		"", ".", "..", ".example", "a..b", "example.com..",
		"xn--a.example", "xn--.example", "xn--a", "example.xn--a-ecp", "xn--a-yoc\u00ad.example", "XN--A.example",
		"256.0.0.1", "1.2.3.256", "1.2.3.4.5", "1.2.3.09", "1.2.65536", "4294967296", "0x100000000", "1..2", "a.1", "example.0x4", "example.42.",
		"99999999999999999999999999", "0x99999999999999999999999999",
		"ex%zzample", "%", "a%00b.example", "a%2fb.example", "a%40b.example", "a%ffb.example", "%25.example",
		"a b", "a<b", "a\\b", "a|b", "a^b", "a@b", "a:b", "a#b", "a?b", "a\x00b", "a\x7fb", "\xff.example", "a\ufffdb", "a!b", "a'b.example",
		"[", "[]", "[::1", "[::1]]", "[[::1]]", "[1.2.3.4]", "[fe80::1%25eth0]", "[::1%eth0]", "[g::]", "[::1.2.3]", "::1",
		"\u05d0a.example\u05d0", // text of two directions
		strings.Repeat("a", 64) + ".example",
		strings.Repeat("a.", 126) + "aa",
		strings.Repeat("ü", 300),
	} {
		_, err := Host(s)
		require.ErrorIs(t, err, ErrHost, "%q", s)
	}
	long := strings.Repeat("a.", 126) + "a"
	host, err := Host(long + ".")
	require.NoError(t, err, "253 characters and a dot")
	require.Equal(t, long, host)
}

// The conversion of a name to ASCII takes time that grows with the square of
// its length, so that the length has to be looked at before.
func TestNoLongHostIsConverted(t *testing.T) {
	letters := make([]rune, 60_000)
	for i := range letters {
		letters[i] = rune(0x4e00 + i%20_000)
	}
	long, short := string(letters), string(letters[:60])
	for name, s := range map[string]string{
		"letters":          long,
		"escapes":          strings.Repeat("%E4%B8%80%E4%B9%81", 10_000),
		"letters in ASCII": "xn--" + strings.Repeat("abcdefgh", 10_000),
		"labels":           strings.Repeat("\u4e00.", 30_000),
		"ignored":          strings.Repeat("\u00ad", 30_000) + "a",
		"brackets":         "[" + strings.Repeat("0:", 30_000) + "]",
	} {
		require.Zero(t, testing.AllocsPerRun(1, func() {
			_, err := Host(s)
			require.ErrorIs(t, err, ErrHost)
		}), "%s: what is converted is allocated", name)
	}
	require.NotZero(t, testing.AllocsPerRun(1, func() { Host(short) }), "the measure works")
}

func BenchmarkHostOf60000Letters(b *testing.B) {
	var s strings.Builder
	for i := range 60_000 {
		s.WriteRune(rune(0x4e00 + i%20_000))
	}
	for b.Loop() {
		Host(s.String())
	}
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{"example.com", "bücher.example", "xn--a.example", "0xa.5", "[::ffff:10.0.0.5]", "%31.２", "a。b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, err := Host(s)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(host), maxName)
		again, err := Host(host)
		require.NoError(t, err, "%q of %q", host, s)
		require.Equal(t, host, again, "%q", s)
	})
}
