package pages

import (
	"strings"
	"time"
)

// zoneLine says in which zone a page shows its times: by the zone's name, its
// abbreviation if it has one, and in words how far it is from UTC at that
// moment.
func (l *look) zoneLine(zone *time.Location, at time.Time) string {
	abbreviation, seconds := at.In(zone).Zone()
	name := strings.ReplaceAll(zone.String(), "_", " ")
	switch name {
	case "UTC", "Etc/UTC":
		return l.text("zone.utc")
	case "Local", "":
		name = l.text("zone.local")
	}
	key := "zone.name"
	if strings.ContainsAny(abbreviation, "+-0123456789") || abbreviation == "" || abbreviation == name {
		key = "zone.bare"
	}
	return l.text(key, name, abbreviation, l.distance(seconds))
}

// distance words how far a zone is from UTC, in seconds to the east.
func (l *look) distance(seconds int) string {
	key := "zone.ahead"
	if seconds < 0 {
		key, seconds = "zone.behind", -seconds
	}
	hours, minutes := seconds/3600, seconds%3600/60
	switch {
	case hours == 0 && minutes == 0:
		return l.text("zone.same")
	case minutes != 0:
		return l.text(key, l.text("zone.hours.minutes", hours, minutes))
	case hours == 1:
		return l.text(key, l.text("zone.hour"))
	}
	return l.text(key, l.text("zone.hours", hours))
}
