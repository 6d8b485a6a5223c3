package memstore

import (
	"context"
	"slices"
	"sync"

	"github.com/linktrackhq/linktrack"
)

// changes are the newest 10,000 to 20,000 changes of links. Their IDs have no gaps.
type changes struct {
	mu   sync.Mutex
	last int64 // the newest ID
	all  []linktrack.Change
}

const maxChanges = 10_000

// add adds a change after it was made.
func (c *changes) add(link int64, name linktrack.LinkName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) == 2*maxChanges {
		c.all = slices.Delete(c.all, 0, maxChanges)
	}
	c.last++
	c.all = append(c.all, linktrack.Change{ID: c.last, Link: link, Name: name})
}

// Changes implements [linktrack.ChangeLister].
func (s *Store) Changes(ctx context.Context, after int64, limit int) ([]linktrack.Change, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	n := min(s.changes.last-max(after, 0), int64(limit), int64(len(s.changes.all)))
	return slices.Clone(s.changes.all[len(s.changes.all)-int(max(n, 0)):]), nil
}
