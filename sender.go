package linktrack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// A sender brings what a journal holds to the store, batch after batch, in
// order, each until the store has it. It works while there is anything and
// rests otherwise. A batch that the store will never take is set aside, so that
// those behind it go on; what is set aside is tried again every minute, in
// smaller batches, so that in the end only the clicks at fault are left.
type sender struct {
	journal Journal
	name    string // of the journal, for the log
	store   ClickStore
	roller  *roller
	days    *dayZone
	prepare func(*Click)
	log     *slog.Logger
	safe    bool              // what the journal holds outlives the process
	pace    time.Duration     // how long to gather before each batch; 0: not at all
	stored  func(Batch)       // told of each batch that was stored; it must not keep the clicks
	see     func(Batch) error // has to see each batch before the journal drops it; nil: nobody has

	hurry chan struct{} // closed: gather no more
	stop  chan struct{} // closed: no further tries

	batches atomic.Int64
	down    atomic.Bool  // the last try failed
	trying  atomic.Int64 // when the try under way began, Unix nanoseconds; 0: there is none

	mu      sync.Mutex
	working bool
	oldest  time.Time     // when the oldest click came that waits; zero: none is known
	again   bool          // something came meanwhile
	rested  chan struct{} // closed when the work is done; made by who waits
	stats   senderStats

	size    int       // of the next batch; smaller after one was rejected
	asideAt time.Time // when a batch was last set aside; zero: none is
	ending  bool      // what is set aside has been tried for the last time
}

type senderStats struct {
	retries int64
	failing bool
	since   time.Time // when it began to fail
	said    time.Time // when the log was last told
}

const (
	maxBatch     = 5000 // clicks
	writeTimeout = 30 * time.Second
	firstRetry   = 50 * time.Millisecond
	lastRetry    = 5 * time.Second
	tryAside     = time.Minute
)

func newSender(j Journal, name string, roller *roller, pace time.Duration, o *Options, days *dayZone, prepare func(*Click), stored func(Batch)) *sender {
	s := &sender{
		journal: j,
		name:    name,
		store:   roller.store,
		roller:  roller,
		days:    days,
		prepare: prepare,
		log:     o.Logger,
		pace:    pace,
		stored:  stored,
		hurry:   make(chan struct{}),
		stop:    make(chan struct{}),
		size:    maxBatch,
	}
	if j.Size().Aside > 0 {
		s.asideAt = time.Unix(0, 0) // by an earlier process: try it soon
	}
	return s
}

// write sends a batch once. A store that panics has failed, no more.
func (s *sender) write(ctx context.Context, b Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	for i := range b.Clicks {
		s.prepare(&b.Clicks[i])
	}
	s.trying.Store(time.Now().UnixNano())
	defer s.trying.Store(0)
	if b.Zone, err = s.days.keep(ctx); err != nil {
		return err
	}
	err = s.store.RecordClicks(ctx, b)
	if err == nil {
		s.down.Store(false)
		s.batches.Add(1)
		s.roller.soon()
		s.stored(b)
	}
	return err
}

// kick says that the journal holds something.
func (s *sender) kick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.working {
		s.again = true
		return
	}
	if closed(s.stop) {
		return
	}
	s.working = true
	go s.work()
}

func (s *sender) work() {
	for {
		if s.pace > 0 {
			select {
			case <-time.After(s.pace):
			case <-s.hurry:
			}
		}
		for s.one() {
		}
		s.mu.Lock()
		if !s.again || closed(s.stop) {
			s.working = false
			if s.rested != nil {
				close(s.rested)
				s.rested = nil
			}
			s.mu.Unlock()
			return
		}
		s.again = false
		s.mu.Unlock()
	}
}

// one brings the oldest batch to where it belongs. It returns false when there
// is none, or the sender has to stop.
func (s *sender) one() bool {
	if closed(s.stop) {
		return false
	}
	s.restore(time.Now())
	b, err := s.journal.Next(s.size)
	if err != nil {
		return s.failed(err) && s.wait(lastRetry)
	}
	if len(b.Clicks) == 0 {
		s.waitingSince(time.Time{})
		return false
	}
	s.waitingSince(b.Clicks[0].ID.Time())
	rejected := 0
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
		err := s.write(ctx, b)
		cancel()
		if err == nil {
			break
		}
		s.failed(err)
		if errors.Is(err, ErrRejected) {
			if rejected++; rejected == 3 {
				s.setAside(len(b.Clicks), err)
				return true
			}
		}
		if s.safe && closed(s.hurry) || !s.wait(pause) {
			return false
		}
	}
	if !s.show(b) {
		return false
	}
	s.size = min(2*s.size, maxBatch)
	if err := s.journal.Done(); err != nil {
		return s.failed(err) && s.wait(lastRetry)
	}
	s.recovered()
	return true
}

