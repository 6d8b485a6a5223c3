package linktrack

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/linktrackhq/linktrack/internal/flight"
	"github.com/linktrackhq/linktrack/internal/incident"
	"github.com/linktrackhq/linktrack/internal/worker"
)

// An applier calls [ClickStore.ApplyClicks]:
//   - about a second after a click was appended, and at the end (worker)
//   - before the Tracker reads counts, history or sums (beforeReading)
//
// All of them share the calls, of which there is one at a time.
type applier struct {
	store    ClickStore
	days     *dayZone
	alerts   *alertWorker
	maxBytes int64 // of the log, see RecordingOptions.MaxLogBytes

	worker *worker.Worker
	flight flight.Group
	ctx    context.Context // of the calls
	cancel context.CancelFunc
	behind incident.Incident

	size     atomic.Pointer[LogSize] // as the last call left it that returned one
	appended atomic.Int64            // approximate bytes that were appended since then
}

const (
	applyInterval  = time.Second
	applyPoll      = time.Minute      // for clicks that other processes appended before they ended
	applyTimeout   = 30 * time.Second // of a call, which may take many steps
	applyLate      = time.Minute      // a click that is older should have been applied
	readerWait     = 3 * time.Second  // for the log to be applied
	readerWaitLate = 100 * time.Millisecond
)

func newApplier(store ClickStore, days *dayZone, alerts *alertWorker, maxBytes int64, log *slog.Logger) *applier {
	a := &applier{
		store: store, days: days, alerts: alerts, maxBytes: maxBytes,
		behind: incident.Incident{
			Log:   log,
			Began: "linktrack: the store's click log is not applied in time: counts and reports are behind",
			Lasts: "linktrack: the store's click log is still behind",
			Ended: "linktrack: the store's click log is applied again",
		},
	}
	a.size.Store(&LogSize{})
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.flight.Run = a.apply
	a.worker = worker.New(worker.Options{Delay: applyInterval, Poll: applyPoll}, a.step)
	a.worker.WakeAfter(applyInterval) // for clicks that an earlier process appended
	return a
}

// wake says that clicks of that many bytes were appended.
func (a *applier) wake(bytes int64) {
	a.appended.Add(bytes)
	a.worker.Wake()
}

func (a *applier) step(ctx context.Context) (pause time.Duration, more bool) {
	err := a.flight.Do(ctx)
	a.alerts.wake()
	// A call that fails while the process ends is left to other processes.
	return applyInterval, err != nil && !a.worker.Finishing()
}

// apply makes one call.
func (a *applier) apply() error {
	ctx, cancel := context.WithTimeout(a.ctx, applyTimeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err // it is closed
	}
	appended := a.appended.Load()
	zone, err := a.days.current(ctx)
	if err == nil {
		var size LogSize
		size, err = a.store.ApplyClicks(ctx, zone, daySince(now()))
		if err == nil || size != (LogSize{}) {
			a.size.Store(&size)
			a.appended.Add(-appended)
		}
	}
	size := a.size.Load()
	switch late := !size.Oldest.IsZero() && time.Since(size.Oldest) > applyLate; {
	case a.ctx.Err() != nil: // close gave it up
	case err != nil:
		a.behind.Report(err)
	case late:
		a.behind.Failed("clicks", size.Clicks, "bytes", size.Bytes, "oldest", size.Oldest)
	default:
		a.behind.Recovered()
	}
	return err
}

// beforeReading applies the log, so that the read which follows returns all clicks that
// were answered before. If this takes too long or fails, the read returns what was
// applied.
func (a *applier) beforeReading(ctx context.Context) {
	wait := readerWait
	if a.behind.Lasting() {
		wait = readerWaitLate
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	_ = a.flight.Do(ctx) // apply reports it
}

// full reports whether the log has reached its bound.
func (a *applier) full() bool { return a.size.Load().Bytes+a.appended.Load() >= a.maxBytes }

// mayHold reports whether a click made at that time may still be in the log.
func (a *applier) mayHold(at time.Time) bool {
	oldest := a.size.Load().Oldest
	return a.behind.Lasting() || !oldest.IsZero() && !at.Before(oldest)
}

// close makes a last call if one is due, until ctx ends. If it does not succeed, nothing
// is lost: other processes or the next one do that work. After close the store is not
// called again.
func (a *applier) close(ctx context.Context) {
	a.worker.Finish(ctx)
	a.cancel()
	a.flight.Wait(ctx)
}

// RequeueClicks puts the clicks that the store could not apply back into its click log
// ([Stats].LogQuarantined), to be tried again by this version. It returns how many there
// are. The error is an [ErrUnavailable].
func (t *Tracker) RequeueClicks(ctx context.Context) (clicks int64, err error) {
	clicks, err = t.store.RequeueClicks(ctx)
	if clicks > 0 {
		t.applier.wake(0)
	}
	return clicks, unavailable(err)
}
