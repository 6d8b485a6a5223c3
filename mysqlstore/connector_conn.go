package mysqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// A conn is a connection to one of servers. It ends when its server refuses to work, or is
// no longer the present one.
type conn struct {
	session
	server *server
	epoch  int64 // of the server
}

// seen returns the error of a statement, and leaves the server if that refused to work.
// If the server did not run the statement, the error is also a driver.ErrBadConn: then
// database/sql runs it on another connection, or the transaction fails as a whole.
func (c *conn) seen(err error) error {
	switch {
	case err == nil:
		return nil
	case isRefused(err):
		c.server.leave(c.epoch)
		return &refusal{err}
	case number(err) == errGroupHook:
		c.server.leave(c.epoch)
	}
	return err
}

// isRefused reports whether a server refused to run a statement because it takes no writes at
// all, or is not part of its cluster.
func isRefused(err error) bool {
	switch number(err) {
	case errNotReady, errReadOnlyMode, errReadOnlyTransaction:
		return true
	case errOption:
		return isReadOnly(err)
	}
	return false
}

// isReadOnly reports whether it is the option read_only or super_read_only that forbids a
// statement, and not another one, such as secure_file_priv.
func isReadOnly(err error) bool {
	text := strings.NewReplacer("-", " ", "_", " ").Replace(strings.ToLower(err.Error()))
	return strings.Contains(text, "read only")
}

// isOver reports whether the connection must not be used again.
func (c *conn) isOver() bool {
	present := c.server.of.present.Load()
	return c.epoch != c.server.epoch.Load() || present != nil && present != c.server
}

func (c *conn) ResetSession(ctx context.Context) error {
	if c.isOver() {
		return driver.ErrBadConn
	}
	return c.session.ResetSession(ctx)
}

func (c *conn) IsValid() bool { return !c.isOver() && c.session.IsValid() }

func (c *conn) Ping(ctx context.Context) error { return c.seen(c.session.Ping(ctx)) }

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	res, err := c.session.ExecContext(ctx, query, args)
	return res, c.seen(err)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.session.QueryContext(ctx, query, args)
	return rows, c.seen(err)
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.session.PrepareContext(ctx, query)
	if err != nil {
		return nil, c.seen(err)
	}
	return &stmt{s.(statement), c}, nil
}

func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	t, err := c.session.BeginTx(ctx, o)
	if err != nil {
		return nil, c.seen(err)
	}
	return tx{t, c}, nil
}

// A statement has all interfaces that the driver's statements implement.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
}

type stmt struct {
	statement
	conn *conn
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	res, err := s.statement.ExecContext(ctx, args)
	return res, s.conn.seen(err)
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := s.statement.QueryContext(ctx, args)
	return rows, s.conn.seen(err)
}

type tx struct {
	driver.Tx
	conn *conn
}

func (t tx) Commit() error   { return t.conn.seen(t.Tx.Commit()) }
func (t tx) Rollback() error { return t.conn.seen(t.Tx.Rollback()) }

// writable returns an error if the server takes no writes. It is one statement, which names a
// table so that a node that is not part of its cluster refuses it. Where the table is not
// there yet, a second statement asks without it. Any other error, such as that of a proxy
// which does not know the variable, does not matter: the server can still refuse to write.
func writable(ctx context.Context, c driver.QueryerContext) error {
	for _, query := range []string{`SELECT @@global.read_only FROM lt_migration LIMIT 1`, `SELECT @@global.read_only`} {
		value, err := firstValue(ctx, c, query)
		switch {
		case err != nil && (number(err) == 0 || number(err) == errNotReady):
			return err
		case err == nil && value == "":
			continue // the table is empty
		case err == nil && value != "0" && !strings.EqualFold(value, "OFF"):
			return errReadOnly
		case err == nil:
			return nil
		}
	}
	return nil
}

var errReadOnly = &mysql.MySQLError{Number: errReadOnlyMode, Message: "The variable read_only is on"}

// firstValue returns the first column of the first row; "" if there is none.
func firstValue(ctx context.Context, c driver.QueryerContext, query string) (string, error) {
	rows, err := c.QueryContext(ctx, query, nil)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(row); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return "", err
	}
	if b, ok := row[0].([]byte); ok {
		return string(b), nil
	}
	return fmt.Sprint(row[0]), nil
}
