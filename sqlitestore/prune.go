package sqlitestore

import (
	"context"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

// prunedAtOnce is the number of clicks or texts that one statement of PruneClicks removes.
// Other writes wait for it, about as long as for a step of ApplyClicks. More at a time are
// cheaper, because their keys are on the same pages of the index by link. A table for each
// day could be dropped at once, but then each history would be read from as many tables as
// there are days.
const prunedAtOnce = 10000

// PruneClicks removes from the history the clicks of all days (UTC) that ended at or before
// the given time. Counts and roll-ups stay. It removes some at a time, so that other writes
// wait for a short time only. If it is interrupted, a later call removes the rest.
func (s *Store) PruneClicks(ctx context.Context, before time.Time) error {
	const op = "prune clicks"
	if err := sqlstore.PruneSources(ctx, s.shared); err != nil {
		return failed(op, err)
	}
	until := before.UTC().Truncate(24 * time.Hour)
	if until.Unix() <= 0 {
		return nil // no click is older
	}
	if err := sqlstore.NotePruned(ctx, s.write, s.shared, until); err != nil {
		return failed(op, err)
	}
	first := linktrack.FirstClickID(until)
	// The texts of a day go after the clicks that have them.
	err := s.remove(ctx, `DELETE FROM lt_hit WHERE rowid IN (SELECT rowid FROM lt_hit INDEXED BY lt_hit_id WHERE id < ? LIMIT ?)`, first[:])
	if err == nil {
		err = s.remove(ctx, `DELETE FROM lt_text WHERE (day, id) IN (SELECT day, id FROM lt_text WHERE day < ? LIMIT ?)`, until.Unix()/86400)
	}
	if err != nil {
		return failed(op, err)
	}
	return nil
}

// remove runs a statement until it removes no more rows. Its arguments are a bound and the
// number of rows.
func (s *Store) remove(ctx context.Context, statement string, bound any) error {
	for {
		res, err := s.write.ExecContext(ctx, statement, bound, prunedAtOnce)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n < prunedAtOnce {
			return err
		}
	}
}
