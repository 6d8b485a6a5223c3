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
	var touched [shards]bool
	for _, l := range links {
		if l.Account != links[0].Account {
			return nil, fmt.Errorf("memstore: links of accounts %d and %d in one call", links[0].Account, l.Account)
		}
		name := linktrack.LinkName{Host: l.Host, Key: l.Key()}
		if wanted[name] {
			return nil, linktrack.ErrTaken
		}
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
			if other.host == name.Host {
				return nil, linktrack.ErrTaken
			}
		}
	}
	made := make([]linktrack.Link, len(links))
	for i, l := range links {
		l = ownLink(l)
		o, sh, key := s.owner(l.Account), s.pathShard(l.Key()), l.Key()
		l.Group = o.group(l.Group)
		kept := s.add(&l)
		sh.byKey[key] = append(sh.byKey[key], kept)
		o.mu.Lock()
		o.links = append(o.links, kept)
		o.mu.Unlock()
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
