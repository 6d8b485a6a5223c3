package sqlstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/linktrackhq/linktrack"
)

// A listKind says in which list a link is. It is a column of lt_link and lt_rank.
type listKind int64

const (
	usualLinks listKind = iota
	archivedLinks
	deletedLinks
)

func kindOf(l *linktrack.Link) listKind {
	switch {
	case !l.DeletedAt.IsZero():
		return deletedLinks
	case l.IsArchived:
		return archivedLinks
	}
	return usualLinks
}

// kinds returns the kinds of links that q describes.
func kinds(q linktrack.LinkFilter) []listKind {
	switch {
	case q.Deleted:
		return []listKind{deletedLinks}
	case q.Archived == linktrack.WithArchived:
		return []listKind{usualLinks, archivedLinks}
	case q.Archived == linktrack.OnlyArchived:
		return []listKind{archivedLinks}
	}
	return []listKind{usualLinks}
}

// kind adds the condition that a column has one of the kinds of q.
func (p *builder) kind(column string, q linktrack.LinkFilter) {
	all := kinds(q)
	if len(all) == 1 {
		p.add(column+" = ?", int64(all[0]))
		return
	}
	p.add(column + " IN ")
	numbers := make([]int64, len(all))
	for i, k := range all {
		numbers[i] = int64(k)
	}
	p.inNumbers(numbers)
}

// A listed account and kind have a number of links in lt_link_number.
type listed struct {
	account linktrack.AccountID
	kind    listKind
}

func listedAs(l *linktrack.Link) listed { return listed{l.Account, kindOf(l)} }

// addLinks adds to the numbers of links. A transaction does it last, because callers that
// change links of the same account wait for each other here.
func addLinks(ctx context.Context, tx *transaction, numbers map[listed]int64) error {
	var changed []listed
	for of, n := range numbers {
		if n != 0 {
			changed = append(changed, of)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	slices.SortFunc(changed, func(a, b listed) int { // so that no deadlock arises
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.kind, b.kind))
	})
	var p builder
	p.add(`INSERT INTO lt_link_number (account_id, list_kind, links) VALUES `)
	for i, of := range changed {
		p.row(i, int64(of.account), int64(of.kind), numbers[of])
	}
	p.add(tx.upsert("lt_link_number", "account_id, list_kind", add("links")))
	return p.exec(ctx, tx)
}

// recount counts a link after an edit. uncounted says that no number has the link yet.
func recount(ctx context.Context, tx *transaction, old, l *linktrack.Link, uncounted bool) error {
	numbers := map[listed]int64{listedAs(l): 1}
	if !uncounted {
		numbers[listedAs(old)]--
	}
	return addLinks(ctx, tx, numbers)
}

// CountLinks implements [linktrack.LinkStore].
func (s *Store) CountLinks(ctx context.Context, q linktrack.LinkFilter) (n int64, err error) {
	const op = "count links"
	done, err := s.beginReading(ctx)
	if err != nil {
		return 0, s.failed(op, err)
	}
	defer done()
	q.After, q.Sort = nil, linktrack.SortID
	var p builder
	if !filtered(q) && q.State == "" {
		p.add(`SELECT COALESCE((SELECT SUM(n.links) FROM lt_link_number n WHERE n.account_id = ? AND `, int64(q.Account))
		p.kind("n.list_kind", q)
		p.add(`), 0) + (SELECT COUNT(*) FROM lt_link l`+s.d.Index("lt_link_uncounted")+` WHERE l.uncounted = 1 AND l.account_id = ? AND `, int64(q.Account))
		p.kind("l.list_kind", q)
		p.add(`)`)
	} else {
		where, err := s.which(ctx, q)
		if err != nil {
			return 0, s.failed(op, err)
		}
		if where == nil {
			return 0, nil
		}
		p.add(`SELECT COUNT(*) FROM lt_link l WHERE `)
		p.append(where)
	}
	if err := s.readDB.QueryRowContext(ctx, p.sql.String(), p.args...).Scan(&n); err != nil {
		return 0, s.failed(op, err)
	}
	return n, nil
}
