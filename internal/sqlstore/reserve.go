package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/linktrackhq/linktrack"
)

// ReserveClicks implements [linktrack.ClickStore]. The row of lt_count, which it locks and
// writes, excludes other reservations of the link. On a cluster, where a row is locked on
// one node only, one of two such transactions fails at its commit and is run again.
func (s *Store) ReserveClicks(ctx context.Context, r linktrack.Reservation) (granted int, err error) {
	const op = "reserve clicks"
	if err := s.own(ctx); err != nil {
		return 0, s.failed(op, err)
	}
	if r.People < 1 || r.Seq < 1 {
		return 0, s.failed(op, fmt.Errorf("a reservation needs People and Seq of at least 1, but has %d and %d", r.People, r.Seq))
	}
	if s.d.Reserve != "" {
		reserved, err := s.reserveAtOnce(ctx, r)
		if err != nil && !s.d.Is(err, Conflict) && !s.d.Is(err, Unknown) {
			return 0, s.failed(op, err)
		}
		if err == nil && reserved {
			return r.People, nil
		}
	}
	err = s.transactTwice(ctx, func(tx *transaction) (err error) {
		granted, err = reserve(ctx, tx, r)
		return err
	})
	switch {
	case errors.Is(err, linktrack.ErrNotFound):
		return 0, linktrack.ErrNotFound
	case err != nil:
		return 0, s.failed(op, err)
	}
	return granted, nil
}

// reserveAtOnce makes the reservation with a single statement. If it reports false, nothing
// is reserved.
func (s *Store) reserveAtOnce(ctx context.Context, r linktrack.Reservation) (reserved bool, err error) {
	var p builder
	p.add(s.d.Reserve, r.Source[:], r.People, r.Seq, r.People, r.Link, r.Seq, r.People)
	n, err := p.affect(ctx, s.db)
	return n > 0, err
}

func reserve(ctx context.Context, tx *transaction, r linktrack.Reservation) (int, error) {
	var deleted bool
	var limit, used, total int64
	var last linktrack.Granted
	err := tx.QueryRowContext(ctx, `
		SELECT c.is_deleted, c.deactivate_at, c.used, c.total, COALESCE(r.seq, 0), COALESCE(r.people, 0)
		FROM lt_count c LEFT JOIN lt_reservation r ON r.link_id = c.link_id AND r.source = ?
		WHERE c.link_id = ?`+tx.ForUpdate, r.Source[:], r.Link).
		Scan(&deleted, &limit, &used, &total, &last.Seq, &last.People)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, linktrack.ErrNotFound
	case err != nil:
		return 0, err
	case deleted:
		return 0, nil
	}
	passed := max(used, total)
	granted, isNew := r.Grant(limit, passed, last)
	if !isNew {
		return int(granted), nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE lt_count SET used = ? WHERE link_id = ?`, passed+granted, r.Link); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO lt_reservation (link_id, source, seq, people, day) VALUES (?, ?, ?, ?, `+tx.today()+`)`+
		tx.upsert("lt_reservation", "link_id, source", replace("seq"), replace("people"), replace("day")),
		r.Link, r.Source[:], r.Seq, granted)
	if err == nil && passed+granted == limit {
		_, err = tx.ExecContext(ctx, `INSERT INTO lt_alert (link_id, kind, number, reached) VALUES (?, ?, ?, ?)`+
			tx.upsert("lt_alert", "link_id, kind, number", replace("number")),
			r.Link, []byte(linktrack.AlertUsedUp), limit, micros(r.Time))
	}
	return int(granted), err
}

// today is the beginning of the present day (UTC) in seconds since 1970.
func (d *Dialect) today() string { return d.Now + ` - ` + d.Now + ` % 86400` }
