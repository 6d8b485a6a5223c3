package mysqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// searched are the columns of lt_link l that a search looks at.
var searched = []string{"l.external_url", "l.title", "l.path", "l.notes", "l.group_name"}

// search adds the condition that a link has all the words and is not older than
// the oldest that is searched. The server lowers both sides, so that they agree
// on every letter; the collation then compares byte by byte.
func (p *builder) search(words []string, oldest int64) {
	p.add(" AND l.id >= ?", oldest)
	word := lowered("CAST(? AS BINARY)")
	for _, w := range words {
		p.add(" AND ("+lowered("l.host")+" = "+word, []byte(w))
		columns := searched
		if strings.Contains(w, "/") {
			columns = append(slices.Clone(columns), "CONCAT(l.host, '/', l.path)")
		}
		for _, column := range columns {
			p.add(" OR INSTR("+lowered(column)+", "+word+") > 0", []byte(w))
		}
		p.add(")")
	}
}

func lowered(text string) string {
	return "LOWER(CONVERT(" + text + " USING utf8mb4) COLLATE utf8mb4_bin)"
}

// oldestSearched returns the ID from which on an account's links are searched.
// It reads SearchDepth entries of a key at most.
func (s *Store) oldestSearched(ctx context.Context, account linktrack.AccountID) (id int64, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT id FROM lt_link FORCE INDEX (lt_link_account) WHERE account_id = ?
		ORDER BY id DESC LIMIT 1 OFFSET ?`, int64(account), linktrack.SearchDepth-1).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) { // it has not so many
		return 0, nil
	}
	return id, err
}

// Groups implements [linktrack.LinkStore].
func (s *Store) Groups(ctx context.Context, account linktrack.AccountID, limit int) ([]string, error) {
	const doing = "list groups"
	names := []string{}
	err := s.db.SelectContext(ctx, &names, `SELECT name FROM lt_group WHERE account_id = ? ORDER BY name_key LIMIT ?`,
		int64(account), limit)
	if err != nil {
		return nil, failed(doing, err)
	}
	return names, nil
}
