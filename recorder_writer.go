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

// A sender brings what a journal holds to the store, batch after batch, in
// order, each until the store has it. It works while there is anything and
// rests otherwise. A batch that the store will never take is set aside, so that
// those behind it go on; what is set aside is tried again every minute, in
// smaller batches, so that in the end only the clicks at fault are left.
type writer struct {
	journal  Journal
	name     string // of the journal, for the log
	store    ClickStore
	rollups  *rollupWorker
	days     *dayZone
	prepare  func(*Click)
	log      *slog.Logger
	durable  bool              // what the journal holds outlives the process
	onStored func(Batch)       // told of each batch that was stored; it must not keep the clicks
	deliver  func(Batch) error // has to see each batch before the journal drops it; nil: nobody has

	worker  *worker.Worker // brings the batches to the store
	failing incident.Incident

	batches      atomic.Int64
	retries      atomic.Int64
	down         atomic.Bool  // the last try failed
	writingSince atomic.Int64 // when the try under way began, Unix nanoseconds; 0: there is none

	mu       sync.Mutex
	oldest   time.Time     // when the oldest click came that waits; zero: none is known
	caughtUp chan struct{} // closed when nothing waits any more or the store fails; nil: nobody waits for that

	// Of the worker:
	batch         Batch         // that is being stored
	isStored      bool          // the store has it; it has to be seen
	pause         time.Duration // before the next try
	rejections    int           // of the batch
	batchSize     int           // of the next batch; smaller after one was rejected
	quarantinedAt time.Time     // when a batch was last set aside; zero: none is
	requeuedLast  bool          // what is set aside has been tried for the last time
}

const (
	maxBatch     = 5000 // clicks
	writeTimeout = 30 * time.Second
	firstRetry   = 50 * time.Millisecond
	lastRetry    = 5 * time.Second
	requeueAfter = time.Minute
	maxRejects   = 3 // of one batch, before it is set aside
)

func newWriter(j Journal, name string, roller *rollupWorker, pace time.Duration, o *Options, days *dayZone, prepare func(*Click), stored func(Batch)) *writer {
	s := &writer{
		journal:   j,
		name:      name,
		store:     roller.store,
		rollups:   roller,
		days:      days,
		prepare:   prepare,
		log:       o.Logger,
		onStored:  stored,
		batchSize: maxBatch,
		failing: incident.Incident{
			Log:   o.Logger,
			Began: "linktrack: clicks cannot be stored; they wait and are sent again",
			Lasts: "linktrack: clicks still cannot be stored",
			Ended: "linktrack: all clicks are stored again",
		},
	}
	s.worker = worker.New(worker.Options{Delay: pace}, func(context.Context) (time.Duration, bool) { return s.step() })
	if j.Size().Quarantined > 0 {
		s.quarantinedAt = time.Unix(0, 0) // by an earlier process: try it soon
	}
	return s
}

// write sends a batch once. A store that panics has failed, no more.
func (s *writer) write(ctx context.Context, b Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	for i := range b.Clicks {
		s.prepare(&b.Clicks[i])
	}
	s.writingSince.Store(time.Now().UnixNano())
	defer s.writingSince.Store(0)
	if b.TimeZone, err = s.days.save(ctx); err != nil {
		return err
	}
	err = s.store.RecordClicks(ctx, b)
	if err == nil {
		s.down.Store(false)
		s.batches.Add(1)
		s.rollups.wake()
		s.onStored(b)
	}
	return err
}

// kick says that the journal holds something.
func (s *writer) wake() { s.worker.Wake() }

// step makes one try to bring the oldest batch to where it belongs. There is
// nothing more to do when no batch is left, or the worker has to stop.
func (s *writer) step() (pause time.Duration, more bool) {
	if len(s.batch.Clicks) == 0 {
		s.requeue(time.Now())
		b, err := s.journal.Next(s.batchSize)
		if err != nil {
			s.failed(err)
			return lastRetry, true
		}
		if len(b.Clicks) == 0 {
			s.setOldest(time.Time{})
			if s.journal.Size().Clicks == 0 {
				s.signalCaughtUp()
			}
			return 0, false
		}
		s.batch, s.isStored, s.rejections = b, false, 0
		s.setOldest(b.Clicks[0].ID.Time())
	}
	err := s.writeOldest()
	if err == nil {
		s.batch, s.pause = Batch{}, 0
		return 0, true
	}
	if s.durable && s.worker.Finishing() {
		s.batch = Batch{} // the journal gives it again to the next process
		return 0, false
	}
	s.pause = min(max(2*s.pause, firstRetry), lastRetry)
	return s.pause, true
}

