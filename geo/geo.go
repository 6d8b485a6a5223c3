// Package geo finds the country of an address in a local file in MaxMind's
// format (.mmdb): GeoLite2 or GeoIP2 Country or City, DB-IP's "IP to Country
// Lite", or another file that names countries in the same way. The package
// contains no data.
//
//	countries, err := geo.Open("/var/lib/GeoIP/GeoLite2-Country.mmdb")
//	if err != nil { … }
//	t, err := linktrack.New(store, linktrack.Options{
//		Visitors: linktrack.VisitorOptions{Locator: countries},
//	})
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

// A DB is a file of countries. It holds the file in memory, so the file may be
// replaced or overwritten at any time. It is safe for concurrent use.
type DB struct {
	path   string
	reader atomic.Pointer[maxminddb.Reader]

	mu   sync.Mutex
	read os.FileInfo // describes the file that was read; guarded by mu
}

var _ linktrack.Locator = (*DB)(nil)

// Open reads a file. A file that names no countries is an error.
func Open(path string) (*DB, error) {
	d := &DB{path: path}
	if _, err := d.Reload(); err != nil {
		return nil, err
	}
	return d, nil
}

// Reload reads the file again if it was replaced or changed, and reports whether
// it did. After an error, the DB keeps the countries that it has. If your file is
// replaced from time to time, call Reload regularly.
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
		return false, fmt.Errorf("geo: %s cannot be read: %w", d.path, err)
	}
	if !namesCountries(r) {
		return false, fmt.Errorf("geo: %s, a file of type %q, names no countries", d.path, r.Metadata.DatabaseType)
	}
	d.read = info
	d.reader.Store(r)
	return true, nil
}

// namesCountries reports whether one of the first networks has a country.
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

// countryOf returns the country by the name that MaxMind and DB-IP use for it, or
// by the name country_code that other files use.
func countryOf(found maxminddb.Result) (country string) {
	if found.DecodePath(&country, "country", "iso_code") == nil && country != "" {
		return country
	}
	if found.DecodePath(&country, "country_code") == nil {
		return country
	}
	return ""
}

// Close releases the memory. After that, Locate returns "".
func (d *DB) Close() error {
	d.reader.Store(nil)
	return nil
}
