package linktrack

import (
	"context"
	"time"

	"github.com/linktrackhq/linktrack/internal/incident"
	"github.com/linktrackhq/linktrack/internal/worker"
)

// A pruner calls [ClickStore.PruneClicks], a minute after the start and then once a
// day. After a failure it waits for the next day too, because nothing is lost.
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
	pruneTimeout = time.Hour // it may have to wait for other processes and to move rows
)

// newPruner returns a pruner that has begun, or nil if history is kept forever.
func newPruner(store ClickStore, o *Options) *pruner {
	if o.Privacy.HistoryDays < 0 {
		return nil
	}
	p := &pruner{store: store, zone: o.TimeZone, days: o.Privacy.HistoryDays, failing: incident.Incident{
		Log:   o.Logger,
		Began: "linktrack: old history cannot be deleted; the next attempt is tomorrow",
		Ended: "linktrack: old history is deleted again",
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

// stop cancels the run that is under way and begins no other.
func (p *pruner) stop() {
	if p != nil {
		p.worker.Cancel()
	}
}

// wait returns when the run that stop canceled has ended, or ctx ends.
func (p *pruner) wait(ctx context.Context) {
	if p != nil {
		p.worker.Stop(ctx)
	}
}
