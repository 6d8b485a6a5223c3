package mysqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"regexp"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate creates the tables, or brings them up to date. It also creates the day
// partitions of the next month, and requeues quarantined clicks, because this version
// may be able to apply what an older one could not.
//
// Call it at each start. Several processes may call it at once: one of them works while
// the others wait until their contexts end. If a newer version of linktrack has migrated
// the database, Migrate changes nothing and returns an error that says so.
//
// The database user needs CREATE, ALTER, DROP, and INDEX on the database for Migrate and
// [Store.PruneClicks]. SELECT, INSERT, UPDATE, and DELETE are enough for all other
// methods.
func (s *Store) Migrate(ctx context.Context) error {
	const op = "migrate"
	err := s.alone(ctx, op, func(conn *sql.Conn) error {
		if err := migrate(ctx, conn); err != nil {
			return err
		}
		return makeDays(ctx, conn)
	})
	if err == nil {
		_, err = s.RequeueClicks(ctx) // this version may be able to apply them
	}
	return err
}

func migrate(ctx context.Context, conn *sql.Conn) error {
	const op = "migrate"
	_, err := conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS lt_migration (
		version INT NOT NULL, name VARBINARY(255) NOT NULL, PRIMARY KEY (version)) ENGINE=InnoDB`)
	if err != nil {
		return denied(op, err)
	}
	var have int
	if err := conn.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM lt_migration`).Scan(&have); err != nil {
		return failed(op, err)
	}
	files, err := fs.Glob(migrations, "migrations/*.sql") // in the order of their numbers
	if err != nil {
		return failed(op, err)
	}
	if have > len(files) {
		return fmt.Errorf("mysqlstore: the database was migrated to version %d by a newer linktrack; this one knows versions up to %d", have, len(files))
	}
	for i, file := range files[have:] {
		version := have + i + 1
		text, err := migrations.ReadFile(file)
		if err != nil {
			return failed(op, err)
		}
		// MySQL commits each statement that changes a table, so an earlier run of
		// the file may have stopped halfway. So when a statement runs twice, it
		// must either do no harm or fail with one of the errors ignored below.
		for _, stmt := range statements(string(text)) {
			_, err := conn.ExecContext(ctx, stmt)
			if n := number(err); n == errDuplicateColumn || n == errDuplicateKey || n == errNoSuchColumn {
				continue // it has run before. Not every server supports ADD COLUMN IF NOT EXISTS
			}
			if err != nil {
				return denied(fmt.Sprintf("migrate to version %d", version), err)
			}
		}
		_, err = conn.ExecContext(ctx, fmt.Sprintf(`INSERT INTO lt_migration (version, name) VALUES (%d, '%s')`,
			version, strings.TrimPrefix(file, "migrations/")))
		if err != nil {
			return failed(op, err)
		}
	}
	return nil
}

var comment = regexp.MustCompile(`--[^\n]*`)

// statements splits a migration into its statements and removes the comments. No literal
// in a migration may contain "--" or ";".
func statements(text string) []string {
	var all []string
	for stmt := range strings.SplitSeq(comment.ReplaceAllString(text, ""), ";") {
		if stmt = strings.TrimSpace(stmt); stmt != "" {
			all = append(all, stmt)
		}
	}
	return all
}

func denied(op string, err error) error {
	switch number(err) {
	case errDBAccessDenied, errTableDenied, errSpecificDenied:
		return &sentence{"mysqlstore: the database user may not " + op + ", which needs CREATE, ALTER, DROP and INDEX on the database", err}
	}
	return failed(op, err)
}

// alone runs work on a separate connection while it holds a lock that makes other calls of
// alone on the same database wait. The connection is closed afterwards, which releases the
// lock and discards the settings of the session.
func (s *Store) alone(ctx context.Context, op string, work func(*sql.Conn) error) error {
	db := s.db.DB
	if s.own != nil {
		own, err := s.pool.single(s.own)
		if err != nil {
			return failed(op, err)
		}
		defer own.Close()
		db = own
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return failed(op, err)
	}
	defer conn.Close()
	defer conn.Raw(func(any) error { return driver.ErrBadConn })

	// work waits for the lock of a table for a minute at most: other statements on
	// the table have to wait behind it.
	_, err = conn.ExecContext(ctx, `SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', lock_wait_timeout = 60`)
	if err != nil {
		return failed(op, err)
	}
	var database sql.NullString
	if err := conn.QueryRowContext(ctx, `SELECT DATABASE()`).Scan(&database); err != nil {
		return failed(op, err)
	}
	if !database.Valid {
		return errors.New("mysqlstore: the connection has no database selected")
	}
	// The server's databases share the names of locks, and a name may have at most 64
	// characters.
	h := fnv.New64a()
	h.Write([]byte(database.String))
	lock := fmt.Sprintf("linktrack.%x", h.Sum64())
	for {
		var got sql.NullInt64
		err := conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT GET_LOCK('%s', 5)`, lock)).Scan(&got)
		if ctx.Err() != nil {
			return &sentence{"mysqlstore: " + op + ": another process was still busy with it when the context ended", ctx.Err()}
		}
		if err != nil {
			return failed(op, err)
		}
		if got.Int64 == 1 {
			return work(conn)
		}
	}
}
