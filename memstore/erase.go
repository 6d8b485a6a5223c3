package memstore

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/linktrackhq/linktrack"
)

// EraseVisitor implements [linktrack.VisitorEraser]. A step is the history of one link.
func (s *Store) EraseVisitor(ctx context.Context, account linktrack.AccountID, prefix netip.Prefix) (clicks int64, err error) {
	if !prefix.IsValid() {
		return 0, fmt.Errorf("memstore: %v is not a valid prefix of addresses", prefix)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	o := s.owner(account)
	o.mu.RLock()
	links := slices.Clone(o.links)
	o.mu.RUnlock()
	for _, l := range links {
		if err := ctx.Err(); err != nil {
			return clicks, err
		}
		l.mu.Lock()
		n, bytes := l.history.erase(prefix)
		l.mu.Unlock()
		s.bytes.Add(-bytes)
		clicks += n
	}
	return clicks, nil
}

// erase removes addresses of the prefix and the texts of their rows. It returns how many
// rows these are and the bytes that they no longer take.
func (h *history) erase(prefix netip.Prefix) (n, bytes int64) {
	for _, chunk := range h.chunks {
		for i := range chunk {
			r := &chunk[i]
			if !prefix.Contains(r.ip.WithZone("")) {
				continue
			}
			n++
			bytes += int64(len(r.text))
			r.ip, r.text, r.ends = netip.Addr{}, "", [len(r.ends)]uint32{}
		}
	}
	return n, bytes
}
