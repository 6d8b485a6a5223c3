package sqlstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/linktrackhq/linktrack"
)

// badRows is the error of a step of which at least one row cannot be applied. The cause is
// the content of that row, or of a sum that it is added to.
type badRows struct {
	rows []logRow
	at   int // the index of the row that cannot be applied; -1: it is not known
	err  error
}

func (b *badRows) Error() string {
	return fmt.Sprintf("a batch of the click log cannot be applied and is quarantined until RequeueClicks or Migrate is called: %v", b.err)
}

func (b *badRows) Unwrap() error { return b.err }

// isolate returns the maximum number of rows for the next step. It gets smaller from step to
// step until the row that cannot be applied is alone in its step. The rows before it are
// applied by then, as quarantine requires to raise its source's mark.
func (b *badRows) isolate() int {
	if b.at >= 0 {
		return max(b.at, 1)
	}
	return len(b.rows) / 2
}

var errDay = errors.New("a row of lt_day or lt_sum cannot be read")

// isBad reports whether the content of the rows is the cause of an error.
func (r *logRows) isBad(tx *transaction, err error) bool {
	return len(r.all) > 0 && (r.at >= 0 || errors.Is(err, errDay) || tx.Is(err, BadValue))
}

// quarantine marks the only row of bad as quarantined, so that the rows behind it can be
// applied.
func (s *Store) quarantine(ctx context.Context, bad *badRows) error {
	row := bad.rows[0]
	err := s.transact(ctx, func(tx *transaction) error {
		from, err := s.lockLease(ctx, tx)
		if err != nil {
			return err
		}
		if err := raiseMarks(ctx, tx, []logRow{row}); err != nil {
			return err
		}
		if err := s.keepLease(ctx, tx, from, false); err != nil {
			return err
		}
		var p builder
		p.add(`UPDATE lt_log SET is_quarantined = 1 WHERE source = ? AND seq = ? AND is_quarantined = 0`, row.source[:], row.seq)
		return p.affectAll(ctx, tx, 1)
	})
	if err == nil {
		s.quarantined = bad
	}
	return err
}

// RequeueClicks implements [linktrack.ClickStore]. It gives the batches a new source: the
// mark of their own source says that they were applied.
func (s *Store) RequeueClicks(ctx context.Context) (clicks int64, err error) {
	err = s.transact(ctx, func(tx *transaction) error {
		clicks, err = requeue(ctx, tx)
		return err
	})
	if err != nil {
		return 0, s.failed("requeue clicks", err)
	}
	return clicks, nil
}

func requeue(ctx context.Context, tx *transaction) (clicks int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT source, seq, clicks FROM lt_log WHERE is_quarantined = 1 ORDER BY source, seq`+tx.ForUpdate)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var found []logKey
	for rows.Next() {
		var k logKey
		var source []byte
		var n int64
		if err := rows.Scan(&source, &k.seq, &n); err != nil {
			return 0, err
		}
		copy(k.source[:], source)
		found = append(found, k)
		clicks += n
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	source := newSource()
	for i, k := range found {
		var p builder
		p.add(`UPDATE lt_log SET source = ?, seq = ?, is_quarantined = 0 WHERE source = ? AND seq = ? AND is_quarantined = 1`,
			source[:], i+1, k.source[:], k.seq)
		if err := p.affectAll(ctx, tx, 1); err != nil {
			return 0, err
		}
	}
	return clicks, nil
}

// newSource returns a source that no other row has.
func newSource() (s linktrack.Source) {
	rand.Read(s[:]) // never fails
	return s
}
