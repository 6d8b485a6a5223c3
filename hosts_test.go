package linktrack

import (
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
