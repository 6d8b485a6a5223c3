package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
)

// Writer returns the pool with the connection that writes.
func (s *Store) Writer() *sqlx.DB { return s.write }

// OnFileSystem makes all files be on a file system of a type until the test ends.
func OnFileSystem(t testing.TB, number uint32) {
	typeOf = func(string) uint32 { return number }
	t.Cleanup(func() { typeOf = fileSystem })
}

// Watched returns a Store on a database that exists. It shows the statements that read, and
// their arguments, before they run.
func Watched(path string, show func(statement string, args []any)) *Store {
	s := newStore(pool(connector(dsn(path)), 1), pool(watching{connector(dsn(path)), show}, 1))
	s.close = func() error { return errors.Join(s.read.Close(), s.write.Close()) }
	return s
}

type watching struct {
	connector
	show func(statement string, args []any)
}

func (w watching) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := w.connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &watchedConn{conn, w.show}, nil
}

type watchedConn struct {
	driver.Conn
	show func(statement string, args []any)
}

func (c *watchedConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	c.show(statement, values)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, statement, args)
}

// BareConnector returns a connector of a driver that has no function of ours.
func BareConnector(dsn string) driver.Connector { return bare(dsn) }

type bare string

func (b bare) Connect(context.Context) (driver.Conn, error) {
	return new(sqlite.Driver).Open(string(b))
}
func (b bare) Driver() driver.Driver { return new(sqlite.Driver) }

// Failing returns a Store on a database. It calls fail before it prepares or executes a
// statement that writes, before and after each COMMIT, and when it begins a transaction; the
// error of fail is the error of that.
func Failing(path string, fail func() error) *Store {
	s := newStore(pool(failing{connector(dsn(path)), fail}, 1), pool(connector(dsn(path)), maxReaders))
	s.close = func() error { return errors.Join(s.read.Close(), s.write.Close()) }
	return s
}

type failing struct {
	connector
	fail func() error
}

func (f failing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := f.connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &failingConn{conn, f.fail}, nil
}

type failingConn struct {
	driver.Conn
	fail func() error
}

func (c *failingConn) PrepareContext(ctx context.Context, statement string) (driver.Stmt, error) {
	if err := c.fail(); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, statement)
}

func (c *failingConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.fail(); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, statement, args)
}

func (c *failingConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, statement, args)
}

func (c *failingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := c.fail(); err != nil {
		return nil, err
	}
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	return failingTx{tx, c.fail}, err
}

type failingTx struct {
	driver.Tx
	fail func() error
}

func (tx failingTx) Commit() error {
	if err := tx.fail(); err != nil {
		return err
	}
	if err := tx.Tx.Commit(); err != nil {
		return err
	}
	return tx.fail()
}
