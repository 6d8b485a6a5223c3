package memstore

import (
	"context"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// A keyName identifies a key: the ID is 0 for the account's own one.
type keyName struct {
	account linktrack.AccountID
	id      int64
}

// CreateKey implements [linktrack.KeyStore].
func (s *Store) CreateKey(ctx context.Context, k linktrack.Key) (linktrack.Key, error) {
	if err := ctx.Err(); err != nil {
		return linktrack.Key{}, err
	}
	a := &s.accounts
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.byID[k.Account]; !ok {
		return linktrack.Key{}, linktrack.ErrNotFound
	}
	if _, ok := a.byLogin[k.Login]; ok {
		return linktrack.Key{}, linktrack.ErrTaken
	}
	a.lastKey++
	k.ID, k.LastUsed = a.lastKey, 0
	k.Login, k.Name, k.Scope = strings.Clone(k.Login), strings.Clone(k.Name), linktrack.KeyScope(strings.Clone(string(k.Scope)))
	k.PassHash, k.CreatedAt = copyBytes(k.PassHash), micro(k.CreatedAt)
	a.keys[k.Account] = append(a.keys[k.Account], k)
	a.byLogin[k.Login] = keyName{k.Account, k.ID}
	return copyKey(k), nil
}

// KeyByLogin implements [linktrack.KeyStore].
func (s *Store) KeyByLogin(ctx context.Context, login string) (linktrack.Key, linktrack.Account, error) {
	if err := ctx.Err(); err != nil {
		return linktrack.Key{}, linktrack.Account{}, err
	}
	s.accounts.mu.RLock()
	defer s.accounts.mu.RUnlock()
	name, ok := s.accounts.byLogin[login]
	if !ok {
		return linktrack.Key{}, linktrack.Account{}, linktrack.ErrNotFound
	}
	a := s.accounts.byID[name.account]
	k := s.accounts.ownKey(a)
	if name.id != 0 {
		k = *s.accounts.key(name)
	}
	return copyKey(k), copyAccount(a), nil
}

// Keys implements [linktrack.KeyStore].
func (s *Store) Keys(ctx context.Context, account linktrack.AccountID) ([]linktrack.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.accounts.mu.RLock()
	defer s.accounts.mu.RUnlock()
	a, ok := s.accounts.byID[account]
	if !ok {
		return []linktrack.Key{}, nil
	}
	keys := []linktrack.Key{copyKey(s.accounts.ownKey(a))}
	for _, k := range s.accounts.keys[account] {
		keys = append(keys, copyKey(k))
	}
	return keys, nil
}

// DeleteKey implements [linktrack.KeyStore].
func (s *Store) DeleteKey(ctx context.Context, account linktrack.AccountID, id int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a := &s.accounts
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.key(keyName{account, id})
	if k == nil {
		return linktrack.ErrNotFound
	}
	delete(a.byLogin, k.Login)
	a.keys[account] = slices.DeleteFunc(a.keys[account], func(k linktrack.Key) bool { return k.ID == id })
	return nil
}

// UseKey implements [linktrack.KeyStore].
func (s *Store) UseKey(ctx context.Context, account linktrack.AccountID, id int64, day linktrack.Day) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a := &s.accounts
	a.mu.Lock()
	defer a.mu.Unlock()
	if k := a.key(keyName{account, id}); k != nil {
		k.LastUsed = max(k.LastUsed, day)
	} else if _, ok := a.byID[account]; ok && id == 0 {
		a.used[account] = max(a.used[account], day)
	}
	return nil
}

// key returns a key that is not an account's own, or nil. mu must be held.
func (a *accounts) key(name keyName) *linktrack.Key {
	keys := a.keys[name.account]
	i := slices.IndexFunc(keys, func(k linktrack.Key) bool { return k.ID == name.id })
	if i < 0 {
		return nil
	}
	return &keys[i]
}

// ownKey returns the own key of an account. mu must be held.
func (a *accounts) ownKey(of linktrack.Account) linktrack.Key {
	return linktrack.Key{
		Account: of.ID, Login: of.Login, PassHash: of.PassHash, Scope: linktrack.ScopeAll,
		CreatedAt: of.CreatedAt, LastUsed: a.used[of.ID],
	}
}

func copyKey(k linktrack.Key) linktrack.Key {
	k.PassHash = copyBytes(k.PassHash)
	return k
}
