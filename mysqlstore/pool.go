package mysqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

// A pool makes the connections that a Store shares, and adapts their number to
// what the server allows. When the server refuses a further connection because
// there are too many, the pool limits database/sql to the connections that exist:
// callers then wait until one of them is free. After growAfter without a refusal, the
// pool raises the limit a little.
type pool struct {
	sessions driver.Connector
	db       *sql.DB
	max      int // the number that the host allows

	mu   sync.Mutex
	open int // the number of connections that exist or are being made

	changing sync.Mutex  // guards the fields below; locked before mu, because setLimit can close connections, which locks mu
	limit    int         // the number of connections that db may open now; at most max
	grow     *time.Timer // nil while limit is max
	closed   bool
}

const (
	maxIdle   = 16
	growAfter = 10 * time.Second // without a refusal

	firstPause = 20 * time.Millisecond // between attempts to connect
	lastPause  = 500 * time.Millisecond
)

func poolOf(sessions driver.Connector, max int) *pool {
	p := &pool{sessions: sessions, max: max, limit: max}
	p.db = sql.OpenDB(p)
	p.db.SetMaxOpenConns(max)
	p.db.SetMaxIdleConns(min(max, maxIdle))
	p.db.SetConnMaxLifetime(5 * time.Minute)
	return p
}

func (p *pool) close() error {
	p.changing.Lock()
	p.closed = true
	if p.grow != nil {
		p.grow.Stop()
	}
	p.changing.Unlock()
	err := p.db.Close()
	if c, ok := p.sessions.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// Connect implements driver.Connector. If the server refuses the connection because of
// their number:
//   - While the pool has other connections, the error is a driver.ErrBadConn. database/sql
//     then asks for a connection again, and waits in its queue until one is free.
//   - While it has none, Connect tries again until the context ends.
func (p *pool) Connect(ctx context.Context) (driver.Conn, error) {
	p.count(1)
	var full error // the last refusal
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		conn, err := p.sessions.Connect(ctx)
		if err == nil {
			return &counted{session: conn.(session), gone: sync.OnceFunc(func() { p.count(-1) })}, nil
		}
		if full != nil && ctx.Err() != nil {
			err = full // why there was no time left
		}
		if !tooMany(err) {
			p.count(-1)
			return nil, err
		}
		full = err
		if p.useOthers() {
			return nil, &refusal{err}
		}
		if !sqlstore.Sleep(ctx, pause) {
			p.count(-1)
			return nil, err
		}
	}
}

// Driver implements driver.Connector.
func (p *pool) Driver() driver.Driver { return p.sessions.Driver() }

// count adds n to the connections that are open, and returns their number.
func (p *pool) count(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open += n
	return p.open
}

// useOthers limits db to the connections that exist, without the one that was refused. It
// reports whether there are any. If so, the refused one no longer counts as open.
func (p *pool) useOthers() bool {
	p.changing.Lock()
	defer p.changing.Unlock()
	others := p.count(-1)
	if others == 0 {
		p.count(1)
	}
	p.setLimit(min(others, p.limit))
	return others > 0
}

// giveUpOne lowers the limit so that db closes one of its connections as soon as it is
// idle. Another pool of this process can then connect.
func (p *pool) giveUpOne() {
	p.changing.Lock()
	defer p.changing.Unlock()
	p.setLimit(min(max(p.count(0)-1, 0), p.limit))
}

// setLimit sets how many connections db may open. changing must be held. With a limit of
// 0, db may still open one connection, but keeps none idle: to database/sql, 0 means no
// limit.
func (p *pool) setLimit(n int) {
	p.limit = n
	p.db.SetMaxOpenConns(max(n, 1))
	p.db.SetMaxIdleConns(min(n, maxIdle)) // at 0 it keeps none
	if p.grow != nil {
		p.grow.Stop()
		p.grow = nil
	}
	if n < p.max && !p.closed {
		p.grow = time.AfterFunc(growAfter, p.tryMore)
	}
}

func (p *pool) tryMore() {
	p.changing.Lock()
	defer p.changing.Unlock()
	p.setLimit(min(p.limit+max(2, p.limit/4), p.max))
}

// A counted connection calls gone when it is closed.
type counted struct {
	session
	gone func()
}

func (c *counted) Close() error {
	defer c.gone()
	return c.session.Close()
}

// A session has all interfaces that the driver's connections implement.
type session interface {
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

// single makes a connection in addition to those of a pool. If the server refuses it
// because of the number of connections, the pool closes one of its own.
type single struct {
	driver.Connector
	pool *pool
}

func (s single) Connect(ctx context.Context) (driver.Conn, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		conn, err := s.Connector.Connect(ctx)
		if !tooMany(err) {
			return conn, err
		}
		s.pool.giveUpOne()
		if !sqlstore.Sleep(ctx, pause) {
			return nil, err
		}
	}
}

// single returns a pool with one connection that has no read timeout: only the context
// bounds how long it waits for an answer. Moving a partition's rows may take long.
func (p *pool) single() *sql.DB {
	db := sql.OpenDB(single{patient{p.sessions.(*servers)}, p})
	db.SetMaxOpenConns(1)
	return db
}

// tooMany reports whether the server refused a connection because there are too many.
func tooMany(err error) bool {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Number {
	case errTooMany, errTooManyOfUser:
		return true
	case errUserLimit: // it can be another limit of the user
		return strings.Contains(e.Message, "connections")
	}
	return false
}

// A refusal is the server's error that refused a connection. It wraps driver.ErrBadConn,
// which makes database/sql ask for a connection again.
type refusal struct{ error }

func (r *refusal) Unwrap() []error { return []error{r.error, driver.ErrBadConn} }
