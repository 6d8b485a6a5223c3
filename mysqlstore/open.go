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

	"github.com/linktrackhq/linktrack/internal/mysqldsn"
	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

// Open connects to the database that the DSN names, as
// user:password@tcp(host:3306)/database or user:password@unix(/path)/database,
// and returns a Store with its own pool. The Store sets character set, time zone,
// SQL mode, and isolation itself; it uses the DSN's parameters for TLS,
// passwords, and timeouts. The default timeouts are 5 seconds to connect and a
// minute for an answer.
//
// The DSN may name several servers of one cluster, as in
// user:password@tcp(a:3306,b:3306,[2001:db8::1]:3306)/database. A server without a
// port has 3306, and one that is named twice counts once. All connections are to one
// of them:
//   - It is the first in the DSN that takes writes (read_only is off, and a node of
//     Galera is part of the cluster's majority). This is checked when a connection
//     is made, also if the DSN has a single server.
//   - When it fails, the next connection tries the others in the order of the DSN. Each
//     gets an equal share of the time that the context leaves, and the timeout to
//     connect is 2 seconds unless the DSN sets it.
//   - A server that failed and works again is used again when the present one fails,
//     or after five minutes if it stands before the present one. So all processes with
//     the same DSN meet at its first good server.
//   - When the server does not answer any connection for a quarter of a second, and
//     does not greet a new one either, all calls that wait for it end. Reads and
//     AppendClicks are then run again at the next server.
//
// The pool opens at most 32 connections, or [MaxConnections], keeps up to 16 idle
// ones, and renews each after five minutes. If the server allows fewer, calls
// wait for a free connection until their contexts end. [Store.Migrate] and
// [Store.PruneClicks] use one additional connection, or one of the pool's
// connections if the server allows no more. The pool closes a connection as soon
// as its server refuses to write because it is read-only or has lost its cluster.
//
// A process keeps the connections that it uses, and they may be all that the
// server allows the user. Open in a second process then fails with the server's
// error 1226, after twice the timeout to connect. Two processes run at once
// during a rolling restart: set MaxConnections to at most half of what the server
// allows the user.
//
// An error is a sentence that names the cause. It never contains the password.
func Open(dsn string, options ...Option) (*Store, error) {
	o := settingsOf(options)
	if o.connections < 1 {
		return nil, fmt.Errorf("mysqlstore: MaxConnections must be at least 1, not %d", o.connections)
	}
	all, err := newServers(dsn)
	if err != nil {
		return nil, err
	}
	p := poolOf(all, o.connections)
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(max(2, len(all.all)))*all.config.Timeout)
	defer cancel()
	if err := p.db.PingContext(ctx); err != nil {
		p.close()
		return nil, refused(all, err)
	}
	db := wrap(p.db)
	return newStore(&Store{shared: sqlstore.New(dialect, db, db, nil), db: db, pool: p, plain: o.plain}), nil
}

// configOf returns the configuration of all connections, and the servers.
func configOf(dsn string) (*mysql.Config, []string, error) {
	c, servers, err := mysqldsn.Parse(dsn)
	if err != nil {
		if errors.As(err, new(*mysqldsn.AddressError)) {
			return nil, nil, fmt.Errorf("mysqlstore: the DSN cannot be read: %w", err)
		}
		// The driver quotes parts of the DSN in its other errors.
		if s, ok := strings.CutPrefix(err.Error(), "invalid DSN: "); ok {
			return nil, nil, fmt.Errorf("mysqlstore: the DSN cannot be read: %s", s)
		}
		return nil, nil, errors.New("mysqlstore: the DSN cannot be read: it must look like user:password@tcp(host:3306)/database, and its parameters must be known to the driver")
	}
	if c.DBName == "" || strings.ContainsAny(c.DBName, "/@()") { // with such characters it is part of a password that has a slash
		return nil, nil, errors.New("mysqlstore: the DSN names no database: put its name after the slash, as in user:password@tcp(host:3306)/database")
	}
	if err := c.Apply(mysql.Charset("utf8mb4", "utf8mb4_general_ci")); err != nil {
		return nil, nil, errors.New("mysqlstore: the DSN cannot be read")
	}
	c.ParseTime, c.Loc = true, time.UTC
	c.InterpolateParams = true // one round trip a query instead of two
	c.MultiStatements = false
	c.RejectReadOnly = false      // it would hide the server's error; conn does the same
	c.Logger = &mysql.NopLogger{} // errors are returned as well, so the driver need not log them
	c.CheckConnLiveness = true
	c.ClientFoundRows, c.ColumnsWithAlias, c.AllowAllFiles = false, false, false
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
		if len(servers) > 1 {
			c.Timeout = 2 * time.Second
		}
	}
	if c.ReadTimeout == 0 {
		c.ReadTimeout = time.Minute
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = time.Minute
	}
	return c, servers, nil
}

