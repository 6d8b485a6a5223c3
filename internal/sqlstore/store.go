// Package sqlstore is what stores on SQL databases share: accounts, links, lists, keys, the
// click log and its application, the history, sums, conversions, and alerts.
//
// A store's package opens the database, makes the tables and removes days of the history,
// and has a [Dialect]. Its type embeds a [Store], so that a Store's exported methods are
// also its own.
package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
)

// A Store implements [linktrack.Store], except PruneClicks, in a database.
type Store struct {
	d         *Dialect
	db        *database // takes everything that writes
	readDB    *database // takes the reads that are not part of a transaction
	txOptions *sql.TxOptions

	reading *readers
	behind  behind
	texts   textCache // used by Clicks

	insertLog statement           // used by AppendClicks
	prepared  *preparedStatements // of transactions; nil: they are not prepared

	isOwn    atomic.Bool                                      // own has found no mark, or removed it
	makeDays func(ctx context.Context, first time.Time) error // see OnCopy; nil: nothing

	// Used by ApplyClicks:
	changesPruned time.Time        // see pruneChanges. Guarded by applying
	holder        linktrack.Source // identifies this Store as the holder of the lease
	applying      chan struct{}    // holds a value while a call applies the log
	pace          pace
	textUsage     *usage
	textSecret    []byte   // the key of the ids of lt_text; nil: not read yet
	quarantined   *badRows // the last one that no call has returned yet; nil: none. Guarded by applying
}

// New returns a Store that writes through one pool and reads through the other one, which
// may be the same. Its transactions begin with the options, which may be nil.
func New(d *Dialect, write, read *sqlx.DB, o *sql.TxOptions) *Store {
	var prepared *preparedStatements
	if d.PartSizes != nil {
		prepared = &preparedStatements{prepared: make(map[string]*sql.Stmt)}
	}
	return &Store{
		prepared:  prepared,
		d:         d,
		db:        &database{write, d},
		readDB:    &database{read, d},
		txOptions: o,
		reading:   &readers{freed: make(chan struct{}, 1)},
		texts:     newTextCache(),
		insertLog: statement{sql: insertLog},
		holder:    newSource(),
		pace:      pace{stepTime: d.StepTime},
		applying:  make(chan struct{}, 1),
		textUsage: newUsage(),
	}
}

func (s *Store) failed(op string, err error) error { return s.d.Failed(op, err) }

// A database is a pool with its dialect.
type database struct {
	*sqlx.DB
	*Dialect
}

func (db *database) dialect() *Dialect { return db.Dialect }

// A transaction has the dialect of its database.
type transaction struct {
	*sqlx.Tx
	*Dialect
	prepared *preparedStatements // nil: they are not prepared
}

func (tx *transaction) dialect() *Dialect { return tx.Dialect }

// A querier is a database or a transaction.
type querier interface {
	sqlx.QueryerContext
	dialect() *Dialect
}

// transact runs do in a transaction. If that was rolled back, or never began, because of
// another transaction or of the server, it is run again.
func (s *Store) transact(ctx context.Context, do func(*transaction) error) error {
	return s.transactAgain(ctx, do, false)
}

// transactTwice is transact for a transaction that changes nothing if it is committed a
// second time. It is also run again if it is not known whether it was committed.
func (s *Store) transactTwice(ctx context.Context, do func(*transaction) error) error {
	return s.transactAgain(ctx, do, true)
}

func (s *Store) transactAgain(ctx context.Context, do func(*transaction) error, twice bool) error {
	for a := (attempt{d: s.d}); ; {
		committing, err := s.transactOnce(ctx, do)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errRowsChanged):
			if !a.pause(ctx) {
				return err
			}
			continue
		}
		a.twice = twice || !committing // what was not to be committed was rolled back
		if !a.again(ctx, err) {
			return err
		}
	}
}

// mayRepeat reports whether a transaction was rolled back because it conflicted with
// another one, so that it can be run again.
func (s *Store) mayRepeat(err error) bool {
	return err != nil && (s.d.Is(err, Conflict) || errors.Is(err, errRowsChanged))
}

// transactOnce also reports whether the transaction was to be committed.
func (s *Store) transactOnce(ctx context.Context, do func(*transaction) error) (committing bool, err error) {
	defer func() {
		if errors.Is(err, driver.ErrBadConn) && ctx.Err() != nil {
			err = ctx.Err() // the driver has closed the connection because ctx has ended
		}
	}()
	if s.prepared != nil {
		s.prepared.prepare(ctx, s.db)
	}
	tx, err := s.db.BeginTxx(ctx, s.txOptions)
	if err != nil {
		return false, err
	}
	defer tx.Rollback() // after Commit it does nothing
	if err := do(&transaction{tx, s.d, s.prepared}); err != nil {
		return false, err
	}
	return true, tx.Commit()
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

// fit checks that a text fits its column of limit bytes. Not every database refuses a
// longer one itself.
func fit(column, text string, limit int) error {
	if len(text) > limit {
		return fmt.Errorf("%s has %d bytes, but the limit is %d", column, len(text), limit)
	}
	return nil
}
