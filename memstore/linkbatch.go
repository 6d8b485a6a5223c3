package memstore

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/linktrackhq/linktrack"
)

// CreateLinks implements [linktrack.LinkStore].
func (s *Store) CreateLinks(ctx context.Context, links []linktrack.Link) ([]linktrack.Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(links) == 0 {
		return nil, nil
	}
	wanted := make(map[linktrack.LinkName]bool, len(links))
	external := make(map[string]bool)
	taken := false
	for _, l := range links {
		if l.Account != links[0].Account {
			return nil, fmt.Errorf("memstore: links of accounts %d and %d in one call", links[0].Account, l.Account)
		}
		name := nameOf(&l)
		taken = taken || wanted[name]
		wanted[name] = true
	}
	defer s.lockPaths(slices.Collect(maps.Keys(wanted))...)()
	for name := range wanted {
		taken = taken || s.pathShard(name.Key).isTaken(name, nil, links[0].Account)
	}
	o := s.owner(links[0].Account)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range links {
		if id := l.ExternalID; id != "" && (external[id] || o.external[id] != nil) {
			return nil, linktrack.ErrExternalIDTaken
		}
		external[l.ExternalID] = true
	}
	if taken {
		return nil, linktrack.ErrTaken
	}
	made := make([]linktrack.Link, len(links))
	for i, l := range links {
		l = ownLink(l)
		o.use(&l)
		kept := s.add(&l)
		name := nameOf(&l)
		s.pathShard(name.Key).take(name, kept)
		o.links = append(o.links, kept)
		o.counts[kindOf(&l)]++
		if l.ExternalID != "" {
			o.external[l.ExternalID] = kept
		}
		made[i] = kept.snapshot()
	}
	return made, nil
}

// LinksByExternalID implements [linktrack.LinkStore].
func (s *Store) LinksByExternalID(ctx context.Context, account linktrack.AccountID, ids []string) (map[string]linktrack.Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	links := make(map[string]linktrack.Link, len(ids))
	o := s.known(account)
	if o == nil {
		return links, nil
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, id := range ids {
		if l := o.external[id]; l != nil {
			links[id] = l.snapshot()
		}
	}
	return links, nil
}

// LinksByPath implements [linktrack.LinkStore].
func (s *Store) LinksByPath(ctx context.Context, names []linktrack.LinkName) (map[linktrack.LinkName]linktrack.Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	links := make(map[linktrack.LinkName]linktrack.Link, len(names))
	for _, n := range names {
		if l := s.find(n); l != nil {
			links[n] = l.snapshot()
		}
	}
	return links, nil
}
