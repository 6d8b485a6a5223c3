package sqlstore

import (
	"context"
	"sync"
)

// readers limits how many lists and histories are read at the same time, so that slow
// reads leave connections to the redirects.
type readers struct {
	mu    sync.Mutex
	count int
	freed chan struct{} // holds a value when a waiting caller may try again
}

const maxReading = 16

// begin waits until the number of readers is below the value of limit. The caller must
// then call end when it has read.
func (r *readers) begin(ctx context.Context, limit func() int) error {
	for {
		r.mu.Lock()
		if r.count < limit() {
			r.count++
			r.mu.Unlock()
			r.wake() // there may be room for more
			return nil
		}
		r.mu.Unlock()
		select {
		case <-r.freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *readers) end() {
	r.mu.Lock()
	r.count--
	r.mu.Unlock()
	r.wake()
}

func (r *readers) wake() {
	select {
	case r.freed <- struct{}{}:
	default:
	}
}

// beginReading waits until the caller may read a list or a history; the caller must then
// call done. Readers use at most half of the connections that the pool may open.
func (s *Store) beginReading(ctx context.Context) (done func(), err error) {
	limit := func() int {
		open := s.readDB.Stats().MaxOpenConnections
		if open == 0 { // a host's pool without a limit
			return maxReading
		}
		return max(min(open/2, maxReading), 1)
	}
	if err := s.reading.begin(ctx, limit); err != nil {
		return nil, err
	}
	return s.reading.end, nil
}
