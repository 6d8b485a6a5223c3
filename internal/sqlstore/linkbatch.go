package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/linktrackhq/linktrack"
)

// CreateLinks implements [linktrack.LinkStore], in statements of
// many rows.
func (s *Store) CreateLinks(ctx context.Context, links []linktrack.Link) ([]linktrack.Link, error) {
	const op = "create links"
	if err := s.own(ctx); err != nil {
		return nil, s.failed(op, err)
	}
	if len(links) == 0 {
		return []linktrack.Link{}, nil
	}
	given := make([]linktrack.Link, len(links))
	account := links[0].Account
	external := map[string]bool{}
	for i, l := range links {
		if err := fitLink(l); err != nil {
			return nil, s.failed(op, err)
		}
		if l.Account != account {
			return nil, s.failed(op, fmt.Errorf("they are of accounts %d and %d", account, l.Account))
		}
		if l.ExternalID != "" && external[l.ExternalID] {
			return nil, linktrack.ErrExternalIDTaken
		}
		external[l.ExternalID] = true
		l.Counts = linktrack.Counts{}
		toMicros(&l)
		given[i] = l
	}
	wanted := namesOf(given...)
	stored, err := wanted.find(ctx, s.readDB, account)
	if err != nil {
		return nil, s.failed(op, err)
	}
	var made []linktrack.Link
	err = s.transact(ctx, func(tx *transaction) error {
		made = slices.Clone(given)
		// Links are inserted before the names that they use. Every transaction that
		// locks both locks them in this order, so that no deadlock arises.
		if err := insertLinks(ctx, tx, made, stored); err != nil {
			return err
		}
		if err := takeNames(ctx, tx, account, made); err != nil {
			return err
		}
		all, err := wanted.complete(ctx, tx, account, stored)
		if err != nil {
			return err
		}
		if err := useNewNames(ctx, tx, made, stored, all); err != nil {
			return err
		}
		if err := insertTags(ctx, tx, made, tagKeys); err != nil {
			return err
		}
		if _, err := insertPerLink(ctx, tx, made, `INSERT INTO lt_count (link_id, account_id, alert_at, deactivate_at) VALUES `, `(?, ?, ?, ?)`,
			func(l *linktrack.Link) []any { return []any{l.ID, int64(l.Account), l.AlertAt, l.DeactivateAt} }); err != nil {
			return err
		}
		if _, err := insertPerLink(ctx, tx, made, `INSERT INTO lt_rank (link_id, account_id, list_kind) VALUES `, `(?, ?, ?)`,
			func(l *linktrack.Link) []any { return []any{l.ID, int64(l.Account), int64(kindOf(l))} }); err != nil {
			return err
		}
		numbers := map[listed]int64{}
		for i := range made {
			numbers[listedAs(&made[i])]++
		}
		return addLinks(ctx, tx, numbers)
	})
	if errors.Is(err, linktrack.ErrTaken) {
		if err = s.takenBy(ctx, account, given, 0); errors.Is(err, linktrack.ErrTaken) {
			return nil, err
		}
	}
	if err != nil {
		return nil, s.failed(op, err)
	}
	for i := range made {
		made[i].PasswordHash = slices.Clone(made[i].PasswordHash)
	}
	return made, nil
}

// takenBy returns why links could not be stored because of a unique key:
// ErrExternalIDTaken if the account has another link, without the given ID, with the
// external id of one of them, and else ErrTaken.
func (s *Store) takenBy(ctx context.Context, account linktrack.AccountID, links []linktrack.Link, id int64) error {
	var ids []string
	for _, l := range links {
		if l.ExternalID != "" {
			ids = append(ids, l.ExternalID)
		}
	}
	if len(ids) == 0 {
		return linktrack.ErrTaken
	}
	var p builder
	p.add(`SELECT COUNT(*) FROM lt_link WHERE account_id = ? AND id <> ? AND external_id IN `, int64(account), id)
	p.in(ids)
	var n int
	err := s.readDB.QueryRowContext(ctx, p.sql.String(), p.args...).Scan(&n)
	switch {
	case err != nil:
		return err
	case n > 0:
		return linktrack.ErrExternalIDTaken
	}
	return linktrack.ErrTaken
}

// insertLinks inserts the rows of the links, and sets their IDs. The rows get those names
// that are stored.
func insertLinks(ctx context.Context, tx *transaction, links []linktrack.Link, stored linkNames) error {
	last, err := insertPerLink(ctx, tx, links, insertLink, insertedRow, func(l *linktrack.Link) []any {
		row := *l
		stored.apply(&row)
		return linkArgs(&row)
	})
	if tx.Is(err, Duplicate) {
		return linktrack.ErrTaken
	}
	if err == nil && len(links) == 1 {
		links[0].ID, err = last.LastInsertId()
		return err
	}
	if err != nil {
		return err
	}
	return readIDs(ctx, tx, links)
}

