package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/stretchr/testify/require"
)

// An OldProcess is one of version 8, which counts clicks at once and leaves their sums in
// lt_pending.
type OldProcess struct{ DB *sqlx.DB }

func (o OldProcess) transact(do func(tx *sqlx.Tx) error) error {
	for {
		err := o.transactOnce(do)
		if e := (*mysql.MySQLError)(nil); errors.As(err, &e) && e.Number == 1213 { // a deadlock
			continue
		}
		return err
	}
}

func (o OldProcess) transactOnce(do func(tx *sqlx.Tx) error) error {
	tx, err := o.DB.BeginTxx(context.Background(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Record counts a batch.
func (o OldProcess) Record(b linktrack.Batch) error {
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

// RollUp works in what is pending. It does not look whether the rows are there that it
// deletes.
func (o OldProcess) RollUp() error {
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

// Version8 returns a database of version 8 with one link, and a process of that version.
func Version8(t *testing.T) (dsn string, old OldProcess) {
	t.Helper()
	dsn = testmysql.DSN(t)
	db, err := sqlx.Open("mysql", dsn+"?parseTime=true")
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(10)
	db.MustExec(`CREATE TABLE lt_migration (version INT NOT NULL, name VARBINARY(255) NOT NULL, PRIMARY KEY (version))`)
	const folder = "../../mysqlstore/migrations/"
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	for i, file := range files[:8] {
		text, err := os.ReadFile(folder + file.Name())
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
	return dsn, OldProcess{db}
}

// PlainVersion begins the facts that an OldProcess writes.
const PlainVersion = plainVersion
