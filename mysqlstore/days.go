package mysqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
)

const (
	day       = 24 * time.Hour
	daysAhead = 31
	later     = "p_later" // the partition without an end
)

// PruneClicks removes from the history the clicks of all days (UTC) that ended
// at or before the given time. Counts and hourly roll-ups stay. Days are
// partitions, so a day goes at once, whatever its size, and holds nobody up.
// Where the oldest clicks stand in one partition with younger ones, as those do
// that are older than the first partition, it has to be split, which holds up
// who writes to it; it is not if there is nothing to remove. PruneClicks takes
// its turn with Migrate and with other processes, and like Migrate
// makes the partitions of the month ahead.
func (s *Store) PruneClicks(ctx context.Context, before time.Time) error {
	const doing = "prune clicks"
	if err := s.pruneSources(ctx); err != nil {
		return failed(doing, err)
	}
	return s.alone(ctx, doing, func(conn *sql.Conn) error {
		if err := makeDays(ctx, conn); err != nil {
			return err
		}
		cut := before.UTC().Truncate(day)
		if cut.Unix() <= 0 {
			return nil // no click is older
		}
		days, err := partitions(ctx, conn)
		if err != nil {
			return failed(doing, err)
		}
		last := name(cut.Add(-day)) // the partition that ends at the cut
		var old []string
		found, next := false, later
		for _, d := range days {
			if d > last {
				next = d
				break
			}
			found = d == last
			if !found {
				old = append(old, d)
			}
		}
		// The partition that ends at the cut is emptied and kept: without it
		// the next one would take in older clicks that come late, and would
		// have to be split to be rid of them.
		var ddl []string
		if !found && len(old) == 0 {
			var one int
			err := conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT 1 FROM lt_click PARTITION (%s) WHERE id < %s LIMIT 1`, next, bound(last))).Scan(&one)
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			if err != nil {
				return failed(doing, err)
			}
		}
		if !found {
			end := "MAXVALUE"
			if next != later {
				end = bound(next)
			}
			ddl = append(ddl, fmt.Sprintf(`ALTER TABLE lt_click REORGANIZE PARTITION %s INTO (PARTITION %s VALUES LESS THAN (%s), PARTITION %s VALUES LESS THAN (%s))`,
				next, last, bound(last), next, end))
		}
		if len(old) > 0 {
			ddl = append(ddl, `ALTER TABLE lt_click DROP PARTITION `+strings.Join(old, ", "))
		}
		ddl = append(ddl, `ALTER TABLE lt_click TRUNCATE PARTITION `+last)
		for _, stmt := range ddl {
			if _, err := conn.ExecContext(ctx, stmt); err != nil {
				return denied(doing, err)
			}
		}
		return nil
	})
}

// pruneSources forgets sources of which no batch was applied for 400 days. Processes of
// the version before do not note when that was.
func (s *Store) pruneSources(ctx context.Context) error {
	return s.transact(ctx, func(tx *sqlx.Tx) error {
		for _, stmt := range []string{
			`UPDATE lt_source SET applied_at = UNIX_TIMESTAMP() * 1000000 WHERE applied_at = 0`,
			`DELETE FROM lt_source WHERE applied_at < (UNIX_TIMESTAMP() - 400 * 86400) * 1000000`,
		} {
			if _, err := tx.ExecContext(ctx, stmt); err != nil {
				return err
			}
		}
		return nil
	})
}

// makeDays makes the partitions that are missing from the last one there is
// to a month ahead, or from yesterday if there are none.
func makeDays(ctx context.Context, conn *sql.Conn) error {
	const doing = "make the day partitions of the history"
	days, err := partitions(ctx, conn)
	if err != nil {
		return failed(doing, err)
	}
	var now int64
	if err := conn.QueryRowContext(ctx, `SELECT UNIX_TIMESTAMP()`).Scan(&now); err != nil {
		return failed(doing, err)
	}
	today := time.Unix(now, 0).UTC().Truncate(day)
	d := today.Add(-day)
	if len(days) > 0 {
		last, err := time.Parse("p20060102", days[len(days)-1])
		if err != nil {
			return fmt.Errorf("mysqlstore: lt_click has a partition %q that linktrack did not make", days[len(days)-1])
		}
		d = last.Add(day)
	}
	var b strings.Builder
	for ; !d.After(today.Add(daysAhead * day)); d = d.Add(day) {
		fmt.Fprintf(&b, "PARTITION %s VALUES LESS THAN (%s), ", name(d), bound(name(d)))
	}
	if b.Len() == 0 {
		return nil
	}
	_, err = conn.ExecContext(ctx, `ALTER TABLE lt_click REORGANIZE PARTITION `+later+` INTO (`+b.String()+`PARTITION `+later+` VALUES LESS THAN (MAXVALUE))`)
	if err != nil {
		return denied(doing, err)
	}
	return nil
}

// name is the name of the partition that ends with a day.
func name(d time.Time) string { return d.Format("p20060102") }

// bound is the id, as a literal, that no click in the named partition reaches.
func bound(partition string) string {
	d, err := time.Parse("p20060102", partition)
	if err != nil {
		panic(err) // partitions has checked the names
	}
	id := linktrack.FirstClickID(d.Add(day))
	return fmt.Sprintf("x'%x'", id[:])
}

// partitions returns the names of the partitions but for the endless one, in
// order.
func partitions(ctx context.Context, conn *sql.Conn) ([]string, error) {
	rows, err := conn.QueryContext(ctx, `
		SELECT PARTITION_NAME FROM information_schema.PARTITIONS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'lt_click' AND PARTITION_NAME <> 'p_later'
		ORDER BY PARTITION_ORDINAL_POSITION`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if _, err := time.Parse("p20060102", name); err != nil {
			return nil, fmt.Errorf("lt_click has a partition %q that linktrack did not make", name)
		}
		all = append(all, name)
	}
	return all, rows.Err()
}
