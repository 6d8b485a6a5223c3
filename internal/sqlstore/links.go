package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"

	"github.com/linktrackhq/linktrack"
)

// UpdateLink implements [linktrack.LinkStore].
func (s *Store) UpdateLink(ctx context.Context, id int64, change func(*linktrack.Link) error) (linktrack.Link, error) {
	if err := s.own(ctx); err != nil {
		return linktrack.Link{}, s.failed("update a link", err)
	}
	var l linktrack.Link
	refused := false // change returned an error
	var uncounted bool
	edit := func(tx *transaction) error {
		// Only the link is locked, not its counts, so clicks can be counted while
		// change runs.
		err := tx.QueryRowContext(ctx, `SELECT uncounted FROM lt_link WHERE id = ? AND is_purging = 0`+tx.ForUpdate, id).Scan(&uncounted)
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
		l = old
		l.Tags = slices.Clone(old.Tags) // change may write to them
		err = change(&l)
		if refused = err != nil; refused {
			return err
		}
		l.ID, l.CreatedAt, l.Counts = old.ID, old.CreatedAt, old.Counts
		toMicros(&l)
		if err := fitLink(l); err != nil {
			return err
		}
		// As in CreateLinks, paths come before the names of groups and tags.
		if err := rename(ctx, tx, &old, &l); err != nil {
			return err
		}
		if err := useNames(ctx, tx, &old, &l); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, editLink, append(editArgs(&l), int64(l.Account), id)...)
		if err == nil && kindOf(&old) != kindOf(&l) {
			_, err = tx.ExecContext(ctx, `UPDATE lt_rank SET list_kind = ? WHERE link_id = ?`, int64(kindOf(&l)), id)
		}
		if tx.Is(err, Duplicate) {
			return linktrack.ErrExternalIDTaken
		}
		if err == nil {
			err = editTags(ctx, tx, &old, &l)
		}
		if err == nil && l.Account != old.Account {
			err = moveLink(ctx, tx, id, l.Account)
		}
		if err == nil && (l.AlertAt != old.AlertAt || l.DeactivateAt != old.DeactivateAt) {
			_, err = tx.ExecContext(ctx, `UPDATE lt_count SET alert_at = ?, deactivate_at = ? WHERE link_id = ?`,
				l.AlertAt, l.DeactivateAt, id)
		}
		if err == nil && l.IsDeleted() != old.IsDeleted() {
			_, err = tx.ExecContext(ctx, `UPDATE lt_count SET is_deleted = ? WHERE link_id = ?`, l.IsDeleted(), id)
		}
		if err == nil {
			err = recount(ctx, tx, &old, &l, uncounted)
		}
		if err == nil {
			err = noteChange(ctx, tx, id, nameOf(&l))
		}
		return err
	}
	err := s.transact(ctx, edit)
	if !refused && errors.Is(err, linktrack.ErrNotFound) && s.catchUp(ctx) {
		err = s.transact(ctx, edit)
	}
	if !refused && err == linktrack.ErrTaken {
		err = s.takenBy(ctx, l.Account, []linktrack.Link{l}, id)
	}
	switch {
	case err == nil:
		return l, nil
	case refused, errors.Is(err, linktrack.ErrNotFound), errors.Is(err, linktrack.ErrTaken):
		return linktrack.Link{}, err
	}
	return linktrack.Link{}, s.failed("update a link", err)
}

// moveLink changes the account in the other tables that have a row for each link. The
// caller has locked the link. The rows are locked in the order in which ApplyClicks locks
// them: the one of lt_count last.
func moveLink(ctx context.Context, tx *transaction, id int64, to linktrack.AccountID) error {
	for _, stmt := range []string{
		`UPDATE lt_former SET account_id = ? WHERE link_id = ?`,
		`UPDATE lt_rank SET account_id = ? WHERE link_id = ?`,
		`UPDATE lt_count SET account_id = ? WHERE link_id = ?`,
	} {
		if _, err := tx.ExecContext(ctx, stmt, int64(to), id); err != nil {
			return err
		}
	}
	return nil
}

// useNames gives an edited link the stored names of its group and tags, and makes those that
// are new. Names that the link had before need no look-up.
func useNames(ctx context.Context, tx *transaction, old, l *linktrack.Link) error {
	wanted, stored := namesOf(*l), linkNames{names{}, names{}}
	if old.Account == l.Account {
		stored = namesOf(*old)
	}
	found, err := wanted.without(stored).find(ctx, tx, l.Account)
	if err != nil {
		return err
	}
	maps.Copy(stored.groups, found.groups)
	maps.Copy(stored.tags, found.tags)
	all, err := wanted.complete(ctx, tx, l.Account, stored)
	if err != nil {
		return err
	}
	all.apply(l)
	return nil
}

// LinkByPath implements [linktrack.LinkStore].
func (s *Store) LinkByPath(ctx context.Context, host, key string) (linktrack.Link, error) {
	var l linktrack.Link
	err := s.sure(ctx, func() (err error) {
		l, err = scanLink(s.readDB.QueryRowContext(ctx, `
			SELECT `+linkColumns+`
			FROM lt_link l JOIN lt_count c ON c.link_id = l.id WHERE l.host = ? AND l.path_key = ?`,
			[]byte(host), []byte(key)))
		if errors.Is(err, sql.ErrNoRows) {
			l, err = s.linkByFormerPath(ctx, host, key)
		}
		return orNotFound(err)
	})
	switch {
	case errors.Is(err, linktrack.ErrNotFound):
		return linktrack.Link{}, err
	case err != nil:
		return linktrack.Link{}, s.failed("look up a link", err)
	}
	return l, nil
}

// LinkHosts implements [linktrack.HostLister]: a look-up by the unique key of
// links for each host.
func (s *Store) LinkHosts(ctx context.Context, limit int) ([]string, error) {
	var hosts []string
	last := []byte{} // no host is empty
	for len(hosts) < limit {
		err := s.readDB.QueryRowContext(ctx, `SELECT host FROM lt_link WHERE host > ? ORDER BY host LIMIT 1`, last).Scan(&last)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return nil, s.failed("list the hosts of links", err)
		}
		hosts = append(hosts, string(last))
	}
	return hosts, nil
}
