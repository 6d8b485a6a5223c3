package memstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack"
)

// DeletedLinks implements [linktrack.LinkStore]. It looks at all links.
func (s *Store) DeletedLinks(ctx context.Context, before time.Time, limit int) ([]int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	before = micro(before)
	var found []*linktrack.Link
	for i := range s.links {
		sh := &s.links[i]
		sh.mu.RLock()
		for _, l := range sh.links {
			if l == nil {
				continue
			}
			if def := l.def.Load(); def.IsDeleted() && def.DeletedAt.Before(before) {
				found = append(found, def)
			}
		}
		sh.mu.RUnlock()
	}
	slices.SortFunc(found, func(a, b *linktrack.Link) int {
		return cmp.Or(a.DeletedAt.Compare(b.DeletedAt), cmp.Compare(a.ID, b.ID))
	})
	ids := make([]int64, min(len(found), max(limit, 0)))
	for i := range ids {
		ids[i] = found[i].ID
	}
	return ids, nil
}

// PurgeLink implements [linktrack.LinkStore], in one step. While it has these locks, no
// other call adds to what the store has of the link.
func (s *Store) PurgeLink(ctx context.Context, id int64, freePaths bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.log.applying.Lock()
	defer s.log.applying.Unlock()
	l := s.link(id)
	if l == nil {
		return linktrack.ErrNotFound
	}
	l.edit.Lock()
	defer l.edit.Unlock()
	def := l.def.Load()
	if l.purged || !def.IsDeleted() {
		return linktrack.ErrNotFound
	}
	s.conversions.mu.Lock()
	defer s.conversions.mu.Unlock()
	l.purged = true
	s.owner(def.Account).remove(l, def)
	names := append(l.former, nameOf(def))
	l.former = nil
	if freePaths {
		s.freePaths(l, names...)
	} else {
		s.reservePaths(def.Account, names...)
	}
	s.removeLink(l)
	s.changes.add(id, nameOf(def))
	s.conversions.purge(l)
	s.alerts.purge(id)
	s.removeHistory(l)
	return nil
}

// removeLink removes a link from the index of IDs.
func (s *Store) removeLink(l *link) {
	sh := &s.links[uint64(l.id)%shards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.links[uint64(l.id)/shards] = nil
}

// removeHistory removes the clicks of a link, and their entries in the ring. Others may
// still have l, so what it has is removed from it, too.
func (s *Store) removeHistory(l *link) {
	l.mu.Lock()
	rows := 0
	var bytes int64
	for _, chunk := range l.history.chunks {
		rows += len(chunk)
		for i := range chunk {
			bytes += chunk[i].size()
		}
	}
	l.history, l.days, l.hours = history{}, nil, nil
	l.mu.Unlock()
	s.bytes.Add(-bytes)
	if rows > 0 {
		s.kept.leave(map[*link]int{l: rows})
	}
}

// purge removes the conversions of a link. all.mu must be held.
func (all *conversions) purge(l *link) {
	of := func(k *conversion) bool { return k.link == l }
	maps.DeleteFunc(all.clicks, func(_ linktrack.ClickRef, k *conversion) bool { return of(k) })
	maps.DeleteFunc(all.orders, func(_ order, k *conversion) bool { return of(k) })
}
