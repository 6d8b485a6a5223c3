package memstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/linktrackhq/linktrack"
)

func nameOf(l *linktrack.Link) linktrack.LinkName {
	return linktrack.LinkName{Host: l.Host, Key: l.Key()}
}

// find returns the link that has or had the name, or nil. sh.mu must be held.
func (sh *pathShard) find(name linktrack.LinkName) *link {
	if p := sh.path(name); p != nil {
		return p.link
	}
	return nil
}

// path returns the path with the name, or nil if the name is free. sh.mu must be held.
func (sh *pathShard) path(name linktrack.LinkName) *path {
	for i := range sh.byKey[name.Key] {
		if p := &sh.byKey[name.Key][i]; p.host == name.Host {
			return p
		}
	}
	return nil
}

// isTaken reports whether l cannot get the name, as a link of the account. l is nil for a
// new link. sh.mu must be held.
func (sh *pathShard) isTaken(name linktrack.LinkName, l *link, account linktrack.AccountID) bool {
	switch p := sh.path(name); {
	case p == nil:
		return false
	case p.link == nil:
		return p.reserved != account
	default:
		return p.link != l
	}
}

// take gives a name that is not taken to l. sh.mu must be held.
func (sh *pathShard) take(name linktrack.LinkName, l *link) {
	if p := sh.path(name); p != nil {
		*p = path{host: p.host, link: l}
		return
	}
	sh.byKey[name.Key] = append(sh.byKey[name.Key], path{host: name.Host, link: l})
}

func (s *Store) find(name linktrack.LinkName) *link {
	sh := s.pathShard(name.Key)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.find(name)
}

// lockPaths locks the shards of names, always in the same order, so that no deadlock
// arises. It returns the function that unlocks them.
func (s *Store) lockPaths(names ...linktrack.LinkName) (unlock func()) {
	var touched [shards]bool
	for _, n := range names {
		touched[s.shardOf(n.Key)] = true
	}
	for i := range s.paths {
		if touched[i] {
			s.paths[i].mu.Lock()
		}
	}
	return func() {
		for i := range s.paths {
			if touched[i] {
				s.paths[i].mu.Unlock()
			}
		}
	}
}

// FormerPaths implements [linktrack.LinkStore].
func (s *Store) FormerPaths(ctx context.Context, id int64) ([]linktrack.LinkName, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := s.link(id)
	if l == nil {
		return nil, nil
	}
	l.edit.Lock()
	defer l.edit.Unlock()
	return slices.SortedFunc(slices.Values(l.former), func(a, b linktrack.LinkName) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Key, b.Key))
	}), nil
}

// ReleasePaths implements [linktrack.LinkStore].
func (s *Store) ReleasePaths(ctx context.Context, id int64, names []linktrack.LinkName) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l := s.link(id)
	if l == nil {
		return nil
	}
	l.edit.Lock()
	defer l.edit.Unlock()
	var kept, released []linktrack.LinkName
	for _, n := range l.former {
		if slices.Contains(names, n) {
			released = append(released, n)
		} else {
			kept = append(kept, n)
		}
	}
	l.former = kept
	s.freePaths(l, released...)
	for _, n := range released {
		s.changes.add(id, n)
	}
	return nil
}

// freePaths makes names of l free.
func (s *Store) freePaths(l *link, names ...linktrack.LinkName) {
	defer s.lockPaths(names...)()
	for _, n := range names {
		sh := s.pathShard(n.Key)
		sh.byKey[n.Key] = slices.DeleteFunc(sh.byKey[n.Key], func(p path) bool { return p.host == n.Host && p.link == l })
		if len(sh.byKey[n.Key]) == 0 {
			delete(sh.byKey, n.Key)
		}
	}
}

// reservePaths reserves names, which a link has, for an account.
func (s *Store) reservePaths(account linktrack.AccountID, names ...linktrack.LinkName) {
	defer s.lockPaths(names...)()
	for _, n := range names {
		*s.pathShard(n.Key).path(n) = path{host: n.Host, reserved: account}
	}
}

// freeReserved makes the names free that are reserved for an account. It looks at all names.
func (s *Store) freeReserved(account linktrack.AccountID) {
	for i := range s.paths {
		sh := &s.paths[i]
		sh.mu.Lock()
		for key, paths := range sh.byKey {
			sh.byKey[key] = slices.DeleteFunc(paths, func(p path) bool { return p.link == nil && p.reserved == account })
			if len(sh.byKey[key]) == 0 {
				delete(sh.byKey, key)
			}
		}
		sh.mu.Unlock()
	}
}
