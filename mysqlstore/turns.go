package mysqlstore

import (
	"context"
	"sync"
)

// turns let readers share roll-ups: one that began after a reader came has
// worked in all that the reader is to see. So many who read at once, as anyone
// may who knows a public page, cost one roll-up after the other, not one each.
type sharedFlight struct {
	mu      sync.Mutex
	running *flight
	next    *flight // of those who came since running began; nil: nobody
}

// A turn is one roll-up, made by one of those who wait for it.
type flight struct {
	hour int64 // the highest that is asked for
	done chan struct{}
	from int64
	err  error
}

// take returns what a roll-up that begins later returns.
func (t *sharedFlight) do(ctx context.Context, hour int64, rollUp func(ctx context.Context, hour int64) (int64, error)) (from int64, err error) {
	t.mu.Lock()
	if t.next == nil {
		t.next = &flight{done: make(chan struct{})}
	}
	mine := t.next
	mine.hour = max(mine.hour, hour)
	for {
		before := t.running
		if t.next != mine {
			before = mine // it has begun, or is over
		}
		if before == nil {
			t.running, t.next = mine, nil
			t.mu.Unlock()
			t.run(ctx, mine, rollUp)
			return mine.from, mine.err
		}
		t.mu.Unlock()
		select {
		case <-before.done:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		if before == mine {
			break
		}
		t.mu.Lock()
	}
	if mine.err != nil && ctx.Err() == nil {
		return rollUp(ctx, hour) // it may be the other who had no more time
	}
	return mine.from, mine.err
}

// lead makes the roll-up of a turn for all who wait for it.
func (t *sharedFlight) run(ctx context.Context, mine *flight, rollUp func(ctx context.Context, hour int64) (int64, error)) {
	mine.err = context.Canceled // if it panics
	defer func() {
		t.mu.Lock()
		t.running = nil
		t.mu.Unlock()
		close(mine.done)
	}()
	mine.from, mine.err = rollUp(ctx, mine.hour)
}
