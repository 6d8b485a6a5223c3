package mysqlstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// sortKeys has the column of each sort, in lt_link l or lt_rank r, and the index on it.
var sortKeys = map[linktrack.Sort]struct{ column, key string }{
	linktrack.SortCreated:     {"l.created_at", "lt_link_created"},
	linktrack.SortPath:        {"l.path_key", "lt_link_key"},
	linktrack.SortTitle:       {"l.title", "lt_link_title"},
	linktrack.SortGroup:       {"l.group_name", "lt_link_group"},
	linktrack.SortTotal:       {"r.total", "lt_rank_total"},
	linktrack.SortLastClick:   {"r.last_click", "lt_rank_last"},
	linktrack.SortExternalURL: {"l.external_url", "lt_link_url"},
	linktrack.SortDay:         {"r.recent", "lt_rank_recent"},
	linktrack.SortID:          {"l.id", "lt_link_account"},
}

// Links implements [linktrack.LinkStore]. One statement reads the links: its inner query
// picks ids from an index, in order and up to the limit, and the outer one reads these
// links. q.Groups, q.Search, and some sorts need one more statement each before it. A last
// statement reads the clicks of the links since q.DaySince.
func (s *Store) Links(ctx context.Context, q linktrack.LinkFilter) ([]linktrack.Link, error) {
	const op = "list links"
	done, err := s.beginReading(ctx)
	if err != nil {
		return nil, failed(op, err)
	}
	defer done()
	if _, ok := sortKeys[q.Sort]; !ok || q.Limit < 1 || q.Offset < 0 {
		return nil, failed(op, fmt.Errorf("there is no sort %q with limit %d and offset %d", q.Sort, q.Limit, q.Offset))
	}
	where, err := s.which(ctx, q)
	if err != nil {
		return nil, failed(op, err)
	}
	if where == nil {
		return []linktrack.Link{}, nil
	}
	switch q.Sort {
	case linktrack.SortExternalURL:
		return s.linksByURL(ctx, q, where)
	case linktrack.SortDay:
		var from int64
		if err := s.db.QueryRowContext(ctx, `SELECT from_hour FROM lt_roll WHERE id = 1`).Scan(&from); err != nil {
			return nil, failed(op, err)
		}
		if from != linktrack.HourOf(q.DaySince) {
			return s.read(ctx, q, pickByHours(q, where))
		}
		return s.read(ctx, q, pickByRank(q, where))
	case linktrack.SortTotal, linktrack.SortLastClick:
		return s.read(ctx, q, pickByRank(q, where))
	}
	return s.read(ctx, q, pickByKey(q, where))
}

// direction returns the direction of ORDER BY.
func direction(q linktrack.LinkFilter) string {
	if q.Ascending {
		return "ASC"
	}
	return "DESC"
}

// orderBy sorts by a column and then by id. Servers compare only the first
// max_sort_length bytes of a text, 1,024 by default. So a column that may be longer is
// split, and sorted by its parts one after the other.
func orderBy(q linktrack.LinkFilter, column, id string) string {
	dir := direction(q)
	order := ` ORDER BY ` + column + ` ` + dir
	if q.Sort == linktrack.SortExternalURL {
		for _, from := range []string{"1025", "2049", "3073"} {
			order += `, SUBSTRING(` + column + `, ` + from + `, 1024) ` + dir
		}
	}
	return order + `, ` + id + ` ` + dir
}

// filtered reports whether q asks for only some of the account's links. If so, the server
// chooses how to find them; otherwise the index of the sort is read in order.
func filtered(q linktrack.LinkFilter) bool {
	return q.Names != nil || q.Groups != nil || q.Search != "" || q.AfterID != 0 && q.Sort != linktrack.SortID
}

// reach returns the number of links on the page of q and on all pages before it.
func reach(q linktrack.LinkFilter) int { return q.Offset + q.Limit }

