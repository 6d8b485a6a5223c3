package mysqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// Where several servers give ids, each may take them from a range of its own. So a later row
// may have a lower id than all that were seen.
func TestAChangeWithALowerIDIsSeenByAnotherProcess(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	f := trackertest.Follow(t, s, linktrack.Options{Links: linktrack.LinkOptions{CacheTTL: time.Hour}}, linktrack.NewLink{})
	second, err := mysqlstore.Open(dsn)
	require.NoError(t, err)
	defer second.Close()
	other, err := linktrack.New(second, linktrack.Options{})
	require.NoError(t, err)
	defer other.Close(t.Context())
	f.Passes(linktrack.Visit{})
	time.Sleep(time.Second) // the feed has begun
	for i, id := range []int{1_000_001, 7, 2_000_000, 5, 3} {
		db.MustExec(fmt.Sprintf(`CREATE TRIGGER lt_range BEFORE INSERT ON lt_change FOR EACH ROW SET NEW.id = %d`, id))
		to := fmt.Sprint("https://example.org/", i)
		_, err := other.UpdateLink(t.Context(), f.Account, f.Path, func(e *linktrack.LinkEdit) { e.ExternalURL = to })
		require.NoError(t, err)
		begun := time.Now()
		require.Eventually(t, func() bool {
			out, err := f.Visit(linktrack.Visit{})
			return err == nil && out.Location == to
		}, 5*time.Second, 10*time.Millisecond, "id %d", id)
		t.Log(id, time.Since(begun))
		db.MustExec(`DROP TRIGGER lt_range`)
	}
}

func TestOldChangesAreRemovedWhateverTheirIDs(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	for id, age := range map[int]int{5: 0, 6: 1200, 7: 300, 1_000_001: 1200, 1_000_002: 10, 1_000_003: 1200} {
		db.MustExec(`INSERT INTO lt_change (id, link, host, path_key, made_at) VALUES (?, 1, 'h', 'k', UNIX_TIMESTAMP() - ?)`, id, age)
	}
	apply(t, s)
	var left []int
	require.NoError(t, db.Select(&left, `SELECT id FROM lt_change ORDER BY id`))
	require.Equal(t, []int{5, 7, 1_000_002}, left)
	changes, err := s.Changes(t.Context(), time.Minute, 10)
	require.NoError(t, err)
	require.Len(t, changes, 2, "those of the last minute")
}
