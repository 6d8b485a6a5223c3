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

// A recorder takes clicks from visitors, answers as the chosen [Ack] says, and
// sees to it that each click comes to the store once.
//
//	AckStored     group commit → store, or, while the store fails, memory → store
//	AckJournaled  group commit → journal → store, or, if the journal fails, as AckStored
//	AckBuffered   memory → store
type recorder struct {
	mode    Ack
	timeout time.Duration // how long a visitor waits at most
	log     *slog.Logger

	budget        *budget // of all clicks that are here, wherever they wait
	group         groupcommit.Group[Click]
	queue         *queue
	write         func(Batch) error // writeNow
	queueWriter   *writer           // of memory
	rollups       *rollupWorker
	journalWriter *writer    // of the journal; nil: there is none
	onClick       *clickHook // nil: there is none

	complete func(*Click) // before clicks come into the journal

	writeCtx        context.Context // of writes that visitors wait for, see context
	cancel          context.CancelFunc
	writeCtxRenewal time.Time

	active   atomic.Int64 // visitors between enter and leave
	closed   atomic.Bool
	idle     chan struct{} // closed when the recorder is closed and no visitor is active
	idleOnce sync.Once
	dropped  atomic.Int64

	full          incident.Incident // clicks are dropped
	journalFailed incident.Incident
}

const memoryFull = "linktrack: the memory for clicks is full; clicks are lost"

// errClosed is what a visitor gets who comes after Close.
var errClosed = fmt.Errorf("%w: it is shutting down", ErrUnavailable)

func newRecorder(store ClickStore, o *Options, days *dayZone, prepare func(agents) func(*Click), alerts *alertWorker) *recorder {
	space := &budget{maxClicks: o.MaxPending, maxBytes: o.MaxPendingBytes}
	r := &recorder{
		mode:    o.Ack,
		timeout: o.AckTimeout,
		log:     o.Logger,
		budget:  space,
		queue:   newQueue(space),
		cancel:  func() {},
		idle:    make(chan struct{}),
		onClick: newClickHook(o),
		full:    incident.Incident{Log: o.Logger, Began: memoryFull, Lasts: memoryFull, Quiet: time.Minute},
		journalFailed: incident.Incident{
			Log:   o.Logger,
			Began: "linktrack: the journal takes no clicks; they go to the store without it",
			Ended: "linktrack: the journal takes clicks again",
		},
	}
	r.rollups = newRollupWorker(store, o.Logger)
	pace := time.Duration(0)
	if o.Ack == AckBuffered {
		pace = o.FlushInterval
	}
	r.queueWriter = newWriter(r.queue, "memory", r.rollups, pace, o, days, prepare(agents{}), func(b Batch) {
		alerts.wakeUp()
		r.onClick.add(b)
	})
	r.group.Commit, r.write = r.toStore, r.writeNow
	if o.Journal != nil {
		r.journalWriter = newWriter(o.Journal, "the journal", r.rollups, o.FlushInterval, o, days, prepare(agents{}), func(Batch) { alerts.wakeUp() })
		r.journalWriter.durable = true
		r.journalWriter.deliver = r.onClick.call
		r.journalWriter.wake() // what an earlier process left
	}
	if o.Ack == AckJournaled {
		r.complete = prepare(agents{})
		r.group.Commit = r.toJournal
		r.group.Detached = true // a disk that dies may hang
	}
	return r
}

// enter admits a visitor whose click will be recorded, until leave. False means
// that the recorder is closed.
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

// waitForWrites returns when no visitor is active and no write for visitors is
// under way: visitors leave after r.patience, and the write goes on. It takes at
// most half of the time that ctx has left, since what was written last has to be
// brought to the store, too.
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

// record hands over a click and returns when its visitor may be answered. A
// click that finds no room is dropped and counted.
func (r *recorder) record(c Click) {
	if !r.budget.reserve(1, c.size()) {
		r.drop(1)
		return
	}
	if r.mode == AckBuffered {
		r.toQueue([]Click{c})
	} else {
		r.group.Do(c, r.timeout)
	}
}

// store writes clicks, for which visitors wait, to the store, or queues them
// behind others that it could not take.
func (r *recorder) toStore(clicks []Click) {
	queued, err := r.queue.send(clicks, r.write)
	if err != nil {
		r.queueWriter.failed(err)
	}
	if queued {
		r.queueWriter.wake()
		r.queueWriter.waitWhileBehind(r.timeout) // else a store that is slow is sent more than it can take
	}
}

func (r *recorder) writeNow(b Batch) error { return r.queueWriter.write(r.writeContext(), b) }

// keep writes clicks, for which visitors wait, to the journal. They are
// completed before: what is not to be kept may not come into a file either.
func (r *recorder) toJournal(clicks []Click) {
	taken := sizeOf(clicks)
	for i := range clicks {
		r.complete(&clicks[i])
	}
	err := r.journalWriter.journal.Append(clicks)
	r.journalFailed.Report(err)
	if err != nil {
		r.budget.release(0, taken-sizeOf(clicks)) // they count as they are now
		r.toStore(clicks)
		return
	}
	r.budget.release(len(clicks), taken)
	r.journalWriter.wake()
}

// buffer leaves clicks to the sender.
func (r *recorder) toQueue(clicks []Click) {
	r.queue.Append(clicks) // it never fails
	r.queueWriter.wake()
}

// context is for a write that visitors wait for. One serves many writes, since
// to make one takes a good part of a write to memory: each write gets half of
// r.patience at least and all of it at most.
func (r *recorder) writeContext() context.Context {
	if at := time.Now(); !at.Before(r.writeCtxRenewal) {
		r.cancel()
		r.writeCtx, r.cancel = context.WithTimeout(context.Background(), r.timeout)
		r.writeCtxRenewal = at.Add(r.timeout / 2)
	}
	return r.writeCtx
}

func (r *recorder) drop(n int) {
	r.full.Failed("maxClicks", r.budget.maxClicks, "maxBytes", r.budget.maxBytes, "lost", r.dropped.Add(int64(n)))
}

// A PendingError says which clicks [Tracker.Close] left behind.
type PendingError struct {
	Lost      int64 // in memory only: they are lost
	Journaled int64 // in the journal, for the next process to bring to the store
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

// close takes no more clicks and brings what there is to the store until ctx
// ends. The error is a *PendingError.
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