// show has a batch that was stored seen. It returns false if the sender has to
// stop before; the journal gives the batch again then.
func (s *sender) show(b Batch) bool {
	for pause := firstRetry; s.see != nil && s.see(b) != nil; pause = min(2*pause, lastRetry) {
		if closed(s.hurry) || !s.wait(pause) {
			return false
		}
	}
	return true
}

// catchUp returns when nothing waits, the store fails or has been at one batch
// for longer than patience, or patience is over.
func (s *sender) catchUp(patience time.Duration) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(catchUpStep) {
		begun := s.trying.Load()
		if s.down.Load() || s.journal.Size().Clicks == 0 || begun != 0 && time.Since(time.Unix(0, begun)) > patience {
			return
		}
	}
}

const catchUpStep = 5 * time.Millisecond

func (s *sender) waitingSince(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oldest = at
}

// setAside takes the batch that was rejected out of the way, and if it may
// hold good clicks beside the bad, brings them back in smaller batches.
func (s *sender) setAside(clicks int, cause error) {
	if err := s.journal.SetAside(); err != nil {
		s.failed(err)
		return
	}
	s.log.Error("linktrack: the store rejects a batch of clicks; it is set aside and tried again later in parts",
		"from", s.name, "clicks", clicks, "error", cause)
	s.asideAt = time.Now()
	time.AfterFunc(tryAside, s.kick)
	if clicks > 1 && s.size > 1 {
		s.size = max(1, min(clicks, s.size)/10)
		if _, err := s.journal.Restore(); err != nil {
			s.failed(err)
		}
	}
}

// restore tries what is set aside again, when its time has come and once before
// the end.
func (s *sender) restore(at time.Time) {
	last := closed(s.hurry) && !s.ending
	if s.asideAt.IsZero() || at.Sub(s.asideAt) < tryAside && !last {
		return
	}
	s.ending = last
	s.asideAt = time.Time{}
	if n, err := s.journal.Restore(); err != nil {
		s.failed(err)
	} else if n > 0 {
		s.size = 1
	}
}

// wait returns false if the sender has to stop. Who waits for it to finish makes
// it try at once, then often.
func (s *sender) wait(d time.Duration) bool {
	hurry := s.hurry
	if closed(hurry) {
		hurry, d = nil, min(d, 4*firstRetry)
	}
	select {
	case <-time.After(d):
	case <-hurry:
	case <-s.stop:
		return false
	}
	return true
}

// failed notes a failure, and tells the log when a backlog begins and every
// minute while it lasts. It returns true.
func (s *sender) failed(err error) bool {
	s.down.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.retries++
	at := time.Now()
	if !s.stats.failing {
		s.stats.failing, s.stats.since, s.stats.said = true, at, at
		s.log.Error("linktrack: clicks cannot be stored; they wait and are sent again", "in", s.name, "error", err)
	} else if at.Sub(s.stats.said) >= time.Minute {
		s.stats.said = at
		s.log.Error("linktrack: clicks still cannot be stored", "in", s.name, "clicks", s.journal.Size().Clicks,
			"for", at.Sub(s.stats.since).Round(time.Second).String(), "error", err)
	}
	return true
}

// recovered notes that a batch was stored after failures, and tells the log
// when none is left behind it.
func (s *sender) recovered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stats.failing {
		return
	}
	left := s.journal.Size().Clicks
	if left == 0 {
		s.stats.failing = false
		s.log.Info("linktrack: all clicks are stored again", "from", s.name,
			"after", time.Since(s.stats.since).Round(time.Second).String())
	} else if at := time.Now(); at.Sub(s.stats.said) >= time.Minute {
		s.stats.said = at
		s.log.Info("linktrack: clicks are stored again, there is a backlog", "in", s.name, "clicks", left)
	}
}

// drain returns when the journal is empty or ctx ends, or, if what is left is
// safe there, when the store fails. Then no further tries are made.
func (s *sender) drain(ctx context.Context) {
	s.mu.Lock()
	if !closed(s.hurry) {
		close(s.hurry)
	}
	if !s.working && s.journal.Size().Aside > 0 && !closed(s.stop) {
		s.working = true
		go s.work()
	}
	if s.working && s.rested == nil {
		s.rested = make(chan struct{})
	}
	rested := s.rested
	s.mu.Unlock()
	if rested != nil {
		select {
		case <-rested:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !closed(s.stop) {
		close(s.stop)
	}
}

// closed reports whether a channel that nobody sends on is closed.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
