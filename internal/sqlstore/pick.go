package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// A source is a table whose index on a column has the order of a sort. Its rows have the
// columns account_id and list_kind of their links.
type source struct{ table, alias, id, column, key string }

func sourceOf(q linktrack.LinkFilter) source {
	by := sortKeys[q.Sort]
	if strings.HasPrefix(by.column, "r.") {
		return source{"lt_rank", "r", "r.link_id", by.column, by.key}
	}
	return source{"lt_link", "l", "l.id", by.column, by.key}
}

// place adds the condition that a link comes after q.After.
func (p *builder) place(q linktrack.LinkFilter, column, id string) {
	if q.After == nil {
		return
	}
	side := " < ?"
	if q.Ascending {
		side = " > ?"
	}
	if q.Sort == linktrack.SortID {
		p.add(" AND "+id+side, q.After.ID)
		return
	}
	value := placeOf(q)
	p.add(" AND ("+column+side+" OR "+column+" = ? AND "+id+side+")", value, value, q.After.ID)
}

// placeOf returns the value of the sort's column at q.After.
func placeOf(q linktrack.LinkFilter) any {
	switch q.Sort {
	case linktrack.SortCreated, linktrack.SortDay, linktrack.SortTotal, linktrack.SortLastClick:
		return q.After.Number
	}
	return []byte(q.After.Text)
}

// pick picks ids by the column of a sort, which it returns as k.
func (s *Store) pick(q linktrack.LinkFilter, where *builder) builder {
	if filtered(q) {
		return pickSome(q, sourceOf(q), where)
	}
	return s.pickInOrder(q, sourceOf(q), where, func(p *builder) { p.place(q, sourceOf(q).column, sourceOf(q).id) })
}

// pickSome picks ids of those links that meet where, in a way that the server chooses.
func pickSome(q linktrack.LinkFilter, from source, where *builder) (p builder) {
	p.add(`SELECT ` + from.column + ` AS k, l.id FROM lt_link l `)
	if from.alias == "r" {
		p.add(`JOIN lt_rank r ON r.link_id = l.id `)
	}
	p.add(`WHERE `)
	p.append(where)
	p.place(q, from.column, "l.id")
	p.add(orderBy(q, from.column, "l.id"))
	p.page(q)
	return p
}

// pickInOrder reads the index of a source in order, for each kind of links, and picks the
// page from these. place adds the condition for q.After.
func (s *Store) pickInOrder(q linktrack.LinkFilter, from source, where *builder, place func(*builder)) (p builder) {
	all := kinds(q)
	for i, kind := range all {
		if i > 0 {
			p.add(` UNION ALL `)
		}
		if len(all) > 1 {
			p.add(`SELECT k, id FROM (`)
		}
		p.add(`SELECT ` + from.column + ` AS k, ` + from.id + ` AS id FROM ` + from.table + ` ` + from.alias + s.d.Index(from.key))
		if q.State != "" && from.alias != "l" {
			p.add(s.d.Join + `lt_link l ON l.id = ` + from.id)
		}
		p.add(` WHERE `+from.alias+`.account_id = ? AND `+from.alias+`.list_kind = ?`, int64(q.Account), int64(kind))
		if q.State != "" {
			p.add(` AND `)
			p.append(where)
		}
		place(&p)
		p.add(` ORDER BY ` + from.column + ` ` + direction(q) + `, ` + from.id + ` ` + direction(q))
		if len(all) > 1 {
			p.add(` LIMIT ?) of`+strconv.Itoa(int(kind)), reach(q))
		} else {
			p.page(q)
		}
	}
	if len(all) > 1 {
		p.add(` ORDER BY k ` + direction(q) + `, id ` + direction(q))
		p.page(q)
	}
	return p
}

