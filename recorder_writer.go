package linktrack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/linktrackhq/linktrack/internal/incident"
	"github.com/linktrackhq/linktrack/internal/worker"
)

// A writer brings the clicks of a journal to the store: batch after batch, in
// order, each until the store has it.
//
// A batch that the store rejects three times is quarantined, so that those behind
// it go on. What is quarantined is tried again every minute in smaller batches, so
// that in the end only the clicks at fault remain there.
type writer struct {
	writerConfig
	worker  *worker.Worker
	failing incident.Incident

	storedClicks [ClickClassUnknown + 1]atomic.Int64 // by class
	batches      atomic.Int64
	retries      atomic.Int64
	ending       atomic.Bool  // drain was called
	down         atomic.Bool  // the last write failed
	writingSince atomic.Int64 // when the write under way began, in Unix nanoseconds; 0: none is

	// guarded by mu
	mu       sync.Mutex
	oldest   time.Time     // when the oldest click that waits was made; zero: none is known
	caughtUp chan struct{} // closed when no click waits any more or the store fails; nil: nobody waits for that

	// used by the worker's goroutine only
	batch         Batch         // that is being stored
	stored        bool          // the store has batch, but the journal and OnClick do not know yet
	pause         time.Duration // before the next try
	rejections    int           // of batch
	batchSize     int           // of the next batch; smaller after a rejection
	quarantinedAt time.Time     // when a batch was last quarantined; zero: none is
	requeuedLast  bool          // the last requeue before the end was made
}

const (
	maxBatch      = 5000 // clicks
	writeTimeout  = 30 * time.Second
	firstRetry    = 50 * time.Millisecond
	lastRetry     = 5 * time.Second
	requeueAfter  = time.Minute
	maxRejections = 3 // of one batch, before it is quarantined
)

// A writerConfig says what a writer works with.
type writerConfig struct {
	journal   Journal
	name      string        // of the journal, for the log
	durable   bool          // the journal outlives the process
	delay     time.Duration // between the first click that waits and its write
	store     ClickStore
	days      *dayZone
	completer *completer
	log       *slog.Logger

	// told of each batch
	applier *applier
	onClick *clickHook
}

func newWriter(c writerConfig) *writer {
	w := &writer{
		writerConfig: c,
		batchSize:    maxBatch,
		failing: incident.Incident{
			Log:   c.log,
			Began: "linktrack: clicks cannot be stored; they wait and are sent again",
			Lasts: "linktrack: clicks still cannot be stored",
			Ended: "linktrack: all clicks are stored again",
		},
	}
	w.worker = worker.New(worker.Options{Delay: c.delay}, func(context.Context) (time.Duration, bool) { return w.step() })
	if c.journal.Size().Quarantined > 0 {
		w.quarantinedAt = time.Unix(0, 0) // by an earlier process: try it soon
	}
	return w
}

// write completes the clicks of a batch and sends it to the store once. A store
// that panics has failed.
func (w *writer) write(ctx context.Context, b Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	for i := range b.Clicks {
		w.completer.complete(&b.Clicks[i])
	}
	w.writingSince.Store(time.Now().UnixNano())
	defer w.writingSince.Store(0)
	if _, err = w.days.save(ctx); err != nil {
		return err
	}
	if err = w.store.AppendClicks(ctx, b); err != nil {
		return err
	}
	w.down.Store(false)
	w.batches.Add(1)
	for i := range b.Clicks {
		class := b.Clicks[i].Class
		if class > ClickClassUnknown {
			class = ClickClassNone
		}
		w.storedClicks[class].Add(1)
	}
	w.applier.wake(sizeOf(b.Clicks))
	if !w.durable { // a durable journal waits until OnClick has seen the batch
		w.onClick.add(b)
	}
	return nil
}

// wake says that the journal holds clicks.
func (w *writer) wake() { w.worker.Wake() }

// step makes one try to bring the oldest batch to the store. There is nothing more
// to do when no batch is left or the worker has to stop.
func (w *writer) step() (pause time.Duration, more bool) {
	if w.durable && w.applier.full() {
		return lastRetry, !w.worker.Finishing()
	}
	if len(w.batch.Clicks) == 0 {
		w.requeue(time.Now())
		b, err := w.journal.Next(w.batchSize)
		if err != nil {
			w.failed(err)
			return lastRetry, true
		}
		if len(b.Clicks) == 0 {
			w.setOldest(time.Time{})
			if w.journal.Size().Clicks == 0 {
				w.signalCaughtUp()
			}
			return 0, false
		}
		w.batch, w.stored, w.rejections = b, false, 0
		w.setOldest(b.Clicks[0].ID.Time())
	}
	if w.finishBatch() == nil {
		w.batch, w.pause = Batch{}, 0
		return 0, true
	}
	if w.durable && w.worker.Finishing() {
		w.batch = Batch{} // the journal gives it to the next process
		return 0, false
	}
	w.pause = min(max(2*w.pause, firstRetry), lastRetry)
	return w.pause, true
}

