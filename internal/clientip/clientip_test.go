package clientip

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// trusted are the proxies of these tests.
func trusted(t testing.TB) Proxies {
	ps, err := Networks([]netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ffff::/48"), netip.MustParsePrefix("::ffff:172.16.0.0/108"),
	})
	require.NoError(t, err)
	return ps
}

// connected is a request over a connection from there, with headers as names
// and values.
func connected(from string, header ...string) *http.Request {
	r := &http.Request{RemoteAddr: from, Header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestTheClientBehindTrustedProxies(t *testing.T) {
	const (
		proxy = "10.0.0.1:80"
		xff   = "X-Forwarded-For"
		fwd   = "Forwarded"
	)
	for name, c := range map[string]struct {
		from   string
		header []string
		want   string
	}{
		"a stranger's word counts for nothing":              {"192.0.2.1:80", []string{xff, "198.51.100.1", fwd, "for=198.51.100.1"}, "192.0.2.1"},
		"a proxy that says nothing is the client":           {proxy, nil, "10.0.0.1"},
		"a proxy's word counts":                             {proxy, []string{xff, "192.0.2.1"}, "192.0.2.1"},
		"what a client made up is further left":             {proxy, []string{xff, "198.51.100.1, 192.0.2.1"}, "192.0.2.1"},
		"even the name of a trusted proxy":                  {proxy, []string{xff, "10.9.9.9, 192.0.2.1"}, "192.0.2.1"},
		"trusted proxies are passed over":                   {proxy, []string{xff, "198.51.100.1, 192.0.2.1, 10.0.0.3,10.0.0.2"}, "192.0.2.1"},
		"proxies of version 6":                              {"[2001:db8:ffff::1]:80", []string{xff, "2001:db8::5,2001:db8:ffff::2"}, "2001:db8::5"},
		"a proxy that writes version 4 as 6":                {"[::ffff:10.0.0.1]:80", []string{xff, "::ffff:192.0.2.1"}, "192.0.2.1"},
		"a network given as version 4 in 6":                 {"172.16.5.5:1", []string{xff, "192.0.2.1"}, "192.0.2.1"},
		"if all are trusted, the leftmost":                  {proxy, []string{xff, "10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"lines are one list":                                {proxy, []string{xff, "198.51.100.1", xff, "192.0.2.1", xff, "10.0.0.2"}, "192.0.2.1"},
		"empty items are none":                              {proxy, []string{xff, "192.0.2.1, ,", xff, ""}, "192.0.2.1"},
		"a port":                                            {proxy, []string{xff, "192.0.2.1:4711"}, "192.0.2.1"},
		"brackets":                                          {proxy, []string{xff, "[2001:db8::5]"}, "2001:db8::5"},
		"brackets and a port":                               {proxy, []string{xff, "[2001:db8::5]:4711"}, "2001:db8::5"},
		"a zone is of the proxy's machine":                  {proxy, []string{xff, "fe80::1%eth0"}, "fe80::1"},
		"garbage: the proxy":                                {proxy, []string{xff, "192.0.2.1, unknown"}, "10.0.0.1"},
		"garbage: the last trusted proxy":                   {proxy, []string{xff, "192.0.2.1, x, 10.0.0.2"}, "10.0.0.2"},
		"garbage left of the client does not matter":        {proxy, []string{xff, "\"x, 192.0.2.1"}, "192.0.2.1"},
		"a bad port":                                        {proxy, []string{xff, "192.0.2.1:x"}, "10.0.0.1"},
		"version 4 in brackets":                             {proxy, []string{xff, "[192.0.2.1]"}, "10.0.0.1"},
		"text behind brackets":                              {proxy, []string{xff, "[2001:db8::5]x"}, "10.0.0.1"},
		"Forwarded":                                         {proxy, []string{fwd, "for=192.0.2.1"}, "192.0.2.1"},
		"Forwarded, with all there is":                      {proxy, []string{fwd, `For="[2001:db8:cafe::17]:4711" ; proto=http;by=203.0.113.43`}, "2001:db8:cafe::17"},
		"Forwarded, several elements":                       {proxy, []string{fwd, `for=198.51.100.1, for=192.0.2.1;by=10.0.0.2 ,for="10.0.0.2:_x"`}, "192.0.2.1"},
		"Forwarded, several lines":                          {proxy, []string{fwd, `for="`, fwd, "for=192.0.2.1", fwd, "for=10.0.0.2"}, "192.0.2.1"},
		"Forwarded, a comma and an escaped quote in quotes": {proxy, []string{fwd, `for=192.0.2.1;host="a\",for=198.51.100.1"`}, "192.0.2.1"},
		"Forwarded, quotes left out":                        {proxy, []string{fwd, "for=192.0.2.1:4711, for=[2001:db8:ffff::2]:80"}, "192.0.2.1"},
		"Forwarded, a client that hides":                    {proxy, []string{fwd, "for=_hidden, for=10.0.0.2"}, "10.0.0.2"},
		"Forwarded, a client that is not known":             {proxy, []string{fwd, "for=192.0.2.1, for=unknown"}, "10.0.0.1"},
		"Forwarded, an element without for":                 {proxy, []string{fwd, "for=192.0.2.1, proto=http"}, "10.0.0.1"},
		"Forwarded, for twice":                              {proxy, []string{fwd, "for=192.0.2.1;for=198.51.100.1"}, "10.0.0.1"},
		"Forwarded, a quote left open":                      {proxy, []string{fwd, `for=198.51.100.1;x=", for=192.0.2.1`}, "10.0.0.1"},
		"Forwarded, a quote left open for others to close":  {proxy, []string{fwd, `for=198.51.100.1;x=", for="[2001:db8::5]"`}, "10.0.0.1"},
		"Forwarded, no pair":                                {proxy, []string{fwd, "192.0.2.1"}, "10.0.0.1"},
		"Forwarded, empty":                                  {proxy, []string{fwd, " , "}, "10.0.0.1"},
		"both, and they agree":                              {proxy, []string{xff, "198.51.100.1, 192.0.2.1", fwd, "for=192.0.2.1"}, "192.0.2.1"},
		"both, and they do not":                             {proxy, []string{xff, "192.0.2.1", fwd, "for=198.51.100.1"}, "10.0.0.1"},
		"a socket that has no address":                      {"@", []string{xff, "192.0.2.1"}, "invalid IP"},
	} {
		require.Equal(t, c.want, trusted(t).Client(connected(c.from, c.header...)).String(), name)
	}
	require.Equal(t, "10.0.0.1", Proxies(nil).Client(connected(proxy, xff, "192.0.2.1")).String(), "by default nobody is trusted")
}

func TestNothingIsReadWhereNobodyIsTrusted(t *testing.T) {
	r := connected("192.0.2.1:80", "X-Forwarded-For", "198.51.100.1", "Forwarded", "for=198.51.100.1")
	for _, ps := range []Proxies{nil, trusted(t)} {
		require.Zero(t, testing.AllocsPerRun(100, func() { ps.Client(r) }))
	}
}

// A proxy adds the client's address to a header that the client may have forged.
// The result is that address or none, and never an address that the client made
// up.
func FuzzForwarded(f *testing.F) {
	f.Add("", "")
	f.Add("198.51.100.1", "for=198.51.100.1")
	f.Add("10.0.0.1, x", `for="[2001:db8::1]:80";by=_x, for=unknown`)
	f.Add(`"`, `for=198.51.100.1;x="`)
	f.Add("[::1]:0", `for="a\", for=198.51.100.1`)
	ps := trusted(f)
	const real = "192.0.2.1"
	f.Fuzz(func(t *testing.T, forwardedFor, forwarded string) {
		for _, sep := range []string{",", ", "} {
			r := connected("10.0.0.1:80", "X-Forwarded-For", forwardedFor+sep+real)
			require.Equal(t, real, ps.Client(r).String())
			for _, element := range []string{"for=" + real, `for="` + real + `:80"`, `by="[2001:db8::9]";for="` + real + `";host="a"`} {
				r := connected("10.0.0.1:80", "Forwarded", forwarded+sep+element)
				require.Contains(t, []string{real, "10.0.0.1"}, ps.Client(r).String())
				r = connected("10.0.0.1:80", "Forwarded", forwarded, "Forwarded", element)
				require.Equal(t, real, ps.Client(r).String(), "on a line of its own")
				r.Header.Set("X-Forwarded-For", forwardedFor)
				require.Contains(t, []string{real, "10.0.0.1"}, ps.Client(r).String())
			}
		}
	})
}
