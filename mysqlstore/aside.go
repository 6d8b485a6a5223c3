package mysqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Facts that can not be worked in stay in lt_pending under the negative of
// their id, where nobody looks for them but Migrate.

// badRows are rows of lt_pending that can not be worked in, at least one of
// them, because of what is in it or in the roll-ups it goes to.
type badRows struct {
	ids []int64
	err error
}

func (b *badRows) Error() string {
	return fmt.Sprintf("sums of clicks cannot be worked in and are set aside until Migrate is called: %v", b.err)
}

func (b *badRows) Unwrap() error { return b.err }

var errDay = errors.New("a row of lt_day cannot be read")

// isBad reports whether an error is about what is in rows.
func isBad(err error) bool {
	switch number(err) {
	case errDuplicate, errOutOfRange,
		1264, // out of range
		1366, // incorrect string
		1406: // data too long
		return true
	}
	return errors.Is(err, errFacts) || errors.Is(err, errDay)
}

// quarantine takes rows out of the way of those behind them.
func (s *Store) setAside(ctx context.Context, bad *badRows) error {
	var p builder
	p.add(`UPDATE lt_pending SET id = -id WHERE id IN `)
	p.inNumbers(bad.ids)
	res, err := s.db.ExecContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err // another process has done it
	}
	s.aside.Store(bad)
	return nil
}

// restore puts back what was set aside, as new rows: a newer version may be able
// to read it, or somebody has mended the roll-ups.
func restore(ctx context.Context, conn *sql.Conn) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, `INSERT INTO lt_pending (last_link, facts) SELECT last_link, facts FROM lt_pending WHERE id < 0`); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM lt_pending WHERE id < 0`); err != nil {
		return err
	}
	return tx.Commit()
}