// page adds the limit and the offset of q.
func (p *builder) page(q linktrack.LinkFilter) { p.add(` LIMIT ? OFFSET ?`, q.Limit, q.Offset) }

// which returns the conditions on lt_link l, or nil if no link can meet them.
func (s *Store) which(ctx context.Context, q linktrack.LinkFilter) (*builder, error) {
	w := &builder{}
	w.add("l.account_id = ?", int64(q.Account))
	if q.AfterID != 0 {
		w.add(" AND l.id > ?", q.AfterID)
	}
	if q.Names != nil {
		hosts := map[string][]string{} // keys by host
		var order, keys []string
		for _, n := range q.Names {
			if hosts[n.Host] == nil {
				order = append(order, n.Host)
			}
			hosts[n.Host] = append(hosts[n.Host], n.Key)
			keys = append(keys, n.Key)
		}
		if len(keys) == 0 {
			return nil, nil
		}
		// The first condition finds the links by their keys. The others exclude
		// links with these keys on other hosts.
		w.add(" AND l.path_key IN ")
		w.in(keys)
		if len(hosts[""]) < len(keys) {
			sep := " AND ("
			for _, h := range order {
				w.add(sep)
				if h != "" {
					w.add("l.host = ? AND ", []byte(h))
				}
				w.add("l.path_key IN ")
				w.in(hosts[h])
				sep = " OR "
			}
			w.add(")")
		}
	}
	if q.Groups != nil {
		wanted := names{}
		for _, g := range q.Groups {
			wanted.add(g)
		}
		found, err := groupTable.find(ctx, s.db, q.Account, wanted)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		w.add(" AND l.group_name IN ")
		w.in(slices.Sorted(maps.Values(found)))
	}
	if q.Search != "" {
		oldest, err := s.oldestSearched(ctx, q.Account)
		if err != nil {
			return nil, err
		}
		w.search(q.Words(), oldest)
	}
	return w, nil
}

// pickByKey picks ids by a column of lt_link, which it returns as k.
func pickByKey(q linktrack.LinkFilter, where *builder) (p builder) {
	by := sortKeys[q.Sort]
	p.add(`SELECT ` + by.column + ` AS k, l.id FROM lt_link l `)
	if !filtered(q) {
		p.add(`FORCE INDEX (` + by.key + `) `)
	}
	p.add(`WHERE `)
	p.append(where)
	p.add(orderBy(q, by.column, "l.id"))
	p.page(q)
	return p
}

// pickByRank picks ids by a column of lt_rank, which clicks change.
func pickByRank(q linktrack.LinkFilter, where *builder) (p builder) {
	by := sortKeys[q.Sort]
	if filtered(q) {
		p.add(`SELECT ` + by.column + ` AS k, l.id FROM lt_link l JOIN lt_rank r ON r.link_id = l.id WHERE `)
		p.append(where)
		p.add(orderBy(q, by.column, "l.id"))
	} else {
		p.add(`SELECT `+by.column+` AS k, r.link_id AS id FROM lt_rank r FORCE INDEX (`+by.key+`) WHERE r.account_id = ?`, int64(q.Account))
		p.add(orderBy(q, by.column, "r.link_id"))
	}
	p.page(q)
	return p
}

// pickByHours picks ids by the clicks since q.DaySince. It is slow, and needed only if
// lt_rank.recent counts from another hour, because the clock of this process is behind
// that of another one.
func pickByHours(q linktrack.LinkFilter, where *builder) (p builder) {
	p.add(`SELECT COALESCE(SUM(h.clicks), 0) AS k, l.id FROM lt_link l LEFT JOIN lt_hour h ON h.link_id = l.id AND h.hour >= ? WHERE `,
		linktrack.HourOf(q.DaySince))
	p.append(where)
	p.add(` GROUP BY l.id` + orderBy(q, "k", "id"))
	p.page(q)
	return p
}

