// Package sqlitestore keeps linktrack's accounts, links and clicks in an SQLite database,
// which is one file.
//
//	store, err := sqlitestore.Open("linktrack.db")
//	if err != nil { … }
//	defer store.Close()
//	if err := store.Migrate(ctx); err != nil { … }
//	t, err := linktrack.New(store, linktrack.Options{…})
//
// The caller must call [Store.Migrate] at each start. The driver is
// modernc.org/sqlite, which needs no C compiler.
//
// Beside the file, SQLite keeps two more, with the same name and -wal and -shm at its end.
// They belong to the database: copy none of the files while a process uses them. Several
// processes on the same machine may use the file. It must be on a local disk, because
// network file systems do not lock files reliably.
package sqlitestore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

// A Store is a [linktrack.Store] in an SQLite database. It is made by [Open]. It also
// implements [linktrack.HostLister], [linktrack.VisitorEraser], and
// [linktrack.ClickReclassifier].
type Store struct {
	*shared
	write, read *sqlx.DB
}

// shared has the methods that are the same on every SQL database.
type shared = sqlstore.Store

var (
	_ linktrack.Store             = (*Store)(nil)
	_ linktrack.HostLister        = (*Store)(nil)
	_ linktrack.VisitorEraser     = (*Store)(nil)
	_ linktrack.ClickReclassifier = (*Store)(nil)
)

// maxReaders is the number of connections for reads. Lists and histories use half of them,
// so that the others are free for redirects.
const maxReaders = 8

// Open opens the database in a file, and creates the file if it does not exist. The folder
// must exist.
//
// A single connection writes, so writes wait for each other; reads do not wait for them.
// Each commit is flushed to the disk before it is answered. If another process writes, a
// write waits for it for five seconds, and may then be tried again.
func Open(path string) (*Store, error) {
	if path == "" {
		return nil, errors.New("sqlitestore: the path of the database is empty")
	}
	op := "open " + path
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, failed(op, err)
	}
	write := pool(connectorTo(path, "journal_mode(WAL)", "synchronous(FULL)", "journal_size_limit(67108864)"), 1)
	ctx, cancel := context.WithTimeout(context.Background(), 2*busyTimeout)
	defer cancel()
	if err := write.PingContext(ctx); err != nil {
		write.Close()
		return nil, failed(op, err)
	}
	return newStore(write, pool(connectorTo(path, "query_only(1)"), maxReaders)), nil
}

func newStore(write, read *sqlx.DB) *Store {
	return &Store{shared: sqlstore.New(dialect, write, read, nil), write: write, read: read}
}

const busyTimeout = 5 * time.Second

// pool returns a pool of at most n connections, which stay open.
func pool(c driver.Connector, n int) *sqlx.DB {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return sqlx.NewDb(db, "sqlite")
}

// A connector opens connections with the functions that the Store needs.
type connector struct{ dsn string }

// connectorTo returns a connector to a file. Each connection runs the pragmas first. Its
// transactions take the lock for writing when they begin.
func connectorTo(path string, pragmas ...string) connector {
	q := url.Values{
		"_txlock":       {"immediate"},
		"_dqs":          {"0"}, // a word in double quotes is never a text
		"_busy_timeout": {strconv.FormatInt(busyTimeout.Milliseconds(), 10)},
		"_pragma":       pragmas,
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return connector{u.String()}
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return engine.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return engine }

// Close closes the database. Close the Tracker first.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }
