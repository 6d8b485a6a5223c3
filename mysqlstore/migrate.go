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

// Migrate makes the tables, or brings them up to date, and makes the day
// partitions of the month ahead. It requeues clicks that are quarantined, because a
// newer version may be able to apply them. It is safe to call at each start and from
// several processes at once: one works while the others wait, as long as ctx
// lets them. A database that a newer version of linktrack has migrated is
// left alone, and the error says so.
//
// The user needs CREATE, ALTER, DROP and INDEX on the database beside SELECT,
// INSERT, UPDATE and DELETE; once it is migrated, the latter are enough for
// everything but Migrate and [Store.PruneClicks].
func (s *Store) Migrate(ctx context.Context) error {
	const doing = "migrate"
	err := s.alone(ctx, doing, func(conn *sql.Conn) error {
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
	const doing = "migrate"
	_, err := conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS lt_migration (
		version INT NOT NULL, name VARBINARY(255) NOT NULL, PRIMARY KEY (version)) ENGINE=InnoDB`)
	if err != nil {
		return denied(doing, err)
	}
	var have int
	if err := conn.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM lt_migration`).Scan(&have); err != nil {
		return failed(doing, err)
	}
	files, err := fs.Glob(migrations, "migrations/*.sql") // in the order of their numbers
	if err != nil {
		return failed(doing, err)
	}
	if have > len(files) {
		return fmt.Errorf("mysqlstore: the database was migrated to version %d by a newer linktrack; this one knows versions up to %d", have, len(files))
	}
	for i, file := range files[have:] {
		version := have + i + 1
		text, err := migrations.ReadFile(file)
		if err != nil {
			return failed(doing, err)
		}
		// MySQL commits with each statement that changes a table, so a file
		// may have run in part when a process died: every statement must bear
		// to run twice, or fail then because its column is there.
		for _, stmt := range statements(string(text)) {
			_, err := conn.ExecContext(ctx, stmt)
			if n := number(err); n == errDuplicateColumn || n == errDuplicateKey || n == errNoSuchColumn {
				continue // it has run before; not every server knows ADD COLUMN IF NOT EXISTS
			}
			if err != nil {
				return denied(fmt.Sprintf("migrate to version %d", version), err)
			}
		}
		_, err = conn.ExecContext(ctx, fmt.Sprintf(`INSERT INTO lt_migration (version, name) VALUES (%d, '%s')`,
			version, strings.TrimPrefix(file, "migrations/")))
		if err != nil {
			return failed(doing, err)
		}
	}
	return nil
}

var comment = regexp.MustCompile(`--[^\n]*`)

// statements splits a migration. In our files neither "--" nor ";" stands
// within a literal.
func statements(text string) []string {
	var all []string
	for stmt := range strings.SplitSeq(comment.ReplaceAllString(text, ""), ";") {
		if stmt = strings.TrimSpace(stmt); stmt != "" {
			all = append(all, stmt)
		}
	}
	return all
}

func denied(doing string, err error) error {
	switch number(err) {
	case errDBAccessDenied, errTableDenied, errSpecificDenied:
		return &sentence{"mysqlstore: the database user may not " + doing + ", which needs CREATE, ALTER, DROP and INDEX on the database", err}
	}
	return failed(doing, err)
}

// alone runs work on a connection of its own while no other process runs any
// on the same database. The connection is thrown away afterwards, and its
// settings and the lock with it.
func (s *Store) alone(ctx context.Context, doing string, work func(*sql.Conn) error) error {
	db := s.db.DB
	if s.own != nil {
		own, err := s.pool.single(s.own)
		if err != nil {
			return failed(doing, err)
		}
		defer own.Close()
		db = own
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return failed(doing, err)
	}
	defer conn.Close()
	defer conn.Raw(func(any) error { return driver.ErrBadConn })

	// Who waits for a table waits a minute at most: others queue up behind.
	_, err = conn.ExecContext(ctx, `SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', lock_wait_timeout = 60`)
	if err != nil {
		return failed(doing, err)
	}
	var database sql.NullString
	if err := conn.QueryRowContext(ctx, `SELECT DATABASE()`).Scan(&database); err != nil {
		return failed(doing, err)
	}
	if !database.Valid {
		return errors.New("mysqlstore: the connection has no database selected")
	}
	// Locks belong to the server, their names have at most 64 characters.
	h := fnv.New64a()
	h.Write([]byte(database.String))
	lock := fmt.Sprintf("linktrack.%x", h.Sum64())
	for {
		var got sql.NullInt64
		err := conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT GET_LOCK('%s', 5)`, lock)).Scan(&got)
		if ctx.Err() != nil {
			return &sentence{"mysqlstore: " + doing + ": another process was still at it when the time was up", ctx.Err()}
		}
		if err != nil {
			return failed(doing, err)
		}
		if got.Int64 == 1 {
			return work(conn)
		}
	}
}
