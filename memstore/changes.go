package memstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack"
)

// changes are the newest 10,000 to 20,000 changes of links. Their IDs have no gaps.
type changes struct {
	mu   sync.Mutex
	last int64 // the newest ID
	all  []linktrack.Change
	made []time.Time // of all
}

const maxChanges = 10_000

// add adds a change after it was made.
func (c *changes) add(link int64, name linktrack.LinkName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) == 2*maxChanges {
		c.all, c.made = slices.Delete(c.all, 0, maxChanges), slices.Delete(c.made, 0, maxChanges)
	}
	c.last++
	c.all = append(c.all, linktrack.Change{ID: c.last, Link: link, Name: name})
	c.made = append(c.made, time.Now())
}

// Changes implements [linktrack.ChangeLister].
func (s *Store) Changes(ctx context.Context, within time.Duration, limit int) ([]linktrack.Change, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	since := time.Now().Add(-within)
	first, _ := slices.BinarySearchFunc(s.changes.made, since, time.Time.Compare)
	return append([]linktrack.Change{}, s.changes.all[max(first, len(s.changes.all)-limit):]...), nil
}
