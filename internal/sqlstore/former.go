package sqlstore

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"github.com/linktrackhq/linktrack"
)

func nameOf(l *linktrack.Link) linktrack.LinkName {
	return linktrack.LinkName{Host: l.Host, Key: l.Key()}
}

// rename writes the host and path of an edited link, and makes its old name a former path.
// ErrTaken if another link has or had the new name, or it is reserved for another account.
func rename(ctx context.Context, tx *transaction, old, l *linktrack.Link) error {
	if old.Host == l.Host && old.Path == l.Path {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE lt_link SET host = ?, path_key = ?, path = ? WHERE id = ?`,
		[]byte(l.Host), []byte(l.Key()), []byte(l.Path), l.ID)
	if tx.Is(err, Duplicate) {
		return linktrack.ErrTaken
	}
	if err != nil || nameOf(old) == nameOf(l) {
		return err
	}
	if err := writeFormer(ctx, tx, &linktrack.Link{Account: l.Account, Host: old.Host, Path: old.Path}, l.ID); err != nil {
		return err
	}
	return takeNames(ctx, tx, l.Account, []linktrack.Link{*l})
}

// writeFormer makes the name of a link a former path of the link with the ID, or with the
// ID 0 reserves it for the account.
func writeFormer(ctx context.Context, tx *transaction, l *linktrack.Link, id int64) error {
	// There may be a row of another link: a process of an older version gives former paths
	// to new links.
	_, err := tx.ExecContext(ctx, `INSERT INTO lt_former (host, path_key, link_id, account_id) VALUES (?, ?, ?, ?)`+
		tx.upsert("lt_former", "host, path_key", replace("link_id"), replace("account_id")),
		[]byte(l.Host), []byte(l.Key()), id, int64(l.Account))
	return err
}

// takeNames is called after links of the account were written to lt_link. It returns
// ErrTaken if the name of one is a former path of another link or reserved for another
// account, and removes those reservations for the account that are used now.
func takeNames(ctx context.Context, tx *transaction, account linktrack.AccountID, links []linktrack.Link) error {
	names := make([]linktrack.LinkName, len(links))
	ids := make(map[linktrack.LinkName]int64, len(links))
	for i := range links {
		names[i] = nameOf(&links[i])
		ids[names[i]] = links[i].ID
	}
	all := byHost(names)
	for _, host := range slices.Sorted(maps.Keys(all)) {
		var p builder
		p.add(`SELECT path_key, link_id, account_id FROM lt_former WHERE host = ? AND path_key IN `, []byte(host))
		p.in(all[host])
		var reserved []string
		err := p.each(ctx, tx, func(row *sql.Rows) error {
			var key text
			var link, owner int64
			if err := row.Scan(&key, &link, &owner); err != nil {
				return err
			}
			switch {
			case link == 0 && owner == int64(account):
				reserved = append(reserved, string(key))
			case link != ids[linktrack.LinkName{Host: host, Key: string(key)}]:
				return linktrack.ErrTaken
			}
			return nil
		})
		if err == nil && len(reserved) > 0 {
			err = deleteFormer(ctx, tx, 0, host, reserved)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// deleteFormer deletes former paths of a link, or with the link 0, reservations.
func deleteFormer(ctx context.Context, tx *transaction, link int64, host string, keys []string) error {
	slices.Sort(keys)
	var p builder
	p.add(`DELETE FROM lt_former WHERE link_id = ? AND host = ? AND path_key IN `, link, []byte(host))
	p.in(keys)
	return p.exec(ctx, tx)
}

// FormerPaths implements [linktrack.LinkStore].
func (s *Store) FormerPaths(ctx context.Context, link int64) ([]linktrack.LinkName, error) {
	var p builder
	p.add(`SELECT f.host, f.path_key FROM lt_former f JOIN lt_link l ON l.id = f.link_id
		WHERE f.link_id = ? AND NOT (f.host = l.host AND f.path_key = l.path_key) ORDER BY f.host, f.path_key`, link)
	var names []linktrack.LinkName
	err := p.each(ctx, s.readDB, func(row *sql.Rows) error {
		var n linktrack.LinkName
		err := row.Scan((*text)(&n.Host), (*text)(&n.Key))
		names = append(names, n)
		return err
	})
	if err != nil {
		return nil, s.failed("list former paths", err)
	}
	return names, nil
}

// ReleasePaths implements [linktrack.LinkStore].
func (s *Store) ReleasePaths(ctx context.Context, link int64, names []linktrack.LinkName) error {
	if err := s.own(ctx); err != nil {
		return s.failed("release former paths", err)
	}
	if link < 1 { // not those that are reserved
		return nil
	}
	err := s.transact(ctx, func(tx *transaction) error {
		all := byHost(names)
		for _, host := range slices.Sorted(maps.Keys(all)) {
			if err := deleteFormer(ctx, tx, link, host, all[host]); err != nil {
				return err
			}
		}
		for _, name := range names {
			if err := noteChange(ctx, tx, link, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return s.failed("release former paths", err)
	}
	return nil
}

// linkByFormerPath returns the link that had a name. It is called after lt_link did not have
// the name. A link that gets the name back in between is found, because it keeps its row.
func (s *Store) linkByFormerPath(ctx context.Context, host, key string) (linktrack.Link, error) {
	return scanLink(s.readDB.QueryRowContext(ctx, `
		SELECT `+linkColumns+`
		FROM lt_former f JOIN lt_link l ON l.id = f.link_id JOIN lt_count c ON c.link_id = l.id
		WHERE f.host = ? AND f.path_key = ?`,
		[]byte(host), []byte(key)))
}
