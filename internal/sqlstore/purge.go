package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/linktrackhq/linktrack"
)

// DeletedLinks implements [linktrack.LinkStore]. It reads a range of an index.
func (s *Store) DeletedLinks(ctx context.Context, before time.Time, limit int) ([]int64, error) {
	const op = "list deleted links"
	if limit < 1 {
		return nil, s.failed(op, fmt.Errorf("the limit is %d", limit))
	}
	ids := []int64{}
	err := s.readDB.SelectContext(ctx, &ids, `
		SELECT id FROM lt_link`+s.d.Index("lt_link_deleted")+`
		WHERE deleted_at > 0 AND deleted_at < ? ORDER BY deleted_at, id LIMIT ?`, micros(before), limit)
	if err != nil {
		return nil, s.failed(op, err)
	}
	return ids, nil
}

// PurgeLink implements [linktrack.LinkStore].
//
//   - The first step marks the link, under the lock of ApplyClicks. From then on no
//     transaction adds rows for it, except RecordConversion. So what a later step has
//     deleted does not come back.
//   - The next steps delete from the tables that have many rows for a link.
//   - The last one deletes all else, and the link itself.
func (s *Store) PurgeLink(ctx context.Context, id int64, freePaths bool) error {
	err := s.withLease(ctx, func(tx *transaction) error { return s.beginPurge(ctx, tx, id) })
	if err == nil && s.d.OldTables { // before lt_hit, to which ReclassifyClicks moves clicks
		err = changeInSteps[[]byte](ctx, s, rowsOf{"lt_click", "link_id = ?", "id", deleted}, id)
	}
	if err == nil {
		err = changeInSteps[[]byte](ctx, s, rowsOf{"lt_hit", "link_id = ?", "id", deleted}, id)
	}
	if err == nil {
		err = changeInSteps[[]byte](ctx, s, rowsOf{"lt_conversion", "link_id = ?", "click_id", deleted}, id)
	}
	if err == nil {
		err = changeInSteps[int64](ctx, s, rowsOf{"lt_hour", "link_id = ?", "hour", deleted}, id)
	}
	if err == nil {
		err = changeInSteps[int64](ctx, s, rowsOf{"lt_day", "link_id = ?", "day", deleted}, id)
	}
	if err == nil {
		err = s.transact(ctx, func(tx *transaction) error { return endPurge(ctx, tx, id, freePaths) })
	}
	if err != nil && !errors.Is(err, linktrack.ErrNotFound) {
		err = s.failed("purge a link", err)
	}
	return err
}

// beginPurge marks a deleted link, and ends the lease.
func (s *Store) beginPurge(ctx context.Context, tx *transaction, id int64) error {
	from, err := s.lockLease(ctx, tx)
	if err != nil {
		return err
	}
	if _, _, err := lockDeleted(ctx, tx, id); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE lt_link SET is_purging = 1 WHERE id = ?`, id); err != nil {
		return err
	}
	return s.keepLease(ctx, tx, from, true)
}

// lockDeleted locks a deleted link and returns it.
func lockDeleted(ctx context.Context, tx *transaction, id int64) (l linktrack.Link, uncounted bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT uncounted FROM lt_link WHERE id = ? AND deleted_at > 0`+tx.ForUpdate, id).Scan(&uncounted)
	if err == nil {
		l, err = scanLink(tx.QueryRowContext(ctx, `
			SELECT `+linkColumns+` FROM lt_link l JOIN lt_count c ON c.link_id = l.id WHERE l.id = ?`, id))
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = linktrack.ErrNotFound
	}
	return l, uncounted, err
}

// endPurge deletes a link after its history and its sums. It locks rows in the order of
// UpdateLink.
func endPurge(ctx context.Context, tx *transaction, id int64, freePaths bool) error {
	l, uncounted, err := lockDeleted(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := leavePaths(ctx, tx, &l, freePaths); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM lt_rank WHERE link_id = ?`, id); err != nil {
		return err
	}
	untagged := l
	untagged.Tags = nil
	if err := editTags(ctx, tx, &l, &untagged); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM lt_count WHERE link_id = ?`, id); err != nil {
		return err
	}
	if err := purgeLateConversions(ctx, tx, id); err != nil {
		return err
	}
	for _, stmt := range []string{`DELETE FROM lt_reservation WHERE link_id = ?`, `DELETE FROM lt_alert WHERE link_id = ?`} {
		if _, err := tx.ExecContext(ctx, stmt, id); err != nil {
			return err
		}
	}
	var p builder
	p.add(`DELETE FROM lt_link WHERE id = ?`, id)
	if err := p.affectAll(ctx, tx, 1); err != nil {
		return err
	}
	if err := noteChange(ctx, tx, id, nameOf(&l)); err != nil {
		return err
	}
	if uncounted {
		return nil
	}
	return addLinks(ctx, tx, map[listed]int64{listedAs(&l): -1})
}

// leavePaths frees the paths of a link that is about to be deleted, or reserves them for its
// account.
func leavePaths(ctx context.Context, tx *transaction, l *linktrack.Link, free bool) error {
	if free {
		_, err := tx.ExecContext(ctx, `DELETE FROM lt_former WHERE link_id = ?`, l.ID)
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE lt_former SET link_id = 0, account_id = ? WHERE link_id = ?`, int64(l.Account), l.ID)
	if err != nil {
		return err
	}
	return writeFormer(ctx, tx, l, 0)
}

// purgeLateConversions deletes the conversions that were recorded since their step. The
// row of lt_count is deleted, so no transaction that has not committed yet can commit
// another one. Without locks, only committed ones are read: to wait for others, which wait
// for the row of lt_count, would be a deadlock.
func purgeLateConversions(ctx context.Context, tx *transaction, id int64) error {
	var clicks [][]byte
	if err := tx.SelectContext(ctx, &clicks, `SELECT click_id FROM lt_conversion WHERE link_id = ?`, id); err != nil {
		return err
	}
	for _, click := range clicks {
		if _, err := tx.ExecContext(ctx, `DELETE FROM lt_conversion WHERE link_id = ? AND click_id = ?`, id, click); err != nil {
			return err
		}
	}
	return nil
}
