package mysqlstore

import (
	"context"
	"embed"
	"io/fs"
	"regexp"

	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate creates the tables, or brings them up to date. It also creates the day
// partitions of the next month, and requeues quarantined clicks, because this version
// may be able to apply what an older one could not.
//
// Call it at each start. Several processes may call it at once, also on different nodes of
// a cluster: one of them works while the others wait until their contexts end. If a newer version of linktrack has migrated
// the database, Migrate changes nothing and returns an error that says so.
//
// The database user needs CREATE, ALTER, DROP, and INDEX on the database for Migrate and
// [Store.PruneClicks]. SELECT, INSERT, UPDATE, and DELETE are enough for all other
// methods. Without partitions (see [WithoutPartitions]), they are also enough for PruneClicks,
// and for Migrate on a database that is up to date.
func (s *Store) Migrate(ctx context.Context) error {
	const op = "migrate"
	err := s.alone(ctx, op, func(conn *leasedConn) error {
		if err := migrate(ctx, conn, s.plain); err != nil {
			return err
		}
		if err := makePlain(ctx, conn, s.plain); err != nil {
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
func migrate(ctx context.Context, conn *leasedConn, plain bool) error {
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
	if plain {
		m.Edit = func(stmt string) string { return partitions.ReplaceAllString(stmt, "") }
	}
	return m.Run(ctx, conn)
}

// partitions is the end of a statement that makes a table with partitions. A server may have
// none at all.
var partitions = regexp.MustCompile(`\s*PARTITION BY RANGE COLUMNS[^;]*$`)

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
