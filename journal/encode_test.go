package journal

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func FuzzDecode(f *testing.F) {
	body := func(clicks ...linktrack.Click) []byte {
		b := []byte{version, byte(len(clicks))}
		for i := range clicks {
			b = appendClick(b, &clicks[i])
		}
		return b
	}
	some := linktrack.Click{
		ID: linktrack.ClickID{1, 2, 3}, Link: 1 << 40, IP: netip.MustParseAddr("2001:db8::1"), Referrer: "https://example.com/",
		ReferrerHost: "example.com", UserAgent: "curl/8", Browser: "curl", Platform: "Linux", Query: "a=b", Unique: true, Bot: true,
	}
	f.Add(body(linktrack.Click{}))
	f.Add(body(some, some))
	some.IP = netip.MustParseAddr("fe80::1%eth0")
	f.Add(body(some))
	some.IP = netip.MustParseAddr("192.0.2.1")
	f.Add(body(some))
	f.Add([]byte{version, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		clicks, err := decode(nil, string(b))
		if err != nil {
			return
		}
		parts, _ := split(clicks)
		var again []linktrack.Click
		var encoded []byte
		for _, p := range parts {
			encoded = append(encoded, p.bytes...)
		}
		require.Equal(t, string(b[len(b)-len(encoded):]), string(encoded), "there is one way to write a click")
		again, err = decode(nil, string(b))
		require.NoError(t, err)
		require.Equal(t, clicks, again)
	})
}

func FuzzClick(f *testing.F) {
	f.Add([]byte("id"), int64(-1), []byte{1, 2, 3, 4}, "zone", "referrer", "host", "agent", "browser", "platform", "query", true, false)
	f.Fuzz(func(t *testing.T, id []byte, link int64, ip []byte, zone, referrer, host, agent, browser, platform, query string, unique, bot bool) {
		c := linktrack.Click{
			Link: link, Referrer: referrer, ReferrerHost: host, UserAgent: agent,
			Browser: browser, Platform: platform, Query: query, Unique: unique, Bot: bot,
		}
		copy(c.ID[:], id)
		if a, ok := netip.AddrFromSlice(ip); ok {
			c.IP = a.WithZone(zone)
		}
		b := appendClick([]byte{version, 1}, &c)
		got, err := decode(nil, string(b))
		require.NoError(t, err)
		require.Equal(t, []linktrack.Click{c}, got)
		for n := range b {
			_, err := decode(nil, string(b[:n]))
			require.ErrorIs(t, err, errRecord, "cut short")
		}
	})
}
