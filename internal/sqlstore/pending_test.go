package sqlstore_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/sqlstore"
	"github.com/linktrackhq/linktrack/mysqlstore"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func clicksOf(source byte, seq, n int) linktrack.Batch {
	b := linktrack.Batch{Source: linktrack.Source{source}, Seq: int64(seq)}
	for range n {
		b.Clicks = append(b.Clicks, linktrack.Click{ID: linktrack.NewClickID(time.UnixMicro(1_769_083_200_000_000)), Link: 1})
	}
	return b
}

func requireEverySum(t *testing.T, s *mysqlstore.Store, db *sqlx.DB, want int) {
	t.Helper()
	for _, sum := range []string{
		`SELECT total FROM lt_count`,
		`SELECT total FROM lt_rank`,
		`SELECT COALESCE(SUM(clicks), 0) FROM lt_hour`,
		`SELECT (SELECT COUNT(*) FROM lt_click) + (SELECT COUNT(*) FROM lt_hit)`,
	} {
		var got int
		require.NoError(t, db.Get(&got, sum))
		require.Equal(t, want, got, sum)
	}
	days, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: 1}, 0, 1<<30)
	require.NoError(t, err)
	var sum int64
	for _, d := range days {
		sum += d.People
	}
	require.EqualValues(t, want, sum, "lt_day")
}

func TestWhatIsPendingInADatabaseOfVersionEightIsTakenAlong(t *testing.T) {
	dsn, old := sqlstore.Version8(t)
	for seq := range 5 {
		require.NoError(t, old.Record(clicksOf(1, seq+1, 3)))
	}
	require.NoError(t, old.RollUp())
	for seq := range 2100 { // more than one transaction takes
		old.DB.MustExec(`INSERT INTO lt_pending (last_link, facts) VALUES (1, ?)`, []byte{sqlstore.PlainVersion})
		if seq%500 == 0 {
			require.NoError(t, old.Record(clicksOf(1, seq+6, 3)))
		}
	}
	old.DB.MustExec(`UPDATE lt_pending SET id = -id WHERE LENGTH(facts) > 1 LIMIT 2`) // it could not read them
	require.NoError(t, old.Record(clicksOf(1, 5000, 3)))

	s, err := mysqlstore.Open(dsn)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Migrate(t.Context()))
	_, err = s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	const counted = 5*3 + 5*3 + 3
	requireEverySum(t, s, old.DB, counted)

	// Its journal goes on with the batch after the last one that the old process stored.
	for seq := 4998; seq <= 5001; seq++ {
		require.NoError(t, s.AppendClicks(t.Context(), clicksOf(1, seq, 2)))
	}
	_, err = s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	requireEverySum(t, s, old.DB, counted+2)

	// A process of the version before still runs and is killed.
	require.NoError(t, old.Record(clicksOf(2, 1, 4)))
	_, err = s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	requireEverySum(t, s, old.DB, counted+2+4)
	var left int
	require.NoError(t, old.DB.Get(&left, `SELECT (SELECT COUNT(*) FROM lt_pending) + (SELECT COUNT(*) FROM lt_log)`))
	require.Zero(t, left)
}

func TestProcessesOfBothVersionsCountEachClickOnce(t *testing.T) {
	dsn, old := sqlstore.Version8(t)
	var stores []*mysqlstore.Store
	for range 2 {
		s, err := mysqlstore.Open(dsn)
		require.NoError(t, err)
		defer s.Close()
		require.NoError(t, s.Migrate(t.Context()))
		stores = append(stores, s)
	}
	const rounds, each = 40, 3
	var all sync.WaitGroup
	for i := range 2 {
		all.Go(func() {
			for seq := range rounds {
				assert.NoError(t, old.Record(clicksOf(byte(10+i), seq+1, each)))
				assert.NoError(t, old.RollUp())
			}
		})
		all.Go(func() {
			for seq := range rounds {
				assert.NoError(t, stores[i].AppendClicks(t.Context(), clicksOf(byte(20+i), seq+1, each)))
				_, err := stores[i].ApplyClicks(t.Context(), nil, time.Time{})
				assert.NoError(t, err, fmt.Sprint(i))
			}
		})
	}
	all.Wait()
	_, err := stores[0].ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	requireEverySum(t, stores[0], old.DB, 4*rounds*each)
}
