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
// programs. It needs InnoDB, and a binary log, if there is one, in ROW or
// MIXED format: it works at READ COMMITTED, where STATEMENT is refused.
//
// On a cluster such as Galera, processes may append and apply clicks on different
// nodes: appends share no rows, and a step that conflicts with another node's
// changes nothing. Other calls that two nodes make at the same time on the same row
// may fail with an error, and [Store.Migrate] excludes only processes on the same
// node. So connect all processes to the same node where you can.
//
// The caller must call [Store.Migrate] at each start. It also makes the day
// partitions of the next month. So does [Store.PruneClicks], which the Tracker
// calls once a day unless history is kept forever. Without these partitions,
// clicks are just as safe, but dropping their days takes longer.
package mysqlstore

import (
	"context"
	"database/sql"
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

	// own is how to connect, and pool the connections, if Open made them: the
	// sessions then are at READ COMMITTED. Both are nil on a host's pool.
	own  *mysql.Config
	pool *pool

	reading *readers

	insertLog statement // of AppendClicks

	// of ApplyClicks
	holder      linktrack.Source // this Store's name as the holder of the lease
	applying    chan struct{}    // holds a value while a call applies the log
	pace        pace
	quarantined *badRows // since the last call, nil: none; used by the call that has put its value in applying
}

var (
	_ linktrack.Store      = (*Store)(nil)
	_ linktrack.HostLister = (*Store)(nil)
)

// New returns a Store on the caller's own pool, which stays the caller's to
// close. Any settings of the DSN will do: the Store asks the driver for whole
// numbers and bytes only, so parseTime, loc, charset, clientFoundRows,
// columnsWithAlias, the usual sql_modes and isolation do not matter to it. Only
// autocommit must be on and sql_safe_updates off, as they are by default, and
// sql_mode without EMPTY_STRING_IS_NULL. interpolateParams=true saves round
// trips.
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
	}
}

func wrap(db any) *sqlx.DB {
	if x, ok := db.(*sqlx.DB); ok {
		return x
	}
	return sqlx.NewDb(db.(*sql.DB), "mysql")
}

// transact runs do in a transaction at READ COMMITTED. One that changed nothing because
// of another one is run again, after a random pause, so that transactions which met once
// do not meet again.
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

func (s *Store) transactOnce(ctx context.Context, do func(*sqlx.Tx) error) error {
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

// micros is how a time is kept: microseconds since 1970, 0 for never.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if n := t.UnixMicro(); n != 0 {
		return n
	}
	return 1 // the first moment of 1970 is not never
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// fit holds a text to its column. A session in strict mode would refuse what
// is too long; a host's own may not be strict, and would cut it.
func fit(column, text string, most int) error {
	if len(text) > most {
		return fmt.Errorf("%s has %d bytes, at most %d can be kept", column, len(text), most)
	}
	return nil
}
