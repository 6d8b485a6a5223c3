package linktrack

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/linktrackhq/linktrack/internal/groupcommit"
	"github.com/linktrackhq/linktrack/internal/incident"
)

// A recorder takes clicks, makes their visitors wait as the chosen [Ack] says,
// and brings each click to the store once.
//
//	AckStored     group commit → store; while the store fails: queue → store
//	AckJournaled  group commit → journal → store; if the journal fails: as AckStored
//	AckBuffered   queue → store
type recorder struct {
	ack     Ack
	timeout time.Duration // the longest time that a visitor waits
	log     *slog.Logger

	budget        *budget // of all clicks in memory, wherever they wait
	group         groupcommit.Group[Click]
	queue         *queue
	queueWriter   *writer
	journalWriter *writer // nil: there is no journal
	applier       *applier
	onClick       *clickHook // nil: there is none

	// Used by the group's commit only, of which there is one at a time:
	completer    *completer      // of clicks for the journal
	writeCtx     context.Context // see writeContext
	cancelWrite  context.CancelFunc
	writeCtxFrom time.Time

	active   atomic.Int64 // visitors between begin and end
	closed   atomic.Bool
	idle     chan struct{} // closed when the recorder is closed and no visitor is active
	idleOnce sync.Once

	dropped       atomic.Int64
	full          incident.Incident // clicks are dropped, because of the budget
	logFull       incident.Incident // clicks are dropped, because of the store's log
	journalFailed incident.Incident
}

const (
	memoryFull = "linktrack: the memory for clicks is full; clicks are lost"
	logFull    = "linktrack: the store's click log is full; clicks are lost"
)

// errClosed is the error of visits after Close.
var errClosed = fmt.Errorf("%w: it is shutting down", ErrUnavailable)

func newRecorder(store ClickStore, o *Options, days *dayZone, locator *guardedLocator, applier *applier) *recorder {
	r := &recorder{
		ack:         o.Recording.Ack,
		timeout:     o.Recording.AckTimeout,
		log:         o.Logger,
		budget:      &budget{maxClicks: o.Recording.MaxPending, maxBytes: o.Recording.MaxPendingBytes},
		applier:     applier,
		onClick:     newClickHook(o),
		completer:   newCompleter(o, locator),
		cancelWrite: func() {},
		idle:        make(chan struct{}),
		full:        incident.Incident{Log: o.Logger, Began: memoryFull, Lasts: memoryFull, Quiet: time.Minute},
		logFull:     incident.Incident{Log: o.Logger, Began: logFull, Lasts: logFull, Quiet: time.Minute},
		journalFailed: incident.Incident{
			Log:   o.Logger,
			Began: "linktrack: clicks cannot be written to the journal; they are sent to the store directly",
			Ended: "linktrack: clicks are written to the journal again",
		},
	}
	r.queue = newQueue(r.budget)
	config := writerConfig{
		journal:   r.queue,
		name:      "memory",
		store:     store,
		days:      days,
		completer: newCompleter(o, locator),
		log:       o.Logger,
		applier:   applier,
		onClick:   r.onClick,
	}
	if o.Recording.Ack == AckBuffered {
		config.delay = o.Recording.FlushInterval
	}
	r.queueWriter = newWriter(config)
	r.group.Commit = r.toStore
	if o.Recording.Journal != nil {
		config.journal, config.name, config.durable, config.delay = o.Recording.Journal, "the journal", true, o.Recording.FlushInterval
		config.completer = newCompleter(o, locator) // each is used by one goroutine at a time
		r.journalWriter = newWriter(config)
		r.journalWriter.wake() // for clicks that an earlier process left
	}
	if o.Recording.Ack == AckJournaled {
		r.group.Commit = r.toJournal
		r.group.Detached = true // a write to a failing disk may never return
	}
	return r
}

// begin admits a visitor whose click will be recorded; end must follow. It
// returns false if the recorder is closed.
func (r *recorder) begin() bool {
	r.active.Add(1)
	if r.closed.Load() {
		r.end()
		return false
	}
	return true
}

func (r *recorder) end() {
	if r.active.Add(-1) == 0 && r.closed.Load() {
		r.idleOnce.Do(func() { close(r.idle) })
	}
}

