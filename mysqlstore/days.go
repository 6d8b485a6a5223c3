package mysqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

const (
	day       = 24 * time.Hour
	daysAhead = 31
	later     = "p_later" // the partition without an upper bound
)

// A dayTable has rows of days (UTC), which are removed day by day: by a partition for each
// day, or if it has no partitions, by deleting the rows.
type dayTable struct {
	name, column string
	key          string                     // an index on the column that the table has without partitions; "": the primary key will do
	literal      func(day time.Time) string // the lowest value of the column on a day
	deleteRows   func(ctx context.Context, s *sqlstore.Store, until time.Time) error
}

var (
	hits      = dayTable{"lt_hit", "id", "lt_hit_id", idLiteral, sqlstore.DeleteHits}
	oldClicks = dayTable{"lt_click", "id", "lt_click_id", idLiteral, sqlstore.DeleteOldClicks}
	dayTexts  = dayTable{"lt_text", "day", "", func(d time.Time) string { return strconv.FormatInt(d.Unix()/86400, 10) }, sqlstore.DeleteTexts}
)

// dayTables are all of them. The texts of a day go after the clicks that have them.
var dayTables = []dayTable{hits, oldClicks, dayTexts}

func idLiteral(d time.Time) string {
	id := linktrack.FirstClickID(d)
	return fmt.Sprintf("x'%x'", id[:])
}