// useNewNames gives the links their names, and writes them to those rows that lack one
// because it was not stored before.
func useNewNames(ctx context.Context, tx *transaction, links []linktrack.Link, stored, all linkNames) error {
	ids := map[[2]string][]int64{} // by group and tags
	for i := range links {
		l := &links[i]
		before := *l
		stored.apply(&before)
		all.apply(l)
		if l.Group != before.Group || !slices.Equal(l.Tags, before.Tags) {
			key := [2]string{l.Group, joined(l.Tags)}
			ids[key] = append(ids[key], l.ID)
		}
	}
	for key, ids := range ids {
		var p builder
		p.add(`UPDATE lt_link SET group_name = ?, tags = ? WHERE id IN `, []byte(key[0]), []byte(key[1]))
		p.inNumbers(ids)
		if err := p.exec(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// insertPerLink inserts a row for each link, in statements of limited size. It returns the
// result of the last one.
func insertPerLink(ctx context.Context, tx *transaction, links []linktrack.Link, head, row string, values func(*linktrack.Link) []any) (last sql.Result, err error) {
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
		size += 500 + len(l.ExternalURL) + len(l.Title) + len(l.Description) + len(l.Notes) + len(l.FallbackURL) + len(joined(l.Tags))
		if size >= statementSize || i == len(links)-1 {
			if last, err = tx.ExecContext(ctx, p.sql.String(), p.args...); err != nil {
				return nil, err
			}
			p, size = builder{}, 0
		}
	}
	return last, nil
}

// readIDs looks up the IDs of the links. LAST_INSERT_ID is not enough, because not every
// server gives consecutive IDs to the rows of a statement.
func readIDs(ctx context.Context, tx *transaction, links []linktrack.Link) error {
	names := make([]linktrack.LinkName, len(links))
	for i, l := range links {
		names[i] = linktrack.LinkName{Host: l.Host, Key: l.Key()}
	}
	ids := make(map[linktrack.LinkName]int64, len(links))
	for host, keys := range byHost(names) {
		var p builder
		p.add(`SELECT path_key, id FROM lt_link`+tx.Index("lt_link_path")+` WHERE host = ? AND path_key IN `, []byte(host))
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

// LinksByExternalID implements [linktrack.LinkStore].
func (s *Store) LinksByExternalID(ctx context.Context, account linktrack.AccountID, ids []string) (map[string]linktrack.Link, error) {
	links := make(map[string]linktrack.Link, len(ids))
	if ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" }); len(ids) == 0 {
		return links, nil
	}
	var p builder
	p.add(`SELECT `+linkColumns+` FROM lt_link l`+s.d.Index("lt_link_external")+` JOIN lt_count c ON c.link_id = l.id WHERE l.account_id = ? AND l.external_id IN `, int64(account))
	p.in(ids)
	err := p.each(ctx, s.readDB, func(row *sql.Rows) error {
		l, err := scanLink(row)
		links[l.ExternalID] = l
		return err
	})
	if err != nil {
		return nil, s.failed("look up links", err)
	}
	return links, nil
}

// LinksByPath implements [linktrack.LinkStore], with look-ups by the unique keys for each
// host. As in LinkByPath, those names that no link has are looked up among the former ones.
func (s *Store) LinksByPath(ctx context.Context, names []linktrack.LinkName) (links map[linktrack.LinkName]linktrack.Link, err error) {
	err = s.sure(ctx, func() (err error) {
		links, err = s.linksByPath(ctx, names)
		if err == nil && len(links) < len(names) {
			err = linktrack.ErrNotFound
		}
		return err
	})
	if err != nil && !errors.Is(err, linktrack.ErrNotFound) {
		return nil, s.failed("look up links", err)
	}
	return links, nil
}

// linksByPath returns the links that it finds.
func (s *Store) linksByPath(ctx context.Context, names []linktrack.LinkName) (map[linktrack.LinkName]linktrack.Link, error) {
	links := make(map[linktrack.LinkName]linktrack.Link, len(names))
	find := func(table, from, host string, keys []string) error {
		var p builder
		p.add(`SELECT `+table+`.path_key, `+linkColumns+from+` JOIN lt_count c ON c.link_id = l.id WHERE `+table+`.host = ? AND `+table+`.path_key IN `, []byte(host))
		p.in(keys)
		return p.each(ctx, s.readDB, func(row *sql.Rows) error {
			var key text
			l, err := scanLink(leading{row, []any{&key}})
			links[linktrack.LinkName{Host: host, Key: string(key)}] = l
			return err
		})
	}
	for host, keys := range byHost(names) {
		err := find("l", ` FROM lt_link l`+s.d.Index("lt_link_path"), host, keys)
		keys = slices.DeleteFunc(keys, func(key string) bool {
			_, found := links[linktrack.LinkName{Host: host, Key: key}]
			return found
		})
		if err == nil && len(keys) > 0 {
			err = find("f", ` FROM lt_former f`+s.d.Index(primary)+` JOIN lt_link l ON l.id = f.link_id`, host, keys)
		}
		if err != nil {
			return nil, err
		}
	}
	return links, nil
}
