package sqlstore

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"time"
)

// Statements and transactions are run again, after a random pause, until they succeed, fail
// with an error that stays, or their context ends. What may be run again depends on what the
// first run may have done:
//
//   - Conflict and Refused: nothing. Everything is run again.
//   - Unknown: all or nothing. Only what may happen twice is run again: reads, the append of a
//     batch, whose key is then taken, and a reservation, which is then found.
//
// An error of a server that cannot be reached is in none of these classes: the call fails at
// once.

const (
	maxPause = 50 * time.Millisecond // between two runs
	maxAgain = 30 * time.Second      // of a call, for contexts that do not end
)

// An attempt is a run of what may be run again.
type attempt struct {
	d     *Dialect
	twice bool // it may happen twice
	runs  int
	until time.Time
}

// again reports whether the caller is to run it again, after a pause, because it has failed
// with err.
func (a *attempt) again(ctx context.Context, err error) bool {
	if err == nil || !a.d.Is(err, Conflict) && !a.d.Is(err, Refused) && !(a.twice && a.d.Is(err, Unknown)) {
		return false
	}
	return a.pause(ctx)
}

// pause waits for a random time, which keeps two transactions from colliding again. It
// returns false if the context has ended, or will.
func (a *attempt) pause(ctx context.Context) bool {
	now := time.Now()
	if a.until.IsZero() {
		a.until = now.Add(maxAgain)
	}
	a.runs++
	return now.Before(a.until) && Sleep(ctx, rand.N(min(time.Duration(a.runs)*deadlockPause, maxPause)))
}

const deadlockPause = 10 * time.Millisecond

// ExecContext executes a statement that is a transaction of its own.
func (db *database) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	for a := (attempt{d: db.Dialect}); ; {
		res, err := db.DB.ExecContext(ctx, query, args...)
		if !a.again(ctx, err) {
			return res, err
		}
	}
}

// QueryContext executes a query that changes nothing.
func (db *database) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	for a := (attempt{d: db.Dialect, twice: true}); ; {
		rows, err := db.DB.QueryContext(ctx, query, args...)
		if !a.again(ctx, err) {
			return rows, err
		}
	}
}

// QueryRowContext returns the first row of a query that changes nothing.
func (db *database) QueryRowContext(ctx context.Context, query string, args ...any) *row {
	return &row{ctx, db, query, args}
}

// A row is executed by Scan, as those of database/sql.
type row struct {
	ctx   context.Context
	db    *database
	query string
	args  []any
}

func (r *row) Scan(to ...any) error {
	for a := (attempt{d: r.db.Dialect, twice: true}); ; {
		err := r.db.DB.QueryRowContext(r.ctx, r.query, r.args...).Scan(to...)
		if !a.again(r.ctx, err) {
			return err
		}
	}
}

// SelectContext reads all rows of a query that changes nothing into a slice.
func (db *database) SelectContext(ctx context.Context, to any, query string, args ...any) error {
	for a := (attempt{d: db.Dialect, twice: true}); ; {
		err := db.DB.SelectContext(ctx, to, query, args...)
		if !a.again(ctx, err) {
			return err
		}
	}
}
