package program

import (
	"flag"
	"fmt"
	"strings"
	"time"
)

// defaultZone is the zone of the API's documentation, its "CST".
const defaultZone = "America/Chicago"

// A zoneFlag is the flag that names the time zone.
type zoneFlag struct{ name string }

func addZoneFlag(flags *flag.FlagSet) *zoneFlag {
	z := new(zoneFlag)
	flags.StringVar(&z.name, "zone", "", "time `zone` of all times that are shown and read, such as Europe/Berlin or UTC (default: TZ if it is set, otherwise "+defaultZone+")")
	return z
}

// location returns the zone, and the source of its name: "-zone", "TZ", or "" for
// the default.
func (z *zoneFlag) location(env environment) (zone *time.Location, from string, err error) {
	if z.name != "" {
		zone, err = loadZone(z.name)
		if err != nil {
			return nil, "", fmt.Errorf("-zone %w", err)
		}
		return zone, "-zone", nil
	}
	name := strings.TrimPrefix(env["TZ"], ":")
	if name == "" {
		zone, err = loadZone(defaultZone)
		return zone, "", err
	}
	if _, inFolder, ok := strings.Cut(name, "/zoneinfo/"); ok { // TZ may be the path of a zone file
		name = inFolder
	}
	if zone, err = loadZone(name); err != nil {
		return nil, "", fmt.Errorf("TZ %w; -zone overrides it", err)
	}
	return zone, "TZ", nil
}

func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("must be the name of a time zone such as Europe/Berlin or UTC, not %q", name)
	}
	return zone, nil
}