// pickByHours picks ids by the clicks since q.DaySince. It is slow, and needed only if
// lt_rank.recent counts from another hour, because the clock of this process is behind
// that of another one.
func pickByHours(q linktrack.LinkFilter, where *builder) (p builder) {
	p.add(`SELECT COALESCE(SUM(h.clicks), 0) AS k, l.id FROM lt_link l LEFT JOIN lt_hour h ON h.link_id = l.id AND h.hour >= ? WHERE `,
		linktrack.HourOf(q.DaySince))
	p.append(where)
	p.add(` GROUP BY l.id`)
	if q.After != nil {
		p.add(` HAVING 1 = 1`)
		p.place(q, "k", "id")
	}
	p.add(orderBy(q, "k", "id"))
	p.page(q)
	return p
}

// linksByURL sorts by the destination, which is too long for an index. The index on its
// first bytes, its head, shows which links can be on the page: those whose heads do not come
// after the head of the link at the limit. Only these links are sorted by the whole
// destination.
func (s *Store) linksByURL(ctx context.Context, q linktrack.LinkFilter, where *builder) ([]linktrack.Link, error) {
	const op = "list links"
	from := source{"lt_link", "l", "l.id", "l.url_head", "lt_link_url"}
	place := func(p *builder) {
		if q.After == nil {
			return
		}
		head := urlHead(q.After.Text)
		if len(head) < headSize { // the index has the whole destination
			p.place(linktrack.LinkFilter{After: &linktrack.LinkCursor{Text: string(head), ID: q.After.ID}, Ascending: q.Ascending}, "l.url_head", "l.id")
			return
		}
		side := ">="
		if !q.Ascending {
			side = "<="
		}
		p.add(" AND l.url_head "+side+" ?", head)
		p.place(q, "l.external_url", "l.id")
	}
	var last, skipped []byte // the heads at the limit, and before the page; nil: there is none
	if !filtered(q) {
		var err error
		if last, err = s.headAt(ctx, q, from, where, place, reach(q)); err == nil && q.Offset > 0 {
			skipped, err = s.headAt(ctx, q, from, where, place, q.Offset)
		}
		if err != nil {
			return nil, s.failed(op, err)
		}
	}
	if last != nil && len(last) < headSize && len(skipped) < headSize {
		// The index has the whole destinations of both, so the same links come
		// before them in the order of the index and of the destinations.
		links, err := s.read(ctx, q, s.pickInOrder(q, from, where, place), `l.external_url`)
		if err != nil || !slices.ContainsFunc(links, func(l linktrack.Link) bool { return len(urlHead(l.ExternalURL)) == headSize }) {
			return links, err
		}
		// A link was edited after the heads were read: the page has one of which the index
		// has only the head, so others with this head may come before it.
	}
	pick := func(bounded bool) (p builder) {
		p.add(`SELECT l.external_url AS k, l.id FROM lt_link l WHERE `)
		p.append(where)
		if bounded {
			side := "<="
			if !q.Ascending {
				side = ">="
			}
			p.add(` AND l.url_head `+side+` ?`, last)
		}
		place(&p)
		p.add(orderBy(q, "l.external_url", "l.id"))
		p.page(q)
		return p
	}
	links, err := s.read(ctx, q, pick(last != nil), "p.k")
	if err == nil && last != nil && len(links) < q.Limit {
		// A link was edited after the bound was read, and is no longer within it.
		links, err = s.read(ctx, q, pick(false), "p.k")
	}
	return links, err
}

// headAt returns the head of the link at a position, from 1, in the order of the index; nil
// if there are fewer links.
func (s *Store) headAt(ctx context.Context, q linktrack.LinkFilter, from source, where *builder, place func(*builder), position int) ([]byte, error) {
	q.Offset, q.Limit = position-1, 1
	p := s.pickInOrder(q, from, where, place)
	var head []byte
	var id int64
	err := s.readDB.QueryRowContext(ctx, p.sql.String(), p.args...).Scan(&head, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil && head == nil {
		head = []byte{}
	}
	return head, err
}
