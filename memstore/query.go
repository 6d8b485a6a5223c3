package memstore

import (
	"context"
	"fmt"
	"iter"
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
	if !slices.Contains(sorts, q.Sort) {
		return nil, fmt.Errorf("memstore: %q is no sort", q.Sort)
	}
	order := func(a, b linktrack.LinkCursor) int {
		if q.Ascending {
			return a.Compare(b)
		}
		return b.Compare(a)
	}
	views := []view{}
	for l := range s.matching(q) {
		v := view{def: l.def.Load()}
		l.mu.Lock()
		v.counts = l.counts.load()
		v.counts.Day = l.hours.since(q.DaySince)
		l.mu.Unlock()
		v.place = linktrack.CursorOf(v.link(), q.Sort)
		if q.After == nil || order(v.place, *q.After) > 0 {
			views = append(views, v)
		}
	}
	slices.SortFunc(views, func(a, b view) int { return order(a.place, b.place) })

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
	place  linktrack.LinkCursor
}

func (v view) link() linktrack.Link {
	l := *v.def
	l.Counts = v.counts
	return l
}

// CountLinks implements [linktrack.LinkStore]. Without filters, it returns a kept number.
func (s *Store) CountLinks(ctx context.Context, q linktrack.LinkFilter) (n int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if q.Names == nil && q.Groups == nil && q.Tags == nil && q.Host == "" && q.State == "" && len(q.Words()) == 0 {
		if o := s.known(q.Account); o != nil {
			o.mu.RLock()
			defer o.mu.RUnlock()
			for kind, links := range o.counts {
				if kind.in(q) {
					n += links
				}
			}
		}
		return n, nil
	}
	for range s.matching(q) {
		n++
	}
	return n, nil
}

// matching returns the links that meet the conditions of q, without its After.
func (s *Store) matching(q linktrack.LinkFilter) iter.Seq[*link] {
	return func(yield func(*link) bool) {
		o := s.known(q.Account)
		if o == nil {
			return
		}
		var found []*link
		if q.Names != nil {
			found = s.named(q.Names)
		} else {
			o.mu.RLock()
			found = o.links[:len(o.links):len(o.links)] // these elements are never written to again
			o.mu.RUnlock()
		}
		inGroups, hasTags := o.chosen(o.groups, q.Groups), o.chosen(o.tags, q.Tags)
		has := searcher(q.Words())
		for _, l := range found {
			def := l.def.Load()
			if def.Account != q.Account || !kindOf(def).in(q) || q.Host != "" && def.Host != q.Host ||
				q.Groups != nil && !inGroups[def.Group] || q.Tags != nil && !slices.ContainsFunc(def.Tags, func(tag string) bool { return hasTags[tag] }) ||
				!has(def) {
				continue
			}
			if q.State != "" {
				now := *def
				now.Counts = l.counts.load()
				if !q.State.Has(&now, q.Now) {
					continue
				}
			}
			if !yield(l) {
				return
			}
		}
	}
}

// named returns the links that have one of the names, each link once.
func (s *Store) named(names []linktrack.LinkName) []*link {
	var found []*link
	seen := make(map[*link]bool, len(names))
	for _, n := range names {
		sh := s.pathShard(n.Key)
		sh.mu.RLock()
		for _, p := range sh.byKey[n.Key] {
			if p.link == nil { // it is reserved
				continue
			}
			is := nameOf(p.link.def.Load()) == linktrack.LinkName{Host: p.host, Key: n.Key} // else it is a former path
			if is && (n.Host == "" || n.Host == p.host) && !seen[p.link] {
				seen[p.link] = true
				found = append(found, p.link)
			}
		}
		sh.mu.RUnlock()
	}
	return found
}

// chosen returns those of the stored names that are among the given ones.
func (o *owner) chosen(stored names, given []string) map[string]bool {
	in := make(map[string]bool, len(given))
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, n := range given {
		if first, ok := stored[linktrack.GroupKey(n)]; ok {
			in[first] = true
		}
	}
	return in
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
	o := s.known(account)
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

var sorts = []linktrack.Sort{
	linktrack.SortExternalURL, linktrack.SortPath, linktrack.SortCreated, linktrack.SortDay, linktrack.SortTotal,
	linktrack.SortLastClick, linktrack.SortTitle, linktrack.SortGroup, linktrack.SortID,
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
		for _, paths := range sh.byKey {
			for _, p := range paths {
				if p.link != nil { // else it is reserved
					hosts[p.link.def.Load().Host] = true
				}
			}
		}
		sh.mu.RUnlock()
	}
	sorted := slices.Sorted(maps.Keys(hosts))
	return sorted[:min(len(sorted), limit)], nil
}
