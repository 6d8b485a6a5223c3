package linktrack

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAServedHostIsFoundHoweverItIsWritten(t *testing.T) {
	for served, written := range map[string][]string{
		"http://0xa.5":               {"10.0.0.5", "10.5", "012.0.0.5:80", "[::ffff:10.0.0.5]", "10.0.0.5."},
		"http://[2001:DB8::0005]":    {"[2001:db8::5]", "[2001:db8:0::5]:80"},
		"http://BÜCHER.example:8080": {"xn--bcher-kva.example", "XN--BCHER-KVA.example:8080", "bücher.example"},
		"http://go.example.com.":     {"go.example.com", "GO.EXAMPLE.COM.", "go.example.com:80"},
	} {
		hs, err := newHosts(served, nil)
		require.NoError(t, err, served)
		for _, name := range written {
			h, ok := hs.find(name)
			require.True(t, ok, "%s as %s", served, name)
			require.Same(t, hs.list[0], h)
		}
		_, ok := hs.find("other.example")
		require.False(t, ok)
	}
	for _, bad := range []string{"http://xn--a.example", "http://1.2.3.4.5", "http://a..b"} {
		_, err := newHosts(bad, nil)
		require.Error(t, err, bad)
		_, err = newHosts("http://go.example.com", []string{bad[len("http://"):]})
		require.Error(t, err, bad)
	}
	_, err := newHosts("http://10.0.0.5", []string{"10.5"})
	require.ErrorContains(t, err, "twice")
}

func TestAHostHasTheBaseThatIsGivenOrThatOfBaseURL(t *testing.T) {
	hs, err := newHosts("https://go.example.com/l/", []string{"alt.example", "third.example:8443", "http://www.example.com:80/go", "https://bücher.example//", "[2001:db8::5]"})
	require.NoError(t, err)
	var bases []string
	for _, h := range hs.list {
		bases = append(bases, h.base)
	}
	require.Equal(t, []string{
		"https://go.example.com/l/", "https://alt.example/l/", "https://third.example:8443/l/", "http://www.example.com/go/",
		"https://xn--bcher-kva.example/", "https://[2001:db8::5]/l/",
	}, bases)
}

func TestWhatIsNoBaseOfLinksIsRefused(t *testing.T) {
	for _, bad := range []string{
		"go.example.com", "//go.example.com", "://go.example.com", "localhost:8080", ":8080", "http:", "http:///l", "http://", "http://:8080",
		"http:go.example.com", "ftp://go.example.com", "https://me@go.example.com", "https://go.example.com/?", "https://go.example.com/?a=1",
		"https://go.example.com/#", "https://go.example.com//l", "https://go.example.com/%2fl", "https://go.example.com/a//b",
		"https://go.example.com/a/../b", "https://go.example.com/..", "https://go.example.com/%2e%2e/a", "https://go.example.com/./a",
		"https://go.example.com/a;b", "https://go.example.com/a,b", `https://go.example.com/\a`, "https://go.example.com/%0aa", "https://go.example.com:0/", " https://go.example.com",
	} {
		_, err := newHosts(bad, nil)
		require.EqualError(t, err, fmt.Sprintf("BaseURL must be an absolute http or https URL such as https://go.example.com or https://example.com/go, not %q", bad), bad)
		if bad == "go.example.com" || bad == "localhost:8080" || bad == "http:" { // names of hosts
			continue
		}
		_, err = newHosts("https://one.example.com", []string{bad})
		require.EqualError(t, err, fmt.Sprintf("Hosts has %q, which is not a host name such as alt.example or an absolute URL such as https://alt.example/go", bad), bad)
	}
	for _, bad := range []string{"", "alt.example/", "alt.example/go", "me@alt.example", "alt.example?", "alt.example#a", "alt.example:x"} {
		_, err := newHosts("https://one.example.com", []string{bad})
		require.ErrorContains(t, err, "Hosts has", bad)
	}
	_, err := newHosts("https://one.example.com", []string{"https://one.example.com/go"})
	require.ErrorContains(t, err, "twice", "a host has one base")
}
