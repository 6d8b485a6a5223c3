package linktrack

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func testDestinations(t testing.TB) destinationRule {
	hs, err := newHosts("https://go.example.com/l", []string{"alt.example", "127.0.0.1:8080", "bücher.example", "10.0.0.5", "[2001:db8::5]"})
	require.NoError(t, err)
	return destinationRule{schemes: []string{"mailto", "myapp"}, serves: hs.serves}
}

func TestDestinationsThatAreAccepted(t *testing.T) {
	d := testDestinations(t)
	for _, s := range []string{
		"http://www.google.com",
		"https://example.com/",
		"HTTPS://EXAMPLE.com/Path",
		"http://example.com:8080/a?b=c&d=e#f",
		"http://example.com?x=1",
		"http://example.com#x",
		"http://192.0.2.1/",
		"http://192.0.2.1:65535",
		"http://[2001:db8::1]/x",
		"http://[2001:db8::1]:8080/x",
		"http://127.0.0.1:3000/", // another port than the one we serve
		"http://bücher.museum/straße?q=ü",
		"http://xn--bcher-kva.museum/",
		"http://例え.テスト/",
		"http://example.photography/",
		"http://a_b.example.com/",
		"http://example.com./",
		"http://example.com/100%/%zz?%",
		"http://example.com/a;b?c;d",
		"http://example.com/?u=http://go.example.com/l/.abc",
		"http://example.com/a@b",
		"http://example.com/\\x",
		"http://ab--cd.münchen.de/",
		"http://-a.münchen.de/",
		"https://other.go.example.com/",
		"http://go.example.com.evil.example/",
		"mailto:someone@example.com",
		"myapp://open/1",
		"http://example.com/" + strings.Repeat("x", maxDestination-len("http://example.com/")),
	} {
		require.NoError(t, d.check(destination{"external_url", s}), "%q", s)
	}
}

