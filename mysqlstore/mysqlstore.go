// Package mysqlstore keeps linktrack's accounts, links and clicks in MySQL
// (8.0.22 or newer) or MariaDB (10.11 or newer).
//
//	store, err := mysqlstore.Open("user:password@tcp(127.0.0.1:3306)/links")
//	if err != nil { … }
//	defer store.Close()
//	if err := store.Migrate(ctx); err != nil { … }
//	t, err := linktrack.New(store, linktrack.Options{…})
//
// All its tables begin with lt_, so it can share a database with other
// programs. It needs InnoDB. If the server has a binary log, its format must be ROW
// or MIXED: the Store uses READ COMMITTED, with which servers refuse STATEMENT.
//
// On a cluster such as Galera, processes may append and apply clicks on different
// nodes: appends share no rows, and a step that conflicts with one on another node
// is rolled back and tried again. Other calls that two nodes make at the same time on the same row
// may fail with an error, and [Store.Migrate] excludes only processes on the same
// node. So connect all processes to the same node where you can.
//
// The caller must call [Store.Migrate] at each start. Migrate and [Store.PruneClicks]
// also create the day partitions of the next month. The Tracker calls PruneClicks once
// a day unless history is kept forever. Without these partitions, no click is lost,
// but deleting old days takes longer.
package mysqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
)

// A Store is a [linktrack.Store] on MySQL or MariaDB. It is made by [Open] or
// [New].
type Store struct {
	db *sqlx.DB

	// Set by Open, whose sessions use READ COMMITTED; both are nil on a host's pool.
	// own is the configuration of the connections, and pool makes them.
	own  *mysql.Config
	pool *pool

	reading *readers

	insertLog statement // used by AppendClicks

	// Used by ApplyClicks:
	holder      linktrack.Source // identifies this Store as the holder of the lease
	applying    chan struct{}    // holds a value while a call applies the log
	pace        pace
	textUsage   *usage
	textSecret  []byte   // the key of the ids of lt_text; nil: not read yet
	quarantined *badRows // the last one that no call has returned yet; nil: none. Guarded by applying
}

var (
	_ linktrack.Store             = (*Store)(nil)
	_ linktrack.HostLister        = (*Store)(nil)
	_ linktrack.VisitorEraser     = (*Store)(nil)
	_ linktrack.ClickReclassifier = (*Store)(nil)
)

// New returns a Store that uses the caller's pool. The Store never closes the pool.
// The Store reads only integers and bytes, so most settings of the pool do not
// matter to it: parseTime, loc, charset, clientFoundRows, columnsWithAlias, the
// isolation level, and the usual values of sql_mode. The sessions must have
// autocommit on, sql_safe_updates off (both are the defaults), and an sql_mode
// without EMPTY_STRING_IS_NULL. interpolateParams=true saves round trips.
//
// Set db.SetMaxOpenConns to at most the number that the server allows the user.
// The server refuses further connections, and the calls that need them fail.
func New[DB *sql.DB | *sqlx.DB](db DB) *Store {
	return &Store{
		db:        wrap(db),
		reading:   &readers{freed: make(chan struct{}, 1)},
		insertLog: statement{sql: insertLog},
		holder:    newSource(),
		applying:  make(chan struct{}, 1),
		textUsage: newUsage(),
	}
}

func wrap(db any) *sqlx.DB {
	if x, ok := db.(*sqlx.DB); ok {
		return x
	}
	return sqlx.NewDb(db.(*sql.DB), "mysql")
}

// transact runs do in a transaction at READ COMMITTED. If the transaction was rolled back
// because of another one (see mayRepeat), it is run again after a random pause, which
// keeps the two from colliding again.
func (s *Store) transact(ctx context.Context, do func(*sqlx.Tx) error) error {
	for try := 1; ; try++ {
		err := s.transactOnce(ctx, do)
		if try == maxTries || !mayRepeat(err) {
			return err
		}
		select {
		case <-time.After(rand.N(time.Duration(try) * deadlockPause)):
		case <-ctx.Done():
			return err
		}
	}
}

const (
	maxTries      = 12 // of a transaction
	deadlockPause = 10 * time.Millisecond
)

func (s *Store) transactOnce(ctx context.Context, do func(*sqlx.Tx) error) (err error) {
	defer func() {
		if errors.Is(err, driver.ErrBadConn) && ctx.Err() != nil {
			err = ctx.Err() // the driver has closed the connection because ctx has ended
		}
	}()
	var o *sql.TxOptions
	if s.own == nil {
		o = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	tx, err := s.db.BeginTxx(ctx, o)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// micros returns a time as it is stored: in microseconds since 1970, and 0 for the
// zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if n := t.UnixMicro(); n != 0 {
		return n
	}
	return 1 // 0 stands for the zero time
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// fit checks that a text fits its column of limit bytes. A server in strict mode refuses
// a longer text itself, but the sessions of a host's pool may not be strict, and the
// server would then truncate it.
func fit(column, text string, limit int) error {
	if len(text) > limit {
		return fmt.Errorf("%s has %d bytes, but the limit is %d", column, len(text), limit)
	}
	return nil
}
