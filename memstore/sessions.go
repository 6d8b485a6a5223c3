package memstore

import (
	"context"
	"time"

	"github.com/linktrackhq/linktrack"
)

// An endedSession is the key of a session that was ended.
type endedSession struct {
	account linktrack.AccountID
	session linktrack.SessionID
}

// Session implements [linktrack.AccountStore].
func (s *Store) Session(ctx context.Context, account linktrack.AccountID, session linktrack.SessionID) (epoch int64, ended bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	s.accounts.mu.RLock()
	defer s.accounts.mu.RUnlock()
	if _, ok := s.accounts.byID[account]; !ok {
		return 0, false, linktrack.ErrNotFound
	}
	_, ended = s.accounts.ended[endedSession{account, session}]
	return s.accounts.epochs[account], ended, nil
}

// EndSession implements [linktrack.AccountStore].
func (s *Store) EndSession(ctx context.Context, account linktrack.AccountID, session linktrack.SessionID, until, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	for k, u := range s.accounts.ended {
		if !u.After(at) {
			delete(s.accounts.ended, k)
		}
	}
	s.accounts.ended[endedSession{account, session}] = until
	return nil
}

// EndSessions implements [linktrack.AccountStore].
func (s *Store) EndSessions(ctx context.Context, account linktrack.AccountID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	if _, ok := s.accounts.byID[account]; !ok {
		return linktrack.ErrNotFound
	}
	s.accounts.epochs[account]++
	return nil
}
