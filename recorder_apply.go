package linktrack

import (
	"context"
	"log/slog"
	"time"

	"github.com/linktrackhq/linktrack/internal/incident"
	"github.com/linktrackhq/linktrack/internal/worker"
)

// A rollupWorker calls [ClickStore.RollUp]: a second after a click was stored, and at
// the end. A run begins at least a second after the previous one has ended, so that
// a slow store keeps its connections for clicks.
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

// wake says that clicks were stored.
func (r *rollupWorker) wake() { r.worker.Wake() }

func (r *rollupWorker) step(ctx context.Context) (pause time.Duration, more bool) {
	call, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := r.store.RollUp(call, daySince(now()))
	if ctx.Err() == nil { // else close gave it up
		r.behind.Report(err)
	}
	// A run that fails while the process ends is left to other processes.
	return rollupInterval, err != nil && !r.worker.Finishing()
}

// close makes a last run if one is due, until ctx ends. If it does not succeed,
// nothing is lost: other processes or the next one do that work. After close the
// store is not called again.
func (r *rollupWorker) close(ctx context.Context) { r.worker.Finish(ctx) }
