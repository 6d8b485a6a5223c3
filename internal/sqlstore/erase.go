package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/linktrackhq/linktrack"
)

// The clicks of a step of EraseVisitor, and the links whose clicks one statement looks for.
const (
	erasedAtOnce = 1000
	linksAtOnce  = 100
)

// EraseVisitor implements [linktrack.VisitorEraser]. It reads all clicks on the links of the
// account, and changes the visitor's in transactions of at most a thousand, so it holds up
// nobody. Texts of lt_text stay until their day is pruned, also where only erased clicks
// had them: to find that out, it would have to read the clicks of all accounts. Nothing
// leads from such a text to a click, a visitor, or a link.
func (s *Store) EraseVisitor(ctx context.Context, account linktrack.AccountID, prefix netip.Prefix) (clicks int64, err error) {
	const op = "erase a visitor"
	if err := s.own(ctx); err != nil {
		return 0, s.failed(op, err)
	}
	if !prefix.IsValid() {
		return 0, s.failed(op, fmt.Errorf("%v is not a valid prefix of addresses", prefix))
	}
	first, last := bounds(prefix)
	tables := []string{"lt_hit"}
	if s.d.OldTables {
		tables = []string{"lt_click", "lt_hit"} // in the order in which ReclassifyClicks moves clicks
	}
	for after := int64(0); ; {
		var links []int64
		err := s.readDB.SelectContext(ctx, &links, `
			SELECT l.id FROM lt_link l JOIN lt_count c ON c.link_id = l.id
			WHERE l.account_id = ? AND l.id > ? AND c.last_click > 0 ORDER BY l.id LIMIT ?`, int64(account), after, linksAtOnce)
		if err != nil {
			return clicks, s.failed(op, err)
		}
		if len(links) == 0 {
			return clicks, nil
		}
		for _, table := range tables {
			e := eraser{table, first, last}
			n, err := e.eraseAll(ctx, s, links)
			clicks += n
			if err != nil {
				return clicks, s.failed(op, err)
			}
		}
		after = links[len(links)-1]
	}
}

// bounds returns the first and the last address of a prefix.
func bounds(prefix netip.Prefix) (first, last []byte) {
	first = prefix.Masked().Addr().AsSlice()
	last = append(last, first...)
	for bit := prefix.Bits(); bit < 8*len(last); bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	return first, last
}

// An eraser erases the addresses of a range from a table of the history.
type eraser struct {
	table       string
	first, last []byte
}

// inRange adds the condition that the address of a click is in the range.
func (e *eraser) inRange(p *builder) {
	p.add(` AND LENGTH(ip) = ? AND ip BETWEEN ? AND ?`, len(e.first), e.first, e.last)
}

// eraseAll erases the addresses from the clicks of links, which are in order.
func (e *eraser) eraseAll(ctx context.Context, s *Store, links []int64) (clicks int64, err error) {
	after := linktrack.ClickRef{Link: links[0] - 1}
	for {
		found, err := e.find(ctx, s, links, after)
		if err != nil || len(found) == 0 {
			return clicks, err
		}
		n, err := e.erase(ctx, s, found)
		clicks += n
		if err != nil || len(found) < erasedAtOnce {
			return clicks, err
		}
		after = found[len(found)-1]
	}
}

// find returns the first clicks behind another one that are to be erased.
func (e *eraser) find(ctx context.Context, s *Store, links []int64, after linktrack.ClickRef) (found []linktrack.ClickRef, err error) {
	var p builder
	p.add(`SELECT link_id, id FROM ` + e.table + ` WHERE link_id IN `)
	p.inNumbers(links)
	p.add(` AND (link_id > ? OR link_id = ? AND id > ?)`, after.Link, after.Link, after.ID[:])
	e.inRange(&p)
	p.add(` ORDER BY link_id, id LIMIT ?`, erasedAtOnce)
	rows, err := s.readDB.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k linktrack.ClickRef
		var id []byte
		if err := rows.Scan(&k.Link, &id); err != nil {
			return nil, err
		}
		copy(k.ID[:], id)
		found = append(found, k)
	}
	return found, errors.Join(rows.Err(), rows.Close())
}

// erase erases the addresses from the given clicks, unless another call has done so.
func (e *eraser) erase(ctx context.Context, s *Store, found []linktrack.ClickRef) (clicks int64, err error) {
	err = s.transact(ctx, func(tx *transaction) error {
		clicks = 0
		for rest := found; len(rest) > 0; {
			var p builder
			p.add(`UPDATE ` + e.table + ` SET ip = x'', referrer = x'', referrer_host = x'', user_agent = x'', browser = x'', platform = x'', country = x'', query = x''`)
			if e.table == "lt_hit" {
				p.add(`, agent_id = x'', referrer_id = x''`)
			}
			link := rest[0].Link
			p.add(` WHERE link_id = ?`, link)
			var ids []string
			for ; len(rest) > 0 && rest[0].Link == link; rest = rest[1:] {
				ids = append(ids, string(rest[0].ID[:]))
			}
			p.add(` AND id IN `)
			p.in(ids)
			e.inRange(&p)
			n, err := p.affect(ctx, tx)
			if err != nil {
				return err
			}
			clicks += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return clicks, nil
}
