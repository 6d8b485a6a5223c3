package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
)

// A historyRow is a click of lt_hit or lt_click. Its texts are complete when addTexts has
// added those of lt_text.
type historyRow struct {
	linktrack.Click
	agent, referrer textID // zero: none
}

// Clicks implements [linktrack.ClickStore]. It reads a range of the primary keys of lt_hit
// and lt_click, in the partitions of the days that overlap the range.
func (s *Store) Clicks(ctx context.Context, q linktrack.ClickFilter) ([]linktrack.Click, error) {
	const op = "read the history"
	done, err := s.beginReading(ctx)
	if err != nil {
		return nil, s.failed(op, err)
	}
	defer done()
	if q.Limit < 1 {
		return nil, s.failed(op, fmt.Errorf("%d is not a limit: it must be at least 1", q.Limit))
	}
	rows, err := s.readHistory(ctx, s.readDB, &q)
	if err == nil {
		err = s.addTexts(ctx, s.readDB, rows)
	}
	if err != nil {
		return nil, s.failed(op, err)
	}
	clicks := make([]linktrack.Click, len(rows))
	for i := range rows {
		clicks[i] = rows[i].Click
	}
	return clicks, nil
}

// readHistory reads the rows of both tables in the order of their ids. If both have a
// click, which happens if processes of two versions apply a batch, it is returned once.
func (s *Store) readHistory(ctx context.Context, db querier, q *linktrack.ClickFilter) ([]historyRow, error) {
	var where builder
	where.add(` WHERE link_id = ?`, q.Link)
	bound := func(op string, id linktrack.ClickID) { where.add(` AND id `+op+` ?`, id[:]) }
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
	var p builder
	add := func(own, table string) {
		p.add(selectHistory(own, table))
		p.append(&where)
		if q.Ascending {
			p.add(` ORDER BY id ASC LIMIT ?`, q.Limit)
		} else {
			p.add(` ORDER BY id DESC LIMIT ?`, q.Limit)
		}
	}
	const own = `agent_id, referrer_id, class, reason`
	if !s.d.OldTables {
		add(own, `lt_hit`)
		return scanHistory(ctx, db, &p)
	}
	p.add(`(`)
	add(own, `lt_hit`)
	p.add(`) UNION ALL (`)
	add(`'', '', 0, 0`, `lt_click`)
	p.add(`)`)
	rows, err := scanHistory(ctx, db, &p)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(x, y historyRow) int { // servers may return a union in any order
		if !q.Ascending {
			x, y = y, x
		}
		return slices.Compare(x.ID[:], y.ID[:])
	})
	rows = slices.CompactFunc(rows, func(x, y historyRow) bool { return x.ID == y.ID })
	return rows[:min(len(rows), q.Limit)], nil
}

func selectHistory(own, table string) string {
	return `SELECT link_id, id, ip, ` + own + `, referrer, referrer_host, user_agent, browser, platform, country, query, is_unique, is_bot FROM ` + table
}

// scanHistory returns the rows of a statement that begins with selectHistory.
func scanHistory(ctx context.Context, db sqlx.QueryerContext, p *builder) (rows []historyRow, err error) {
	found, err := db.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var r historyRow
		var id, ip, agent, referrer sql.RawBytes
		var class, reason int8
		err := found.Scan(&r.Link, &id, &ip, &agent, &referrer, &class, &reason, &r.Referrer, &r.ReferrerHost, &r.UserAgent, &r.Browser, &r.Platform, &r.Country, &r.Query, &r.Unique, &r.Bot)
		if err != nil {
			return nil, err
		}
		copy(r.ID[:], id)
		copy(r.agent[:], agent)
		copy(r.referrer[:], referrer)
		r.Class, r.Reason = linktrack.ClickClass(class), linktrack.ClickReason(reason)
		r.IP, _ = netip.AddrFromSlice(ip)
		rows = append(rows, r)
	}
	return rows, errors.Join(found.Err(), found.Close())
}

// addTexts adds the texts of lt_text to the rows. Where lt_text does not have a text, the
// click is without it.
func (s *Store) addTexts(ctx context.Context, db querier, rows []historyRow) error {
	keys := make(map[textKey]struct{})
	for i := range rows {
		for _, id := range [...]textID{rows[i].agent, rows[i].referrer} {
			if id != (textID{}) {
				keys[textKey{textDay(rows[i].ID), id}] = struct{}{}
			}
		}
	}
	texts, err := s.texts.read(ctx, db, keys)
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		day := textDay(r.ID)
		if r.agent != (textID{}) {
			t := texts[textKey{day, r.agent}]
			r.UserAgent, r.Browser, r.Platform = t.text, t.browser, t.platform
		}
		if r.referrer != (textID{}) {
			t := texts[textKey{day, r.referrer}]
			if r.Referrer = t.text + r.Referrer; t == (dayText{}) {
				r.Referrer = ""
			}
			r.ReferrerHost = t.host
		}
	}
	return nil
}
