package mysqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"
)

// One process at a time applies the log: the one that has the lease, in the only
// row of lt_roll. The lease saves work that would be done in vain. That each batch is
// counted once does not depend on it: each step changes that row if the lease is still
// its own, and deletes the rows that it read. So two steps that overlap cannot both
// be committed, neither on one server nor on several that compare what transactions
// changed when they commit.

const (
	leaseSeconds  = 10                    // longer than a step usually takes
	minLeasePause = 10 * time.Millisecond // between two looks at another process's lease
	maxLeasePause = 50 * time.Millisecond
)

// errLeaseLost ends the step of a process that no longer has the lease.
var errLeaseLost = errors.New("another process applies the click log")

// takeLease takes the lease if no other process has it. It waits for nobody whose
// lease has not ended.
func (s *Store) takeLease(ctx context.Context) (taken bool, err error) {
	var free bool
	err = s.db.QueryRowContext(ctx, `SELECT lease_holder = ? OR lease_until < UNIX_TIMESTAMP() FROM lt_roll WHERE id = 1`, s.holder[:]).Scan(&free)
	if err != nil || !free {
		return false, err
	}
	var p builder
	p.add(`UPDATE lt_roll SET lease_holder = ?, lease_until = UNIX_TIMESTAMP() + ?, lease_steps = lease_steps + 1
		WHERE id = 1 AND (lease_holder = ? OR lease_until < UNIX_TIMESTAMP())`, s.holder[:], leaseSeconds, s.holder[:])
	n, err := p.affect(ctx, s.db)
	return n == 1, err
}

// endLease ends the lease if it is this process's. If that fails, the lease ends by
// itself.
func (s *Store) endLease(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, _ = s.db.ExecContext(ctx, `UPDATE lt_roll SET lease_until = 0, lease_steps = lease_steps + 1 WHERE id = 1 AND lease_holder = ?`, s.holder[:])
}

// lockLease begins a transaction that needs the lease, and returns where lt_rank.recent
// begins. Until the transaction ends, no other one on this server has the row, also none
// of a process that works in lt_pending.
func (s *Store) lockLease(ctx context.Context, tx *sqlx.Tx) (fromHour int64, err error) {
	var mine bool
	err = tx.QueryRowContext(ctx, `SELECT lease_holder = ?, from_hour FROM lt_roll WHERE id = 1 FOR UPDATE`, s.holder[:]).Scan(&mine, &fromHour)
	if err == nil && !mine {
		err = errLeaseLost
	}
	return fromHour, err
}

// keepLease is the last that a transaction does before it changes what others wait for.
// It stores where lt_rank.recent begins, and extends the lease or ends it.
func (s *Store) keepLease(ctx context.Context, tx *sqlx.Tx, fromHour int64, end bool) error {
	var p builder
	p.add(`UPDATE lt_roll SET from_hour = ?, lease_until = IF(?, 0, UNIX_TIMESTAMP() + ?), lease_steps = lease_steps + 1
		WHERE id = 1 AND lease_holder = ?`, fromHour, end, leaseSeconds, s.holder[:])
	n, err := p.affect(ctx, tx)
	if err == nil && n != 1 {
		err = errLeaseLost
	}
	return err
}
