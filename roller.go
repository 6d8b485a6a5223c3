package linktrack

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// A roller has the store finish what it put off, a second after the first click
// that was stored since it last did, and at the end. One run begins a second
// after the other has ended: a store that is slow at it keeps its connections for
// clicks.
type roller struct {
	store ClickStore
	log   *slog.Logger

	state   atomic.Int32
	failing bool // the run's

	ctx    context.Context // of the runs
	cancel context.CancelFunc
	mu     sync.Mutex
	closed bool
	runs   sync.WaitGroup // none is added once it is closed
}

// The states of a roller.
const (
	rollerRests int32 = iota
	rollerWaits       // for the time to run
	rollerRuns
	rollerRunsAgain // it runs, and has to once more
)

const rollAfter = time.Second

func newRoller(store ClickStore, log *slog.Logger) *roller {
	r := &roller{store: store, log: log}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// soon says that clicks were stored.
func (r *roller) soon() {
	for {
		switch r.state.Load() {
		case rollerRests:
			if r.state.CompareAndSwap(rollerRests, rollerWaits) {
				time.AfterFunc(rollAfter, r.run)
				return
			}
		case rollerRuns:
			if r.state.CompareAndSwap(rollerRuns, rollerRunsAgain) {
				return
			}
		default:
			return
		}
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

	r.state.Store(rollerRuns)
	err := r.roll(r.ctx)
	if r.ctx.Err() != nil {
		return // given up by close
	}
	switch {
	case err != nil && !r.failing:
		r.log.Error("linktrack: the store's roll-ups fall behind; they are tried again", "error", err)
	case err == nil && r.failing:
		r.log.Info("linktrack: the store's roll-ups are up to date again")
	}
	if r.failing = err != nil; !r.failing && r.state.CompareAndSwap(rollerRuns, rollerRests) {
		return
	}
	r.state.Store(rollerWaits)
	time.AfterFunc(rollAfter, r.run)
}

// roll calls the store once.
func (r *roller) roll(ctx context.Context) error {
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
		if r.state.Load() == rollerWaits {
			r.roll(ctx)
		}
	case <-ctx.Done():
	}
	r.cancel()
}
