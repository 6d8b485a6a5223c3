package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/linktrackhq/linktrack"
)

// EraseAccount implements [linktrack.AccountStore]. What there may be much of is removed
// before, in steps. The last step removes the rest, under the lock of ApplyClicks: nothing
// is added to the sums of an account that has no links then.
func (s *Store) EraseAccount(ctx context.Context, id linktrack.AccountID) error {
	if err := s.own(ctx); err != nil {
		return s.failed("erase an account", err)
	}
	err := s.transact(ctx, func(tx *transaction) error { return lockErasable(ctx, tx, id) })
	for _, rows := range accountRows {
		if err == nil {
			err = changeInSteps[[]byte](ctx, s, rows, int64(id))
		}
	}
	if err == nil {
		err = s.freeReserved(ctx, id)
	}
	if err == nil {
		err = s.withLease(ctx, func(tx *transaction) error { return s.endErasure(ctx, tx, id) })
	}
	if err != nil && !errors.Is(err, linktrack.ErrNotFound) && !errors.Is(err, linktrack.ErrHasLinks) {
		err = s.failed("erase an account", err)
	}
	return err
}

// accountRows are what an account may have much of. A conversion that was counted for the
// account belongs to a link that moved to another one, so only its order goes.
var accountRows = []rowsOf{
	{"lt_sum", "account_id = ? AND kind = 1", "name_key", deleted},
	{"lt_sum", "account_id = ? AND kind = 2", "name_key", deleted},
	{"lt_sum", "account_id = ? AND kind = 3", "name_key", deleted},
	{"lt_conversion", "account_id = ? AND order_id IS NOT NULL", "order_id", "UPDATE lt_conversion SET order_id = NULL"},
}

// freeReserved frees the paths that are reserved for an account, one host after the other.
func (s *Store) freeReserved(ctx context.Context, id linktrack.AccountID) error {
	rows := rowsOf{"lt_former", "account_id = ? AND link_id = 0 AND host = ?", "path_key", deleted}
	host := []byte{} // no host is empty
	for {
		err := s.readDB.QueryRowContext(ctx, `SELECT host FROM lt_former WHERE account_id = ? AND link_id = 0 AND host > ? ORDER BY host LIMIT 1`,
			int64(id), host).Scan(&host)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = changeInSteps[[]byte](ctx, s, rows, int64(id), host)
		}
		if err != nil {
			return err
		}
	}
}

// lockErasable locks an account. ErrNotFound if there is none, and ErrHasLinks if it has
// links.
func lockErasable(ctx context.Context, tx *transaction, id linktrack.AccountID) error {
	var found int64
	err := tx.QueryRowContext(ctx, `SELECT id FROM lt_account WHERE id = ?`+tx.ForUpdate, int64(id)).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return linktrack.ErrNotFound
	}
	if err != nil {
		return err
	}
	return refuseLinks(ctx, tx, id)
}

func refuseLinks(ctx context.Context, tx *transaction, id linktrack.AccountID) error {
	var has bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM lt_link WHERE account_id = ?)`, int64(id)).Scan(&has)
	if err == nil && has {
		err = linktrack.ErrHasLinks
	}
	return err
}

// endErasure removes the account and the rest of its rows, and ends the lease. On a cluster,
// a transaction on another node may be adding a key or a link to the account, of which this
// one sees nothing. So it writes rows that those also write: the logins, and the numbers of
// links. One of the two transactions then fails at its commit and is run again.
func (s *Store) endErasure(ctx context.Context, tx *transaction, id linktrack.AccountID) error {
	from, err := s.lockLease(ctx, tx)
	if err != nil {
		return err
	}
	if err := lockErasable(ctx, tx, id); err != nil {
		return err
	}
	if err := lockLogins(ctx, tx); err != nil {
		return err
	}
	if err := addLinks(ctx, tx, map[listed]int64{{id, usualLinks}: 1, {id, archivedLinks}: 1, {id, deletedLinks}: 1}); err != nil {
		return err
	}
	for _, stmt := range []string{
		`DELETE FROM lt_key WHERE account_id = ?`,
		`DELETE FROM lt_ended_session WHERE account_id = ?`,
		`DELETE FROM lt_group WHERE account_id = ?`,
		`DELETE FROM lt_tag WHERE account_id = ?`,
		`DELETE FROM lt_link_number WHERE account_id = ?`,
		`DELETE FROM lt_former WHERE account_id = ? AND link_id = 0`,
		`DELETE FROM lt_sum WHERE account_id = ?`,
		`UPDATE lt_conversion SET order_id = NULL WHERE account_id = ? AND order_id IS NOT NULL`,
		`DELETE FROM lt_account WHERE id = ?`,
	} {
		if _, err := tx.ExecContext(ctx, stmt, int64(id)); err != nil {
			return err
		}
	}
	// A transaction that makes a link and uses these names locks them until it ends, so its
	// link is found now.
	if err := refuseLinks(ctx, tx, id); err != nil {
		return err
	}
	return s.keepLease(ctx, tx, from, true)
}
