package pages

import (
	"strings"
	"time"
)

// zoneLine returns a sentence about the time zone of a page: its name, its
// abbreviation if it has one, and how far it is from UTC at that moment.
func (t *theme) zoneLine(zone *time.Location, at time.Time) string {
	abbreviation, seconds := at.In(zone).Zone()
	name := strings.ReplaceAll(zone.String(), "_", " ")
	switch name {
	case "UTC", "Etc/UTC":
		return t.text("zone.utc")
	case "Local", "":
		name = t.text("zone.local")
	}
	key := "zone.name"
	if strings.ContainsAny(abbreviation, "+-0123456789") || abbreviation == "" || abbreviation == name {
		key = "zone.bare"
	}
	return t.text(key, name, abbreviation, t.distance(seconds))
}

// distance returns the distance of a zone from UTC in words. seconds count to the
// east.
func (t *theme) distance(seconds int) string {
	key := "zone.ahead"
	if seconds < 0 {
		key, seconds = "zone.behind", -seconds
	}
	hours, minutes := seconds/3600, seconds%3600/60
	switch {
	case hours == 0 && minutes == 0:
		return t.text("zone.same")
	case minutes != 0:
		return t.text(key, t.text("zone.hours.minutes", hours, minutes))
	case hours == 1:
		return t.text(key, t.text("zone.hour"))
	}
	return t.text(key, t.text("zone.hours", hours))
}
