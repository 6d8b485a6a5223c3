package mysqlstore

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

// Open connects to the database that the DSN names, as
// user:password@tcp(host:3306)/database or user:password@unix(/path)/database,
// and returns a Store with its own pool. The Store sets character set, time zone,
// SQL mode, and isolation itself; it uses the DSN's parameters for TLS,
// passwords, and timeouts. The default timeouts are 5 seconds to connect and a
// minute for an answer.
//
// The pool opens at most 32 connections, or [MaxConnections], keeps up to 16 idle
// ones, and renews each after five minutes. If the server allows fewer, calls
// wait for a free connection until their contexts end. [Store.Migrate] and
// [Store.PruneClicks] use one additional connection, or one of the pool's
// connections if the server allows no more. The pool closes a connection as soon
// as its server has become read-only (rejectReadOnly), to recover from a failover.
//
// A process keeps the connections that it uses, and they may be all that the
// server allows the user. Open in a second process then fails with the server's
// error 1226, after twice the timeout to connect. Two processes run at once
// during a rolling restart: set MaxConnections to at most half of what the server
// allows the user.
//
// An error is a sentence that names the cause. It never contains the password.
func Open(dsn string, options ...Option) (*Store, error) {
	o := settings{connections: DefaultConnections}
	for _, set := range options {
		set(&o)
	}
	if o.connections < 1 {
		return nil, fmt.Errorf("mysqlstore: MaxConnections must be at least 1, not %d", o.connections)
	}
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		// The driver quotes parts of the DSN in its other errors.
		if s, ok := strings.CutPrefix(err.Error(), "invalid DSN: "); ok {
			return nil, fmt.Errorf("mysqlstore: the DSN cannot be read: %s", s)
		}
		return nil, errors.New("mysqlstore: the DSN cannot be read: it must look like user:password@tcp(host:3306)/database, and its parameters must be known to the driver")
	}
	if c.DBName == "" || strings.ContainsAny(c.DBName, "/@()") { // with such characters it is part of a password that has a slash
		return nil, errors.New("mysqlstore: the DSN names no database: put its name after the slash, as in user:password@tcp(host:3306)/database")
	}
	if err := c.Apply(mysql.Charset("utf8mb4", "utf8mb4_general_ci")); err != nil {
		return nil, errors.New("mysqlstore: the DSN cannot be read")
	}
	c.ParseTime, c.Loc = true, time.UTC
	c.InterpolateParams = true // one round trip a query instead of two
	c.MultiStatements = false
	c.RejectReadOnly = true
	c.Logger = &mysql.NopLogger{} // errors are returned as well, so the driver need not log them
	c.CheckConnLiveness = true
	c.ClientFoundRows, c.ColumnsWithAlias, c.AllowAllFiles = false, false, false
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.ReadTimeout == 0 {
		c.ReadTimeout = time.Minute
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = time.Minute
	}
	p, err := newPool(c, o.connections)
	if err != nil {
		return nil, errors.New("mysqlstore: the DSN cannot be used: a parameter has a value that the driver does not accept")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*c.Timeout)
	defer cancel()
	if err := p.db.PingContext(ctx); err != nil {
		p.close()
		return nil, refused(c, err)
	}
	db := wrap(p.db)
	return newStore(&Store{shared: sqlstore.New(dialect, db, db, nil), db: db, own: c, pool: p}), nil
}

// An Option changes how [Open] connects.
type Option func(*settings)

type settings struct{ connections int }

// DefaultConnections is the maximum number of connections of a pool without
// [MaxConnections].
const DefaultConnections = 32

// MaxConnections sets the maximum number of connections of the pool, at least 1.
// If several processes share a database user whose connections are limited,
// divide the limit among the processes.
func MaxConnections(n int) Option { return func(s *settings) { s.connections = n } }

// Close closes the pool that Open made. It does nothing if New made the Store. Close the
// Tracker first.
func (s *Store) Close() error {
	if s.pool == nil {
		return nil
	}
	return s.pool.close()
}

// sessions makes connections with the session settings that the Store needs. The isolation
// level has a statement of its own because the name of its variable differs among servers.
type sessions struct{ driver.Connector }

var sessionSettings = [...]string{
	"SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', " +
		"time_zone = '+00:00', innodb_lock_wait_timeout = 15, autocommit = 1, sql_safe_updates = 0",
	"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
}

func (c sessions) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, set := range sessionSettings {
		if _, err := conn.(driver.ExecerContext).ExecContext(ctx, set, nil); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// refused returns the error of the first connection as a sentence that names the cause.
func refused(c *mysql.Config, err error) error {
	var cause string
	var dns *net.DNSError
	var e *mysql.MySQLError
	switch n := number(err); {
	case n == errAccessDenied || n == errDeniedNoPass:
		cause = fmt.Sprintf("the server at %s does not accept %s", c.Addr, login(c))
		if c.TLSConfig == "" || c.TLSConfig == "false" {
			cause += "; if the user must use TLS, add tls=true to the DSN"
		}
	case n == errUnknownDB:
		cause = fmt.Sprintf("the server at %s has no database %q", c.Addr, c.DBName)
	case n == errDBAccessDenied:
		cause = fmt.Sprintf("%s may not use the database %q on the server at %s", userOf(c), c.DBName, c.Addr)
	case errors.As(err, &e):
		cause = fmt.Sprintf("the server at %s refused the connection: %s", c.Addr, describe(e))
	case errors.Is(err, mysql.ErrNoTLS):
		cause = fmt.Sprintf("the server at %s does not offer TLS, which the DSN requires: enable TLS on the server, or remove tls from the DSN", c.Addr)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, os.ErrNotExist):
		cause = fmt.Sprintf("no server answers at %s: connection refused", c.Addr)
	case errors.As(err, &dns):
		cause = fmt.Sprintf("the name of the server at %s cannot be resolved", c.Addr)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		cause = fmt.Sprintf("the server at %s did not answer in time", c.Addr)
	case errors.As(err, new(*tls.CertificateVerificationError)):
		cause = fmt.Sprintf("the certificate of the server at %s is not trusted (%v): tls=skip-verify in the DSN uses TLS without checking it", c.Addr, err)
	default:
		cause = fmt.Sprintf("the server at %s cannot be used: %v", c.Addr, err)
	}
	return &sentence{"mysqlstore: " + cause, err}
}

// A sentence is an error with a text of its own that still can be tested with
// errors.As for what caused it.
type sentence struct {
	text string
	err  error
}

func (s *sentence) Error() string { return s.text }
func (s *sentence) Unwrap() error { return s.err }
