package sqlstore

import "context"

// Processes of the previous version write facts about the clicks that they count to
// lt_pending, and later add them to the sums. Facts that are still there are moved to the
// click log.

// The ids of lt_pending may be in no order of time: each turn reads the lowest ones that are
// there, and facts may be added to the sums in any order.

// pendingRows is the maximum number of rows of lt_pending that one transaction moves.
const pendingRows = 500

// takePending moves the rows of lt_pending to the log. Processes of the previous version
// lock the row of lt_roll while they add facts to the sums. takePending locks it, too, so
// that no fact is added twice.
func (s *Store) takePending(ctx context.Context) error {
	for {
		moved := 0
		err := s.transact(ctx, func(tx *transaction) error {
			if _, err := tx.ExecContext(ctx, `UPDATE lt_roll SET lease_steps = lease_steps + 1 WHERE id = 1`); err != nil {
				return err
			}
			var ids []int64
			if err := tx.SelectContext(ctx, &ids, `SELECT id FROM lt_pending ORDER BY id LIMIT ?`, pendingRows); err != nil {
				return err
			}
			if moved = len(ids); moved == 0 {
				return nil
			}
			source := newSource()
			var insert, remove builder
			insert.add(`
				INSERT INTO lt_log (source, seq, kind, at, clicks, bytes, data)
				SELECT ?, id, ?, `+tx.Now+` * 1000000, 0, LENGTH(facts), facts FROM lt_pending WHERE id IN `, source[:], kindFacts)
			insert.inNumbers(ids)
			remove.add(`DELETE FROM lt_pending WHERE id IN `)
			remove.inNumbers(ids)
			inserted, err := insert.affect(ctx, tx)
			if err != nil {
				return err
			}
			removed, err := remove.affect(ctx, tx)
			if err == nil && (inserted != int64(moved) || removed != int64(moved)) {
				err = errRowsChanged
			}
			return err
		})
		if err != nil || moved < pendingRows {
			return err
		}
	}
}
