package sqlstore

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
	if err := s.own(ctx); err != nil {
		return 0, s.failed(op, err)
	}
	if n < 1 {
		return 0, s.failed(op, fmt.Errorf("%d is not a number of people: it must be at least 1", n))
	}
	for try := 1; ; try++ {
		granted, err := s.d.Reserve(ctx, s.db.DB, link, n)
		if try < maxTries && s.mayRepeat(err) && pause(ctx, try) {
			continue
		}
		if err != nil {
			return 0, s.failed(op, err)
		}
		if granted > 0 {
			return int(granted), nil
		}
		var deleted bool
		var limit, used, total int64
		err = s.readDB.QueryRowContext(ctx, `SELECT is_deleted, deactivate_at, used, total FROM lt_count WHERE link_id = ?`, link).
			Scan(&deleted, &limit, &used, &total)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return 0, linktrack.ErrNotFound
		case err != nil:
			return 0, s.failed(op, err)
		case deleted:
			return 0, nil
		case limit == 0:
			return n, nil
		case used >= limit, total >= limit:
			return 0, nil
		}
		// The limit was raised in between: try again.
	}
}
