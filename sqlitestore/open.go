package sqlitestore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"
)

// maxReaders is the number of connections for reads. Lists and histories use half of them,
// so that the others are free for redirects.
const maxReaders = 8

// Open opens the database in a file, and creates the file if it does not exist. The folder
// must exist. Only the user of the process may read a new file.
//
// A single connection writes, so writes wait for each other; reads do not wait for them.
// Each commit is flushed to the disk before it is answered, unless [Relaxed] is given. If
// another process writes, a write waits for it for five seconds, and is then tried again
// until its context ends, twelve times at most.
//
// Up to 128 MB of the file are kept in memory: 64 MB for writes, and 8 MB for each of eight
// connections that read.
//
// Open returns an error, and creates no file, if the file is on a network file system that
// it knows.
func Open(path string, options ...Option) (*Store, error) {
	o := settings{synchronous: "FULL"}
	for _, set := range options {
		set(&o)
	}
	if path == "" {
		return nil, errors.New("sqlitestore: the path of the database is empty")
	}
	op := "open " + path
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, failed(op, err)
	}
	if err := refuseNetwork(path); err != nil {
		return nil, failed(op, err)
	}
	create(path)
	write := pool(connector(dsn(path, append(o.pragmas(), "cache_size(-65536)")...)), 1)
	ctx, cancel := context.WithTimeout(context.Background(), 2*busyTimeout)
	defer cancel()
	if err := canWrite(ctx, write); err != nil {
		write.Close()
		return nil, failed(op, err)
	}
	s := newStore(write, pool(connector(dsn(path, "query_only(1)", "cache_size(-8192)")), maxReaders))
	s.close = func() error { return errors.Join(s.read.Close(), s.write.Close()) }
	return s, nil
}

// create makes an empty file if there is none, because SQLite would let all users read it.
// SQLite gives -wal and -shm the same mode, and says what is wrong with the file. A file
// that exists is not opened: to close it would end the locks that other Stores of this
// process have on it.
func create(path string) {
	if f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		f.Close()
	}
}

// canWrite opens a connection. If the file is read-only, SQLite opens the database all the
// same, and would return an error only when something is written.
func canWrite(ctx context.Context, db *sqlx.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		isReadOnly, err := c.(interface{ IsReadOnly(string) (bool, error) }).IsReadOnly("main")
		if err == nil && isReadOnly {
			err = errors.New(texts[codeReadOnly])
		}
		return err
	})
}

// An Option changes how [Open] uses the file.
type Option func(*settings)

type settings struct{ synchronous string }

func (o *settings) pragmas() []string {
	return []string{"journal_mode(WAL)", "synchronous(" + o.synchronous + ")", "journal_size_limit(67108864)"}
}

// Relaxed makes writes faster: they are not flushed to the disk one by one, but together,
// some thousand pages at a time (synchronous=NORMAL). If the process is killed, nothing is
// lost. If the machine loses power, the last commits may be lost; the database is whole. So
// use it where clicks may be lost in a crash anyway, as with [linktrack.AckBuffered].
func Relaxed() Option { return func(o *settings) { o.synchronous = "NORMAL" } }

const busyTimeout = 5 * time.Second

// DSN returns the name with which [sql.Open] opens a file for [New], with the settings that
// [Open] uses. The path may have any characters.
func DSN(path string) string {
	o := settings{synchronous: "FULL"}
	return dsn(path, o.pragmas()...)
}

// dsn returns the name of a file. Each connection runs the pragmas first. Its transactions
// take the lock for writing when they begin.
func dsn(path string, pragmas ...string) string {
	q := url.Values{
		"_txlock":       {"immediate"},
		"_dqs":          {"0"}, // a word in double quotes is never a text
		"_busy_timeout": {strconv.FormatInt(busyTimeout.Milliseconds(), 10)},
		"_pragma":       pragmas,
	}
	path = filepath.ToSlash(filepath.Clean(path))
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// pool returns a pool of at most n connections, which stay open.
func pool(c driver.Connector, n int) *sqlx.DB {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return sqlx.NewDb(db, driverName)
}

// A connector opens connections to the database with this DSN. It uses a driver of its own,
// so that hooks which the program has registered with the driver do not run on them.
type connector string

func (c connector) Connect(context.Context) (driver.Conn, error) { return engine.Open(string(c)) }
func (c connector) Driver() driver.Driver                        { return engine }