// PruneClicks removes from the history the clicks of all days (UTC) that ended
// at or before the given time. Counts and roll-ups stay.
//
//   - Each day is a partition, so deleting it takes the same short time whatever
//     its size. Without partitions, the clicks are deleted a thousand at a time. If that is
//     interrupted, a later call deletes the rest. Several processes may do it at once.
//   - A partition that has both clicks to remove and newer ones is split, which
//     blocks writes to it meanwhile. The first partition can have such clicks,
//     because it also takes those of all days before its own.
//   - Like Migrate, PruneClicks also creates the partitions of the next month. Only
//     one of these calls at a time works on a database; the others wait.
func (s *Store) PruneClicks(ctx context.Context, before time.Time) error {
	const op = "prune clicks"
	if err := sqlstore.PruneSources(ctx, s.shared); err != nil {
		return failed(op, err)
	}
	until := before.UTC().Truncate(day)
	var plain []dayTable
	err := s.alone(ctx, op, func(conn *leasedConn) error {
		plain = nil
		if err := makeDays(ctx, conn); err != nil {
			return err
		}
		if until.Unix() <= 0 {
			return nil // no click is older
		}
		if err := sqlstore.NotePruned(ctx, conn, s.shared, until); err != nil {
			return failed(op, err)
		}
		for _, table := range dayTables {
			days, partitioned, err := table.days(ctx, conn)
			if err == nil && !partitioned {
				plain = append(plain, table)
				continue
			}
			var ddl []string
			if err == nil {
				ddl, err = table.prune(ctx, conn, days, until)
			}
			if err != nil {
				return failed(op, err)
			}
			for _, stmt := range ddl {
				if _, err := conn.ExecContext(ctx, stmt); err != nil {
					return denied(op, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, table := range plain { // this may take long, so other processes may migrate meanwhile
		if err := table.deleteRows(ctx, s.shared, until); err != nil {
			return failed(op, err)
		}
	}
	return nil
}

// prune returns the statements that remove the rows of all days before until, where days are
// those of the partitions.
func (p *dayTable) prune(ctx context.Context, conn *leasedConn, days []string, until time.Time) (ddl []string, err error) {
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
	if !found && len(old) == 0 {
		var one int
		err := conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT 1 FROM %s PARTITION (%s) WHERE %s < %s LIMIT 1`, p.name, next, p.column, p.bound(last))).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	alter := `ALTER TABLE ` + p.name
	if !found {
		end := "MAXVALUE"
		if next != later {
			end = p.bound(next)
		}
		ddl = append(ddl, fmt.Sprintf(alter+` REORGANIZE PARTITION %s INTO (PARTITION %s VALUES LESS THAN (%s), PARTITION %s VALUES LESS THAN (%s))`,
			next, last, p.bound(last), next, end))
	}
	if len(old) > 0 {
		ddl = append(ddl, alter+` DROP PARTITION `+strings.Join(old, ", "))
	}
	return append(ddl, alter+` TRUNCATE PARTITION `+last), nil
}

// makeDays creates a partition for each day behind the last partition, up to daysAhead days
// ahead. If there are no day partitions, it begins with yesterday. lt_click needs no more:
// processes of the version before that write to it make their own.
func makeDays(ctx context.Context, conn *leasedConn) error {
	const op = "create the day partitions of the history"
	var now int64
	if err := conn.QueryRowContext(ctx, `SELECT UNIX_TIMESTAMP()`).Scan(&now); err != nil {
		return failed(op, err)
	}
	today := time.Unix(now, 0).UTC().Truncate(day)
	for _, table := range []dayTable{hits, dayTexts} {
		days, partitioned, err := table.days(ctx, conn)
		if err != nil {
			return failed(op, err)
		}
		if !partitioned {
			continue
		}
		d := today.Add(-day)
		if len(days) > 0 {
			last, _ := time.Parse(partitionLayout, days[len(days)-1])
			d = last.Add(day)
		}
		var b strings.Builder
		for ; !d.After(today.Add(daysAhead * day)); d = d.Add(day) {
			fmt.Fprintf(&b, "PARTITION %s VALUES LESS THAN (%s), ", name(d), table.bound(name(d)))
		}
		if b.Len() == 0 {
			continue
		}
		_, err = conn.ExecContext(ctx, `ALTER TABLE `+table.name+` REORGANIZE PARTITION `+later+` INTO (`+b.String()+`PARTITION `+later+` VALUES LESS THAN (MAXVALUE))`)
		if err != nil {
			return denied(op, err)
		}
	}
	return nil
}

// maxDaysBack is the number of past days that get a partition for a copied history. Older
// clicks are in the first one.
const maxDaysBack = 400

// makePastDays creates a partition for each day since first that is before the first
// partition, so that PruneClicks can remove these days, too. Call it before there are clicks
// of these days: it moves what the first partition has.
func (s *Store) makePastDays(ctx context.Context, first time.Time) error {
	const op = "create the day partitions of the history"
	if oldest := time.Now().UTC().Truncate(day).Add(-maxDaysBack * day); first.Before(oldest) {
		first = oldest
	}
	return s.alone(ctx, op, func(conn *leasedConn) error {
		for _, table := range []dayTable{hits, dayTexts} {
			days, _, err := table.days(ctx, conn)
			if err != nil {
				return failed(op, err)
			}
			if len(days) == 0 || name(first) >= days[0] {
				continue
			}
			var b strings.Builder
			for d := first; name(d) < days[0]; d = d.Add(day) {
				fmt.Fprintf(&b, "PARTITION %s VALUES LESS THAN (%s), ", name(d), table.bound(name(d)))
			}
			_, err = conn.ExecContext(ctx, fmt.Sprintf(`ALTER TABLE %s REORGANIZE PARTITION %s INTO (%sPARTITION %s VALUES LESS THAN (%s))`,
				table.name, days[0], b.String(), days[0], table.bound(days[0])))
			if err != nil {
				return denied(op, err)
			}
		}
		return nil
	})
}

const partitionLayout = "p20060102"

// name returns the name of the partition that ends with a day.
func name(d time.Time) string { return d.Format(partitionLayout) }

// bound returns the upper bound of the named partition, as a literal: the rows in it have
// lower values in the column.
func (p *dayTable) bound(partition string) string {
	d, err := time.Parse(partitionLayout, partition)
	if err != nil {
		panic(err) // days has checked the names
	}
	return p.literal(d.Add(day))
}

// days returns the names of the partitions in order, without the last one, which has no
// upper bound, and whether there are partitions at all.
func (p *dayTable) days(ctx context.Context, conn *leasedConn) (days []string, partitioned bool, err error) {
	rows, err := conn.QueryContext(ctx, fmt.Sprintf(`
		SELECT PARTITION_NAME FROM information_schema.PARTITIONS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '%s' AND PARTITION_NAME IS NOT NULL
		ORDER BY PARTITION_ORDINAL_POSITION`, p.name))
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		partitioned = true
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, false, err
		}
		if name == later {
			continue
		}
		if _, err := time.Parse(partitionLayout, name); err != nil {
			return nil, false, fmt.Errorf("%s has a partition %q that linktrack did not make", p.name, name)
		}
		days = append(days, name)
	}
	return days, partitioned, rows.Err()
}

// makePlain removes the partitions of tables if that is wanted, and makes the keys of tables
// without partitions. It runs no statement on a table that is as it should be.
func makePlain(ctx context.Context, conn *leasedConn, wanted bool) error {
	const op = "remove the day partitions of the history"
	for _, table := range dayTables {
		_, partitioned, err := table.days(ctx, conn)
		if err != nil {
			return failed(op, err)
		}
		if partitioned && !wanted {
			continue
		}
		var alter string
		if table.key != "" {
			var has int
			err := conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT COUNT(*) FROM information_schema.STATISTICS
				WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '%s' AND INDEX_NAME = '%s'`, table.name, table.key)).Scan(&has)
			if err != nil {
				return failed(op, err)
			}
			if has == 0 {
				alter = fmt.Sprintf(` ADD KEY %s (%s)`, table.key, table.column)
			}
		}
		if partitioned {
			alter += ` REMOVE PARTITIONING`
		}
		if alter == "" {
			continue
		}
		if _, err := conn.ExecContext(ctx, `ALTER TABLE `+table.name+alter); err != nil {
			return denied(op, err)
		}
	}
	return nil
}
