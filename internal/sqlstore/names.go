package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
)

// A nameTable has the names of groups or of tags. Names are never renamed.
type nameTable string

const (
	groupTable nameTable = "lt_group"
	tagTable   nameTable = "lt_tag"
)

// names are the stored names of an account's groups or tags, by GroupKey.
type names map[string]string

// find returns those of the names that the account has. It needs no lock, because names
// are never renamed.
func (t nameTable) find(ctx context.Context, db sqlx.QueryerContext, account linktrack.AccountID, wanted names) (names, error) {
	found := names{}
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(wanted)), rowsAtOnce) {
		var p builder
		p.add(`SELECT name_key, name FROM `+string(t)+` WHERE account_id = ? AND name_key IN `, int64(account))
		p.in(keys)
		rows, err := db.QueryContext(ctx, p.sql.String(), p.args...)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var key, name string
			if err := rows.Scan(&key, &name); err != nil {
				return nil, err
			}
			found[key] = name
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// make stores a name unless it exists, and returns the stored one. A plain INSERT that
// finds the key taken would get a shared lock, with which two transactions can deadlock.
// With an upsert, it waits for an exclusive lock instead.
func (t nameTable) make(ctx context.Context, tx *transaction, account linktrack.AccountID, name string) (string, error) {
	key := linktrack.GroupKey(name)
	_, err := tx.ExecContext(ctx, `
		INSERT INTO `+string(t)+` (account_id, name_key, name) VALUES (?, ?, ?)`+
		tx.upsert(string(t), "account_id, name_key", replace("name_key")), int64(account), []byte(key), []byte(name))
	if err != nil {
		return "", err
	}
	found, err := t.find(ctx, tx, account, names{key: name})
	if err == nil && found[key] == "" {
		err = fmt.Errorf("a name that was added to %s is not there", t)
	}
	return found[key], err
}

// complete makes those of the names that are not among the stored ones, and returns them
// all. Names are locked in the order of their keys, so that no deadlock arises.
func (t nameTable) complete(ctx context.Context, tx *transaction, account linktrack.AccountID, wanted, stored names) (names, error) {
	all := maps.Clone(stored) // the transaction may be run again
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		if all[key] != "" {
			continue
		}
		name, err := t.make(ctx, tx, account, wanted[key])
		if err != nil {
			return nil, err
		}
		all[key] = name
	}
	return all, nil
}

// linkNames are the names of groups and of tags that links use.
type linkNames struct{ groups, tags names }

// namesOf returns the names that links use, each as it is written first.
func namesOf(links ...linktrack.Link) linkNames {
	n := linkNames{names{}, names{}}
	for _, l := range links {
		n.groups.add(l.Group)
		for _, tag := range l.Tags {
			n.tags.add(tag)
		}
	}
	return n
}

func (n names) add(name string) {
	if key := linktrack.GroupKey(name); name != "" && n[key] == "" {
		n[key] = name
	}
}

// find returns those of the names that the account has.
func (n linkNames) find(ctx context.Context, db sqlx.QueryerContext, account linktrack.AccountID) (found linkNames, err error) {
	if found.groups, err = groupTable.find(ctx, db, account, n.groups); err != nil {
		return found, err
	}
	found.tags, err = tagTable.find(ctx, db, account, n.tags)
	return found, err
}

// complete makes those of the names that are not among the stored ones, and returns them
// all. Groups come before tags, so that no deadlock arises.
func (n linkNames) complete(ctx context.Context, tx *transaction, account linktrack.AccountID, stored linkNames) (all linkNames, err error) {
	if all.groups, err = groupTable.complete(ctx, tx, account, n.groups, stored.groups); err != nil {
		return all, err
	}
	all.tags, err = tagTable.complete(ctx, tx, account, n.tags, stored.tags)
	return all, err
}

// without returns the names whose keys are not in other.
func (n linkNames) without(other linkNames) linkNames {
	return linkNames{n.groups.without(other.groups), n.tags.without(other.tags)}
}

func (n names) without(other names) names {
	rest := names{}
	for key, name := range n {
		if other[key] == "" {
			rest[key] = name
		}
	}
	return rest
}

// apply gives a link the stored names of its group and tags, the tags in the order of
// their keys. Names that are not stored are left out.
func (n linkNames) apply(l *linktrack.Link) {
	l.Group = n.groups[linktrack.GroupKey(l.Group)]
	var tags []string
	for _, key := range tagKeys(l) {
		if name := n.tags[key]; name != "" {
			tags = append(tags, name)
		}
	}
	l.Tags = tags
}

// tagKeys returns the keys of a link's tags in order, each once.
func tagKeys(l *linktrack.Link) []string {
	keys := make([]string, len(l.Tags))
	for i, tag := range l.Tags {
		keys[i] = linktrack.GroupKey(tag)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// insertTags adds links to tags, whose keys keysOf returns.
func insertTags(ctx context.Context, tx *transaction, links []linktrack.Link, keysOf func(*linktrack.Link) []string) error {
	const head = `INSERT INTO lt_link_tag (account_id, name_key, link_id) VALUES `
	var p builder
	n := 0
	for i := range links {
		for _, key := range keysOf(&links[i]) {
			if n == 0 {
				p.add(head)
			}
			p.row(n, int64(links[i].Account), []byte(key), links[i].ID)
			n++
		}
		if n >= rowsAtOnce || n > 0 && i == len(links)-1 {
			if err := p.exec(ctx, tx); err != nil {
				return err
			}
			p, n = builder{}, 0
		}
	}
	return nil
}

// editTags changes the tags of a link from those of old to those of l, which may be
// another account's. Each row is deleted by its whole key, which locks nothing else.
func editTags(ctx context.Context, tx *transaction, old, l *linktrack.Link) error {
	before, after := tagKeys(old), tagKeys(l)
	stays := func(keys []string) func(string) bool {
		return func(key string) bool { return old.Account == l.Account && slices.Contains(keys, key) }
	}
	added := slices.DeleteFunc(slices.Clone(after), stays(before))
	for _, key := range slices.DeleteFunc(before, stays(after)) {
		_, err := tx.ExecContext(ctx, `DELETE FROM lt_link_tag WHERE account_id = ? AND name_key = ? AND link_id = ?`,
			int64(old.Account), []byte(key), old.ID)
		if err != nil {
			return err
		}
	}
	return insertTags(ctx, tx, []linktrack.Link{*l}, func(*linktrack.Link) []string { return added })
}
