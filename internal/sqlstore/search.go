package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// searched are the columns of lt_link l in which a search looks for words.
var searched = []string{"l.external_url", "l.title", "l.path", "l.notes", "l.group_name"}

// search adds the condition that a link contains all words, and that its ID is at least
// oldest. The database itself changes both the words and the columns to lower case, so that
// every letter is changed in the same way.
func (p *builder) search(d *Dialect, words []string, oldest int64) {
	p.add(" AND l.id >= ?", oldest)
	word := d.Lowered("?")
	for _, w := range words {
		p.add(" AND ("+d.Lowered("l.host")+" = "+word, []byte(w))
		columns := searched
		if strings.Contains(w, "/") {
			columns = append(slices.Clone(columns), "CONCAT(l.host, '/', l.path)")
		}
		for _, column := range columns {
			p.add(" OR INSTR("+d.Lowered(column)+", "+word+") > 0", []byte(w))
		}
		p.add(")")
	}
}

// oldestSearched returns the lowest ID that is searched. For each kind of links in q, it
// reads at most SearchDepth entries of an index.
func (s *Store) oldestSearched(ctx context.Context, q linktrack.LinkFilter) (oldest int64, err error) {
	for i, kind := range kinds(q) {
		var id int64
		err := s.readDB.QueryRowContext(ctx, `
			SELECT id FROM lt_link`+s.d.Index("lt_link_account")+` WHERE account_id = ? AND list_kind = ?
			ORDER BY id DESC LIMIT 1 OFFSET ?`, int64(q.Account), int64(kind), linktrack.SearchDepth-1).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) { // the account has fewer links
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		if i == 0 || id < oldest {
			oldest = id
		}
	}
	return oldest, nil
}

// Groups implements [linktrack.LinkStore].
func (s *Store) Groups(ctx context.Context, account linktrack.AccountID, limit int) ([]string, error) {
	return s.names(ctx, "list groups", groupTable, account, limit)
}

// Tags implements [linktrack.LinkStore].
func (s *Store) Tags(ctx context.Context, account linktrack.AccountID, limit int) ([]string, error) {
	return s.names(ctx, "list tags", tagTable, account, limit)
}

// names returns the names of the account in the order of their keys, at most limit.
func (s *Store) names(ctx context.Context, op string, t nameTable, account linktrack.AccountID, limit int) ([]string, error) {
	list := []string{}
	err := s.readDB.SelectContext(ctx, &list, `SELECT name FROM `+string(t)+` WHERE account_id = ? ORDER BY name_key LIMIT ?`, int64(account), limit)
	if err != nil {
		return nil, s.failed(op, err)
	}
	return list, nil
}
