package geo_test

import (
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/geo"
)

// A value of the format is a string, a uint32, or an object.
type object map[string]any

// appendValue writes a value in MaxMind's binary format
// (https://maxmind.github.io/MaxMind-DB/).
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(append(b, 2<<5|byte(len(v))), v...)
	case uint32:
		return binary.BigEndian.AppendUint32(append(b, 6<<5|4), v)
	case object:
		b = append(b, 7<<5|byte(len(v)))
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			b = appendValue(appendValue(b, name), v[name])
		}
		return b
	}
	panic("no value of the format")
}

// database returns a file of the format for IPv6, in which IPv4 is ::/96: a binary
// tree by the bits of the address, whose nodes are two records of 32 bits, then
// sixteen zeros, the values, and the metadata.
func database(kind string, networks map[string]object) []byte {
	type node [2]any // nil, *node, or an object
	root := &node{}
	count := 0
	for network, value := range networks {
		p := netip.MustParsePrefix(network)
		addr, bits := p.Addr().As16(), p.Bits()
		if p.Addr().Is4() {
			clear(addr[:12])
			bits += 96
		}
		at := root
		for i := range bits {
			bit := addr[i/8] >> (7 - i%8) & 1
			if i == bits-1 {
				at[bit] = value
				break
			}
			if at[bit] == nil {
				at[bit] = &node{}
			}
			at = at[bit].(*node)
		}
	}
	var nodes []*node
	for queue := []*node{root}; len(queue) > 0; queue = queue[1:] {
		nodes = append(nodes, queue[0])
		for _, child := range queue[0] {
			if n, ok := child.(*node); ok {
				queue = append(queue, n)
			}
		}
	}
	count = len(nodes)
	var tree, values []byte
	for _, n := range nodes {
		for _, child := range n {
			record := count // nothing is known
			switch child := child.(type) {
			case *node:
				record = slices.Index(nodes, child)
			case object:
				record = count + 16 + len(values)
				values = appendValue(values, child)
			}
			tree = binary.BigEndian.AppendUint32(tree, uint32(record))
		}
	}
	file := slices.Concat(tree, make([]byte, 16), values, []byte("\xab\xcd\xefMaxMind.com"))
	return appendValue(file, object{
		"binary_format_major_version": uint32(2), "binary_format_minor_version": uint32(0), "build_epoch": uint32(1),
		"database_type": kind, "ip_version": uint32(6), "node_count": uint32(count), "record_size": uint32(32),
	})
}

func country(code string) object { return object{"country": object{"iso_code": code}} }

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", b, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func locate(d *geo.DB, ip string) string { return d.Locate(netip.MustParseAddr(ip)) }

func TestTheCountryOfAnAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "countries.mmdb")
	write(t, path, database("Test-Country", map[string]object{
		"192.0.2.0/25":    country("DE"),
		"192.0.2.128/25":  country("FR"),
		"2001:db8::/32":   country("JP"),
		"198.51.100.0/24": {"country_code": "US"},
		"203.0.113.0/24":  {"asn": "AS64496"},
	}))
	d, err := geo.Open(path)
	require.NoError(t, err)
	for ip, want := range map[string]string{
		"192.0.2.7": "DE", "192.0.2.200": "FR", "192.0.3.1": "", "2001:db8::1": "JP", "2001:db9::1": "", "198.51.100.1": "US", "203.0.113.1": "",
	} {
		require.Equal(t, want, locate(d, ip), ip)
	}
	require.Empty(t, d.Locate(netip.Addr{}))
	require.NoError(t, d.Close())
	require.Empty(t, locate(d, "192.0.2.7"))
}

func TestAReplacedFileIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "countries.mmdb")
	write(t, path, database("Test-Country", map[string]object{"192.0.2.0/24": country("DE")}))
	d, err := geo.Open(path)
	require.NoError(t, err)
	changed, err := d.Reload()
	require.NoError(t, err)
	require.False(t, changed)

	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 { // while it is asked
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if c := locate(d, "192.0.2.7"); c != "DE" && c != "FR" {
						t.Errorf("country %q", c)
						return
					}
				}
			}
		})
	}
	write(t, path, database("Test-Country", map[string]object{"192.0.2.0/24": country("FR")}))
	changed, err = d.Reload()
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, "FR", locate(d, "192.0.2.7"))

	b := database("Test-Country", map[string]object{"192.0.2.0/24": country("DE")})
	require.NoError(t, os.WriteFile(path, b, 0o600)) // in place
	require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)))
	changed, err = d.Reload()
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, "DE", locate(d, "192.0.2.7"))

	write(t, path, b[:len(b)/2])
	_, err = d.Reload()
	require.ErrorContains(t, err, path)
	require.NoError(t, os.Remove(path))
	_, err = d.Reload()
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Equal(t, "DE", locate(d, "192.0.2.7"), "what was read is good until there is something better")
	close(stop)
	wg.Wait()
}

func TestAFileThatIsOfNoUseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.mmdb")
	for _, c := range []struct {
		file []byte
		want string
	}{
		{nil, "cannot be read"},
		{[]byte("<html>404"), "cannot be read"},
		{database("Test-ASN", map[string]object{"192.0.2.0/24": {"asn": "AS64496"}}), `of type "Test-ASN", names no countries`},
	} {
		write(t, path, c.file)
		_, err := geo.Open(path)
		require.ErrorContains(t, err, c.want)
	}
	_, err := geo.Open(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
