package memstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func TestSessionsThatWouldHaveEndedAreForgotten(t *testing.T) {
	s := New()
	noon := time.Date(2024, 11, 24, 12, 0, 0, 0, time.UTC)
	for i := range 10 {
		at := noon.Add(time.Duration(i) * time.Hour)
		require.NoError(t, s.EndSession(t.Context(), 1, linktrack.SessionID{byte(i)}, at.Add(2*time.Hour), at))
	}
	require.Len(t, s.accounts.ended, 2)
}
