package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/linktrackhq/linktrack"
)

// noteChange adds a change in the transaction that makes it. Callers do so at the end, so
// that it is committed soon after made_at.
func noteChange(ctx context.Context, tx *transaction, link int64, name linktrack.LinkName) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO lt_change (link, host, path_key, made_at) VALUES (?, ?, ?, `+tx.Now+`)`,
		link, []byte(name.Host), []byte(name.Key))
	return err
}

// Changes implements [linktrack.ChangeLister]. It goes by made_at, because ids are in no order
// where several servers give them. made_at has whole seconds.
func (s *Store) Changes(ctx context.Context, within time.Duration, limit int) ([]linktrack.Change, error) {
	const op = "list changes"
	if limit < 1 {
		return nil, s.failed(op, fmt.Errorf("%d is not a limit: it must be at least 1", limit))
	}
	changes := []linktrack.Change{}
	var p builder
	p.add(`SELECT id, link, host, path_key FROM lt_change WHERE made_at >= `+s.d.Now+` - ? LIMIT ?`, int64(within/time.Second)+1, limit)
	err := p.each(ctx, s.readDB, func(row *sql.Rows) error {
		var c linktrack.Change
		err := row.Scan(&c.ID, &c.Link, (*text)(&c.Name.Host), (*text)(&c.Name.Key))
		changes = append(changes, c)
		return err
	})
	if err != nil {
		return nil, s.failed(op, err)
	}
	return changes, nil
}

const (
	changeSeconds = 600              // how long a change is kept
	changesEvery  = 30 * time.Second // how often old ones are removed
)

// pruneChanges removes old changes from time to time.
func (s *Store) pruneChanges(ctx context.Context) error {
	if time.Since(s.changesPruned) < changesEvery {
		return nil
	}
	s.changesPruned = time.Now()
	for {
		var last int64
		err := s.readDB.QueryRowContext(ctx, `SELECT MAX(made_at) FROM (
			SELECT made_at FROM lt_change WHERE made_at < `+s.d.Now+` - ?
			ORDER BY made_at LIMIT ?) o HAVING MAX(made_at) > 0`, changeSeconds, rowsAtOnce).Scan(&last)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		var p builder
		p.add(`DELETE FROM lt_change WHERE made_at <= ?`, last)
		if err := p.exec(ctx, s.db); err != nil {
			if s.mayRepeat(err) { // another process removes them
				return nil
			}
			return err
		}
	}
}
