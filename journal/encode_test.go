package journal

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// firstVersion is a record without its checksum as it was written when clicks
// had no country.
const firstVersion = "\x01\x02\v\x01\x02\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x80\x80\x80\x80@ \x01\r\xb8" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x14https://example.com/\vexample.com\x06curl/8\x04curl\x05Linux\x03a=b" +
	"\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xc0\x00\x02\a\x00\x00\x01x\x00\x00\x00"

func TestRecordsFromBeforeClicksHadACountryAreRead(t *testing.T) {
	clicks, err := decode(nil, firstVersion)
	require.NoError(t, err)
	require.Equal(t, []linktrack.Click{
		{
			ID: linktrack.ClickID{1, 2, 3}, Link: 1 << 40, IP: netip.MustParseAddr("2001:db8::1"), Referrer: "https://example.com/",
			ReferrerHost: "example.com", UserAgent: "curl/8", Browser: "curl", Platform: "Linux", Query: "a=b", Unique: true, Bot: true,
		},
		{Link: -1, IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "x"},
	}, clicks)
	for n := range firstVersion {
		_, err := decode(nil, firstVersion[:n])
		require.ErrorIs(t, err, errRecord, "cut short")
	}
	for _, other := range []string{"\x00", "\x03"} {
		_, err := decode(nil, other+firstVersion[1:])
		require.ErrorIs(t, err, errRecord)
	}
}

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
		ReferrerHost: "example.com", UserAgent: "curl/8", Browser: "curl", Platform: "Linux", Query: "a=b", Country: "DE", Unique: true, Bot: true,
	}
	f.Add(body(linktrack.Click{}))
	f.Add(body(some, some))
	some.IP = netip.MustParseAddr("fe80::1%eth0")
	f.Add(body(some))
	some.IP = netip.MustParseAddr("192.0.2.1")
	f.Add(body(some))
	f.Add([]byte(firstVersion))
	f.Add([]byte{version, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		clicks, err := decode(nil, string(b))
		if err != nil {
			return
		}
		if b[0] == withoutCountry {
			for _, c := range clicks {
				require.Empty(t, c.Country)
			}
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
	f.Add([]byte("id"), int64(-1), []byte{1, 2, 3, 4}, "zone", "referrer", "host", "agent", "browser", "platform", "query", "country", true, false)
	f.Fuzz(func(t *testing.T, id []byte, link int64, ip []byte, zone, referrer, host, agent, browser, platform, query, country string, unique, bot bool) {
		c := linktrack.Click{
			Link: link, Referrer: referrer, ReferrerHost: host, UserAgent: agent,
			Browser: browser, Platform: platform, Query: query, Country: country, Unique: unique, Bot: bot,
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
