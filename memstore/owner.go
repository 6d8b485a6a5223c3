package memstore

import (
	"slices"
	"strings"
	"sync"

	"github.com/linktrackhq/linktrack"
)

// An owner has the links of an account, and the names that its links use.
type owner struct {
	mu       sync.RWMutex
	links    []*link // appended to, or replaced
	groups   names
	tags     names
	external map[string]*link // by Link.ExternalID, which is not ""
	counts   map[kind]int64   // how many links are of each kind
}

// A kind says in which lists a link is.
type kind struct{ archived, deleted bool }

func kindOf(l *linktrack.Link) kind {
	return kind{archived: l.IsArchived, deleted: !l.DeletedAt.IsZero()}
}

// in reports whether links of the kind are in the list of q.
func (k kind) in(q linktrack.LinkFilter) bool {
	switch {
	case k.deleted || q.Deleted:
		return k.deleted && q.Deleted
	case q.Archived == linktrack.WithArchived:
		return true
	}
	return k.archived == (q.Archived == linktrack.OnlyArchived)
}

// known returns the owner of that account, or nil if it never had a link.
func (s *Store) known(id linktrack.AccountID) *owner {
	s.ownersMu.RLock()
	defer s.ownersMu.RUnlock()
	return s.owners[id]
}

// names are the names of groups or of tags by GroupKey, as they were first used.
type names map[string]string

func (s *Store) owner(id linktrack.AccountID) *owner {
	if o := s.known(id); o != nil {
		return o
	}
	s.ownersMu.Lock()
	defer s.ownersMu.Unlock()
	if o := s.owners[id]; o != nil {
		return o
	}
	o := &owner{groups: names{}, tags: names{}, external: map[string]*link{}, counts: map[kind]int64{}}
	s.owners[id] = o
	return o
}

// add adds a link that will be def.
func (o *owner) add(l *link, def *linktrack.Link) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.links = append(o.links, l)
	o.counts[kindOf(def)]++
}

// remove removes a link that was def.
func (o *owner) remove(l *link, def *linktrack.Link) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts[kindOf(def)]--
	o.links = slices.DeleteFunc(slices.Clone(o.links), func(other *link) bool { return other == l })
	if o.external[def.ExternalID] == l {
		delete(o.external, def.ExternalID)
	}
}

// keep gives an edited link the stored names of its group and tags, takes its external
// id, and counts it by its new kind, unless the external id or, as isTaken says, the path is
// taken. l.edit must be held, and the shard of the path.
func (o *owner) keep(l *link, edited *linktrack.Link, isTaken bool) error {
	old := l.def.Load()
	o.mu.Lock()
	defer o.mu.Unlock()
	if id := edited.ExternalID; id != "" {
		if other := o.external[id]; other != nil && other != l {
			return linktrack.ErrExternalIDTaken
		}
	}
	if isTaken {
		return linktrack.ErrTaken
	}
	if edited.ExternalID != "" {
		o.external[edited.ExternalID] = l
	}
	if old.ExternalID != edited.ExternalID && o.external[old.ExternalID] == l {
		delete(o.external, old.ExternalID)
	}
	if old.Account == edited.Account {
		o.counts[kindOf(old)]--
		o.counts[kindOf(edited)]++
	}
	o.use(edited)
	return nil
}

// use gives a link the stored names of its group and tags, and makes those that are new.
// o.mu must be held.
func (o *owner) use(l *linktrack.Link) {
	if l.Group != "" {
		l.Group = o.groups.first(l.Group)
	}
	tags := l.Tags
	slices.SortStableFunc(tags, func(a, b string) int {
		return strings.Compare(linktrack.GroupKey(a), linktrack.GroupKey(b))
	})
	l.Tags = nil
	for i, name := range tags {
		if i == 0 || linktrack.GroupKey(name) != linktrack.GroupKey(tags[i-1]) {
			l.Tags = append(l.Tags, o.tags.first(name))
		}
	}
}

// first returns the stored form of a name, and stores a new one.
func (n names) first(name string) string {
	key := linktrack.GroupKey(name)
	if first, ok := n[key]; ok {
		return first
	}
	n[strings.Clone(key)] = name
	return name
}
