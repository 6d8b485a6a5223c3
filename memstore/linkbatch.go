package memstore

import (
	"context"
	"fmt"

	"github.com/linktrackhq/linktrack"
)

// CreateLinks implements [linktrack.LinkStore].
func (s *Store) CreateLinks(ctx context.Context, links []linktrack.Link) ([]linktrack.Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	wanted := make(map[linktrack.LinkName]bool, len(links))
	external := make(map[string]bool)
	var touched [shards]bool
	taken := false
	for _, l := range links {
		if l.Account != links[0].Account {
			return nil, fmt.Errorf("memstore: links of accounts %d and %d in one call", links[0].Account, l.Account)
		}
		name := linktrack.LinkName{Host: l.Host, Key: l.Key()}
		taken = taken || wanted[name]
		wanted[name] = true
		touched[s.shardOf(name.Key)] = true
	}
	for i := range s.paths { // always in this order, so that no deadlock arises
		if touched[i] {
			s.paths[i].mu.Lock()
			defer s.paths[i].mu.Unlock()
		}
	}
	for name := range wanted {
		for _, other := range s.pathShard(name.Key).byKey[name.Key] {
			taken = taken || other.host == name.Host
		}
	}
	if len(links) == 0 {
		return nil, nil
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
		sh, key := s.pathShard(l.Key()), l.Key()
		o.use(&l)
		kept := s.add(&l)
		sh.byKey[key] = append(sh.byKey[key], kept)
		o.links = append(o.links, kept)
		o.counts[kindOf(&l)]++
		if l.ExternalID != "" {
			o.external[l.ExternalID] = kept
		}
		made[i] = kept.snapshot()
	}
	return made, nil
}

// LinksByPath implements [linktrack.LinkStore].
func (s *Store) LinksByPath(ctx context.Context, names []linktrack.LinkName) ([]linktrack.Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	links := []linktrack.Link{}
	seen := make(map[*link]bool, len(names))
	for _, n := range names {
		if l := s.find(n.Host, n.Key); l != nil && !seen[l] {
			seen[l] = true
			links = append(links, l.snapshot())
		}
	}
	return links, nil
}
