package geo_test

import (
	"log"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/geo"
	"github.com/linktrackhq/linktrack/memstore"
)

// Clicks get a country from a file on this machine. When the file is replaced,
// Reload reads it.
func ExampleOpen() {
	countries, err := geo.Open("/var/lib/GeoIP/GeoLite2-Country.mmdb")
	if err != nil {
		log.Fatal(err)
	}
	t, err := linktrack.New(memstore.New(), linktrack.Options{
		Visitors: linktrack.VisitorOptions{Locator: countries},
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = t
	for range time.Tick(time.Hour) {
		if _, err := countries.Reload(); err != nil {
			log.Print(err) // the countries that were read before stay in use
		}
	}
}
