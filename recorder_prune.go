package linktrack

import (
	"context"
	"time"

	"github.com/linktrackhq/linktrack/internal/incident"
	"github.com/linktrackhq/linktrack/internal/worker"
)

// A pruner has the store drop old history, a minute after the start and then
// once a day. A failure is left for the next day, since nothing is lost by it.
type pruner struct {
	store   ClickStore
	zone    *time.Location
	days    int
	worker  *worker.Worker
	failing incident.Incident
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
	p := &pruner{store: store, zone: o.TimeZone, days: o.Privacy.HistoryDays, failing: incident.Incident{
		Log:   o.Logger,
		Began: "linktrack: old history cannot be dropped; it is tried again every day",
		Ended: "linktrack: old history is dropped again",
	}}
	p.worker = worker.New(worker.Options{Poll: pruneAgain}, p.step)
	p.worker.WakeAfter(pruneSoon)
	return p
}

func (p *pruner) step(ctx context.Context) (pause time.Duration, more bool) {
	call, cancel := context.WithTimeout(ctx, pruneTimeout)
	defer cancel()
	err := p.store.PruneClicks(call, startOfDay(time.Now().In(p.zone)).AddDate(0, 0, -p.days))
	if ctx.Err() == nil { // else stop gave it up
		p.failing.Report(err, "days", p.days)
	}
	return 0, false
}

// stop ends the work and gives up a run that is under way.
func (p *pruner) stop() {
	if p != nil {
		p.worker.Cancel()
	}
}

// wait waits, after stop, for a run that is under way until ctx ends.
func (p *pruner) wait(ctx context.Context) {
	if p != nil {
		p.worker.Stop(ctx)
	}
}
