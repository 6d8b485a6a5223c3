package memstore

import (
	"context"
	"maps"
	"time"

	"github.com/linktrackhq/linktrack"
)

// EraseAccount implements [linktrack.AccountStore], in one step. While it has these locks,
// nothing is added to the roll-ups and orders of the account.
func (s *Store) EraseAccount(ctx context.Context, id linktrack.AccountID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.log.applying.Lock()
	defer s.log.applying.Unlock()
	s.conversions.mu.Lock()
	defer s.conversions.mu.Unlock()
	a := &s.accounts
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.byID[id]; !ok {
		return linktrack.ErrNotFound
	}
	if o := s.known(id); o != nil && !o.erase() {
		return linktrack.ErrHasLinks
	}
	maps.DeleteFunc(a.byLogin, func(_ string, k keyName) bool { return k.account == id })
	maps.DeleteFunc(a.ended, func(k endedSession, _ time.Time) bool { return k.account == id })
	delete(a.byID, id)
	delete(a.keys, id)
	delete(a.used, id)
	delete(a.epochs, id)
	maps.DeleteFunc(s.conversions.orders, func(o order, _ *conversion) bool { return o.account == id })
	s.sums.erase(id)
	s.freeReserved(id)
	return nil
}

// erase removes the names of an owner without links. It returns false if there are links.
func (o *owner) erase() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.links) > 0 {
		return false
	}
	clear(o.groups)
	clear(o.tags)
	clear(o.counts)
	return true
}

func (s *sums) erase(account linktrack.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.all, func(of linktrack.RollupOf, _ *days) bool { return of.Account == account })
}
