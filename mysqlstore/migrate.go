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

	"github.com/linktrackhq/linktrack/internal/sqlstore"
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

// migrate runs the migrations. MySQL commits each statement that changes a table, so an
// earlier run of a file may have stopped halfway. So when a statement runs twice, it must
// either do no harm or fail with one of the errors of hasRun.
func migrate(ctx context.Context, conn *sql.Conn) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return failed("migrate", err)
	}
	m := sqlstore.Migrations{
		Dialect: dialect,
		Files:   files,
		Table: `CREATE TABLE IF NOT EXISTS lt_migration (
			version INT NOT NULL, name VARBINARY(255) NOT NULL, PRIMARY KEY (version)) ENGINE=InnoDB`,
		HasRun: hasRun,
		Failed: denied,
	}
	return m.Run(ctx, conn)
}

// hasRun reports whether a statement failed because it has run before. Not every server
// supports ADD COLUMN IF NOT EXISTS.
func hasRun(err error) bool {
	n := number(err)
	return n == errDuplicateColumn || n == errDuplicateKey || n == errNoSuchColumn
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
