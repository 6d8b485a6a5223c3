package mysqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
)

// An oldProcess is one of version 8, which counts clicks at once and leaves their sums in
// lt_pending.
type oldProcess struct{ db *sqlx.DB }

func (o oldProcess) transact(do func(tx *sqlx.Tx) error) error {
	return (&Store{db: o.db}).transact(context.Background(), do)
}

func (o oldProcess) record(b linktrack.Batch) error {
	return o.transact(func(tx *sqlx.Tx) error {
		facts := []byte{plainVersion}
		people := make(map[int64]int)
		_, err := tx.Exec(`INSERT INTO lt_source (source, seq) VALUES (?, ?) ON DUPLICATE KEY UPDATE seq = VALUES(seq)`, b.Source[:], b.Seq)
		for i := range b.Clicks {
			c := &b.Clicks[i]
			facts = appendFact(facts, c, time.UTC)
			people[c.Link]++
			_, insertErr := tx.Exec(`INSERT INTO lt_click (link_id, id, ip, referrer, referrer_host, user_agent, browser, platform, country, query, is_unique, is_bot)
				VALUES (?, ?, '', '', '', '', '', '', '', '', 0, 0)`, c.Link, c.ID[:])
			err = errors.Join(err, insertErr)
		}
		_, pendingErr := tx.Exec(`INSERT INTO lt_pending (last_link, facts) VALUES (1, ?)`, facts)
		err = errors.Join(err, pendingErr)
		for link := int64(1); link < 10; link++ {
			if people[link] > 0 {
				_, countErr := tx.Exec(`UPDATE lt_count SET total = total + ?, added = ?, last_click = GREATEST(last_click, ?) WHERE link_id = ?`,
					people[link], people[link], micros(b.Clicks[0].ID.Time()), link)
				err = errors.Join(err, countErr)
			}
		}
		return err
	})
}

