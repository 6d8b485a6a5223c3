package transfer

import (
	"strings"
	"time"

	"github.com/linktrackhq/linktrack/internal/localtime"
)

const timeReason = "must be a time such as 2024-11-24T16:35:16Z or 2024-11-24 10:35:16"

// parseTime reads a time in the ways in which programs write it: a day, or a day
// and a time with minutes, seconds, or fractions of a second, separated by T or a
// space. Z, UTC, or an offset such as +02:00, +0200, or +02 may follow; without
// it, the time is in zone. "" is the zero time. ok is false for years before 1970
// and after 9999.
func parseTime(s string, zone *time.Location) (at time.Time, ok bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, true
	}
	if len(s) > len(time.DateOnly) && (s[10] == 'T' || s[10] == 't') {
		s = s[:10] + " " + s[11:]
	}
	for _, utc := range []string{"Z", "z", " UTC", "UTC", " GMT"} {
		if before, found := strings.CutSuffix(s, utc); found {
			s = before + "+00:00"
			break
		}
	}
	if i := strings.LastIndexAny(s, "+-"); i > len(time.DateOnly) { // not a hyphen of the day
		s = strings.TrimSpace(s[:i]) + s[i:]
	}
	for _, layout := range timeLayouts {
		at, err := time.ParseInLocation(layout, s, zone)
		if err == nil { // Parse also accepts fractions of a second
			if !strings.Contains(layout, "-07") {
				at, _ = time.Parse(layout, s)
				at = localtime.In(at, zone)
			}
			year := at.UTC().Year()
			return at, 1970 <= year && year <= 9999
		}
	}
	return time.Time{}, false
}

var timeLayouts = []string{
	time.DateTime, "2006-01-02 15:04:05-07:00", "2006-01-02 15:04:05-0700", "2006-01-02 15:04:05-07",
	"2006-01-02 15:04", "2006-01-02 15:04-07:00", "2006-01-02 15:04-0700", "2006-01-02 15:04-07", time.DateOnly,
}

// parseMoment is parseTime for programs that may also write Unix times, in
// seconds or in milliseconds.
func parseMoment(s string, zone *time.Location) (time.Time, bool) {
	s = strings.TrimSpace(s)
	n := int64(0)
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || len(s) > 15 {
			return parseTime(s, zone)
		}
		n = 10*n + int64(c-'0')
	}
	switch {
	case len(s) < 9: // a year, or nothing
		return parseTime(s, zone)
	case len(s) > 11:
		return time.UnixMilli(n), true
	}
	return time.Unix(n, 0), true
}
