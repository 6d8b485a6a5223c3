package mysqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/linktrackhq/linktrack"
)

// ReserveClicks implements [linktrack.ClickStore].
func (s *Store) ReserveClicks(ctx context.Context, link int64, n int) (granted int, err error) {
	const op = "reserve clicks"
	if n < 1 {
		return 0, failed(op, fmt.Errorf("%d is not a number of people: it must be at least 1", n))
	}
	for {
		// The UPDATE itself compares with the limit, because it locks the row before
		// it reads it. LAST_INSERT_ID returns how many clicks were granted. A row
		// that matches always changes, so RowsAffected does not depend on
		// clientFoundRows.
		res, err := s.db.ExecContext(ctx, `
			UPDATE lt_count
			SET used = GREATEST(used, total) + LAST_INSERT_ID(LEAST(?, deactivate_at - GREATEST(used, total)))
			WHERE link_id = ? AND is_deleted = 0 AND GREATEST(used, total) < deactivate_at`, n, link)
		if err != nil {
			return 0, failed(op, err)
		}
		affected, err := res.RowsAffected()
		if err != nil {
			return 0, failed(op, err)
		}
		if affected > 0 {
			id, err := res.LastInsertId()
			if err != nil {
				return 0, failed(op, err)
			}
			return int(id), nil
		}
		var deleted bool
		var limit, used int64
		err = s.db.QueryRowContext(ctx, `SELECT is_deleted, deactivate_at, GREATEST(used, total) FROM lt_count WHERE link_id = ?`, link).
			Scan(&deleted, &limit, &used)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return 0, linktrack.ErrNotFound
		case err != nil:
			return 0, failed(op, err)
		case deleted:
			return 0, nil
		case limit == 0:
			return n, nil
		case used >= limit:
			return 0, nil
		}
		// The limit was raised in between: try again.
	}
}
