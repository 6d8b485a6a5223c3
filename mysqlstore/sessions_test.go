package mysqlstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func TestSessionsThatWouldHaveEndedAreForgotten(t *testing.T) {
	s, dsn := opened(t)
	noon := time.Date(2024, 11, 24, 12, 0, 0, 0, time.UTC)
	for i := range 10 {
		at := noon.Add(time.Duration(i) * time.Hour)
		require.NoError(t, s.EndSession(t.Context(), 1, linktrack.SessionID{byte(i)}, at.Add(2*time.Hour), at))
	}
	var kept int
	require.NoError(t, admin(t, dsn).Get(&kept, `SELECT COUNT(*) FROM lt_ended_session`))
	require.Equal(t, 2, kept)
}
