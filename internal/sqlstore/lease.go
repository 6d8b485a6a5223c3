package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// One process at a time applies the log: the one that holds the lease, which is stored in
// the only row of lt_roll. The lease only saves work in vain; each batch is counted once
// without it, too. For each step changes that row, provided that its process still holds
// the lease, and deletes the rows of lt_log that it has read. So of two steps that overlap,
// only one can be committed: on a single server, and on a cluster that compares the
// changes of transactions when they commit.

const (
	leaseSeconds  = 10                    // more than a step usually takes
	repairSeconds = 50                    // the same of a repair
	maxLease      = 60                    // a lease that ends later is from before the clock was set back
	minLeasePause = 10 * time.Millisecond // between two checks of another process's lease
	maxLeasePause = 50 * time.Millisecond
)

// errLeaseLost ends the step of a process that no longer has the lease.
var errLeaseLost = errors.New("another process applies the click log")

// takeLease takes the lease for some seconds, or reports false if another process holds it.
func (s *Store) takeLease(ctx context.Context, seconds int) (taken bool, err error) {
	isFree := `(lease_holder = ? OR lease_until NOT BETWEEN ` + s.d.Now + ` AND ` + s.d.Now + ` + ?)`
	var free bool
	err = s.readDB.QueryRowContext(ctx, `SELECT `+isFree+` FROM lt_roll WHERE id = 1`, s.holder[:], maxLease).Scan(&free)
	if err != nil || !free {
		return false, err
	}
	var p builder
	p.add(`UPDATE lt_roll SET lease_holder = ?, lease_until = `+s.d.Now+` + ?, lease_steps = lease_steps + 1
		WHERE id = 1 AND `+isFree, s.holder[:], seconds, s.holder[:], maxLease)
	n, err := p.affect(ctx, s.db)
	return n == 1, err
}

// endLease ends the lease if this process holds it. It ignores an error, because the lease
// expires.
func (s *Store) endLease(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, _ = s.db.ExecContext(ctx, `UPDATE lt_roll SET lease_until = 0, lease_steps = lease_steps + 1 WHERE id = 1 AND lease_holder = ?`, s.holder[:])
}

// lockLease is the first statement of a transaction that needs the lease. It returns the
// hour from which on lt_rank.recent counts clicks. It locks the row of lt_roll on this
// server until the transaction ends, also against processes of the previous version that
// apply lt_pending.
func (s *Store) lockLease(ctx context.Context, tx *transaction) (fromHour int64, err error) {
	var mine bool
	err = tx.QueryRowContext(ctx, `SELECT lease_holder = ?, from_hour FROM lt_roll WHERE id = 1`+tx.ForUpdate, s.holder[:]).Scan(&mine, &fromHour)
	if err == nil && !mine {
		err = errLeaseLost
	}
	return fromHour, err
}

// keepLease stores the hour from which on lt_rank.recent counts clicks, and extends the
// lease or ends it. A transaction calls it before it locks rows for which visitors wait:
// errLeaseLost then comes early.
func (s *Store) keepLease(ctx context.Context, tx *transaction, fromHour int64, end bool) error {
	var p builder
	p.add(`UPDATE lt_roll SET from_hour = ?, lease_until = CASE WHEN ? THEN 0 ELSE `+tx.Now+` + ? END, lease_steps = lease_steps + 1
		WHERE id = 1 AND lease_holder = ?`, fromHour, end, leaseSeconds, s.holder[:])
	n, err := p.affect(ctx, tx)
	if err == nil && n != 1 {
		err = errLeaseLost
	}
	return err
}

// Sleep waits for d. It returns false if the context ends before.
func Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// withLease runs do in a transaction when no other process has the lease, and waits for
// that. do begins with lockLease, and ends the lease with keepLease.
func (s *Store) withLease(ctx context.Context, do func(*transaction) error) error {
	return s.withLeaseFor(ctx, leaseSeconds, do)
}

// withLeaseFor is withLease for a transaction that takes so many seconds at most. If it takes
// longer, a process at another node of a cluster may take the lease meanwhile, and it is run again.
func (s *Store) withLeaseFor(ctx context.Context, seconds int, do func(*transaction) error) error {
	select {
	case s.applying <- struct{}{}:
		defer func() { <-s.applying }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		held, err := s.takeLease(ctx, seconds)
		if err != nil && !s.mayRepeat(err) {
			return err
		}
		if held {
			if err := s.transact(ctx, do); err == nil {
				return nil
			} else if !errors.Is(err, errLeaseLost) {
				s.endLease(ctx)
				return err
			}
		}
		if !Sleep(ctx, minLeasePause+rand.N(maxLeasePause-minLeasePause)) {
			return ctx.Err()
		}
	}
}
