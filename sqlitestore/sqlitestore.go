// Package sqlitestore keeps linktrack's accounts, links and clicks in an SQLite database,
// which is one file.
//
//	store, err := sqlitestore.Open("linktrack.db")
//	if err != nil { … }
//	defer store.Close()
//	if err := store.Migrate(ctx); err != nil { … }
//	t, err := linktrack.New(store, linktrack.Options{…})
//
// The caller must call [Store.Migrate] at each start. All tables begin with lt_, so they
// can share a database with those of the program: see [New]. The driver is
// modernc.org/sqlite, which needs no C compiler.
//
// Beside the file, SQLite keeps two more, with the same name and -wal and -shm at its end.
// They belong to the database: copy none of the files while a process uses them, but call
// [Store.Backup]. Several processes on the same machine may use the file. It must be on a
// local disk, because network file systems do not lock files reliably.
package sqlitestore

import (
	"database/sql"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

// A Store is a [linktrack.Store] in an SQLite database. It is made by [Open] or [New]. It
// also implements [linktrack.HostLister], [linktrack.VisitorEraser], and
// [linktrack.ClickReclassifier].
type Store struct {
	*shared
	write, read *sqlx.DB

	close func() error // nil: the pools are the host's
}

// shared has the methods that are the same on every SQL database.
type shared = sqlstore.Store

var (
	_ linktrack.Store             = (*Store)(nil)
	_ linktrack.HostLister        = (*Store)(nil)
	_ linktrack.VisitorEraser     = (*Store)(nil)
	_ linktrack.ChangeLister      = (*Store)(nil)
	_ linktrack.ClickReclassifier = (*Store)(nil)
)

// New returns a Store that uses the caller's pool, so that linktrack's tables are in the
// database of the program. The Store never closes the pool. Open the pool with the driver
// "sqlite" of modernc.org/sqlite and the name that [DSN] returns:
//
//	db, err := sql.Open("sqlite", sqlitestore.DSN("app.db"))
//
// A DSN of your own must set a busy timeout and the journal mode WAL: otherwise
// [Store.Migrate] returns an error. It should also set
//
//   - synchronous(FULL), or clicks that were acknowledged may be lost when the machine
//     loses power;
//   - _txlock=immediate, or transactions that collide are run again, up to twelve times.
//
// Bound the pool with SetMaxOpenConns; 8 connections are enough. Long transactions of the
// program delay redirects whose clicks must be stored, because only one connection can
// write at a time.
func New[DB *sql.DB | *sqlx.DB](db DB) *Store {
	x, ok := any(db).(*sqlx.DB)
	if !ok {
		x = sqlx.NewDb(any(db).(*sql.DB), driverName)
	}
	return newStore(x, x)
}

func newStore(write, read *sqlx.DB) *Store {
	return &Store{shared: sqlstore.New(dialect, write, read, nil), write: write, read: read}
}

// Close closes the database. It does nothing if New made the Store. Close the Tracker first.
func (s *Store) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}