// linksByURL sorts by the destination, which is too long for an index. The index on its
// first bytes shows which links can be on the page: those whose first bytes do not come
// after those of the link at the limit. Only these links are sorted by the whole
// destination.
func (s *Store) linksByURL(ctx context.Context, q linktrack.LinkFilter, where *builder) ([]linktrack.Link, error) {
	const op = "list links"
	dir, side := direction(q), ">="
	if q.Ascending {
		side = "<="
	}
	var bound []byte
	if !filtered(q) {
		rows, err := s.db.QueryContext(ctx, `
			SELECT url_head FROM lt_link FORCE INDEX (lt_link_url) WHERE account_id = ?
			ORDER BY url_head `+dir+`, id `+dir+` LIMIT 1 OFFSET ?`, int64(q.Account), reach(q)-1)
		if err != nil {
			return nil, failed(op, err)
		}
		defer rows.Close()
		if rows.Next() {
			err = rows.Scan(&bound)
		}
		if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
			return nil, failed(op, err)
		}
	}
	if bound != nil && len(bound) < headSize {
		// The index has the whole destination of the last link, so the links
		// that sort before that one also come before it in the index.
		var p builder
		p.add(`SELECT l.external_url AS k, l.id FROM lt_link l FORCE INDEX (lt_link_url) WHERE l.account_id = ?`, int64(q.Account))
		p.add(` ORDER BY l.url_head ` + dir + `, l.id ` + dir)
		p.page(q)
		return s.read(ctx, q, p)
	}
	pick := func(bounded bool) (p builder) {
		p.add(`SELECT l.external_url AS k, l.id FROM lt_link l WHERE `)
		p.append(where)
		if bounded {
			p.add(` AND l.url_head `+side+` ?`, bound)
		}
		p.add(orderBy(q, "l.external_url", "l.id"))
		p.page(q)
		return p
	}
	links, err := s.read(ctx, q, pick(bound != nil))
	if err == nil && bound != nil && len(links) < q.Limit {
		// A link was edited after the bound was read, and is no longer within it.
		links, err = s.read(ctx, q, pick(false))
	}
	return links, err
}

// read returns the links that pick picks, in the order of its k.
func (s *Store) read(ctx context.Context, q linktrack.LinkFilter, pick builder) ([]linktrack.Link, error) {
	const op = "list links"
	var p builder
	p.add(`SELECT ` + linkColumns + ` FROM (`)
	p.append(&pick)
	p.add(`) p STRAIGHT_JOIN lt_link l ON l.id = p.id STRAIGHT_JOIN lt_count c ON c.link_id = p.id` + orderBy(q, "p.k", "p.id"))
	rows, err := s.db.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return nil, failed(op, err)
	}
	defer rows.Close()
	links := []linktrack.Link{}
	for rows.Next() {
		l, err := scanLink(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		links = append(links, l)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, failed(op, err)
	}
	if err := s.addDays(ctx, links, q.DaySince); err != nil {
		return nil, failed(op, err)
	}
	return links, nil
}

// addDays sets the counts of the clicks since a time. It is a separate statement, because
// servers would read all hours of a link if it were part of the list's statement.
func (s *Store) addDays(ctx context.Context, links []linktrack.Link, since time.Time) error {
	if len(links) == 0 {
		return nil
	}
	at := make(map[int64]int, len(links))
	var p builder
	p.add(`SELECT link_id, CAST(SUM(clicks) AS SIGNED) FROM lt_hour WHERE link_id IN (?` + strings.Repeat(", ?", len(links)-1) + `)`)
	for i, l := range links {
		at[l.ID] = i
		p.args = append(p.args, l.ID)
	}
	p.add(` AND hour >= ? GROUP BY link_id`, linktrack.HourOf(since))
	rows, err := s.db.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, clicks int64
		if err := rows.Scan(&id, &clicks); err != nil {
			return err
		}
		links[at[id]].Counts.Day = clicks
	}
	return rows.Err()
}
