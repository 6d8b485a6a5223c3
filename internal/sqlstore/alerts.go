package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/linktrackhq/linktrack"
)

// finished is the value of lt_alert.due for a delivered alert: it is never due again.
const finished = math.MaxInt64

// LeaseAlert implements [linktrack.AlertStore].
func (s *Store) LeaseAlert(ctx context.Context, now, until time.Time) (linktrack.PendingAlert, error) {
	const op = "lease an alert"
	for {
		// The link is read before the lease is taken: an error after that would
		// leave a leased alert that nobody delivers.
		var a linktrack.PendingAlert
		var due, reached int64
		row := s.readDB.QueryRowContext(ctx, `
			SELECT a.link_id, a.kind, a.number, a.reached, a.due, a.tries,`+linkColumns+`
			FROM lt_alert a`+s.d.Join+`lt_link l ON l.id = a.link_id`+s.d.Join+`lt_count c ON c.link_id = a.link_id
			WHERE a.due <= ? ORDER BY a.due LIMIT 1`, micros(now))
		var err error
		a.Link, err = scanLink(leading{row, []any{&a.ID.Link, &a.ID.Kind, &a.ID.Count, &reached, &due, &a.Tries}})
		if errors.Is(err, sql.ErrNoRows) {
			return linktrack.PendingAlert{}, linktrack.ErrNotFound
		}
		if err != nil {
			return linktrack.PendingAlert{}, s.failed(op, err)
		}
		res, err := s.db.ExecContext(ctx, `
			UPDATE lt_alert SET due = ?, tries = tries + 1
			WHERE link_id = ? AND kind = ? AND number = ? AND due = ? AND tries = ?`,
			micros(until), a.ID.Link, []byte(a.ID.Kind), a.ID.Count, due, a.Tries)
		if err != nil {
			return linktrack.PendingAlert{}, s.failed(op, err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return linktrack.PendingAlert{}, s.failed(op, err)
		}
		if n > 0 {
			a.Tries++
			a.Reached = fromMicros(reached)
			return a, nil
		}
		// Another caller has leased it in between: try the next one.
	}
}

// leading scans the first columns of a row into first, and the remaining ones into the
// arguments of Scan.
type leading struct {
	row   interface{ Scan(...any) error }
	first []any
}

func (l leading) Scan(rest ...any) error { return l.row.Scan(append(l.first, rest...)...) }

// FinishAlert implements [linktrack.AlertStore].
func (s *Store) FinishAlert(ctx context.Context, id linktrack.AlertID) error {
	return s.due(ctx, "finish an alert", id, finished)
}

// PostponeAlert implements [linktrack.AlertStore].
func (s *Store) PostponeAlert(ctx context.Context, id linktrack.AlertID, next time.Time) error {
	return s.due(ctx, "postpone an alert", id, micros(next))
}

// due sets the time at which an alert is due, unless it is finished.
func (s *Store) due(ctx context.Context, op string, id linktrack.AlertID, due int64) error {
	_, err := s.db.ExecContext(ctx, `
		UPDATE lt_alert SET due = ? WHERE link_id = ? AND kind = ? AND number = ? AND due < ?`,
		due, id.Link, []byte(id.Kind), id.Count, int64(finished))
	if err != nil {
		return s.failed(op, err)
	}
	return nil
}
