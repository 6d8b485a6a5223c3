// Package localtime reads times as the clocks of a zone show them.
package localtime

import "time"

// Parse reads a time in a zone by a layout that has neither a zone nor fractions
// of a second; ok is false for anything else. See [In].
func Parse(layout, s string, zone *time.Location) (at time.Time, ok bool) {
	wall, err := time.Parse(layout, s)
	if err != nil || len(s) != len(layout) {
		return time.Time{}, false
	}
	return In(wall, zone), true
}

// In returns when clocks in a zone show the date and the time that wall has in
// UTC. Where clocks are put back, and show the time twice, it is the first of the
// two. Where they are put forward, and do not show it, it is as long after the
// change as it is after the time that they are put forward from: 02:30 is 03:30
// where they go from 02:00 to 03:00.
func In(wall time.Time, zone *time.Location) time.Time {
	// The offset that holds a day before is the one before any change near by.
	_, before := wall.Add(-24 * time.Hour).In(zone).Zone()
	_, after := wall.Add(24 * time.Hour).In(zone).Zone()
	at := wall.Add(-time.Duration(before) * time.Second).In(zone)
	if shows(at, wall) {
		return at
	}
	if late := wall.Add(-time.Duration(after) * time.Second).In(zone); shows(late, wall) {
		return late
	}
	return at
}

// shows reports whether a clock in the location of at shows the time of wall.
func shows(at, wall time.Time) bool {
	_, offset := at.Zone()
	return at.Unix()+int64(offset) == wall.Unix()
}
