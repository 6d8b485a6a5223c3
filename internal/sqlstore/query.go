package sqlstore

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
		return nil, s.failed(op, err)
	}
	defer done()
	if _, ok := sortKeys[q.Sort]; !ok || q.Limit < 1 || q.Offset < 0 {
		return nil, s.failed(op, fmt.Errorf("there is no sort %q with limit %d and offset %d", q.Sort, q.Limit, q.Offset))
	}
	where, err := s.which(ctx, q)
	if err != nil {
		return nil, s.failed(op, err)
	}
	if where == nil {
		return []linktrack.Link{}, nil
	}
	switch q.Sort {
	case linktrack.SortExternalURL:
		return s.linksByURL(ctx, q, where)
	case linktrack.SortDay:
		var from int64
		if err := s.readDB.QueryRowContext(ctx, `SELECT from_hour FROM lt_roll WHERE id = 1`).Scan(&from); err != nil {
			return nil, s.failed(op, err)
		}
		if from != linktrack.HourOf(q.DaySince) {
			return s.read(ctx, q, pickByHours(q, where), "p.k")
		}
	}
	return s.read(ctx, q, s.pick(q, where), "p.k")
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

// filtered reports whether q asks for only some of the links of its kinds. If so, the server
// chooses how to find them; otherwise the index of the sort is read in order. Most links are
// active, so the index is also read in order if only those are wanted.
func filtered(q linktrack.LinkFilter) bool {
	return q.Names != nil || q.Groups != nil || q.Tags != nil || q.Host != "" || q.Search != "" || q.State != "" && q.State != linktrack.StateActive
}

// reach returns the number of links on the page of q and on all pages before it.
func reach(q linktrack.LinkFilter) int { return q.Offset + q.Limit }

// page adds the limit and the offset of q.
func (p *builder) page(q linktrack.LinkFilter) { p.add(` LIMIT ? OFFSET ?`, q.Limit, q.Offset) }

// which returns the conditions on lt_link l, or nil if no link can meet them.
func (s *Store) which(ctx context.Context, q linktrack.LinkFilter) (*builder, error) {
	w := &builder{}
	w.add("l.account_id = ? AND ", int64(q.Account))
	w.kind("l.list_kind", q)
	if q.Host != "" {
		w.add(" AND l.host = ?", []byte(q.Host))
	}
	if q.State != "" && !w.state(q.Account, q.State, q.Now) {
		return nil, nil
	}
	if q.Tags != nil {
		if len(q.Tags) == 0 {
			return nil, nil
		}
		keys := make([]string, len(q.Tags))
		for i, tag := range q.Tags {
			keys[i] = linktrack.GroupKey(tag)
		}
		w.add(" AND l.id IN (SELECT t.link_id FROM lt_link_tag t WHERE t.account_id = ? AND t.name_key IN ", int64(q.Account))
		w.in(keys)
		w.add(")")
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
			w.add(" AND (")
			w.anyOf(len(order), func(i int) {
				if order[i] != "" {
					w.add("l.host = ? AND ", []byte(order[i]))
				}
				w.add("l.path_key IN ")
				w.in(hosts[order[i]])
			})
			w.add(")")
		}
	}
	if q.Groups != nil {
		wanted := names{}
		for _, g := range q.Groups {
			wanted.add(g)
		}
		found, err := groupTable.find(ctx, s.readDB, q.Account, wanted)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		w.add(" AND l.group_name IN ")
		w.in(slices.Sorted(maps.Values(found)))
	}
	if q.Search != "" {
		oldest, err := s.oldestSearched(ctx, q)
		if err != nil {
			return nil, err
		}
		w.search(s.d, q.Words(), oldest)
	}
	return w, nil
}

// read returns the links that pick picks, in the order of by, which is a column of p, the
// picked ids, or of lt_link l.
func (s *Store) read(ctx context.Context, q linktrack.LinkFilter, pick builder, by string) ([]linktrack.Link, error) {
	const op = "list links"
	var p builder
	p.add(`SELECT ` + linkColumns + ` FROM (`)
	p.append(&pick)
	p.add(`) p` + s.d.Join + `lt_link l ON l.id = p.id` + s.d.Join + `lt_count c ON c.link_id = p.id` + orderBy(q, by, "p.id"))
	rows, err := s.readDB.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return nil, s.failed(op, err)
	}
	defer rows.Close()
	links := []linktrack.Link{}
	for rows.Next() {
		l, err := scanLink(rows)
		if err != nil {
			return nil, s.failed(op, err)
		}
		links = append(links, l)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, s.failed(op, err)
	}
	if err := s.addDays(ctx, links, q.DaySince); err != nil {
		return nil, s.failed(op, err)
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
	p.add(`SELECT link_id, SUM(clicks) FROM lt_hour WHERE link_id IN (?` + strings.Repeat(", ?", len(links)-1) + `)`)
	for i, l := range links {
		at[l.ID] = i
		p.args = append(p.args, l.ID)
	}
	p.add(` AND hour >= ? GROUP BY link_id`, linktrack.HourOf(since))
	rows, err := s.readDB.QueryContext(ctx, p.sql.String(), p.args...)
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
