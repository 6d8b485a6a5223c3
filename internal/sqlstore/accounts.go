package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/linktrackhq/linktrack"
)

// CreateAccount implements [linktrack.AccountStore].
func (s *Store) CreateAccount(ctx context.Context, a linktrack.Account) (linktrack.Account, error) {
	const op = "create an account"
	if err := s.own(ctx); err != nil {
		return linktrack.Account{}, s.failed(op, err)
	}
	hosts, err := fitAccount(a)
	if err != nil {
		return linktrack.Account{}, s.failed(op, err)
	}
	var id int64
	err = s.transact(ctx, func(tx *transaction) error {
		if err := takeLogin(ctx, tx, a.Login); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `
			INSERT INTO lt_account (login, pass_hash, type, email, hosts, is_disabled, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`,
			[]byte(a.Login), a.PassHash, []byte(a.Type), []byte(a.Email), hosts, a.Disabled, micros(a.CreatedAt))
		if err != nil {
			return err
		}
		id, err = res.LastInsertId()
		return err
	})
	switch {
	case errors.Is(err, linktrack.ErrTaken), s.d.Is(err, Duplicate):
		return linktrack.Account{}, linktrack.ErrTaken
	case err != nil:
		return linktrack.Account{}, s.failed(op, err)
	}
	a.ID = linktrack.AccountID(id)
	if len(a.Hosts) == 0 {
		a.Hosts = nil
	}
	a.CreatedAt = fromMicros(micros(a.CreatedAt))
	return a, nil
}

// AccountByID implements [linktrack.AccountStore].
func (s *Store) AccountByID(ctx context.Context, id linktrack.AccountID) (linktrack.Account, error) {
	var a linktrack.Account
	err := s.sure(ctx, func() (err error) {
		a, err = scanAccount(s.readDB.QueryRowContext(ctx, selectAccount+`id = ?`, int64(id)))
		return err
	})
	if err != nil && !errors.Is(err, linktrack.ErrNotFound) {
		err = s.failed("look up an account", err)
	}
	return a, err
}

// Accounts implements [linktrack.AccountStore].
func (s *Store) Accounts(ctx context.Context, after linktrack.AccountID, limit int) ([]linktrack.Account, error) {
	const op = "list accounts"
	if limit < 1 {
		return nil, s.failed(op, fmt.Errorf("%d is not a limit: it must be at least 1", limit))
	}
	all := []linktrack.Account{}
	var p builder
	p.add(selectAccount+`id > ? ORDER BY id LIMIT ?`, int64(after), limit)
	err := p.each(ctx, s.readDB, func(row *sql.Rows) error {
		a, err := scanAccount(row)
		all = append(all, a)
		return err
	})
	if err != nil {
		return nil, s.failed(op, err)
	}
	return all, nil
}

// accountColumns are the columns of lt_account a that scanAccount reads.
const accountColumns = `a.id, a.login, a.pass_hash, a.type, a.email, a.hosts, a.is_disabled, a.created_at`

const selectAccount = `SELECT ` + accountColumns + ` FROM lt_account a WHERE `

