// Package geo finds the country of an address in a local file in MaxMind's
// format (.mmdb): GeoLite2 and GeoIP2 Country or City, DB-IP's "IP to Country
// Lite", and others that name countries in one of these ways. It comes with no
// data.
//
//	countries, err := geo.Open("/var/lib/GeoIP/GeoLite2-Country.mmdb")
//	if err != nil { … }
//	t, err := linktrack.New(store, linktrack.Options{Locator: countries})
package geo

import (
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/linktrackhq/linktrack"
)

// A DB is a file of countries, which it holds in memory: a file that is
// replaced or overwritten meanwhile does no harm. It is safe for concurrent use.
type DB struct {
	path   string
	reader atomic.Pointer[maxminddb.Reader]

	mu   sync.Mutex
	read os.FileInfo // of the file as it was read
}

var _ linktrack.Locator = (*DB)(nil)

// Open reads a file. One that names no countries is an error.
func Open(path string) (*DB, error) {
	d := &DB{path: path}
	if _, err := d.Reload(); err != nil {
		return nil, err
	}
	return d, nil
}

// Reload reads the file again if it is another one than was read, or was
// changed, and reports whether it did. With an error, all stays as it was. Who
// has the file replaced calls it now and then.
func (d *DB) Reload() (changed bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	info, err := os.Stat(d.path)
	if err != nil {
		return false, fmt.Errorf("geo: %w", err)
	}
	if d.read != nil && os.SameFile(info, d.read) && info.Size() == d.read.Size() && info.ModTime().Equal(d.read.ModTime()) {
		return false, nil
	}
	b, err := os.ReadFile(d.path)
	if err != nil {
		return false, fmt.Errorf("geo: %w", err)
	}
	r, err := maxminddb.OpenBytes(b)
	if err != nil {
		return false, fmt.Errorf("geo: %s can not be read: %w", d.path, err)
	}
	if !namesCountries(r) {
		return false, fmt.Errorf("geo: %s, of type %q, names no countries", d.path, r.Metadata.DatabaseType)
	}
	d.read = info
	d.reader.Store(r)
	return true, nil
}

// namesCountries looks at the first networks: some have no country.
func namesCountries(r *maxminddb.Reader) bool {
	n := 0
	for result := range r.Networks() {
		if countryOf(result) != "" {
			return true
		}
		if n++; n == 10_000 {
			break
		}
	}
	return false
}

// Locate implements [linktrack.Locator].
func (d *DB) Locate(ip netip.Addr) string {
	r := d.reader.Load()
	if r == nil || !ip.IsValid() {
		return ""
	}
	return countryOf(r.Lookup(ip))
}

// countryOf returns the country under the names that MaxMind and DB-IP have for
// it, or the flat ones of others.
func countryOf(found maxminddb.Result) (country string) {
	if found.DecodePath(&country, "country", "iso_code") == nil && country != "" {
		return country
	}
	if found.DecodePath(&country, "country_code") == nil {
		return country
	}
	return ""
}

// Close gives the memory back. Locate knows nothing from then on.
func (d *DB) Close() error {
	d.reader.Store(nil)
	return nil
}
