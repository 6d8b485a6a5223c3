package mysqlstore

import (
	"context"
	"regexp"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

// dialect is the SQL that MySQL and MariaDB have in common.
var dialect = &sqlstore.Dialect{
	Name:       "mysqlstore",
	ForUpdate:  " FOR UPDATE",
	Join:       " STRAIGHT_JOIN ",
	Now:        "UNIX_TIMESTAMP()",
	Index:      func(name string) string { return " FORCE INDEX (" + name + ")" },
	OnConflict: func(string) string { return " ON DUPLICATE KEY UPDATE " },
	Inserted:   func(column string) string { return "VALUES(" + column + ")" },
	Lowered:    lowered,
	Literal:    literal,
	Reserve:    reserve,
	StepTime:   time.Second,
	Is:         isClass,
	Explain:    explain,
	OldTables:  true,

	CatchUp:     catchUp,
	Snapshot:    []string{"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"},
	InsertRows:  1000,
	LastID:      lastID,
	RaiseLastID: raiseLastID,
}

// lowered compares letters by a binary collation, so that texts that differ only in accents
// stay different.
func lowered(text string) string {
	return "LOWER(CONVERT(CAST(" + text + " AS BINARY) USING utf8mb4) COLLATE utf8mb4_bin)"
}

// literal appends s as an SQL literal that stands for the same bytes in every SQL
// mode and character set: printable ASCII in quotes, anything else in hexadecimal.
func literal(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '\'' || c == '\\' {
			b = append(b, "x'"...)
			const digits = "0123456789abcdef"
			for i := range len(s) {
				b = append(b, digits[s[i]>>4], digits[s[i]&15])
			}
			return append(b, '\'')
		}
	}
	b = append(b, '\'')
	b = append(b, s...)
	return append(b, '\'')
}

// reserve compares with the limit itself, because it locks the row of lt_count before it
// reads it. What it writes to lt_reservation does not depend on lt_count: the order in which
// the two tables are changed is not defined.
const reserve = `
	UPDATE lt_count c STRAIGHT_JOIN lt_reservation r ON r.link_id = c.link_id AND r.source = ?
	SET c.used = GREATEST(c.used, c.total) + ?, r.seq = ?, r.people = ?, r.day = UNIX_TIMESTAMP() - UNIX_TIMESTAMP() % 86400
	WHERE c.link_id = ? AND c.is_deleted = 0 AND r.seq < ? AND c.deactivate_at - GREATEST(c.used, c.total) > ?`

var autoIncrement = regexp.MustCompile(`\bAUTO_INCREMENT=(\d+)`)

// lastID reads the definition of the table: information_schema may have an older number.
func lastID(ctx context.Context, db *sqlx.DB, table string) (int64, error) {
	var name, definition string
	if err := db.QueryRowContext(ctx, `SHOW CREATE TABLE `+table).Scan(&name, &definition); err != nil {
		return 0, err
	}
	found := autoIncrement.FindStringSubmatch(definition)
	if found == nil {
		return 0, nil // it has given none
	}
	next, err := strconv.ParseInt(found[1], 10, 64)
	return next - 1, err
}

func raiseLastID(ctx context.Context, db *sqlx.DB, table string, last int64) error {
	have, err := lastID(ctx, db, table)
	if err != nil || have >= last {
		return err
	}
	_, err = db.ExecContext(ctx, `ALTER TABLE `+table+` AUTO_INCREMENT = `+strconv.FormatInt(last+1, 10))
	return err
}
