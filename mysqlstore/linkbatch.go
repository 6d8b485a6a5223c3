package mysqlstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
)

// CreateLinks implements [linktrack.LinkStore], in statements of
// many rows.
func (s *Store) CreateLinks(ctx context.Context, links []linktrack.Link) ([]linktrack.Link, error) {
	const op = "create links"
	if len(links) == 0 {
		return []linktrack.Link{}, nil
	}
	made := make([]linktrack.Link, len(links))
	account := links[0].Account
	groups := map[string]string{} // by key, the first spelling among the links
	for i, l := range links {
		if err := fitLink(l); err != nil {
			return nil, failed(op, err)
		}
		if l.Account != account {
			return nil, failed(op, fmt.Errorf("they are of accounts %d and %d", account, l.Account))
		}
		l.Counts = linktrack.Counts{}
		l.ExpiresAt, l.CreatedAt = fromMicros(micros(l.ExpiresAt)), fromMicros(micros(l.CreatedAt))
		if key := linktrack.GroupKey(l.Group); l.Group != "" && groups[key] == "" {
			groups[key] = l.Group
		}
		made[i] = l
	}
	names, err := s.knownGroups(ctx, account, groups)
	if err != nil {
		return nil, failed(op, err)
	}
	err = s.transact(ctx, func(tx *sqlx.Tx) error {
		// As in CreateLink, links come before groups.
		if err := insertLinks(ctx, tx, made, names); err != nil {
			return err
		}
		if err := readIDs(ctx, tx, made); err != nil {
			return err
		}
		if err := makeGroups(ctx, tx, account, made, groups, names); err != nil {
			return err
		}
		if err := insertPerLink(ctx, tx, made, `INSERT INTO lt_count (link_id, account_id, alert_at, deactivate_at) VALUES `, `(?, ?, ?, ?)`,
			func(l *linktrack.Link) []any { return []any{l.ID, int64(l.Account), l.AlertAt, l.DeactivateAt} }); err != nil {
			return err
		}
		return insertPerLink(ctx, tx, made, `INSERT INTO lt_rank (link_id, account_id) VALUES `, `(?, ?)`,
			func(l *linktrack.Link) []any { return []any{l.ID, int64(l.Account)} })
	})
	switch {
	case errors.Is(err, linktrack.ErrTaken):
		return nil, err
	case err != nil:
		return nil, failed(op, err)
	}
	for i := range made {
		if name := names[linktrack.GroupKey(made[i].Group)]; name != "" {
			made[i].Group = name
		}
		made[i].PasswordHash = slices.Clone(made[i].PasswordHash)
	}
	return made, nil
}

// knownGroups returns, by key, the stored names of those groups that the account has.
func (s *Store) knownGroups(ctx context.Context, account linktrack.AccountID, groups map[string]string) (map[string]string, error) {
	wanted := make([]string, 0, len(groups))
	for _, name := range groups {
		wanted = append(wanted, name)
	}
	found, err := s.groupNames(ctx, account, wanted)
	names := make(map[string]string, len(groups))
	for _, name := range found {
		names[linktrack.GroupKey(name)] = name
	}
	return names, err
}

// insertLinks inserts the rows of the links. Links of groups that do not exist yet have no
// group at first.
func insertLinks(ctx context.Context, tx *sqlx.Tx, links []linktrack.Link, names map[string]string) error {
	err := insertPerLink(ctx, tx, links, insertLink, insertedRow, func(l *linktrack.Link) []any {
		row := *l
		row.Group = names[linktrack.GroupKey(l.Group)]
		return linkArgs(&row)
	})
	if number(err) == errDuplicate {
		return linktrack.ErrTaken
	}
	return err
}