// waitForWrites returns when no visitor is active and no commit is under way. A
// commit may outlast its visitors, who wait for r.timeout at most. It takes up to
// half of the time that ctx has left, because the clicks that were written last
// still have to be brought to the store.
func (r *recorder) waitForWrites(ctx context.Context) {
	if end, ok := ctx.Deadline(); ok {
		half, cancel := context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
		ctx = half
	}
	if r.active.Load() > 0 {
		select {
		case <-r.idle:
		case <-ctx.Done():
		}
	}
	r.group.Wait(ctx)
}

// record takes a click and returns when its visitor may be answered. A click
// that exceeds the budget, or that the store's log has no room for, is dropped
// and counted. Clicks in a journal wait there until the log has room.
func (r *recorder) record(c Click) {
	if r.ack != AckJournaled && r.applier.full() {
		r.dropForLog(1)
		return
	}
	if !r.budget.reserve(1, c.size()) {
		r.full.Failed("maxClicks", r.budget.maxClicks, "maxBytes", r.budget.maxBytes, "lost", r.dropped.Add(1))
		return
	}
	if r.ack == AckBuffered {
		r.queue.Append([]Click{c}) // it never fails
		r.queueWriter.wake()
		return
	}
	r.group.Do(c, r.timeout)
}

// dropForLog counts clicks that are lost because the store's log has no room for them.
func (r *recorder) dropForLog(clicks int) {
	r.logFull.Failed("maxBytes", r.applier.maxBytes, "lost", r.dropped.Add(int64(clicks)))
}

// toStore is the group's commit without a journal. It writes the clicks to the
// store at once if no others wait in the queue, else it appends them there.
func (r *recorder) toStore(clicks []Click) {
	if b, ok := r.queue.begin(clicks); ok {
		err := r.queueWriter.write(r.writeContext(), b)
		r.queue.end(err)
		if err == nil {
			return
		}
		r.queueWriter.failed(err)
	}
	r.queueWriter.wake()
	r.queueWriter.waitWhileBehind(r.timeout) // else a slow store would get more than it can take
}

// toJournal is the group's commit with a journal. The clicks are completed
// first, because texts that are not to be kept must not reach a file either.
func (r *recorder) toJournal(clicks []Click) {
	reserved := sizeOf(clicks)
	for i := range clicks {
		r.completer.complete(&clicks[i])
	}
	err := r.journalWriter.journal.Append(clicks)
	r.journalFailed.Report(err)
	switch {
	case err == nil:
		r.budget.release(len(clicks), reserved)
		r.journalWriter.wake()
	case r.applier.full():
		r.budget.release(len(clicks), reserved)
		r.dropForLog(len(clicks))
	default:
		r.budget.release(0, reserved-sizeOf(clicks)) // completed clicks have another size
		r.toStore(clicks)
	}
}

// writeContext returns the context of a write for which visitors wait. It serves
// many writes, because making one takes a considerable part of the time of a
// write to memory. So a write has between half of r.timeout and all of it.
func (r *recorder) writeContext() context.Context {
	if at := time.Now(); at.Sub(r.writeCtxFrom) >= r.timeout/2 {
		r.cancelWrite()
		r.writeCtx, r.cancelWrite = context.WithTimeout(context.Background(), r.timeout)
		r.writeCtxFrom = at
	}
	return r.writeCtx
}

// A PendingError says how many clicks were not in the store when [Tracker.Close]
// returned.
type PendingError struct {
	Lost      int64 // clicks in memory, which are lost
	Journaled int64 // clicks in the journal, which the next process brings to the store
}

func (e *PendingError) Error() string {
	switch {
	case e.Lost == 0:
		return fmt.Sprintf("linktrack: %d clicks were not stored; they are safe in the journal", e.Journaled)
	case e.Journaled == 0:
		return fmt.Sprintf("linktrack: %d clicks were not stored and are lost", e.Lost)
	}
	return fmt.Sprintf("linktrack: %d clicks were not stored and are lost; %d more are safe in the journal", e.Lost, e.Journaled)
}

// close refuses further clicks and brings those that wait to the store, until
// ctx ends. The error is a *PendingError.
func (r *recorder) close(ctx context.Context) error {
	r.closed.Store(true)
	r.waitForWrites(ctx)
	var left PendingError
	r.queueWriter.drain(ctx)
	clicks, _ := r.budget.used()
	left.Lost = int64(clicks)
	if r.journalWriter != nil {
		r.journalWriter.drain(ctx)
		size := r.journalWriter.journal.Size()
		left.Journaled = size.Clicks + size.Quarantined
	}
	r.onClick.close(ctx)
	if left != (PendingError{}) {
		return &left
	}
	return nil
}
