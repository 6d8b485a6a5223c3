package memstore

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack"
)

type accounts struct {
	mu      sync.RWMutex
	byID    map[linktrack.AccountID]linktrack.Account
	byLogin map[string]keyName
	lastID  linktrack.AccountID
	secret  []byte
	epochs  map[linktrack.AccountID]int64
	ended   map[endedSession]time.Time // the time until which the entry is kept
	zone    string

	keys    map[linktrack.AccountID][]linktrack.Key // without the accounts' own, in order
	lastKey int64
	used    map[linktrack.AccountID]linktrack.Day // the LastUsed of the accounts' own keys
}

// CreateAccount implements [linktrack.AccountStore]. a.ID is ignored.
func (s *Store) CreateAccount(ctx context.Context, a linktrack.Account) (linktrack.Account, error) {
	if err := ctx.Err(); err != nil {
		return linktrack.Account{}, err
	}
	a = ownAccount(a)
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	if _, ok := s.accounts.byLogin[a.Login]; ok {
		return linktrack.Account{}, linktrack.ErrTaken
	}
	s.accounts.lastID++
	a.ID = s.accounts.lastID
	s.accounts.byID[a.ID] = a
	s.accounts.byLogin[a.Login] = keyName{account: a.ID}
	return copyAccount(a), nil
}

// AccountByID implements [linktrack.AccountStore].
func (s *Store) AccountByID(ctx context.Context, id linktrack.AccountID) (linktrack.Account, error) {
	if err := ctx.Err(); err != nil {
		return linktrack.Account{}, err
	}
	s.accounts.mu.RLock()
	defer s.accounts.mu.RUnlock()
	a, ok := s.accounts.byID[id]
	if !ok {
		return linktrack.Account{}, linktrack.ErrNotFound
	}
	return copyAccount(a), nil
}

// Accounts implements [linktrack.AccountStore].
func (s *Store) Accounts(ctx context.Context, after linktrack.AccountID, limit int) ([]linktrack.Account, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if limit < 1 {
		return nil, fmt.Errorf("memstore: %d is not a limit: it must be at least 1", limit)
	}
	s.accounts.mu.RLock()
	defer s.accounts.mu.RUnlock()
	all := []linktrack.Account{}
	for id := max(after, 0) + 1; id <= s.accounts.lastID && len(all) < limit; id++ {
		if a, ok := s.accounts.byID[id]; ok {
			all = append(all, copyAccount(a))
		}
	}
	return all, nil
}

// UpdateAccount implements [linktrack.AccountStore]. While change runs, all
// other calls that use accounts wait.
func (s *Store) UpdateAccount(ctx context.Context, id linktrack.AccountID, change func(*linktrack.Account) error) (linktrack.Account, error) {
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	if err := ctx.Err(); err != nil { // the wait may have been long
		return linktrack.Account{}, err
	}
	old, ok := s.accounts.byID[id]
	if !ok {
		return linktrack.Account{}, linktrack.ErrNotFound
	}
	a := copyAccount(old)
	if err := change(&a); err != nil {
		return linktrack.Account{}, err
	}
	a = ownAccount(a)
	a.ID, a.CreatedAt = old.ID, old.CreatedAt
	own := keyName{account: id}
	if other, ok := s.accounts.byLogin[a.Login]; ok && other != own {
		return linktrack.Account{}, linktrack.ErrTaken
	}
	delete(s.accounts.byLogin, old.Login)
	s.accounts.byLogin[a.Login] = own
	s.accounts.byID[id] = a
	return copyAccount(a), nil
}

// Secret implements [linktrack.AccountStore].
func (s *Store) Secret(ctx context.Context, candidate []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	if s.accounts.secret == nil {
		s.accounts.secret = append([]byte{}, candidate...)
	}
	return bytes.Clone(s.accounts.secret), nil
}

// Zone implements [linktrack.AccountStore].
func (s *Store) Zone(ctx context.Context, candidate string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	if s.accounts.zone == "" {
		s.accounts.zone = strings.Clone(candidate)
	}
	return s.accounts.zone, nil
}

// ownAccount returns a copy of a in the form in which the store keeps it. The copy shares
// no memory with the caller.
func ownAccount(a linktrack.Account) linktrack.Account {
	a = copyAccount(a)
	a.Login = strings.Clone(a.Login)
	a.Type = strings.Clone(a.Type)
	a.Email = strings.Clone(a.Email)
	for i, h := range a.Hosts {
		a.Hosts[i] = strings.Clone(h)
	}
	a.CreatedAt = micro(a.CreatedAt)
	return a
}

// copyAccount returns a with slices of its own, nil where they are empty.
func copyAccount(a linktrack.Account) linktrack.Account {
	a.PassHash = copyBytes(a.PassHash)
	if len(a.Hosts) == 0 {
		a.Hosts = nil
	} else {
		a.Hosts = slices.Clone(a.Hosts)
	}
	return a
}

func copyBytes(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return bytes.Clone(b)
}

// micro returns t in UTC and in whole microseconds, as the store returns times.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
