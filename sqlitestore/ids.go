package sqlitestore

import (
	"context"
	"strconv"

	"github.com/jmoiron/sqlx"
)

// lastID reads what SQLite keeps for AUTOINCREMENT.
func lastID(ctx context.Context, db *sqlx.DB, table string) (last int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = '`+table+`'`).Scan(&last)
	return last, err
}

func raiseLastID(ctx context.Context, db *sqlx.DB, table string, last int64) error {
	if last == 0 {
		return nil
	}
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	for _, stmt := range []string{
		`INSERT INTO sqlite_sequence (name, seq) SELECT '` + table + `', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '` + table + `')`,
		`UPDATE sqlite_sequence SET seq = MAX(seq, ` + strconv.FormatInt(last, 10) + `) WHERE name = '` + table + `'`,
	} {
		if _, err := tx.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	return tx.Commit()
}
