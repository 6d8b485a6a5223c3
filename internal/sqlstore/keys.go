package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/linktrackhq/linktrack"
)

// An account's own key is in lt_account, and the others are in lt_key. Each table has a
// unique key of logins.

// takeLogin returns ErrTaken if an account or a key has the login. Otherwise it keeps
// others from taking any login until the transaction ends: all of them write the same row.
// On a cluster, where a row is locked on one node only, one of two such transactions fails
// at its commit and is run again. The row of the account must be locked before, if at all.
func takeLogin(ctx context.Context, tx *transaction, login string) error {
	if err := lockLogins(ctx, tx); err != nil {
		return err
	}
	var taken bool
	err := tx.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM lt_account WHERE login = ?) OR EXISTS (SELECT 1 FROM lt_key WHERE login = ?)`,
		[]byte(login), []byte(login)).Scan(&taken)
	if err == nil && taken {
		err = linktrack.ErrTaken
	}
	return err
}

func lockLogins(ctx context.Context, tx *transaction) error {
	mark := newSource() // another value each time, so that the row changes
	_, err := tx.ExecContext(ctx, `
		INSERT INTO lt_setting (name, value) VALUES (?, ?)`+tx.upsert("lt_setting", "name", replace("value")), []byte("logins"), mark[:])
	return err
}

// CreateKey implements [linktrack.KeyStore].
func (s *Store) CreateKey(ctx context.Context, k linktrack.Key) (linktrack.Key, error) {
	const op = "create a key"
	if err := s.own(ctx); err != nil {
		return linktrack.Key{}, s.failed(op, err)
	}
	if err := errors.Join(fit("login", k.Login, 400), fit("pass_hash", string(k.PassHash), 255),
		fit("name", k.Name, 1020), fit("scope", string(k.Scope), 255)); err != nil {
		return linktrack.Key{}, s.failed(op, err)
	}
	err := s.transact(ctx, func(tx *transaction) error {
		var account int64 // its row is locked, so that the account is not removed meanwhile; see also endErasure
		err := tx.QueryRowContext(ctx, `SELECT id FROM lt_account WHERE id = ?`+tx.ForUpdate, int64(k.Account)).Scan(&account)
		if errors.Is(err, sql.ErrNoRows) {
			return linktrack.ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := takeLogin(ctx, tx, k.Login); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `
			INSERT INTO lt_key (account_id, login, pass_hash, name, scope, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
			account, []byte(k.Login), k.PassHash, []byte(k.Name), []byte(k.Scope), micros(k.CreatedAt))
		if err != nil {
			return err
		}
		k.ID, err = res.LastInsertId()
		return err
	})
	switch {
	case errors.Is(err, linktrack.ErrTaken), errors.Is(err, linktrack.ErrNotFound):
		return linktrack.Key{}, err
	case err != nil:
		return linktrack.Key{}, s.failed(op, err)
	}
	k.LastUsed, k.CreatedAt = 0, fromMicros(micros(k.CreatedAt))
	k.PassHash = append([]byte(nil), k.PassHash...)
	return k, nil
}

// The columns that scanKey reads: of a key, and of an account's own key.
const (
	keyColumns    = `k.id, k.account_id, k.login, k.pass_hash, k.name, k.scope, k.created_at, k.last_used`
	ownKeyColumns = `0, a.id, a.login, a.pass_hash, '', 'all', a.created_at, a.key_last_used`
)

// A keyRow is the destination of the columns of a key.
type keyRow struct {
	linktrack.Key
	created int64
}

func (k *keyRow) columns() []any {
	return []any{&k.ID, &k.Account, &k.Login, &k.PassHash, &k.Name, &k.Scope, &k.created, &k.LastUsed}
}

func (k *keyRow) key() linktrack.Key {
	k.CreatedAt = fromMicros(k.created)
	return k.Key
}

// KeyByLogin implements [linktrack.KeyStore]. It does not look again on a cluster: an unknown
// login must take no longer than a wrong pass.
func (s *Store) KeyByLogin(ctx context.Context, login string) (linktrack.Key, linktrack.Account, error) {
	var k keyRow
	a, err := scanAccount(s.readDB.QueryRowContext(ctx, `
		SELECT `+accountColumns+`, `+ownKeyColumns+` FROM lt_account a WHERE a.login = ?
		UNION ALL
		SELECT `+accountColumns+`, `+keyColumns+` FROM lt_key k JOIN lt_account a ON a.id = k.account_id WHERE k.login = ?`,
		[]byte(login), []byte(login)), k.columns()...)
	switch {
	case errors.Is(err, linktrack.ErrNotFound):
		return linktrack.Key{}, linktrack.Account{}, err
	case err != nil:
		return linktrack.Key{}, linktrack.Account{}, s.failed("look up a key", err)
	}
	return k.key(), a, nil
}

// Keys implements [linktrack.KeyStore].
func (s *Store) Keys(ctx context.Context, account linktrack.AccountID) ([]linktrack.Key, error) {
	const op = "list the keys of an account"
	rows, err := s.readDB.QueryContext(ctx, `
		SELECT `+ownKeyColumns+` FROM lt_account a WHERE a.id = ?
		UNION ALL
		SELECT `+keyColumns+` FROM lt_key k WHERE k.account_id = ?
		ORDER BY 1`, int64(account), int64(account))
	if err != nil {
		return nil, s.failed(op, err)
	}
	defer rows.Close()
	keys := []linktrack.Key{}
	for rows.Next() {
		var k keyRow
		if err := rows.Scan(k.columns()...); err != nil {
			return nil, s.failed(op, err)
		}
		keys = append(keys, k.key())
	}
	if err := rows.Err(); err != nil {
		return nil, s.failed(op, err)
	}
	return keys, nil
}

// DeleteKey implements [linktrack.KeyStore].
func (s *Store) DeleteKey(ctx context.Context, account linktrack.AccountID, id int64) error {
	if err := s.own(ctx); err != nil {
		return s.failed("delete a key", err)
	}
	var p builder
	p.add(`DELETE FROM lt_key WHERE id = ? AND account_id = ?`, id, int64(account))
	n, err := p.affect(ctx, s.db)
	if err != nil {
		return s.failed("delete a key", err)
	}
	if n == 0 {
		return linktrack.ErrNotFound
	}
	return nil
}

// UseKey implements [linktrack.KeyStore].
func (s *Store) UseKey(ctx context.Context, account linktrack.AccountID, id int64, day linktrack.Day) error {
	var p builder
	if id == 0 {
		p.add(`UPDATE lt_account SET key_last_used = ? WHERE id = ? AND key_last_used < ?`, int64(day), int64(account), int64(day))
	} else {
		p.add(`UPDATE lt_key SET last_used = ? WHERE id = ? AND account_id = ? AND last_used < ?`, int64(day), id, int64(account), int64(day))
	}
	if err := p.exec(ctx, s.db); err != nil {
		return s.failed("note the use of a key", err)
	}
	return nil
}