// rollUp works in what is pending. It does not look whether the rows are there that it
// deletes.
func (o oldProcess) rollUp() error {
	return o.transact(func(tx *sqlx.Tx) error {
		var from int64
		if err := tx.Get(&from, `SELECT from_hour FROM lt_roll WHERE id = 1 FOR UPDATE`); err != nil {
			return err
		}
		var rows []struct {
			ID    int64  `db:"id"`
			Facts []byte `db:"facts"`
		}
		if err := tx.Select(&rows, `SELECT id, facts FROM lt_pending WHERE id > 0 ORDER BY id LIMIT 50`); err != nil || len(rows) == 0 {
			return err
		}
		w := newWork()
		var ids builder
		ids.add(`DELETE FROM lt_pending WHERE id IN `)
		var numbers []int64
		for _, row := range rows {
			if err := readFacts(row.Facts, w.takeFact); err != nil {
				return err
			}
			numbers = append(numbers, row.ID)
		}
		ids.inNumbers(numbers)
		for k, n := range w.hours {
			if _, err := tx.Exec(`INSERT INTO lt_hour (link_id, hour, clicks, uniques, bots) VALUES (?, ?, ?, ?, ?)
				ON DUPLICATE KEY UPDATE clicks = clicks + VALUES(clicks)`, k.link, k.hour, n.People, n.Unique, n.Bots); err != nil {
				return err
			}
		}
		for link, r := range w.ranks {
			if _, err := tx.Exec(`UPDATE lt_rank SET total = total + ? WHERE link_id = ?`, r.total, link); err != nil {
				return err
			}
		}
		for k, day := range w.days {
			var data []byte
			if err := tx.Get(&data, `SELECT COALESCE(MAX(data), '') FROM lt_day WHERE link_id = ? AND day = ?`, k.link, int64(k.day)); err != nil {
				return err
			}
			if len(data) > 0 {
				kept := linktrack.Rollup{Day: k.day}
				if err := json.Unmarshal(data, &kept); err != nil {
					return err
				}
				day.Merge(kept)
			}
			data, err := json.Marshal(day)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO lt_day (link_id, day, data) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE data = VALUES(data)`, k.link, int64(k.day), data); err != nil {
				return err
			}
		}
		return ids.exec(context.Background(), tx)
	})
}

// version8 returns a database of version 8 with one link, and a process of that version.
func version8(t *testing.T) (dsn string, old oldProcess) {
	t.Helper()
	dsn = testmysql.DSN(t)
	db, err := sqlx.Open("mysql", dsn+"?parseTime=true")
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(10)
	db.MustExec(`CREATE TABLE lt_migration (version INT NOT NULL, name VARBINARY(255) NOT NULL, PRIMARY KEY (version))`)
	files, err := migrations.ReadDir("migrations")
	require.NoError(t, err)
	for i, file := range files[:8] {
		text, err := migrations.ReadFile("migrations/" + file.Name())
		require.NoError(t, err)
		for _, stmt := range statements(string(text)) {
			db.MustExec(stmt)
		}
		db.MustExec(`INSERT INTO lt_migration VALUES (?, ?)`, i+1, file.Name())
	}
	db.MustExec(`INSERT INTO lt_link (id, account_id, host, path_key, path, external_url, url_head, title, description, notes, group_name,
		is_active, is_public, has_plus_tracking, has_public_tracking, has_conversion_tracking, has_alert_email, forward_query, alert_at, expires_at, created_at)
		VALUES (1, 1, 'go.example.com', 'a', 'a', 'https://example.com/', 'https://example.com/', '', '', '', '', 1, 0, 0, 0, 0, 0, 0, 0, 0, 1)`)
	db.MustExec(`INSERT INTO lt_count (link_id, account_id) VALUES (1, 1)`)
	db.MustExec(`INSERT INTO lt_rank (link_id, account_id) VALUES (1, 1)`)
	return dsn, oldProcess{db}
}

func clicksOf(source byte, seq, n int) linktrack.Batch {
	b := linktrack.Batch{Source: linktrack.Source{source}, Seq: int64(seq)}
	for range n {
		b.Clicks = append(b.Clicks, linktrack.Click{ID: linktrack.NewClickID(time.UnixMicro(1_769_083_200_000_000)), Link: 1})
	}
	return b
}

func requireEverySum(t *testing.T, s *Store, want int) {
	t.Helper()
	for _, sum := range []string{
		`SELECT total FROM lt_count`,
		`SELECT total FROM lt_rank`,
		`SELECT COALESCE(SUM(clicks), 0) FROM lt_hour`,
		`SELECT (SELECT COUNT(*) FROM lt_click) + (SELECT COUNT(*) FROM lt_hit)`,
	} {
		var got int
		require.NoError(t, s.db.Get(&got, sum))
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
	dsn, old := version8(t)
	for seq := range 5 {
		require.NoError(t, old.record(clicksOf(1, seq+1, 3)))
	}
	require.NoError(t, old.rollUp())
	for seq := range 2100 { // more than one transaction takes
		old.db.MustExec(`INSERT INTO lt_pending (last_link, facts) VALUES (1, ?)`, []byte{plainVersion})
		if seq%500 == 0 {
			require.NoError(t, old.record(clicksOf(1, seq+6, 3)))
		}
	}
	old.db.MustExec(`UPDATE lt_pending SET id = -id WHERE LENGTH(facts) > 1 LIMIT 2`) // it could not read them
	require.NoError(t, old.record(clicksOf(1, 5000, 3)))

	s, err := Open(dsn)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Migrate(t.Context()))
	_, err = s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	const counted = 5*3 + 5*3 + 3
	requireEverySum(t, s, counted)

	// Its journal goes on with the batch after the last one that the old process stored.
	for seq := 4998; seq <= 5001; seq++ {
		require.NoError(t, s.AppendClicks(t.Context(), clicksOf(1, seq, 2)))
	}
	_, err = s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	requireEverySum(t, s, counted+2)

	// A process of the version before still runs and is killed.
	require.NoError(t, old.record(clicksOf(2, 1, 4)))
	_, err = s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	requireEverySum(t, s, counted+2+4)
	var left int
	require.NoError(t, s.db.Get(&left, `SELECT (SELECT COUNT(*) FROM lt_pending) + (SELECT COUNT(*) FROM lt_log)`))
	require.Zero(t, left)
}

func TestProcessesOfBothVersionsCountEachClickOnce(t *testing.T) {
	dsn, old := version8(t)
	var stores []*Store
	for range 2 {
		s, err := Open(dsn)
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
				assert.NoError(t, old.record(clicksOf(byte(10+i), seq+1, each)))
				assert.NoError(t, old.rollUp())
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
	requireEverySum(t, stores[0], 4*rounds*each)
}
