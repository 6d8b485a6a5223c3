package linktrack

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// A roller has the store finish what it put off, a second after the first click
// that was stored since it last did, and at the end.
type roller struct {
	store ClickStore
	log   *slog.Logger

	waits   atomic.Bool
	failing atomic.Bool

	ctx    context.Context // of the runs
	cancel context.CancelFunc
	mu     sync.Mutex
	closed bool
	runs   sync.WaitGroup // none is added once it is closed
}

const rollAfter = time.Second

func newRoller(store ClickStore, log *slog.Logger) *roller {
	r := &roller{store: store, log: log}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// soon says that clicks were stored.
func (r *roller) soon() {
	if !r.waits.Load() && r.waits.CompareAndSwap(false, true) {
		time.AfterFunc(rollAfter, r.run)
	}
}

func (r *roller) run() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.runs.Add(1)
	r.mu.Unlock()
	defer r.runs.Done()

	r.waits.Store(false)
	err := r.roll(r.ctx)
	if r.ctx.Err() != nil {
		return // given up by close
	}
	switch failing := r.failing.Swap(err != nil); {
	case err != nil:
		if !failing {
			r.log.Error("linktrack: the store's roll-ups fall behind; they are tried again", "error", err)
		}
		r.soon()
	case failing:
		r.log.Info("linktrack: the store's roll-ups are up to date again")
	}
}

// roll calls the store once. One that panics has failed, no more.
func (r *roller) roll(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return r.store.RollUp(ctx, daySince(now()))
}

// close finishes what is to be finished, until ctx ends. What is left then, or
// fails, is lost no more than what a crash leaves: others finish it. After that
// the store is not called any more.
func (r *roller) close(ctx context.Context) {
	r.mu.Lock()
	first := !r.closed
	r.closed = true
	r.mu.Unlock()
	if !first {
		return
	}
	over := make(chan struct{})
	go func() {
		r.runs.Wait()
		close(over)
	}()
	select {
	case <-over:
		if r.waits.Load() {
			r.roll(ctx)
		}
	case <-ctx.Done():
	}
	r.cancel()
}