// try stores the batch, has it seen, and has the journal drop it, as far as that
// was not done before.
func (s *writer) writeOldest() error {
	if !s.isStored {
		ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
		defer cancel()
		if err := s.write(ctx, s.batch); err != nil {
			s.failed(err)
			if errors.Is(err, ErrRejected) {
				if s.rejections++; s.rejections == maxRejects {
					s.quarantine(len(s.batch.Clicks), err)
					return nil
				}
			}
			return err
		}
		s.isStored = true
	}
	if s.deliver != nil {
		if err := s.deliver(s.batch); err != nil {
			return err
		}
	}
	s.batchSize = min(2*s.batchSize, maxBatch)
	if err := s.journal.Done(); err != nil {
		s.failed(err)
		s.batch, s.pause = Batch{}, lastRetry // ask the journal anew what is next
		return err
	}
	s.recovered()
	return nil
}

// waitWhileBehind returns when nothing waits, the store fails or has been at one batch
// for longer than patience, or patience is over.
func (s *writer) waitWhileBehind(patience time.Duration) {
	for end := time.Now().Add(patience); ; {
		relief := s.whenCaughtUp()
		if relief == nil {
			return
		}
		left := time.Until(end)
		if begun := s.writingSince.Load(); begun != 0 {
			left = min(left, patience-time.Since(time.Unix(0, begun)))
		}
		if left <= 0 {
			return
		}
		timer := time.NewTimer(left)
		select {
		case <-relief:
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// whenCaughtUp returns a channel that is closed when nothing waits any more or
// the store fails, or nil if that is so now.
func (s *writer) whenCaughtUp() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down.Load() || s.journal.Size().Clicks == 0 {
		return nil
	}
	if s.caughtUp == nil {
		s.caughtUp = make(chan struct{})
	}
	return s.caughtUp
}

func (s *writer) signalCaughtUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.caughtUp != nil {
		close(s.caughtUp)
		s.caughtUp = nil
	}
}

func (s *writer) setOldest(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oldest = at
}

// quarantine takes the batch that was rejected out of the way, and if it may
// hold good clicks beside the bad, brings them back in smaller batches.
func (s *writer) quarantine(clicks int, cause error) {
	if err := s.journal.Quarantine(); err != nil {
		s.failed(err)
		return
	}
	s.log.Error("linktrack: the store rejects a batch of clicks; it is set aside and tried again later in parts",
		"from", s.name, "clicks", clicks, "error", cause)
	s.quarantinedAt = time.Now()
	time.AfterFunc(requeueAfter, s.wake)
	if clicks > 1 && s.batchSize > 1 {
		s.batchSize = max(1, min(clicks, s.batchSize)/10)
		if _, err := s.journal.Requeue(); err != nil {
			s.failed(err)
		}
	}
}

// restore tries what is set aside again, when its time has come and once before
// the end.
func (s *writer) requeue(at time.Time) {
	last := s.worker.Finishing() && !s.requeuedLast
	if s.quarantinedAt.IsZero() || at.Sub(s.quarantinedAt) < requeueAfter && !last {
		return
	}
	s.requeuedLast = last
	s.quarantinedAt = time.Time{}
	if n, err := s.journal.Requeue(); err != nil {
		s.failed(err)
	} else if n > 0 {
		s.batchSize = 1
	}
}

// failed notes a failure.
func (s *writer) failed(err error) {
	s.down.Store(true)
	s.signalCaughtUp()
	s.retries.Add(1)
	if s.failing.Lasting() {
		s.failing.Report(err, "in", s.name, "clicks", s.journal.Size().Clicks)
	} else {
		s.failing.Report(err, "in", s.name)
	}
}

// recovered notes that a batch was stored. It is over when none is left behind
// it.
func (s *writer) recovered() {
	if !s.failing.Lasting() {
		return
	}
	if left := s.journal.Size().Clicks; left > 0 {
		s.failing.Progress("linktrack: clicks are stored again, there is a backlog", "in", s.name, "clicks", left)
		return
	}
	s.failing.Recovered("from", s.name)
}

// drain returns when the journal is empty or ctx ends, or, if what is left is
// safe there, when the store fails. Then no further tries are made.
func (s *writer) drain(ctx context.Context) {
	if s.journal.Size().Quarantined > 0 {
		s.worker.Wake() // for a last try
	}
	s.worker.Finish(ctx)
}
