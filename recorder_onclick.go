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

// A clickHook shows batches that were stored to [RecordingOptions.OnClick].
//   - Batches from a durable journal are shown by its writer, which calls deliver:
//     the journal keeps a batch until it was shown.
//   - All others wait in the hook's own memory (add), because neither visitors nor
//     the clicks behind them may wait for the host's function.
type clickHook struct {
	onClick func(context.Context, Batch) error
	budget  budget // of the clicks that wait
	log     *slog.Logger

	worker *worker.Worker  // shows the batches of add
	ctx    context.Context // of the calls; when it ends, no further call is made
	cancel context.CancelFunc

	failing  incident.Incident
	overflow incident.Incident // clicks are not shown

	// guarded by mu
	mu      sync.Mutex
	batches []Batch // in the order in which they were stored; the first is being shown
	missed  int64

	// used by the worker's goroutine only
	pause time.Duration // before the next try
}

// newClickHook returns a hook, or nil without [RecordingOptions.OnClick].
func newClickHook(o *Options) *clickHook {
	if o.Recording.OnClick == nil {
		return nil
	}
	const behind = "linktrack: OnClick is too slow; it is not called for some clicks, which are stored"
	h := &clickHook{
		onClick: o.Recording.OnClick,
		log:     o.Logger,
		failing: incident.Incident{
			Log:   o.Logger,
			Began: "linktrack: OnClick fails; it is called again with the same clicks",
			Lasts: "linktrack: OnClick still fails",
			Ended: "linktrack: OnClick works again",
		},
		overflow: incident.Incident{Log: o.Logger, Began: behind, Lasts: behind, Quiet: time.Minute},
	}
	h.worker = worker.New(worker.Options{}, func(context.Context) (time.Duration, bool) { return h.step() })
	h.budget.maxClicks, h.budget.maxBytes = o.Recording.MaxPending, o.Recording.MaxPendingBytes
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// add has a copy of the batch shown later.
func (h *clickHook) add(b Batch) {
	if h == nil {
		return
	}
	b.Clicks = slices.Clone(b.Clicks)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil || !h.budget.reserve(len(b.Clicks), sizeOf(b.Clicks)) {
		h.drop(len(b.Clicks))
		return
	}
	h.batches = append(h.batches, b)
	h.worker.Wake()
}

func (h *clickHook) drop(clicks int) {
	h.missed += int64(clicks)
	h.overflow.Failed("maxClicks", h.budget.maxClicks, "maxBytes", h.budget.maxBytes, "missed", h.missed)
}

// step shows the oldest batch.
func (h *clickHook) step() (pause time.Duration, more bool) {
	b, ok := h.next()
	if !ok {
		return 0, false
	}
	if h.deliver(b) != nil {
		h.pause = min(max(2*h.pause, firstRetry), lastRetry)
		return h.pause, true
	}
	h.pause = 0
	h.removeFirst()
	return 0, true
}

// next returns the oldest batch. It returns false if there is none or the hook has
// to stop.
func (h *clickHook) next() (b Batch, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.batches) == 0 || h.ctx.Err() != nil {
		return Batch{}, false
	}
	return h.batches[0], true
}

// removeFirst drops the oldest batch.
func (h *clickHook) removeFirst() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.budget.release(len(h.batches[0].Clicks), sizeOf(h.batches[0].Clicks))
	h.batches[0] = Batch{}
	if h.batches = h.batches[1:]; len(h.batches) == 0 {
		h.batches = nil // release the memory of a backlog
	}
}

// deliver shows a batch once. A function that panics has failed.
func (h *clickHook) deliver(b Batch) error {
	if h == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(h.ctx, writeTimeout)
	defer cancel()
	err := h.callOnce(ctx, b)
	if h.ctx.Err() == nil { // else it was given up
		h.failing.Report(err)
	}
	return err
}

func (h *clickHook) callOnce(ctx context.Context, b Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return h.onClick(ctx, b)
}

// close returns when all batches that wait in memory were shown, or ctx ends. After
// that no further tries are made.
func (h *clickHook) close(ctx context.Context) {
	if h == nil {
		return
	}
	h.worker.Finish(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return
	}
	h.cancel()
	if clicks, _ := h.budget.used(); clicks > 0 {
		h.log.Error("linktrack: OnClick was not called for the last clicks before the end; they are stored", "clicks", clicks)
	}
}

func (h *clickHook) addTo(s *Stats) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	clicks, _ := h.budget.used()
	s.Unseen, s.Missed = int64(clicks), h.missed
}
