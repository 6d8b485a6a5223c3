package linktrack

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack/internal/incident"
	"github.com/linktrackhq/linktrack/internal/worker"
)

// A listener shows batches of clicks that were stored to [Options.OnClick]. The
// journal's sender waits for it (see), so that the journal keeps a batch until
// it was seen. What did not come from the journal waits in the listener's own
// memory (add), since nobody may be kept waiting for it: neither a visitor nor
// the clicks behind.
type clickHook struct {
	onClick func(context.Context, Batch) error
	budget  budget // of the clicks that wait
	log     *slog.Logger

	worker *worker.Worker  // shows the batches of add
	ctx    context.Context // of the calls; when it ends there are no further ones
	cancel context.CancelFunc

	failing  incident.Incident
	overflow incident.Incident // clicks are not shown

	mu      sync.Mutex
	batches []Batch // in the order in which they were stored; the first is being shown
	missed  int64

	pause time.Duration // before the next try; the worker's
}

// newClickHook returns a listener, or nil if nobody wants to see clicks.
func newClickHook(o *Options) *clickHook {
	if o.OnClick == nil {
		return nil
	}
	const behind = "linktrack: OnClick is too slow and misses clicks, which are stored"
	l := &clickHook{
		onClick: o.OnClick,
		log:     o.Logger,
		failing: incident.Incident{
			Log:   o.Logger,
			Began: "linktrack: OnClick fails; it is shown the same clicks again",
			Lasts: "linktrack: OnClick still fails",
			Ended: "linktrack: OnClick works again",
		},
		overflow: incident.Incident{Log: o.Logger, Began: behind, Lasts: behind, Quiet: time.Minute},
	}
	l.worker = worker.New(worker.Options{}, func(context.Context) (time.Duration, bool) { return l.step() })
	l.budget.maxClicks, l.budget.maxBytes = o.MaxPending, o.MaxPendingBytes
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// add leaves a batch, whose slice stays the caller's, to be shown.
func (l *clickHook) add(b Batch) {
	if l == nil {
		return
	}
	b.Clicks = slices.Clone(b.Clicks)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil || !l.budget.reserve(len(b.Clicks), sizeOf(b.Clicks)) {
		l.drop(len(b.Clicks))
		return
	}
	l.batches = append(l.batches, b)
	l.worker.Wake()
}

func (l *clickHook) drop(clicks int) {
	l.missed += int64(clicks)
	l.overflow.Failed("maxClicks", l.budget.maxClicks, "maxBytes", l.budget.maxBytes, "missed", l.missed)
}

// step shows the oldest batch.
func (l *clickHook) step() (pause time.Duration, more bool) {
	b, ok := l.next()
	if !ok {
		return 0, false
	}
	if l.call(b) != nil {
		l.pause = min(max(2*l.pause, firstRetry), lastRetry)
		return l.pause, true
	}
	l.pause = 0
	l.removeFirst()
	return 0, true
}

// next returns the oldest batch. False: there is none, or the listener has to
// stop.
func (l *clickHook) next() (b Batch, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.batches) == 0 || l.ctx.Err() != nil {
		return Batch{}, false
	}
	return l.batches[0], true
}

// seen drops the oldest batch.
func (l *clickHook) removeFirst() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget.release(len(l.batches[0].Clicks), sizeOf(l.batches[0].Clicks))
	l.batches[0] = Batch{}
	if l.batches = l.batches[1:]; len(l.batches) == 0 {
		l.batches = nil // give back what a backlog took
	}
}

// see shows a batch once. A function that panics has failed.
func (l *clickHook) call(b Batch) error {
	if l == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(l.ctx, writeTimeout)
	defer cancel()
	err := l.callOnce(ctx, b)
	if l.ctx.Err() == nil { // else it was given up
		l.failing.Report(err)
	}
	return err
}

func (l *clickHook) callOnce(ctx context.Context, b Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return l.onClick(ctx, b)
}

// close returns when all that waits in memory was seen, or ctx ends. Then no
// further tries are made.
func (l *clickHook) close(ctx context.Context) {
	if l == nil {
		return
	}
	l.worker.Finish(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil {
		return
	}
	l.cancel()
	if clicks, _ := l.budget.used(); clicks > 0 {
		l.log.Error("linktrack: OnClick has not seen the last clicks, which are stored", "clicks", clicks)
	}
}

func (l *clickHook) addTo(s *Stats) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	clicks, _ := l.budget.used()
	s.Unseen, s.Missed = int64(clicks), l.missed
}
