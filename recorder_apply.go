package linktrack

import (
	"context"
	"log/slog"
	"time"

	"github.com/linktrackhq/linktrack/internal/incident"
	"github.com/linktrackhq/linktrack/internal/worker"
)

// A roller has the store finish the roll-ups that it put off: a second after the
// first click that was stored since it last did, and at the end. One run begins
// a second after the other has ended: a store that is slow at it keeps its
// connections for clicks.
type rollupWorker struct {
	store  ClickStore
	worker *worker.Worker
	behind incident.Incident
}

const rollupInterval = time.Second

func newRollupWorker(store ClickStore, log *slog.Logger) *rollupWorker {
	r := &rollupWorker{store: store, behind: incident.Incident{
		Log:   log,
		Began: "linktrack: the store's roll-ups fall behind; they are tried again",
		Ended: "linktrack: the store's roll-ups are up to date again",
	}}
	r.worker = worker.New(worker.Options{Delay: rollupInterval}, r.step)
	return r
}

// soon says that clicks were stored.
func (r *rollupWorker) wake() { r.worker.Wake() }

func (r *rollupWorker) step(ctx context.Context) (pause time.Duration, more bool) {
	call, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := r.store.RollUp(call, daySince(now()))
	if ctx.Err() == nil { // else close gave it up
		r.behind.Report(err)
	}
	// What fails while the process ends is left to others.
	return rollupInterval, err != nil && !r.worker.Finishing()
}

// close finishes what there is to finish, until ctx ends. What is left then, or
// fails, is lost no more than what a crash leaves: other processes finish it.
// After that the store is not called any more.
func (r *rollupWorker) close(ctx context.Context) { r.worker.Finish(ctx) }
