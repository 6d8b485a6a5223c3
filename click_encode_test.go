package linktrack

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// clicksOfVersion1 were written when clicks had no country.
const clicksOfVersion1 = "\x01\x02\v\x01\x02\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x80\x80\x80\x80@ \x01\r\xb8" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x14https://example.com/\vexample.com\x06curl/8\x04curl\x05Linux\x03a=b" +
	"\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xc0\x00\x02\a\x00\x00\x01x\x00\x00\x00"

func TestClicksOfEarlierVersionsAreRead(t *testing.T) {
	clicks, err := DecodeClicks(clicksOfVersion1)
	require.NoError(t, err)
	require.Equal(t, []Click{
		{
			ID: ClickID{1, 2, 3}, Link: 1 << 40, IP: netip.MustParseAddr("2001:db8::1"), Referrer: "https://example.com/",
			ReferrerHost: "example.com", UserAgent: "curl/8", Browser: "curl", Platform: "Linux", Query: "a=b", Unique: true, Bot: true,
		},
		{Link: -1, IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "x"},
	}, clicks)
	for n := range clicksOfVersion1 {
		_, err := DecodeClicks(clicksOfVersion1[:n])
		require.ErrorIs(t, err, ErrClicksDamaged, "the first %d bytes", n)
	}
	_, err = DecodeClicks("\x00" + clicksOfVersion1[1:])
	require.ErrorIs(t, err, ErrClicksDamaged)
	_, err = DecodeClicks("\x03" + clicksOfVersion1[1:])
	require.ErrorIs(t, err, ErrClicksVersion)
}

func FuzzDecodeClicks(f *testing.F) {
	some := Click{
		ID: ClickID{1, 2, 3}, Link: 1 << 40, IP: netip.MustParseAddr("2001:db8::1"), Referrer: "https://example.com/",
		ReferrerHost: "example.com", UserAgent: "curl/8", Browser: "curl", Platform: "Linux", Query: "a=b", Country: "DE", Unique: true, Bot: true,
	}
	f.Add(AppendClicks(nil, nil))
	f.Add(AppendClicks(nil, []Click{{}}))
	f.Add(AppendClicks(nil, []Click{some, some}))
	some.IP = netip.MustParseAddr("fe80::1%eth0")
	some.Person = true
	f.Add(AppendClicks(nil, []Click{some}))
	some.IP = netip.MustParseAddr("192.0.2.1")
	f.Add(AppendClicks(nil, []Click{some}))
	f.Add([]byte(clicksOfVersion1))
	f.Add([]byte{clicksVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		clicks, err := DecodeClicks(string(b))
		if err != nil {
			return
		}
		if b[0] == clicksWithoutCountry {
			for _, c := range clicks {
				require.Empty(t, c.Country)
			}
			return
		}
		require.Equal(t, string(b), string(AppendClicks(nil, clicks)), "there is one way to write clicks")
	})
}

func FuzzAppendClicks(f *testing.F) {
	f.Add([]byte("id"), int64(-1), []byte{1, 2, 3, 4}, "zone", "referrer", "host", "agent", "browser", "platform", "query", "country", true, false)
	f.Fuzz(func(t *testing.T, id []byte, link int64, ip []byte, zone, referrer, host, agent, browser, platform, query, country string, unique, bot bool) {
		c := Click{
			Link: link, Referrer: referrer, ReferrerHost: host, UserAgent: agent,
			Browser: browser, Platform: platform, Query: query, Country: country, Unique: unique, Bot: bot, Person: !bot,
		}
		copy(c.ID[:], id)
		if a, ok := netip.AddrFromSlice(ip); ok {
			c.IP = a.WithZone(zone)
		}
		b := AppendClicks(nil, []Click{c})
		got, err := DecodeClicks(string(b))
		require.NoError(t, err)
		require.Equal(t, []Click{c}, got)
		for n := range b {
			_, err := DecodeClicks(string(b[:n]))
			require.ErrorIs(t, err, ErrClicksDamaged, "the first %d bytes", n)
		}
	})
}
