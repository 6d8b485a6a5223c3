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

// clicksOfVersion2 were written when clicks had no class.
const clicksOfVersion2 = "\x02\x02\v\x01\x02\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x80\x80\x80\x80@ \x01\r\xb8" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x14https://example.com/\vexample.com\x06curl/8\x04curl\x05Linux\x03a=b\x02DE" +
	"\x24\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xc0\x00\x02\a\x00\x00\x01x\x00\x00\x00\x00"

// clicksOfVersion3 are those that AppendClicks writes.
const clicksOfVersion3 = "\x03\x02\v\x01\x02\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x03\x80\x80\x80\x80\x80@ \x01\r\xb8" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x14https://example.com/\vexample.com\x06curl/8\x04curl\x05Linux\x03a=b\x02DE" +
	"\x24\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xfe\x01\xc0\x00\x02\a\x00\x00\x01x\x00\x00\x00\x00"

func TestClicksOfAllVersionsAreRead(t *testing.T) {
	for version, written := range map[int]string{1: clicksOfVersion1, 2: clicksOfVersion2, 3: clicksOfVersion3} {
		clicks, err := DecodeClicks(written)
		require.NoError(t, err)
		want := []Click{
			{
				ID: ClickID{1, 2, 3}, Link: 1 << 40, IP: netip.MustParseAddr("2001:db8::1"), Referrer: "https://example.com/",
				ReferrerHost: "example.com", UserAgent: "curl/8", Browser: "curl", Platform: "Linux", Query: "a=b", Unique: true, Bot: true,
			},
			{Link: -1, IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "x"},
		}
		if version >= 2 {
			want[0].Country, want[1].Person = "DE", true
		}
		if version >= 3 {
			want[0].Class, want[0].Reason = ClickClassBot, ClickReasonProgram
			want[1].Class, want[1].Reason = 255, 254 // of a version to come
		}
		require.Equal(t, want, clicks, "version %d", version)
		for n := range written {
			_, err := DecodeClicks(written[:n])
			require.ErrorIs(t, err, ErrClicksDamaged, "the first %d bytes of version %d", n, version)
		}
		_, err = DecodeClicks("\x00" + written[1:])
		require.ErrorIs(t, err, ErrClicksDamaged)
		_, err = DecodeClicks("\x04" + written[1:])
		require.ErrorIs(t, err, ErrClicksVersion)
		if version == clicksVersion {
			require.Equal(t, written, string(AppendClicks(nil, clicks)))
		}
	}
}

func FuzzDecodeClicks(f *testing.F) {
	some := Click{
		ID: ClickID{1, 2, 3}, Link: 1 << 40, IP: netip.MustParseAddr("2001:db8::1"), Referrer: "https://example.com/",
		ReferrerHost: "example.com", UserAgent: "curl/8", Browser: "curl", Platform: "Linux", Query: "a=b", Country: "DE", Unique: true, Bot: true,
		Class: ClickClassBot, Reason: ClickReasonProgram,
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
	f.Add([]byte(clicksOfVersion2))
	f.Add([]byte(clicksOfVersion3))
	f.Add([]byte{clicksVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		clicks, err := DecodeClicks(string(b))
		if err != nil {
			return
		}
		if b[0] < clicksVersion {
			for _, c := range clicks {
				require.Zero(t, c.Class)
				require.Zero(t, c.Reason)
				require.True(t, b[0] != clicksWithoutCountry || c.Country == "")
			}
			return
		}
		require.Equal(t, string(b), string(AppendClicks(nil, clicks)), "there is one way to write clicks")
	})
}

func FuzzAppendClicks(f *testing.F) {
	f.Add([]byte("id"), int64(-1), []byte{1, 2, 3, 4}, "zone", "referrer", "host", "agent", "browser", "platform", "query", "country", true, false, byte(1), byte(2))
	f.Fuzz(func(t *testing.T, id []byte, link int64, ip []byte, zone, referrer, host, agent, browser, platform, query, country string, unique, bot bool, class, reason byte) {
		c := Click{
			Link: link, Referrer: referrer, ReferrerHost: host, UserAgent: agent,
			Browser: browser, Platform: platform, Query: query, Country: country, Unique: unique, Bot: bot, Person: !bot,
			Class: ClickClass(class), Reason: ClickReason(reason),
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
