package memstore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// Links implements [linktrack.LinkStore].
func (s *Store) Links(ctx context.Context, q linktrack.LinkFilter) ([]linktrack.Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	order := orders[q.Sort]
	if order == nil {
		return nil, fmt.Errorf("memstore: %q is no sort", q.Sort)
	}
	s.ownersMu.RLock()
	o := s.owners[q.Account]
	s.ownersMu.RUnlock()
	if o == nil {
		return []linktrack.Link{}, nil
	}

	var found []*link
	if q.Names != nil {
		found = s.named(q.Names)
	} else {
		o.mu.RLock()
		found = o.links[:len(o.links):len(o.links)] // these elements are never written to again
		o.mu.RUnlock()
	}
	fits := func(*linktrack.Link) bool { return true }
	if q.Groups != nil {
		fits = o.inGroups(q.Groups)
	}
	has := searcher(q.Words())

	views := make([]view, 0, len(found))
	for _, l := range found {
		if def := l.def.Load(); def.Account == q.Account && def.ID > q.AfterID && fits(def) && has(def) {
			v := view{def: def}
			l.mu.Lock()
			v.counts = l.counts.load()
			v.counts.Day = l.hours.since(q.DaySince)
			l.mu.Unlock()
			views = append(views, v)
		}
	}
	slices.SortFunc(views, func(a, b view) int {
		if !q.Ascending {
			a, b = b, a
		}
		return cmp.Or(order(a, b), cmp.Compare(a.def.ID, b.def.ID))
	})

	views = views[min(len(views), max(q.Offset, 0)):]
	links := make([]linktrack.Link, min(len(views), max(q.Limit, 0)))
	for i := range links {
		links[i] = copyOf(views[i].def)
		links[i].Counts = views[i].counts
	}
	return links, nil
}

// A view is a link at one moment of a query.
type view struct {
	def    *linktrack.Link
	counts linktrack.Counts
}

// named returns the links that have one of the names, each link once.
func (s *Store) named(names []linktrack.LinkName) []*link {
	var found []*link
	seen := make(map[*link]bool, len(names))
	for _, n := range names {
		sh := s.pathShard(n.Key)
		sh.mu.RLock()
		for _, l := range sh.byKey[n.Key] {
			if (n.Host == "" || n.Host == l.host) && !seen[l] {
				seen[l] = true
				found = append(found, l)
			}
		}
		sh.mu.RUnlock()
	}
	return found
}

// inGroups returns whether a link of the account is in one of the groups.
func (o *owner) inGroups(names []string) func(*linktrack.Link) bool {
	in := make(map[string]bool, len(names)) // by the stored names of the groups
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, n := range names {
		if first, ok := o.groups[linktrack.GroupKey(n)]; ok {
			in[first] = true
		}
	}
	return func(l *linktrack.Link) bool { return in[l.Group] }
}

// searcher returns whether a link has all the words. All links are searched:
// they are in memory.
func searcher(words []string) func(*linktrack.Link) bool {
	for i := range words {
		words[i] = strings.ToLower(words[i])
	}
	return func(l *linktrack.Link) bool {
		if len(words) == 0 {
			return true
		}
		host := strings.ToLower(l.Host)
		address := host + "/" + strings.ToLower(l.Path)
		texts := [...]string{l.ExternalURL, l.Title, l.Path, l.Notes, l.Group}
		for i := range texts {
			texts[i] = strings.ToLower(texts[i])
		}
		return !slices.ContainsFunc(words, func(w string) bool { // that the link does not have
			inside := func(text string) bool { return strings.Contains(text, w) }
			return w != host && !slices.ContainsFunc(texts[:], inside) && !(strings.Contains(w, "/") && inside(address))
		})
	}
}

// Groups implements [linktrack.LinkStore].
func (s *Store) Groups(ctx context.Context, account linktrack.AccountID, limit int) ([]string, error) {
	return s.names(ctx, account, limit, func(o *owner) names { return o.groups })
}

// Tags implements [linktrack.LinkStore].
func (s *Store) Tags(ctx context.Context, account linktrack.AccountID, limit int) ([]string, error) {
	return s.names(ctx, account, limit, func(o *owner) names { return o.tags })
}

// names returns names of the account in the order of their keys.
func (s *Store) names(ctx context.Context, account linktrack.AccountID, limit int, of func(*owner) names) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.ownersMu.RLock()
	o := s.owners[account]
	s.ownersMu.RUnlock()
	if o == nil {
		return []string{}, nil
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	all := of(o)
	sorted := make([]string, 0, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		sorted = append(sorted, all[key])
	}
	return sorted[:min(len(sorted), max(limit, 0))], nil
}

var orders = map[linktrack.Sort]func(a, b view) int{
	linktrack.SortExternalURL: func(a, b view) int { return strings.Compare(a.def.ExternalURL, b.def.ExternalURL) },
	linktrack.SortPath:        func(a, b view) int { return strings.Compare(a.def.Key(), b.def.Key()) },
	linktrack.SortCreated:     func(a, b view) int { return a.def.CreatedAt.Compare(b.def.CreatedAt) },
	linktrack.SortDay:         func(a, b view) int { return cmp.Compare(a.counts.Day, b.counts.Day) },
	linktrack.SortTotal:       func(a, b view) int { return cmp.Compare(a.counts.People, b.counts.People) },
	linktrack.SortLastClick:   func(a, b view) int { return a.counts.LastClick.Compare(b.counts.LastClick) },
	linktrack.SortTitle:       func(a, b view) int { return strings.Compare(a.def.Title, b.def.Title) },
	linktrack.SortGroup:       func(a, b view) int { return strings.Compare(a.def.Group, b.def.Group) },
	linktrack.SortID:          func(view, view) int { return 0 },
}

// LinkHosts implements [linktrack.HostLister].
func (s *Store) LinkHosts(ctx context.Context, limit int) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	hosts := make(map[string]bool)
	for i := range s.paths {
		sh := &s.paths[i]
		sh.mu.RLock()
		for _, links := range sh.byKey {
			for _, l := range links {
				hosts[l.host] = true
			}
		}
		sh.mu.RUnlock()
	}
	sorted := slices.Sorted(maps.Keys(hosts))
	return sorted[:min(len(sorted), limit)], nil
}
