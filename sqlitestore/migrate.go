package sqlitestore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate creates the tables, or brings them up to date, in one transaction. It also
// requeues quarantined clicks, because this version may be able to apply what an older one
// could not.
//
// Call it at each start. Several processes may call it at once. If a newer version of
// linktrack has migrated the database, or a pool that was given to [New] lacks a setting,
// Migrate changes nothing and returns an error that says so.
func (s *Store) Migrate(ctx context.Context) error {
	const op = "migrate"
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return failed(op, err)
	}
	if err := s.checkPool(ctx); err != nil {
		return err
	}
	tx, err := s.write.BeginTxx(ctx, nil)
	if err != nil {
		return failed(op, err)
	}
	defer tx.Rollback() // after Commit it does nothing
	m := sqlstore.Migrations{
		Dialect: dialect,
		Files:   files,
		Table:   `CREATE TABLE IF NOT EXISTS lt_migration (version INTEGER PRIMARY KEY, name BLOB NOT NULL) STRICT`,
		Failed:  failed,
	}
	if err := m.Run(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return failed(op, err)
	}
	_, err = s.RequeueClicks(ctx)
	return err
}

// checkPool returns an error if a host's pool has no settings with which the Store works.
func (s *Store) checkPool(ctx context.Context) error {
	const op = "use the pool of the program"
	var lowered string
	if err := s.write.QueryRowContext(ctx, `SELECT lt_lower('Ä')`).Scan(&lowered); err != nil {
		if plain, _ := code(err); plain != codeError && plain != 0 {
			return failed(op, err)
		}
		return failed(op, errors.New(`it is not one of the driver "sqlite" of modernc.org/sqlite`))
	}
	var timeout int
	if err := s.write.QueryRowContext(ctx, `PRAGMA busy_timeout`).Scan(&timeout); err != nil {
		return failed(op, err)
	}
	if timeout == 0 {
		return failed(op, errors.New("its connections have no busy timeout: open it with sqlitestore.DSN, or add _busy_timeout=5000 to its DSN"))
	}
	var mode string
	if err := s.write.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return failed(op, err)
	}
	if mode != "wal" {
		return failed(op, fmt.Errorf("the journal mode of the database is %s: open it with sqlitestore.DSN, or add _pragma=journal_mode(WAL) to its DSN", mode))
	}
	return nil
}
