package mysqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
)

// CreateLink implements [linktrack.LinkStore].
func (s *Store) CreateLink(ctx context.Context, l linktrack.Link) (linktrack.Link, error) {
	const op = "create a link"
	if err := fitLink(l); err != nil {
		return linktrack.Link{}, failed(op, err)
	}
	l.Counts = linktrack.Counts{}
	l.ExpiresAt, l.CreatedAt = fromMicros(micros(l.ExpiresAt)), fromMicros(micros(l.CreatedAt))
	wanted, name, known := l.Group, "", true
	if wanted != "" {
		var err error
		if name, known, err = groupName(ctx, s.db, l.Account, wanted); err != nil {
			return linktrack.Link{}, failed(op, err)
		}
	}
	create := func(tx *sqlx.Tx) error {
		// The link is inserted before its group. Every transaction that locks both
		// locks them in this order, so that no deadlock arises.
		row := l
		row.Group = name
		res, err := tx.ExecContext(ctx, insertLink+insertedRow, linkArgs(&row)...)
		if number(err) == errDuplicate {
			return linktrack.ErrTaken
		}
		if err != nil {
			return err
		}
		if l.ID, err = res.LastInsertId(); err != nil {
			return err
		}
		l.Group = name
		if !known {
			if l.Group, err = makeGroup(ctx, tx, l.Account, wanted); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE lt_link SET group_name = ? WHERE id = ?`, []byte(l.Group), l.ID); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO lt_count (link_id, account_id, alert_at, deactivate_at) VALUES (?, ?, ?, ?)`,
			l.ID, int64(l.Account), l.AlertAt, l.DeactivateAt)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO lt_rank (link_id, account_id) VALUES (?, ?)`, l.ID, int64(l.Account))
		return err
	}
	err := s.transact(ctx, create)
	switch {
	case errors.Is(err, linktrack.ErrTaken):
		return linktrack.Link{}, err
	case err != nil:
		return linktrack.Link{}, failed(op, err)
	}
	return l, nil
}

// groupName returns the name with which a group of the account was created. It needs no
// lock, because groups are never renamed or removed.
func groupName(ctx context.Context, db sqlx.QueryerContext, account linktrack.AccountID, group string) (name string, known bool, err error) {
	err = db.QueryRowxContext(ctx, `SELECT name FROM lt_group WHERE account_id = ? AND name_key = ?`,
		int64(account), []byte(linktrack.GroupKey(group))).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return name, err == nil, err
}

// makeGroup creates a group unless it exists, and returns its name. A plain INSERT that
// finds the key taken would get a shared lock, with which two transactions can deadlock.
// ON DUPLICATE KEY UPDATE waits for an exclusive lock instead.
func makeGroup(ctx context.Context, tx *sqlx.Tx, account linktrack.AccountID, group string) (string, error) {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO lt_group (account_id, name_key, name) VALUES (?, ?, ?)
		ON DUPLICATE KEY UPDATE name_key = VALUES(name_key)`,
		int64(account), []byte(linktrack.GroupKey(group)), []byte(group))
	if err != nil {
		return "", err
	}
	name, known, err := groupName(ctx, tx, account, group)
	if err == nil && !known {
		err = errors.New("a group that was made is not there")
	}
	return name, err
}

// UpdateLink implements [linktrack.LinkStore].
func (s *Store) UpdateLink(ctx context.Context, id int64, change func(*linktrack.Link) error) (linktrack.Link, error) {
	return s.updateLink(ctx, "update a link", id, nil, change)
}

// MoveLink implements [linktrack.LinkStore].
func (s *Store) MoveLink(ctx context.Context, id int64, from, to linktrack.AccountID, change func(*linktrack.Link) error) (linktrack.Link, error) {
	return s.updateLink(ctx, "move a link", id, &move{from, to}, change)
}

// A move gives a link of one account to another account.
type move struct{ from, to linktrack.AccountID }