func TestDestinationsThatAreRefusedEachWithItsOwnSentence(t *testing.T) {
	d := testDestinations(t)
	for s, want := range map[string]string{
		"":                                  "is missing",
		"example.com":                       "must begin with http:// or https://",
		"www.example.com/x":                 "must begin with http:// or https://",
		"example.com:80/x":                  "must begin with http:// or https://",
		"//example.com":                     "must begin with http:// or https://",
		"/path":                             "must begin with http:// or https://",
		"http:example.com":                  "must begin with http:// or https://",
		"http:/example.com":                 "must begin with http:// or https://",
		"ftp://example.com":                 "must begin with http:// or https://",
		"://example.com":                    "must begin with http:// or https://",
		"javascript:alert(1)":               "must not use the scheme javascript",
		"JavaScript:alert(1)":               "must not use the scheme javascript",
		"data:text/html,x":                  "must not use the scheme data",
		"vbscript:x":                        "must not use the scheme vbscript",
		"file:///etc/passwd":                "must not use the scheme file",
		"blob:http://example.com/1":         "must not use the scheme blob",
		" http://example.com":               "must not begin or end with white space",
		"http://example.com ":               "must not begin or end with white space",
		"http://example.com\n":              "must not begin or end with white space",
		"\u00a0http://example.com":          "must not begin or end with white space",
		"http://example.com/a b":            "must not have white space inside (write %20)",
		"http://exam ple.com/":              "must not have white space inside (write %20)",
		"http://example.com/a\tb":           "must not have white space inside (write %20)",
		"http://example.com/\u2003x":        "must not have white space inside (write %20)",
		"http://example.com/a\x00b":         "must not have control characters",
		"http://example.com/a\x7fb":         "must not have control characters",
		"http://example.com/a\u0081b":       "must not have control characters",
		"http://example.com/a\r\nX: y":      "must not have white space inside (write %20)",
		"http://www.mydestination":          "must have a complete domain name with a dot as its host",
		"http://mydestination/x.html":       "must have a complete domain name with a dot as its host",
		"http://localhost:3000/":            "must have a complete domain name with a dot as its host",
		"http://mydestination./":            "must have a complete domain name with a dot as its host",
		"http://2130706433/":                "must have a complete domain name with a dot as its host",
		"http://user@example.com/":          "must not have a user name before the host",
		"http://user:pw@example.com/":       "must not have a user name before the host",
		"http://go.example.com@evil.com/":   "must not have a user name before the host",
		"http:///path":                      "has no host",
		"http://":                           "has no host",
		"http://:80/":                       "has no host",
		"http://?q":                         "has no host",
		"http://example.com:x/":             "has a port that is not a number from 1 to 65535",
		"http://example.com:0/":             "has a port that is not a number from 1 to 65535",
		"http://example.com:65536/":         "has a port that is not a number from 1 to 65535",
		"http://example.com:99999999999999": "has a port that is not a number from 1 to 65535",
		"http://a..b/":                      "has a host that is not a domain name or an IP address",
		"http://.example.com/":              "has a host that is not a domain name or an IP address",
		"http://exa%6dple.com/":             "has a host that is not a domain name or an IP address",
		"http://exam<ple.com/":              "has a host that is not a domain name or an IP address",
		"http://" + strings.Repeat("a", 64) + ".example/": "has a host that is not a domain name or an IP address",
		"http://[::1/":                                    "has a host in brackets that is not an IPv6 address",
		"http://[example.com]/":                           "has a host in brackets that is not an IPv6 address",
		"http://[fe80::1%25eth0]/":                        "has a host in brackets that is not an IPv6 address",
		"http://go.example.com":                           "must not lead to go.example.com, which serves tracking links itself (a loop)",
		"http://GO.example.com./x":                        "must not lead to go.example.com, which serves tracking links itself (a loop)",
		"https://go.example.com:8443/":                    "must not lead to go.example.com, which serves tracking links itself (a loop)",
		"http://alt.example/l/.abc":                       "must not lead to alt.example, which serves tracking links itself (a loop)",
		"http://127.0.0.1:8080/":                          "must not lead to 127.0.0.1, which serves tracking links itself (a loop)",
		"http://go。example.com/":                          "must not lead to go.example.com, which serves tracking links itself (a loop)",
		"http://ｇｏ.example.com/":                          "must not lead to go.example.com, which serves tracking links itself (a loop)",
		"http://BÜCHER.example/":                          "must not lead to xn--bcher-kva.example, which serves tracking links itself (a loop)",
		"http://xn--bcher-kva.example/":                   "must not lead to xn--bcher-kva.example, which serves tracking links itself (a loop)",
		"http://10.5/":                                    "must not lead to 10.0.0.5, which serves tracking links itself (a loop)",
		"http://0xa.0.0.5/":                               "must not lead to 10.0.0.5, which serves tracking links itself (a loop)",
		"http://012.0.0.5:80/x":                           "must not lead to 10.0.0.5, which serves tracking links itself (a loop)",
		"http://10.0.0.5./":                               "must not lead to 10.0.0.5, which serves tracking links itself (a loop)",
		"http://１０。０．０｡５/":                                "must not lead to 10.0.0.5, which serves tracking links itself (a loop)",
		"http://[::ffff:10.0.0.5]/":                       "must not lead to 10.0.0.5, which serves tracking links itself (a loop)",
		"http://[::ffff:a00:5]/":                          "must not lead to 10.0.0.5, which serves tracking links itself (a loop)",
		"http://0x7f.1:8080/":                             "must not lead to 127.0.0.1, which serves tracking links itself (a loop)",
		"http://[2001:DB8:0::0005]/":                      "must not lead to [2001:db8::5], which serves tracking links itself (a loop)",
		"http://xn--a.example/":                           "has a host that is not a domain name or an IP address",
		"http://XN--a.example/":                           "has a host that is not a domain name or an IP address",
		"http://256.0.0.1/":                               "has a host that is not a domain name or an IP address",
		"http://1.2.3.4.5/":                               "has a host that is not a domain name or an IP address",
		"http://example.09/":                              "has a host that is not a domain name or an IP address",
		"http://０ｘ０ａ００００05/":                              "must have a complete domain name with a dot as its host",
		"http://" + strings.Repeat("写", 1300) + "/":       "has a host that is not a domain name or an IP address",
		"http://go.example.com\\@evil.com/":               "must not have a backslash behind the host",
		"http://[[::1]]/":                                 "has a host in brackets that is not an IPv6 address",
		"http://[::1]]/x":                                 "has a host in brackets that is not an IPv6 address",
		"http://example.com/\xff":                         "must be UTF-8",
		"http://example.com/" + strings.Repeat("x", 4096): "must have at most 4096 bytes",
	} {
		var inv *InvalidError
		err := d.check(destination{"external_url", s})
		require.ErrorAs(t, err, &inv, "%q", s)
		require.Equal(t, "external_url", inv.Param, "%q", s)
		require.Equal(t, want, inv.Reason, "%q", s)
	}
}

