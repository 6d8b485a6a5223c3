package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack"
)

// ApplyClicks implements [linktrack.ClickStore]. It applies the batches that are in the
// log when it begins, in steps of about [Dialect.StepTime]; a step may include newer batches. While
// another process applies the log, ApplyClicks waits until that process has applied these
// batches. If there is nothing to apply, ApplyClicks runs a single statement.
//
// After this Store has quarantined a batch, the next call that applies the rest without
// an error returns the cause of the quarantine as its error.
func (s *Store) ApplyClicks(ctx context.Context, zone *time.Location, daySince time.Time) (linktrack.LogSize, error) {
	const op = "apply the click log"
	select {
	case s.applying <- struct{}{}:
		defer func() { <-s.applying }()
	case <-ctx.Done():
		return linktrack.LogSize{}, s.failed(op, ctx.Err())
	}
	state, err := s.logState(ctx)
	if err == nil && state.needsApply(linktrack.HourOf(daySince)) {
		if state.pending {
			err = s.takePending(ctx)
		}
		if err == nil {
			err = s.applyLog(ctx, zone, linktrack.HourOf(daySince))
		}
		if err == nil {
			state, err = s.logState(ctx)
		} else {
			state = s.whatIsLeft(ctx)
		}
	}
	if err != nil {
		return state.size, s.failed(op, err)
	}
	if err := s.pruneChanges(ctx); err != nil {
		return state.size, s.failed("remove old changes", err)
	}
	if bad := s.quarantined; bad != nil {
		s.quarantined = nil
		return state.size, s.failed(op, bad)
	}
	return state.size, nil
}

// whatIsLeft returns the state after a call that has failed, perhaps after many steps;
// zero if it cannot be read.
func (s *Store) whatIsLeft(ctx context.Context) logState {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	state, err := s.logState(ctx)
	if err != nil {
		return logState{}
	}
	return state
}

// A logState describes the log and what else there is to apply.
type logState struct {
	fromHour int64 // lt_rank.recent counts clicks from this hour on
	pending  bool  // lt_pending has sums that a process of the previous version left there
	batches  int64 // the number of batches in the log that are not quarantined
	size     linktrack.LogSize
}

func (l *logState) needsApply(hour int64) bool {
	return l.batches > 0 || l.pending || l.fromHour < hour
}

// logState reads the index lt_log_size only, not the batches.
func (s *Store) logState(ctx context.Context) (l logState, err error) {
	pending := `0`
	if s.d.OldTables {
		pending = `EXISTS (SELECT 1 FROM lt_pending)`
	}
	rows, err := s.readDB.QueryContext(ctx, `
		SELECT r.from_hour, `+pending+`, COALESCE(g.is_quarantined, 0), COALESCE(g.batches, 0),
			COALESCE(g.clicks, 0), COALESCE(g.bytes, 0), COALESCE(g.oldest, 0)
		FROM lt_roll r LEFT JOIN (
			SELECT is_quarantined, COUNT(*) AS batches, SUM(clicks) AS clicks, SUM(bytes) AS bytes,
				MIN(CASE WHEN at > 0 THEN at END) AS oldest
			FROM lt_log GROUP BY is_quarantined) g ON 1 = 1
		WHERE r.id = 1`)
	if err != nil {
		return logState{}, err
	}
	defer rows.Close()
	known := false
	for ; rows.Next(); known = true {
		var quarantined bool
		var batches, clicks, bytes, oldest int64
		if err := rows.Scan(&l.fromHour, &l.pending, &quarantined, &batches, &clicks, &bytes, &oldest); err != nil {
			return logState{}, err
		}
		if quarantined {
			l.size.Quarantined = clicks
			continue
		}
		l.batches = batches
		l.size.Clicks, l.size.Bytes, l.size.Oldest = clicks, bytes, fromMicros(oldest)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return logState{}, err
	}
	if !known {
		return logState{}, errors.New("lt_roll has no row")
	}
	return l, nil
}

// applyLog returns when each batch that was in the log at the beginning is either applied,
// by this process or another one, or quarantined.
func (s *Store) applyLog(ctx context.Context, zone *time.Location, hour int64) error {
	if err := s.readTextSecret(ctx); err != nil {
		return err
	}
	left, err := s.newestBatches(ctx)
	if err != nil {
		return err
	}
	held := false
	defer func() {
		if held {
			s.endLease(ctx)
		}
	}()
	maxRows := maxClicks
	for {
		if !held {
			if held, err = s.takeLease(ctx, leaseSeconds); err != nil && !s.mayRepeat(err) {
				return err
			}
		}
		if !held {
			if left, err = s.stillInLog(ctx, left); err != nil || len(left) == 0 {
				return err
			}
			if !Sleep(ctx, minLeasePause+rand.N(maxLeasePause-minLeasePause)) {
				return ctx.Err()
			}
			continue
		}
		st := &step{store: s, zone: zone, hour: hour, left: left, maxRows: maxRows}
		err := st.run(ctx)
		bad := new(badRows)
		switch {
		case err == nil:
			maxRows = min(2*maxRows, maxClicks)
			if left = st.left; len(left) == 0 {
				held = false // the last step has ended the lease
				return nil
			}
		case errors.Is(err, errLeaseLost):
			held = false
		case errors.As(err, &bad) && len(bad.rows) > 1:
			maxRows = bad.isolate()
		case errors.As(err, &bad):
			if err := s.quarantine(ctx, bad); err != nil && !errors.Is(err, errLeaseLost) {
				return err
			}
		default:
			return err
		}
	}
}

// A logKey is the key of a row of lt_log.
type logKey struct {
	source linktrack.Source
	seq    int64
}

// newestBatches returns the newest batch in the log of each source, in the order of the
// sources. The list begins at a random source and wraps around, so that no source is
// always applied last.
func (s *Store) newestBatches(ctx context.Context) ([]logKey, error) {
	rows, err := s.readDB.QueryContext(ctx, `SELECT source, MAX(seq) FROM lt_log GROUP BY source ORDER BY source`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []logKey
	for rows.Next() {
		var k logKey
		var source []byte
		if err := rows.Scan(&source, &k.seq); err != nil {
			return nil, err
		}
		copy(k.source[:], source)
		keys = append(keys, k)
	}
	if len(keys) > 0 {
		first := rand.IntN(len(keys))
		keys = slices.Concat(keys[first:], keys[:first])
	}
	return keys, errors.Join(rows.Err(), rows.Close())
}

// stillInLog removes keys from the beginning of the list whose batches, and all earlier
// ones of their sources, are applied or quarantined. It stops at the first keys with a
// batch that is still to be applied, and returns the rest.
func (s *Store) stillInLog(ctx context.Context, keys []logKey) ([]logKey, error) {
	for len(keys) > 0 {
		some := keys[:min(len(keys), rangesAtOnce)]
		var p builder
		p.add(`SELECT EXISTS (SELECT 1 FROM lt_log` + s.d.Index(primary) + ` WHERE is_quarantined = 0 AND (`)
		p.anyOf(len(some), func(i int) { p.add(`source = ? AND seq <= ?`, some[i].source[:], some[i].seq) })
		p.add(`))`)
		var left bool
		if err := s.readDB.QueryRowContext(ctx, p.sql.String(), p.args...).Scan(&left); err != nil || left {
			return keys, err
		}
		keys = keys[len(some):]
	}
	return nil, nil
}
