package sqlitestore

import (
	"context"
	"embed"
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
// linktrack has migrated the database, Migrate changes nothing and returns an error that
// says so.
func (s *Store) Migrate(ctx context.Context) error {
	const op = "migrate"
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return failed(op, err)
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