// insertPerLink inserts a row for each link, in statements of limited size.
func insertPerLink(ctx context.Context, tx *sqlx.Tx, links []linktrack.Link, head, row string, values func(*linktrack.Link) []any) error {
	var p builder
	size := 0
	for i := range links {
		l := &links[i]
		if size == 0 {
			p.add(head + row)
		} else {
			p.add(", " + row)
		}
		p.args = append(p.args, values(l)...)
		size += 500 + len(l.ExternalURL) + len(l.Title) + len(l.Description) + len(l.Notes)
		if size >= statementSize || i == len(links)-1 {
			if _, err := tx.ExecContext(ctx, p.sql.String(), p.args...); err != nil {
				return err
			}
			p, size = builder{}, 0
		}
	}
	return nil
}

// readIDs looks up the IDs of the links. LAST_INSERT_ID is not enough, because not every
// server gives consecutive IDs to the rows of a statement.
func readIDs(ctx context.Context, tx *sqlx.Tx, links []linktrack.Link) error {
	names := make([]linktrack.LinkName, len(links))
	for i, l := range links {
		names[i] = linktrack.LinkName{Host: l.Host, Key: l.Key()}
	}
	ids := make(map[linktrack.LinkName]int64, len(links))
	for host, keys := range byHost(names) {
		var p builder
		p.add(`SELECT path_key, id FROM lt_link FORCE INDEX (lt_link_path) WHERE host = ? AND path_key IN `, []byte(host))
		p.in(keys)
		rows, err := tx.QueryContext(ctx, p.sql.String(), p.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key string
			var id int64
			if err := rows.Scan(&key, &id); err != nil {
				return err
			}
			ids[linktrack.LinkName{Host: host, Key: key}] = id
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	for i := range links {
		if links[i].ID = ids[names[i]]; links[i].ID == 0 {
			return errors.New("a link that was made is not there")
		}
	}
	return nil
}

// byHost returns the keys of names by host.
func byHost(names []linktrack.LinkName) map[string][]string {
	keys := map[string][]string{}
	for _, n := range names {
		keys[n.Host] = append(keys[n.Host], n.Key)
	}
	return keys
}

// makeGroups creates those wanted groups that are not in names, and sets them in their
// links.
func makeGroups(ctx context.Context, tx *sqlx.Tx, account linktrack.AccountID, links []linktrack.Link, wanted, names map[string]string) error {
	ids := map[string][]int64{}
	for _, l := range links {
		if key := linktrack.GroupKey(l.Group); key != "" && names[key] == "" {
			ids[key] = append(ids[key], l.ID)
		}
	}
	made := map[string]string{} // not names itself, because the transaction may be run again
	for _, key := range slices.Sorted(maps.Keys(ids)) {
		name, err := makeGroup(ctx, tx, account, wanted[key])
		if err != nil {
			return err
		}
		var p builder
		p.add(`UPDATE lt_link SET group_name = ? WHERE id IN (?`+strings.Repeat(", ?", len(ids[key])-1)+`)`, []byte(name))
		for _, id := range ids[key] {
			p.args = append(p.args, id)
		}
		if _, err := tx.ExecContext(ctx, p.sql.String(), p.args...); err != nil {
			return err
		}
		made[key] = name
	}
	for i := range links {
		if name := made[linktrack.GroupKey(links[i].Group)]; name != "" {
			links[i].Group = name
		}
	}
	return nil
}

// LinksByPath implements [linktrack.LinkStore], with a look-up by the unique
// key for each host.
func (s *Store) LinksByPath(ctx context.Context, names []linktrack.LinkName) ([]linktrack.Link, error) {
	const op = "look up links"
	links := []linktrack.Link{}
	for host, keys := range byHost(names) {
		var p builder
		p.add(`SELECT `+linkColumns+` FROM lt_link l FORCE INDEX (lt_link_path) JOIN lt_count c ON c.link_id = l.id WHERE l.host = ? AND l.path_key IN `, []byte(host))
		p.in(keys)
		rows, err := s.db.QueryContext(ctx, p.sql.String(), p.args...)
		if err != nil {
			return nil, failed(op, err)
		}
		defer rows.Close()
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
	}
	return links, nil
}
