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
	later     = "p_later" // the partition without an upper bound
)

// PruneClicks removes from the history the clicks of all days (UTC) that ended
// at or before the given time. Counts and roll-ups stay.
//
//   - Each day is a partition, so deleting it takes the same short time whatever
//     its size.
//   - A partition that has both clicks to remove and newer ones is split, which
//     blocks writes to it meanwhile. The first partition can have such clicks,
//     because it also takes those of all days before its own.
//   - Like Migrate, PruneClicks also creates the partitions of the next month. Only
//     one of these calls at a time works on a database; the others wait.
func (s *Store) PruneClicks(ctx context.Context, before time.Time) error {
	const op = "prune clicks"
	if err := s.pruneSources(ctx); err != nil {
		return failed(op, err)
	}
	return s.alone(ctx, op, func(conn *sql.Conn) error {
		if err := makeDays(ctx, conn); err != nil {
			return err
		}
		until := before.UTC().Truncate(day)
		if until.Unix() <= 0 {
			return nil // no click is older
		}
		days, err := partitions(ctx, conn)
		if err != nil {
			return failed(op, err)
		}
		last := name(until.Add(-day)) // the partition that ends at until
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
		// The partition that ends at until is emptied and kept. Without it, older
		// clicks that are stored late would go to the next partition, which would
		// have to be split to remove them.
		var ddl []string
		if !found && len(old) == 0 {
			var one int
			err := conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT 1 FROM lt_click PARTITION (%s) WHERE id < %s LIMIT 1`, next, bound(last))).Scan(&one)
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			if err != nil {
				return failed(op, err)
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
				return denied(op, err)
			}
		}
		return nil
	})
}

// pruneSources deletes the marks of sources of which no batch was applied for 400 days.
// Processes of the previous version do not set applied_at, so where it is 0, the 400 days
// begin now.
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

// makeDays creates a partition for each day behind the last partition, up to daysAhead
// days ahead. If there are no day partitions, it begins with yesterday.
func makeDays(ctx context.Context, conn *sql.Conn) error {
	const op = "create the day partitions of the history"
	days, err := partitions(ctx, conn)
	if err != nil {
		return failed(op, err)
	}
	var now int64
	if err := conn.QueryRowContext(ctx, `SELECT UNIX_TIMESTAMP()`).Scan(&now); err != nil {
		return failed(op, err)
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
		return denied(op, err)
	}
	return nil
}

// name returns the name of the partition that ends with a day.
func name(d time.Time) string { return d.Format("p20060102") }

// bound returns the upper bound of the named partition, as a literal: the clicks in it
// have lower ids.
func bound(partition string) string {
	d, err := time.Parse("p20060102", partition)
	if err != nil {
		panic(err) // partitions has checked the names
	}
	id := linktrack.FirstClickID(d.Add(day))
	return fmt.Sprintf("x'%x'", id[:])
}

// partitions returns the names of the partitions in order, without the last one, which has
// no upper bound.
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