// scanAccount returns the account in a row, whose further columns it scans into more. If
// there is no row, it returns ErrNotFound.
func scanAccount(row interface{ Scan(...any) error }, more ...any) (linktrack.Account, error) {
	var a linktrack.Account
	var hosts []byte
	var created int64
	err := row.Scan(append([]any{&a.ID, &a.Login, &a.PassHash, &a.Type, &a.Email, &hosts, &a.Disabled, &created}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return linktrack.Account{}, linktrack.ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal(hosts, &a.Hosts)
	}
	if err != nil {
		return linktrack.Account{}, err
	}
	a.CreatedAt = fromMicros(created)
	return a, nil
}

// UpdateAccount implements [linktrack.AccountStore].
func (s *Store) UpdateAccount(ctx context.Context, id linktrack.AccountID, change func(*linktrack.Account) error) (linktrack.Account, error) {
	if err := s.own(ctx); err != nil {
		return linktrack.Account{}, s.failed("update an account", err)
	}
	var a linktrack.Account
	refused := false // change returned an error
	err := s.transact(ctx, func(tx *transaction) error {
		old, err := scanAccount(tx.QueryRowContext(ctx, selectAccount+`id = ?`+tx.ForUpdate, int64(id)))
		if err != nil {
			return err
		}
		a = old
		err = change(&a)
		if refused = err != nil; refused {
			return err
		}
		a.ID, a.CreatedAt = old.ID, old.CreatedAt
		if len(a.Hosts) == 0 {
			a.Hosts = nil
		}
		hosts, err := fitAccount(a)
		if err != nil {
			return err
		}
		if a.Login != old.Login {
			if err := takeLogin(ctx, tx, a.Login); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE lt_account SET login = ?, pass_hash = ?, type = ?, email = ?, hosts = ?, is_disabled = ?
			WHERE id = ?`,
			[]byte(a.Login), a.PassHash, []byte(a.Type), []byte(a.Email), hosts, a.Disabled, int64(id))
		return err
	})
	switch {
	case err == nil:
		return a, nil
	case refused, errors.Is(err, linktrack.ErrNotFound):
		return linktrack.Account{}, err
	case errors.Is(err, linktrack.ErrTaken), s.d.Is(err, Duplicate):
		return linktrack.Account{}, linktrack.ErrTaken
	}
	return linktrack.Account{}, s.failed("update an account", err)
}

// fitAccount checks that the texts fit their columns, and returns the hosts as JSON. An
// account without hosts has null, which is read as nil.
func fitAccount(a linktrack.Account) (hosts []byte, err error) {
	if err := errors.Join(fit("login", a.Login, 400), fit("type", a.Type, 255), fit("email", a.Email, 1020),
		fit("pass_hash", string(a.PassHash), 255)); err != nil {
		return nil, err
	}
	if len(a.Hosts) == 0 {
		a.Hosts = nil
	}
	if hosts, err = json.Marshal(a.Hosts); err != nil {
		return nil, err
	}
	return hosts, fit("hosts", string(hosts), 65535)
}

// Secret implements [linktrack.AccountStore].
func (s *Store) Secret(ctx context.Context, candidate []byte) ([]byte, error) {
	if err := s.refuseUnfinished(ctx); err != nil {
		return nil, s.failed("read the secret", err)
	}
	if err := fit("secret", string(candidate), 1024); err != nil {
		return nil, s.failed("read the secret", err)
	}
	return s.setting(ctx, "secret", append([]byte{}, candidate...))
}

// Zone implements [linktrack.AccountStore].
func (s *Store) Zone(ctx context.Context, candidate string) (string, error) {
	if err := s.refuseUnfinished(ctx); err != nil {
		return "", s.failed("read the zone", err)
	}
	if err := fit("zone", candidate, 255); err != nil {
		return "", s.failed("read the zone", err)
	}
	var first []byte
	if candidate != "" {
		first = []byte(candidate)
	}
	zone, err := s.setting(ctx, "zone", first)
	return string(zone), err
}

// setting returns the value that is stored under a name. If there is none, it stores
// candidate and returns that; if candidate is nil, too, it stores nothing and returns nil.
func (s *Store) setting(ctx context.Context, name string, candidate []byte) ([]byte, error) {
	op := "read the " + name
	for try := 1; ; try++ {
		var value []byte
		err := s.readDB.QueryRowContext(ctx, `SELECT value FROM lt_setting WHERE name = ?`, []byte(name)).Scan(&value)
		if err == nil {
			return value, nil
		}
		if try > 1 || !errors.Is(err, sql.ErrNoRows) {
			return nil, s.failed(op, err)
		}
		if candidate == nil {
			return nil, nil
		}
		// If several callers do this at the same time, the first one stores its candidate,
		// and all of them read that.
		_, err = s.db.ExecContext(ctx, `
			INSERT INTO lt_setting (name, value) VALUES (?, ?)`+s.d.upsert("lt_setting", "name", replace("name")), []byte(name), candidate)
		if err != nil {
			return nil, s.failed(op, err)
		}
	}
}
