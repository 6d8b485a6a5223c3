package linktrack

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// A listener shows batches of clicks that were stored to [Options.OnClick]. The
// journal's sender waits for it (see), so that the journal keeps a batch until
// it was seen. What did not come from the journal waits in the listener's own
// memory (add), since nobody may be kept waiting for it: neither a visitor nor
// the clicks behind.
type listener struct {
	call func(context.Context, Batch) error
	room room // of the clicks that wait
	log  *slog.Logger

	hurry  chan struct{}   // closed: wait no longer than necessary
	ctx    context.Context // of the calls; when it ends there are no further ones
	cancel context.CancelFunc

	mu      sync.Mutex
	batches []Batch // in the order in which they were stored; the first is being shown
	missed  int64
	said    time.Time // when the log was last told that some were missed
	working bool
	rested  chan struct{} // closed when the work is done; made by who waits
	failing bool
	since   time.Time // when it began to fail
	told    time.Time // when the log was last told that it fails
}

// newListener returns a listener, or nil if nobody wants to see clicks.
func newListener(o *Options) *listener {
	if o.OnClick == nil {
		return nil
	}
	l := &listener{call: o.OnClick, log: o.Logger, hurry: make(chan struct{})}
	l.room.mostClicks, l.room.mostBytes = o.MaxPending, o.MaxPendingBytes
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// add leaves a batch, whose slice stays the caller's, to be shown.
func (l *listener) add(b Batch) {
	if l == nil {
		return
	}
	b.Clicks = slices.Clone(b.Clicks)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil || !l.room.take(len(b.Clicks), sizeOf(b.Clicks)) {
		l.miss(len(b.Clicks))
		return
	}
	l.batches = append(l.batches, b)
	if !l.working {
		l.working = true
		go l.work()
	}
}

func (l *listener) miss(clicks int) {
	l.missed += int64(clicks)
	if at := time.Now(); at.Sub(l.said) >= time.Minute {
		l.said = at
		l.log.Error("linktrack: OnClick is too slow and misses clicks, which are stored",
			"most", l.room.mostClicks, "mostBytes", l.room.mostBytes, "missed", l.missed)
	}
}

func (l *listener) work() {
	for b, ok := l.next(); ok; b, ok = l.next() {
		if l.insist(b) {
			l.seen()
		}
	}
}

// next returns the oldest batch. If there is none, or the listener has to stop,
// the work is done.
func (l *listener) next() (b Batch, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.batches) > 0 && l.ctx.Err() == nil {
		return l.batches[0], true
	}
	l.working = false
	if l.rested != nil {
		close(l.rested)
		l.rested = nil
	}
	return Batch{}, false
}

// insist shows a batch until it was seen. False means that the listener has to
// stop.
func (l *listener) insist(b Batch) bool {
	for pause := firstRetry; l.see(b) != nil; pause = min(2*pause, lastRetry) {
		if !l.wait(pause) {
			return false
		}
	}
	return true
}

// seen drops the oldest batch.
func (l *listener) seen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.room.give(len(l.batches[0].Clicks), sizeOf(l.batches[0].Clicks))
	l.batches[0] = Batch{}
	if l.batches = l.batches[1:]; len(l.batches) == 0 {
		l.batches = nil // give back what a backlog took
	}
}

// see shows a batch once. A function that panics has failed.
func (l *listener) see(b Batch) error {
	if l == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(l.ctx, writeTimeout)
	defer cancel()
	err := l.try(ctx, b)
	if l.ctx.Err() == nil { // else it was given up
		l.note(err)
	}
	return err
}

func (l *listener) try(ctx context.Context, b Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return l.call(ctx, b)
}

// note tells the log when the function begins to fail, every minute while it
// does, and when it works again.
func (l *listener) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := time.Now()
	switch {
	case err != nil && !l.failing:
		l.failing, l.since, l.told = true, at, at
		l.log.Error("linktrack: OnClick fails; it is shown the same clicks again", "error", err)
	case err != nil && at.Sub(l.told) >= time.Minute:
		l.told = at
		l.log.Error("linktrack: OnClick still fails", "for", at.Sub(l.since).Round(time.Second).String(), "error", err)
	case err == nil && l.failing:
		l.failing = false
		l.log.Info("linktrack: OnClick works again")
	}
}

// wait returns false if the listener has to stop.
func (l *listener) wait(d time.Duration) bool {
	hurry := l.hurry
	if closed(hurry) {
		hurry, d = nil, min(d, 4*firstRetry)
	}
	select {
	case <-time.After(d):
	case <-hurry:
	case <-l.ctx.Done():
		return false
	}
	return true
}

// close returns when all that waits in memory was seen, or ctx ends. Then no
// further tries are made.
func (l *listener) close(ctx context.Context) {
	if l == nil {
		return
	}
	l.mu.Lock()
	if !closed(l.hurry) {
		close(l.hurry)
	}
	if l.working && l.rested == nil {
		l.rested = make(chan struct{})
	}
	rested := l.rested
	l.mu.Unlock()
	if rested != nil {
		select {
		case <-rested:
		case <-ctx.Done():
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil {
		return
	}
	l.cancel()
	if clicks, _ := l.room.used(); clicks > 0 {
		l.log.Error("linktrack: OnClick has not seen the last clicks, which are stored", "clicks", clicks)
	}
}

func (l *listener) addTo(s *Stats) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	clicks, _ := l.room.used()
	s.Unseen, s.Missed = int64(clicks), l.missed
}
