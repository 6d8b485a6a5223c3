package localtime_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/localtime"
)

func TestATimeThatClocksSkipIsLaterAndOneTheyShowTwiceIsTheFirst(t *testing.T) {
	for _, c := range []struct{ zone, wall, want string }{
		{"America/Chicago", "2025-03-09 01:59:59", "2025-03-09T07:59:59Z"},
		{"America/Chicago", "2025-03-09 02:00:00", "2025-03-09T08:00:00Z"}, // 03:00
		{"America/Chicago", "2025-03-09 02:30:00", "2025-03-09T08:30:00Z"}, // 03:30
		{"America/Chicago", "2025-03-09 03:00:00", "2025-03-09T08:00:00Z"},
		{"America/Chicago", "2025-11-02 00:59:59", "2025-11-02T05:59:59Z"},
		{"America/Chicago", "2025-11-02 01:30:00", "2025-11-02T06:30:00Z"}, // again at 07:30
		{"America/Chicago", "2025-11-02 02:00:00", "2025-11-02T08:00:00Z"},
		{"Europe/Berlin", "2025-03-30 02:30:00", "2025-03-30T01:30:00Z"},       // 03:30
		{"Europe/Berlin", "2025-10-26 02:30:00", "2025-10-26T00:30:00Z"},       // again at 01:30
		{"Australia/Lord_Howe", "2025-10-05 02:15:00", "2025-10-04T15:45:00Z"}, // 02:45
		{"Australia/Lord_Howe", "2025-04-06 01:45:00", "2025-04-05T14:45:00Z"}, // again half an hour later
		{"Africa/Cairo", "2025-04-25 00:00:00", "2025-04-24T22:00:00Z"},        // there is no midnight: 01:00
		{"UTC", "2025-03-09 02:30:00", "2025-03-09T02:30:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		at, ok := localtime.Parse(time.DateTime, c.wall, zone)
		require.True(t, ok)
		require.Equal(t, c.want, at.UTC().Format(time.RFC3339), "%s in %s", c.wall, c.zone)
		require.Equal(t, zone, at.Location())
	}
	day, ok := localtime.Parse(time.DateOnly, "2025-04-25", time.UTC)
	require.True(t, ok)
	require.Equal(t, "2025-04-25T00:00:00Z", day.Format(time.RFC3339))
	for _, bad := range []string{"", "2025-03-09", "2025-03-09 02:30:00.5", "2025-02-30 00:00:00", "2025-03-09T02:30:00"} {
		_, ok := localtime.Parse(time.DateTime, bad, time.UTC)
		require.False(t, ok, bad)
	}
}