// in changes the account in every table that has a row of the link. The caller has locked
// the link. The rows are locked in the order in which ApplyClicks locks them: the one of
// lt_count last.
func (m move) in(ctx context.Context, tx *sqlx.Tx, id int64) error {
	for _, stmt := range []string{
		`UPDATE lt_link SET account_id = ? WHERE id = ?`,
		`UPDATE lt_rank SET account_id = ? WHERE link_id = ?`,
		`UPDATE lt_count SET account_id = ? WHERE link_id = ?`,
	} {
		if _, err := tx.ExecContext(ctx, stmt, int64(m.to), id); err != nil {
			return err
		}
	}
	return nil
}

// updateLink updates a link, and moves it unless m is nil.
func (s *Store) updateLink(ctx context.Context, op string, id int64, m *move, change func(*linktrack.Link) error) (linktrack.Link, error) {
	var l linktrack.Link
	refused := false // change returned an error
	err := s.transact(ctx, func(tx *sqlx.Tx) error {
		// Only the link is locked, not its counts, so clicks can be counted while
		// change runs.
		err := tx.QueryRowContext(ctx, `SELECT id FROM lt_link WHERE id = ? FOR UPDATE`, id).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return linktrack.ErrNotFound
		}
		if err != nil {
			return err
		}
		old, err := scanLink(tx.QueryRowContext(ctx, `
			SELECT `+linkColumns+` FROM lt_link l JOIN lt_count c ON c.link_id = l.id WHERE l.id = ?`, id))
		if err != nil {
			return err
		}
		if m != nil {
			if old.Account != m.from {
				return linktrack.ErrNotFound
			}
			old.Account, old.Group = m.to, ""
		}
		l = old
		err = change(&l)
		if refused = err != nil; refused {
			return err
		}
		l.ID, l.Account, l.Host, l.Path, l.CreatedAt, l.Counts = old.ID, old.Account, old.Host, old.Path, old.CreatedAt, old.Counts
		l.ExpiresAt = fromMicros(micros(l.ExpiresAt))
		if err := fitLink(l); err != nil {
			return err
		}
		switch {
		case l.Group == "":
		case linktrack.GroupKey(l.Group) == linktrack.GroupKey(old.Group):
			l.Group = old.Group
		default:
			name, known, err := groupName(ctx, tx, l.Account, l.Group)
			if err == nil && !known {
				name, err = makeGroup(ctx, tx, l.Account, l.Group)
			}
			if err != nil {
				return err
			}
			l.Group = name
		}
		_, err = tx.ExecContext(ctx, editLink, append(editArgs(&l), id)...)
		if err == nil && m != nil {
			err = m.in(ctx, tx, id)
		}
		if err == nil && (l.AlertAt != old.AlertAt || l.DeactivateAt != old.DeactivateAt) {
			_, err = tx.ExecContext(ctx, `UPDATE lt_count SET alert_at = ?, deactivate_at = ? WHERE link_id = ?`,
				l.AlertAt, l.DeactivateAt, id)
		}
		return err
	})
	switch {
	case err == nil:
		return l, nil
	case refused, errors.Is(err, linktrack.ErrNotFound):
		return linktrack.Link{}, err
	}
	return linktrack.Link{}, failed(op, err)
}

// LinkByPath implements [linktrack.LinkStore].
func (s *Store) LinkByPath(ctx context.Context, host, key string) (linktrack.Link, error) {
	l, err := scanLink(s.db.QueryRowContext(ctx, `
		SELECT `+linkColumns+`
		FROM lt_link l JOIN lt_count c ON c.link_id = l.id WHERE l.host = ? AND l.path_key = ?`,
		[]byte(host), []byte(key)))
	if errors.Is(err, sql.ErrNoRows) {
		return linktrack.Link{}, linktrack.ErrNotFound
	}
	if err != nil {
		return linktrack.Link{}, failed("look up a link", err)
	}
	return l, nil
}

// LinkHosts implements [linktrack.HostLister]: a look-up by the unique key of
// links for each host.
func (s *Store) LinkHosts(ctx context.Context, limit int) ([]string, error) {
	var hosts []string
	last := []byte{} // no host is empty
	for len(hosts) < limit {
		err := s.db.QueryRowContext(ctx, `SELECT host FROM lt_link WHERE host > ? ORDER BY host LIMIT 1`, last).Scan(&last)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return nil, failed("list the hosts of links", err)
		}
		hosts = append(hosts, string(last))
	}
	return hosts, nil
}