// An Option changes what [Open] and [New] do.
type Option func(*settings)

type settings struct {
	connections int
	plain       bool
}

func settingsOf(options []Option) settings {
	o := settings{connections: DefaultConnections}
	for _, set := range options {
		set(&o)
	}
	return o
}

// DefaultConnections is the maximum number of connections of a pool without
// [MaxConnections].
const DefaultConnections = 32

// MaxConnections sets the maximum number of connections of the pool of [Open], at least 1.
// [New] ignores it.
// If several processes share a database user whose connections are limited,
// divide the limit among the processes.
func MaxConnections(n int) Option { return func(s *settings) { s.connections = n } }

// WithoutPartitions makes [Store.Migrate] create the tables of the history without
// partitions. Then Migrate changes tables only for a new version, and PruneClicks never
// does. A copy of a history into the database makes no partitions either, but it needs ALTER
// to set the next ids. It is for servers on which a process may not change tables every day.
//
//   - PruneClicks deletes the clicks of old days, a thousand at a time, by an index that the
//     history has in addition.
//   - If the tables have partitions, Migrate rewrites them without, by one statement each.
//     No clicks are applied to the history while it is rewritten.
//   - What is in the database counts, not the option: other processes, also those without the
//     option, use the tables as they are. Without the option, Migrate never adds partitions to
//     tables that it finds.
func WithoutPartitions() Option { return func(s *settings) { s.plain = true } }

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
	if err := writable(ctx, conn.(driver.QueryerContext)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// refused returns the error of the first connection as a sentence that names the cause.
func refused(all *servers, err error) error {
	if errors.As(err, new(*unavailable)) {
		return &sentence{"mysqlstore: " + explain(err), err}
	}
	return &sentence{"mysqlstore: " + cause(all.config, all.config.Addr, err), err}
}

// cause returns why a server cannot be used, as a sentence.
func cause(c *mysql.Config, addr string, err error) string {
	var dns *net.DNSError
	var e *mysql.MySQLError
	switch n := number(err); {
	case n == errAccessDenied || n == errDeniedNoPass:
		text := fmt.Sprintf("the server at %s does not accept %s", addr, login(c))
		if c.TLSConfig == "" || c.TLSConfig == "false" {
			text += "; if the user must use TLS, add tls=true to the DSN"
		}
		return text
	case n == errUnknownDB:
		return fmt.Sprintf("the server at %s has no database %q", addr, c.DBName)
	case n == errDBAccessDenied:
		return fmt.Sprintf("%s may not use the database %q on the server at %s", userOf(c), c.DBName, addr)
	case n == errReadOnlyMode:
		return fmt.Sprintf("the server at %s is read-only: a secondary? %s", addr, useWriter)
	case n == errNotReady:
		return fmt.Sprintf("the server at %s cannot be used: %s", addr, noMajority)
	case errors.As(err, &e):
		return fmt.Sprintf("the server at %s refused the connection: %s", addr, describe(e))
	case errors.Is(err, mysql.ErrNoTLS):
		return fmt.Sprintf("the server at %s does not offer TLS, which the DSN requires: enable TLS on the server, or remove tls from the DSN", addr)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, os.ErrNotExist):
		return fmt.Sprintf("no server answers at %s: connection refused", addr)
	case errors.As(err, &dns):
		return fmt.Sprintf("the name of the server at %s cannot be resolved", addr)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("the server at %s did not answer in time", addr)
	case errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, driver.ErrBadConn):
		return fmt.Sprintf("the connection to the server at %s ended before it could be used", addr)
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return fmt.Sprintf("the certificate of the server at %s is not trusted (%v): tls=skip-verify in the DSN uses TLS without checking it", addr, err)
	}
	return fmt.Sprintf("the server at %s cannot be used: %v", addr, err)
}

// A sentence is an error with a text of its own that still can be tested with
// errors.As for what caused it.
type sentence struct {
	text string
	err  error
}

func (s *sentence) Error() string { return s.text }
func (s *sentence) Unwrap() error { return s.err }
