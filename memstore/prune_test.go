package memstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func TestWhatIsPrunedMakesRoomForOthers(t *testing.T) {
	s := NewWith(Options{MaxClicks: 10})
	links := s.makeLinks(t, 2)
	old, young := links[0], links[1]
	day := int(24 * time.Hour / time.Microsecond)
	for i := range 12 { // the ring has gone round once
		s.click(t, 1, int64(i+1), clickAt([]int64{old.ID, young.ID}[i%2], i+i%2*day))
	}
	require.NoError(t, s.PruneClicks(t.Context(), noon.Add(24*time.Hour)))
	rows, _ := s.held()
	require.Equal(t, 5, rows, "those of the second day")
	require.Len(t, s.kept.entries, 5)
	for i := range 5 {
		s.click(t, 1, int64(100+i), clickAt(old.ID, day+100+i))
	}
	rows, _ = s.held()
	require.Equal(t, 10, rows, "none had to go for these")
	s.click(t, 1, 200, clickAt(old.ID, day+200))
	clicks, err := s.Clicks(t.Context(), linktrack.ClickFilter{Link: young.ID, Limit: 10})
	require.NoError(t, err)
	require.Len(t, clicks, 4, "the click recorded longest ago went for this")
	require.NoError(t, s.PruneClicks(t.Context(), noon.Add(48*time.Hour)))
	rows, room := s.held()
	require.Zero(t, rows)
	require.Zero(t, room, "an empty history holds no memory")
	require.Empty(t, s.kept.entries)
}
