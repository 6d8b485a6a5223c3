package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/linktrackhq/linktrack"
)

// Session implements [linktrack.AccountStore].
func (s *Store) Session(ctx context.Context, account linktrack.AccountID, session linktrack.SessionID) (epoch int64, ended bool, err error) {
	err = s.sure(ctx, func() error {
		return orNotFound(s.readDB.QueryRowContext(ctx, `
			SELECT a.session_epoch, EXISTS (SELECT 1 FROM lt_ended_session e WHERE e.account_id = a.id AND e.session = ?)
			FROM lt_account a WHERE a.id = ?`, session[:], int64(account)).Scan(&epoch, &ended))
	})
	switch {
	case errors.Is(err, linktrack.ErrNotFound):
		return 0, false, err
	case err != nil:
		return 0, false, s.failed("look up a session", err)
	}
	return epoch, ended, nil
}

// EndSession implements [linktrack.AccountStore].
func (s *Store) EndSession(ctx context.Context, account linktrack.AccountID, session linktrack.SessionID, until, at time.Time) error {
	if err := s.own(ctx); err != nil {
		return s.failed("end a session", err)
	}
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO lt_ended_session (account_id, session, until) VALUES (?, ?, ?)`+
		s.d.upsert("lt_ended_session", "account_id, session", replace("until")), int64(account), session[:], micros(until))
	if err != nil {
		return s.failed("end a session", err)
	}
	// The session has ended, so an error here does not matter: a later call deletes the
	// rows that are left.
	_, _ = s.db.ExecContext(ctx, `
		DELETE FROM lt_ended_session
		WHERE until <= (SELECT MAX(d.until) FROM (SELECT until FROM lt_ended_session WHERE until <= ? ORDER BY until LIMIT 100) d)`, micros(at))
	return nil
}

// EndSessions implements [linktrack.AccountStore].
func (s *Store) EndSessions(ctx context.Context, account linktrack.AccountID) error {
	if err := s.own(ctx); err != nil {
		return s.failed("end the sessions of an account", err)
	}
	res, err := s.db.ExecContext(ctx, `UPDATE lt_account SET session_epoch = session_epoch + 1 WHERE id = ?`, int64(account))
	if err != nil {
		return s.failed("end the sessions of an account", err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = linktrack.ErrNotFound
	}
	return err
}
