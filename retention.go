package linktrack

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// A pruner has the store drop old history, soon after the start and then once a
// day. A failure is left for the next day, since nothing is lost by it.
type pruner struct {
	store ClickStore
	log   *slog.Logger
	zone  *time.Location
	days  int

	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	timer   *time.Timer
	closed  bool
	over    chan struct{} // closed when the run under way is over; nil: none is
	failing bool          // the log was told
}

const (
	pruneSoon    = time.Minute
	pruneAgain   = 24 * time.Hour
	pruneTimeout = time.Hour // it may have to wait for other processes, and to move rows
)

// newPruner returns one that works until it is closed, or nil if history is
// kept for ever.
func newPruner(store ClickStore, o *Options) *pruner {
	if o.Privacy.HistoryDays < 0 {
		return nil
	}
	p := &pruner{store: store, log: o.Logger, zone: o.Location, days: o.Privacy.HistoryDays}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(pruneSoon, p.run)
	return p
}

func (p *pruner) run() {
	over := make(chan struct{})
	defer close(over)
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.over = over
	p.mu.Unlock()

	ctx, cancel := context.WithTimeout(p.ctx, pruneTimeout)
	err := p.store.PruneClicks(ctx, startOfDay(time.Now().In(p.zone)).AddDate(0, 0, -p.days))
	cancel()

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	switch {
	case err != nil && !p.failing:
		p.log.Error("linktrack: old history can not be dropped; it is tried again every day", "days", p.days, "error", err)
	case err == nil && p.failing:
		p.log.Info("linktrack: old history is dropped again")
	}
	p.failing = err != nil
	p.timer.Reset(pruneAgain)
}

// stop ends the work.
func (p *pruner) stop() {
	if p == nil {
		return
	}
	p.cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.timer.Stop()
}

// wait waits, after stop, for a run that is under way until ctx ends.
func (p *pruner) wait(ctx context.Context) {
	if p == nil {
		return
	}
	p.mu.Lock()
	over := p.over
	p.mu.Unlock()
	if over == nil {
		return
	}
	select {
	case <-over:
	case <-ctx.Done():
	}
}
