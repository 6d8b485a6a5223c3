package mysqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/fnv"
	random "math/rand/v2"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

// One process at a time changes the tables. Two locks see to that:
//
//   - GET_LOCK on the server. The server releases it when the process ends. On a cluster, it
//     is a lock on one node only.
//   - The lease in lt_lease, which is a row that is written, so of two processes on different
//     nodes only one can take it. A process renews it before each statement.
//
// A statement can take longer than the lease. So another process may change the tables at the
// same time in spite of the locks. Each statement does no harm if it runs twice, and after an
// error that another process can have caused, the work begins anew.

const (
	schemaLease = 30 * time.Second
	maxTries    = 10
	triesPause  = 100 * time.Millisecond
)

const leaseTable = `CREATE TABLE IF NOT EXISTS lt_lease (
	name    VARBINARY(64)  NOT NULL,
	holder  VARBINARY(16)  NOT NULL,
	server  VARBINARY(767) NOT NULL, -- on which the holder has its lock
	ends_at BIGINT         NOT NULL, -- in seconds since 1970, by the clock of the server
	changes BIGINT         NOT NULL, -- so that each UPDATE changes the row
	PRIMARY KEY (name)) ENGINE=InnoDB`

// errLeaseLost is the error of a statement that was not run because another process has the
// lease.
var errLeaseLost = errors.New("another process changes the tables")

// A leasedConn is a connection that runs statements only while its process has the lease.
type leasedConn struct {
	*sql.Conn
	holder []byte
	server string
}

// ExecContext renews the lease first.
func (c *leasedConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := c.renew(ctx); err != nil {
		return nil, err
	}
	return c.Conn.ExecContext(ctx, query, args...)
}

// take takes the lease, or reports false if another process has it. A lease of a process on
// the same server is left over: this one has the server's lock.
func (c *leasedConn) take(ctx context.Context) (bool, error) {
	for try := 1; ; try++ {
		taken, err := c.update(ctx, `ends_at NOT BETWEEN UNIX_TIMESTAMP() AND UNIX_TIMESTAMP() + ? OR server = ?`, int(schemaLease.Seconds()), []byte(c.server))
		if taken || err != nil && number(err) != errNoSuchTable {
			return taken, err
		}
		var found int
		if err == nil {
			err = c.Conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM lt_lease WHERE name = 'schema'`).Scan(&found)
		} else if _, err = c.Conn.ExecContext(ctx, leaseTable); err != nil {
			return false, denied("migrate", err)
		}
		if err != nil || found == 1 || try == maxTries {
			return false, err
		}
		_, err = c.Conn.ExecContext(ctx, `INSERT IGNORE INTO lt_lease (name, holder, server, ends_at, changes) VALUES ('schema', '', '', 0, 0)`)
		if err != nil {
			return false, err
		}
	}
}

func (c *leasedConn) renew(ctx context.Context) error {
	still, err := c.update(ctx, `holder = ?`, c.holder)
	if err == nil && !still {
		err = errLeaseLost
	}
	return err
}

// update makes this process the holder if the condition is met.
func (c *leasedConn) update(ctx context.Context, condition string, args ...any) (bool, error) {
	res, err := c.Conn.ExecContext(ctx, `
		UPDATE lt_lease SET holder = ?, server = ?, ends_at = UNIX_TIMESTAMP() + ?, changes = changes + 1
		WHERE name = 'schema' AND (`+condition+`)`, append([]any{c.holder, []byte(c.server), int(schemaLease.Seconds())}, args...)...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// end ends the lease. It ignores an error, because the lease expires.
func (c *leasedConn) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, _ = c.Conn.ExecContext(ctx, `UPDATE lt_lease SET ends_at = 0, changes = changes + 1 WHERE name = 'schema' AND holder = ?`, c.holder)
}

// alone runs work on a separate connection while no other process changes the tables of the
// same database. It waits for others until the context ends. The connection is closed
// afterwards, which releases the server's lock and discards the settings of the session.
func (s *Store) alone(ctx context.Context, op string, work func(*leasedConn) error) error {
	db := s.db.DB
	if s.pool != nil {
		db = s.pool.single()
		defer db.Close()
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return failed(op, err)
	}
	defer conn.Close()
	defer conn.Raw(func(any) error { return driver.ErrBadConn })

	// work waits for the lock of a table for a minute at most: other statements on
	// the table have to wait behind it.
	_, err = conn.ExecContext(ctx, `SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', lock_wait_timeout = 60`)
	if err != nil {
		return failed(op, err)
	}
	var database sql.NullString
	c := &leasedConn{Conn: conn, holder: make([]byte, 16)}
	rand.Read(c.holder) // never fails
	if err := conn.QueryRowContext(ctx, `SELECT DATABASE(), CONCAT(@@hostname, ':', @@port, @@datadir)`).Scan(&database, &c.server); err != nil {
		return failed(op, err)
	}
	if !database.Valid {
		return errors.New("mysqlstore: the connection has no database selected")
	}
	busy := func() error {
		return &sentence{"mysqlstore: " + op + ": another process was still busy with it when the context ended", ctx.Err()}
	}
	// The server's databases share the names of locks, and a name may have at most 64
	// characters.
	h := fnv.New64a()
	h.Write([]byte(database.String))
	lock := fmt.Sprintf("linktrack.%x", h.Sum64())
	for locked := false; !locked; {
		var got sql.NullInt64
		err := conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT GET_LOCK('%s', 5)`, lock)).Scan(&got)
		if ctx.Err() != nil {
			return busy()
		}
		if err != nil {
			return failed(op, err)
		}
		locked = got.Int64 == 1
	}
	defer c.end(ctx)
	for try := 1; ; {
		taken, err := c.take(ctx)
		if taken {
			err = work(c)
		}
		switch {
		case err == nil && taken:
			return nil
		case ctx.Err() != nil && (err == nil || errors.Is(err, errLeaseLost)):
			return busy()
		case err == nil, errors.Is(err, errLeaseLost): // wait for the other process
		case maybeOfOthers(err) && try < maxTries:
			try++
		case !taken:
			return denied(op, err)
		default:
			return err
		}
		if !sqlstore.Sleep(ctx, random.N(time.Duration(try)*triesPause)) {
			return busy()
		}
	}
}

// maybeOfOthers reports whether the cause of an error can be that another process changed the
// tables or the rows at the same time. The work then finds another state when it begins anew.
func maybeOfOthers(err error) bool {
	return isClass(err, sqlstore.Conflict) || slices.Contains(changedByOthers, number(err))
}

var changedByOthers = []uint16{
	1050, // the table exists
	1054, // unknown column
	errDuplicateColumn,
	errDuplicateKey,
	errDuplicate, // also of a migration
	1072,         // the column of an index does not exist
	errNoSuchColumn,
	errNoSuchTable,
	1180, // the transaction was rolled back at the commit
	1493, // the days are not in order
	1505, // the table has no partitions
	1507, // the partition to be removed does not exist
	1508, // it is the last one
	1517, // the partition exists
	1735, // unknown partition
}
