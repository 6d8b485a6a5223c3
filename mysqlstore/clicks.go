package mysqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"

	"github.com/linktrackhq/linktrack"
)

// ReserveClicks implements [linktrack.ClickStore].
func (s *Store) ReserveClicks(ctx context.Context, link int64, n int) (granted int, err error) {
	const op = "reserve clicks"
	if n < 1 {
		return 0, failed(op, fmt.Errorf("%d is not a number of people: it must be at least 1", n))
	}
	for {
		// The UPDATE itself compares with the limit, because it locks the row before
		// it reads it. LAST_INSERT_ID returns how many clicks were granted. A row
		// that matches always changes, so RowsAffected does not depend on
		// clientFoundRows.
		res, err := s.db.ExecContext(ctx, `
			UPDATE lt_count
			SET used = GREATEST(used, total) + LAST_INSERT_ID(LEAST(?, deactivate_at - GREATEST(used, total)))
			WHERE link_id = ? AND GREATEST(used, total) < deactivate_at`, n, link)
		if err != nil {
			return 0, failed(op, err)
		}
		affected, err := res.RowsAffected()
		if err != nil {
			return 0, failed(op, err)
		}
		if affected > 0 {
			id, err := res.LastInsertId()
			if err != nil {
				return 0, failed(op, err)
			}
			return int(id), nil
		}
		var limit, used int64
		err = s.db.QueryRowContext(ctx, `SELECT deactivate_at, GREATEST(used, total) FROM lt_count WHERE link_id = ?`, link).
			Scan(&limit, &used)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return 0, linktrack.ErrNotFound
		case err != nil:
			return 0, failed(op, err)
		case limit == 0:
			return n, nil
		case used >= limit:
			return 0, nil
		}
		// The limit was raised in between: try again.
	}
}

// Clicks implements [linktrack.ClickStore]. It reads a range of the primary key, in the
// partitions of the days that overlap the range.
func (s *Store) Clicks(ctx context.Context, q linktrack.ClickFilter) ([]linktrack.Click, error) {
	const op = "read the history"
	done, err := s.beginReading(ctx)
	if err != nil {
		return nil, failed(op, err)
	}
	defer done()
	if q.Limit < 1 {
		return nil, failed(op, fmt.Errorf("%d is not a limit: it must be at least 1", q.Limit))
	}
	var p builder
	p.add(`
		SELECT id, ip, referrer, referrer_host, user_agent, browser, platform, country, query, is_unique, is_bot
		FROM lt_click WHERE link_id = ?`, q.Link)
	bound := func(op string, id linktrack.ClickID) { p.add(` AND id `+op+` ?`, id[:]) }
	if !q.From.IsZero() {
		bound(">=", linktrack.FirstClickID(q.From))
	}
	if !q.To.IsZero() {
		bound("<", linktrack.FirstClickID(q.To))
	}
	if !q.Before.IsZero() {
		bound("<", q.Before)
	}
	if !q.After.IsZero() {
		bound(">", q.After)
	}
	dir := "DESC"
	if q.Ascending {
		dir = "ASC"
	}
	p.add(` ORDER BY id `+dir+` LIMIT ?`, q.Limit)
	rows, err := s.db.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return nil, failed(op, err)
	}
	defer rows.Close()
	clicks := []linktrack.Click{}
	for rows.Next() {
		c := linktrack.Click{Link: q.Link}
		var id, ip sql.RawBytes
		err := rows.Scan(&id, &ip, &c.Referrer, &c.ReferrerHost, &c.UserAgent, &c.Browser, &c.Platform, &c.Country, &c.Query, &c.Unique, &c.Bot)
		if err != nil {
			return nil, failed(op, err)
		}
		copy(c.ID[:], id)
		c.IP, _ = netip.AddrFromSlice(ip)
		clicks = append(clicks, c)
	}
	if err := rows.Err(); err != nil {
		return nil, failed(op, err)
	}
	return clicks, nil
}
