package memstore

import (
	"context"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack"
)

// PruneClicks implements [linktrack.ClickStore]. It locks one link at a time.
func (s *Store) PruneClicks(ctx context.Context, before time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	first := linktrack.FirstClickID(before.UTC().Truncate(24 * time.Hour))
	lost := map[*link]int{}
	for i := range s.links {
		sh := &s.links[i]
		sh.mu.RLock()
		links := slices.Clone(sh.links)
		sh.mu.RUnlock()
		for _, l := range links {
			if l == nil {
				continue
			}
			l.mu.Lock()
			n, bytes := l.history.prune(first)
			l.mu.Unlock()
			s.bytes.Add(-bytes)
			if n > 0 {
				lost[l] = n
			}
		}
	}
	if len(lost) > 0 {
		s.kept.leave(lost)
	}
	return nil
}

// prune removes the rows below id and returns how many they were, and the bytes
// that they took.
func (h *history) prune(id linktrack.ClickID) (n int, bytes int64) {
	for len(h.chunks) > 0 {
		first := h.chunks[0]
		old := before(first, id)
		n += old
		for i := range first[:old] {
			bytes += first[i].size()
		}
		clear(first[:old]) // their texts can be freed now
		if old < len(first) {
			h.chunks[0] = first[old:]
			return n, bytes
		}
		h.chunks[0] = nil
		h.chunks = h.chunks[1:]
	}
	h.chunks = nil
	return n, bytes
}

// leave removes the oldest entries of links: as many as their histories lost. If clicks are
// added at the same time, the order of a link's entries may differ from that of its rows,
// but their number soon agrees again.
func (r *ring) leave(lost map[*link]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	entries := slices.Concat(r.entries[r.next:], r.entries[:r.next])
	r.next = 0
	r.entries = slices.DeleteFunc(entries, func(l *link) bool {
		if lost[l] == 0 {
			return false
		}
		lost[l]--
		return true
	})
}
