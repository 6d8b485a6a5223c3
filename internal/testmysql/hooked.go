package testmysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// A Hook is called with each statement before it is executed, and with COMMIT. kill ends the
// connection, as a server does that stops.
type Hook func(statement string, kill func())

// Hooked returns a pool on the database of a DSN that shows its statements to h, one at a
// time per connection.
func Hooked(t testing.TB, dsn string, h Hook) *sql.DB {
	t.Helper()
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	killer, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { killer.Close() })
	c.InterpolateParams = true
	c.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(hookedSQL{connector, h, func(id int64) { killer.Exec(`KILL ?`, id) }})
	t.Cleanup(func() { db.Close() })
	return db
}

type hookedSQL struct {
	driver.Connector
	hook Hook
	kill func(id int64)
}

func (h hookedSQL) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := h.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	all := conn.(everything)
	rows, err := all.QueryContext(ctx, `SELECT CONNECTION_ID()`, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	id := make([]driver.Value, 1)
	if err := rows.Next(id); err != nil {
		return nil, err
	}
	number, err := driver.Int32.ConvertValue(id[0])
	if err != nil {
		return nil, err
	}
	return &hookedConn{all, h.hook, func() { h.kill(number.(int64)) }}, nil
}

type hookedConn struct {
	everything
	hook Hook
	kill func()
}

func (c *hookedConn) PrepareContext(ctx context.Context, statement string) (driver.Stmt, error) {
	c.hook(statement, c.kill)
	return c.everything.PrepareContext(ctx, statement)
}

func (c *hookedConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	c.hook(statement, c.kill)
	return c.everything.ExecContext(ctx, statement, args)
}

func (c *hookedConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	c.hook(statement, c.kill)
	return c.everything.QueryContext(ctx, statement, args)
}

func (c *hookedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.everything.BeginTx(ctx, o)
	return hookedTx{tx, c}, err
}

type hookedTx struct {
	driver.Tx
	conn *hookedConn
}

// Commit calls the hook before COMMIT and, under the name of COMMITTED, before the answer
// comes back.
func (tx hookedTx) Commit() error {
	tx.conn.hook("COMMIT", tx.conn.kill)
	err := tx.Tx.Commit()
	lost := false
	tx.conn.hook("COMMITTED", func() { lost = true })
	if lost {
		return mysql.ErrInvalidConn
	}
	return err
}

// everything is what the driver's connections can do.
type everything interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}