// finishBatch stores the batch, shows it to OnClick if the journal is durable, and
// drops it from the journal. What was done in an earlier try is not done again.
func (w *writer) finishBatch() error {
	if !w.stored {
		ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
		defer cancel()
		if err := w.write(ctx, w.batch); err != nil {
			w.failed(err)
			if errors.Is(err, ErrRejected) {
				if w.rejections++; w.rejections == maxRejections {
					w.quarantine(len(w.batch.Clicks), err)
					return nil
				}
			}
			return err
		}
		w.stored = true
	}
	if w.durable {
		if err := w.onClick.deliver(w.batch); err != nil {
			return err
		}
	}
	w.batchSize = min(2*w.batchSize, maxBatch)
	if err := w.journal.Done(); err != nil {
		w.failed(err)
		w.batch, w.pause = Batch{}, lastRetry // ask the journal anew which batch is next
		return err
	}
	w.recovered()
	return nil
}

// waitWhileBehind returns when no click waits, the store fails, one write has taken
// longer than the timeout, or the timeout has passed.
func (w *writer) waitWhileBehind(timeout time.Duration) {
	for end := time.Now().Add(timeout); ; {
		caughtUp := w.whenCaughtUp()
		if caughtUp == nil {
			return
		}
		left := time.Until(end)
		if since := w.writingSince.Load(); since != 0 {
			left = min(left, timeout-time.Since(time.Unix(0, since)))
		}
		if left <= 0 {
			return
		}
		timer := time.NewTimer(left)
		select {
		case <-caughtUp:
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// whenCaughtUp returns a channel that is closed when no click waits any more or the
// store fails, or nil if that is so already.
func (w *writer) whenCaughtUp() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down.Load() || w.journal.Size().Clicks == 0 {
		return nil
	}
	if w.caughtUp == nil {
		w.caughtUp = make(chan struct{})
	}
	return w.caughtUp
}

func (w *writer) signalCaughtUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.caughtUp != nil {
		close(w.caughtUp)
		w.caughtUp = nil
	}
}

func (w *writer) setOldest(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.oldest = at
}

// quarantine takes the rejected batch out of the way. If the batch may hold good
// clicks beside bad ones, it is requeued at once, to be tried in smaller batches.
func (w *writer) quarantine(clicks int, cause error) {
	if err := w.journal.Quarantine(); err != nil {
		w.failed(err)
		return
	}
	w.log.Error("linktrack: the store rejects a batch of clicks; it is quarantined, and its clicks are sent again in smaller batches",
		"from", w.name, "clicks", clicks, "error", cause)
	w.quarantinedAt = time.Now()
	time.AfterFunc(requeueAfter, w.wake)
	if clicks > 1 && w.batchSize > 1 {
		w.batchSize = max(1, min(clicks, w.batchSize)/10)
		if _, err := w.journal.Requeue(); err != nil {
			w.failed(err)
		}
	}
}

// requeue tries what is quarantined again: requeueAfter a batch was quarantined,
// and once before the end.
func (w *writer) requeue(at time.Time) {
	last := w.ending.Load() && !w.requeuedLast
	if w.quarantinedAt.IsZero() || at.Sub(w.quarantinedAt) < requeueAfter && !last {
		return
	}
	w.requeuedLast = last
	w.quarantinedAt = time.Time{}
	if n, err := w.journal.Requeue(); err != nil {
		w.failed(err)
	} else if n > 0 {
		w.batchSize = 1
	}
}

// failed notes a failure.
func (w *writer) failed(err error) {
	w.down.Store(true)
	w.signalCaughtUp()
	w.retries.Add(1)
	if w.failing.Lasting() {
		w.failing.Report(err, "in", w.name, "clicks", w.journal.Size().Clicks)
	} else {
		w.failing.Report(err, "in", w.name)
	}
}

// recovered notes that a batch was stored. The incident is over when no clicks are
// left behind it.
func (w *writer) recovered() {
	if !w.failing.Lasting() {
		return
	}
	if left := w.journal.Size().Clicks; left > 0 {
		w.failing.Progress("linktrack: clicks are stored again, but a backlog remains", "in", w.name, "clicks", left)
		return
	}
	w.failing.Recovered("from", w.name)
}

// drain returns when the journal is empty, or ctx ends, or a durable journal's
// clicks cannot be stored. After that no further tries are made.
func (w *writer) drain(ctx context.Context) {
	w.ending.Store(true) // before the last step begins
	if w.journal.Size().Quarantined > 0 {
		w.worker.Wake() // for a last try
	}
	w.worker.Finish(ctx)
}