func TestALocationIsASCII(t *testing.T) {
	for destination, want := range map[string]string{
		"http://example.com/a%20b?c=%C3%BC": "http://example.com/a%20b?c=%C3%BC",
		"http://bücher.museum/straße?q=ü#é": "http://xn--bcher-kva.museum/stra%C3%9Fe?q=%C3%BC#%C3%A9",
		"http://bücher.museum:8080":         "http://xn--bcher-kva.museum:8080",
		"http://example.com/😀":              "http://example.com/%F0%9F%98%80",
		"mailto:jürgen@example.com":         "mailto:j%C3%BCrgen@example.com",
	} {
		require.Equal(t, want, location(destination))
	}
}

func TestVanityLinks(t *testing.T) {
	reserved := func(key string) bool { return key == "api" }
	require.NoError(t, checkVanity("My_vanity-LINK9", reserved))
	require.NoError(t, checkVanity(strings.Repeat("x", 100), reserved))
	for s, want := range map[string]string{
		strings.Repeat("x", 101): "must have at most 100 characters",
		"a.b":                    "may have letters (a-z), digits, _ and - only",
		".abc":                   "may have letters (a-z), digits, _ and - only",
		"a b":                    "may have letters (a-z), digits, _ and - only",
		"größe":                  "may have letters (a-z), digits, _ and - only",
		"a/b":                    "may have letters (a-z), digits, _ and - only",
		"API":                    "is a reserved word",
	} {
		require.EqualError(t, checkVanity(s, reserved), "vanity_link "+want, s)
	}
}

func TestALinkIsGoneWhenItIsSwitchedOffExpiredOrUsedUp(t *testing.T) {
	at := time.Date(2024, 12, 24, 10, 35, 16, 0, time.UTC)
	active := Link{}
	require.NoError(t, active.State(at))
	require.ErrorIs(t, Link{LinkSettings: LinkSettings{Disabled: true}}.State(at), ErrInactive)
	expired := Link{LinkSettings: LinkSettings{ExpiresAt: at}}
	require.NoError(t, expired.State(at.Add(-time.Microsecond)))
	require.ErrorIs(t, expired.State(at), ErrExpired, "the moment itself is over")
	limited := Link{LinkSettings: LinkSettings{DeactivateAt: 3}}
	for used, gone := range map[int64]bool{0: false, 2: false, 3: true, 4: true} {
		limited.Counts = Counts{Used: used}
		require.Equal(t, gone, errors.Is(limited.State(at), ErrUsedUp))
		limited.Counts = Counts{People: used}
		require.Equal(t, gone, errors.Is(limited.State(at), ErrUsedUp))
	}
}

func TestRandomPathsAreOfTheirLengthAndSpread(t *testing.T) {
	seen := map[string]bool{}
	letters := map[byte]int{}
	for range 2000 {
		p := randomPath(7)
		require.Len(t, p, 7)
		require.False(t, seen[p])
		seen[p] = true
		for _, c := range []byte(p) {
			letters[c]++
		}
	}
	require.Len(t, letters, 36)
	for c, n := range letters { // 389 each on average, a standard deviation of 20
		require.InDelta(t, 389, n, 140, "%c", c)
	}
}

func FuzzDestination(f *testing.F) {
	for _, s := range []string{"http://example.com/", "http://bücher.museum/ü", "http://[::1]:80/", "javascript:x", "http://a@b.c", "http://go.example.com"} {
		f.Add(s)
	}
	d := testDestinations(f)
	f.Fuzz(func(t *testing.T, s string) {
		if err := d.check(destination{"external_url", s}); err != nil {
			var inv *InvalidError
			require.ErrorAs(t, err, &inv)
			require.True(t, utf8.ValidString(err.Error()))
			return
		}
		l := location(s)
		for _, c := range []byte(l) {
			require.True(t, c > ' ' && c < 0x7f, "%q in the Location of %q", c, s)
		}
		require.NoError(t, d.check(destination{"external_url", l}), "what a browser is sent to keeps the rules too: %q", l)
	})
}
