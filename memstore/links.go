package memstore

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/linktrackhq/linktrack"
)

// A link has all that the store keeps of one link. Its definition is replaced as a whole
// and never modified, so that look-ups read it and the counts without a lock.
type link struct {
	id int64

	edit   sync.Mutex           // held by an update while its change runs
	former []linktrack.LinkName // the former paths; guarded by edit
	purged bool                 // guarded by edit
	def    atomic.Pointer[linktrack.Link]

	counts counts // written under mu

	mu      sync.Mutex
	hours   hours
	days    days
	history history
	granted map[linktrack.Source]linktrack.Granted // see ReserveClicks
}

// UpdateLink implements [linktrack.LinkStore]. While change runs, only other
// updates of the same link wait. Counts.Day is zero in what change gets and in
// what is returned. While a link moves, it is in the lists of both accounts for a
// moment, but queries compare its account, so they find it in one of them only.
func (s *Store) UpdateLink(ctx context.Context, id int64, change func(*linktrack.Link) error) (linktrack.Link, error) {
	if err := ctx.Err(); err != nil {
		return linktrack.Link{}, err
	}
	l := s.link(id)
	if l == nil {
		return linktrack.Link{}, linktrack.ErrNotFound
	}
	l.edit.Lock()
	defer l.edit.Unlock()
	if err := ctx.Err(); err != nil { // the wait may have been long
		return linktrack.Link{}, err
	}
	if l.purged {
		return linktrack.Link{}, linktrack.ErrNotFound
	}
	old, edited := l.def.Load(), l.snapshot()
	if err := change(&edited); err != nil {
		return linktrack.Link{}, err
	}
	edited = ownLink(edited)
	edited.ID, edited.CreatedAt = old.ID, old.CreatedAt
	was, name := nameOf(old), nameOf(&edited)
	defer s.lockPaths(name)()
	sh := s.pathShard(name.Key)
	if err := s.owner(edited.Account).keep(l, &edited, sh.isTaken(name, l, edited.Account)); err != nil {
		return linktrack.Link{}, err
	}
	if name != was {
		l.former = slices.DeleteFunc(append(slices.Clone(l.former), was), func(n linktrack.LinkName) bool { return n == name })
		sh.take(name, l)
	}
	if edited.Account != old.Account {
		s.owner(edited.Account).add(l, &edited)
		defer s.owner(old.Account).remove(l, old)
	}
	l.def.Store(&edited)
	s.changes.add(id, name)
	return l.snapshot(), nil
}

// LinkByPath implements [linktrack.LinkStore]. Counts.Day is zero.
func (s *Store) LinkByPath(ctx context.Context, host, key string) (linktrack.Link, error) {
	if err := ctx.Err(); err != nil {
		return linktrack.Link{}, err
	}
	if l := s.find(linktrack.LinkName{Host: host, Key: key}); l != nil {
		return l.snapshot(), nil
	}
	return linktrack.Link{}, linktrack.ErrNotFound
}

// snapshot returns the present state of the link, without Counts.Day.
func (l *link) snapshot() linktrack.Link {
	out := copyOf(l.def.Load())
	out.Counts = l.counts.load()
	return out
}

// copyOf returns a copy that a caller may change.
func copyOf(def *linktrack.Link) linktrack.Link {
	out := *def
	out.PasswordHash, out.Tags = copyBytes(out.PasswordHash), slices.Clone(out.Tags)
	return out
}

// ownLink returns a copy of l in the form in which the store keeps it, without counts. The
// copy shares no memory with the caller.
func ownLink(l linktrack.Link) linktrack.Link {
	for _, s := range []*string{&l.Host, &l.Path, &l.ExternalURL, &l.Title, &l.Description, &l.Notes, &l.Group, &l.ExternalID, &l.FallbackURL, (*string)(&l.Confirm)} {
		*s = strings.Clone(*s)
	}
	l.PasswordHash = copyBytes(l.PasswordHash)
	l.Tags = slices.Clone(l.Tags)
	for i, name := range l.Tags {
		l.Tags[i] = strings.Clone(name)
	}
	l.ExpiresAt, l.StartsAt = micro(l.ExpiresAt), micro(l.StartsAt)
	l.CreatedAt, l.DeletedAt = micro(l.CreatedAt), micro(l.DeletedAt)
	l.Counts = linktrack.Counts{}
	return l
}
