// Package worker runs background work in steps. When the process ends, the work is
// either finished or canceled.
package worker

import (
	"context"
	"sync"
	"time"
)

// A Worker calls a step function on a goroutine of its own, one call at a time,
// while there is work. Make one with [New]. All methods are safe for concurrent
// use.
type Worker struct {
	step  func(ctx context.Context) (pause time.Duration, more bool)
	delay time.Duration
	poll  time.Duration

	ctx    context.Context // of the steps; canceled when the worker stops
	cancel context.CancelFunc
	finish chan struct{} // closed by Finish and Stop, which ends long pauses

	mu        sync.Mutex
	running   bool
	again     bool          // the worker was woken while it was running
	scheduled bool          // the worker was woken and begins when timer fires
	halted    bool          // no further step may begin
	timer     *time.Timer   // for delay, poll, and WakeAfter
	idle      chan struct{} // closed when the worker becomes idle; nil: no call waits for that
}

// Options say when a [Worker] works.
type Options struct {
	// Delay is the time between a wake and the step, so that one step does the
	// work of several wakes.
	Delay time.Duration
	// Poll is the time after which an idle worker begins without being woken.
	// Zero: it always waits until it is woken.
	Poll time.Duration
}

// FinishPause is the longest pause between two steps once Finish was called.
const FinishPause = 200 * time.Millisecond

// New returns an idle worker. step does a part of the work and reports whether there is
// more. If so, it is called again after the pause; waking the worker does not shorten the
// pause. Its ctx ends when the worker stops.
func New(o Options, step func(ctx context.Context) (pause time.Duration, more bool)) *Worker {
	w := &Worker{step: step, delay: o.Delay, poll: o.Poll, finish: make(chan struct{})}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

// Wake makes the worker begin, because there is work. It returns at once.
func (w *Worker) Wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.halted || w.scheduled:
	case w.running:
		w.again = true
	default:
		w.begin()
	}
}

// WakeAfter makes an idle worker begin after a time, unless it is woken before.
func (w *Worker) WakeAfter(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.setTimer(d)
}

// begin starts the work, after the delay if there is one. No goroutine exists during the
// delay.
func (w *Worker) begin() {
	if w.delay > 0 && !w.Finishing() {
		w.scheduled = true
		w.setTimer(w.delay)
		return
	}
	w.start()
}

func (w *Worker) start() {
	w.stopTimer()
	w.scheduled, w.running = false, true
	go w.run()
}

func (w *Worker) setTimer(d time.Duration) {
	w.stopTimer()
	w.timer = time.AfterFunc(d, w.fire)
}

func (w *Worker) stopTimer() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (w *Worker) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.halted && !w.running {
		w.start()
	}
}

func (w *Worker) run() {
	for !w.settle(w.steps()) {
	}
}

// settle makes the worker idle and returns true, unless it was woken since the last step
// began and can go on at once. done is the result of steps.
func (w *Worker) settle(done bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	again := done && w.again && !w.halted
	if again && (w.delay == 0 || w.Finishing()) {
		return false
	}
	w.running = false
	switch {
	case again:
		w.begin()
	case w.poll > 0 && !w.halted:
		w.setTimer(w.poll)
	}
	if w.idle != nil && !w.scheduled {
		close(w.idle)
		w.idle = nil
	}
	return true
}

// steps calls step until there is no more work. It returns false if the worker must stop
// before that.
func (w *Worker) steps() bool {
	for {
		w.mu.Lock()
		w.again = false
		stop := w.halted || w.ctx.Err() != nil
		w.mu.Unlock()
		if stop {
			return false
		}
		pause, more := w.step(w.ctx)
		if !more {
			return true
		}
		if !w.Pause(pause) {
			return false
		}
	}
}

func (w *Worker) stopped() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.halted || w.ctx.Err() != nil
}

// Pause waits for d; steps that have to wait call it. A call of Finish ends the pause, and
// after that, a pause takes at most [FinishPause]. It returns false if the worker must
// stop.
func (w *Worker) Pause(d time.Duration) bool {
	finish := w.finish
	if w.Finishing() {
		finish, d = nil, min(d, FinishPause)
	}
	if d <= 0 {
		return !w.stopped()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-finish:
	case <-w.ctx.Done():
	}
	return !w.stopped()
}

// Finishing reports whether Finish or Stop was called.
func (w *Worker) Finishing() bool {
	select {
	case <-w.finish:
		return true
	default:
		return false
	}
}

// Finish lets the worker finish its work without long pauses. When the worker is idle or
// ctx ends, Finish stops the worker and returns. It may be called twice.
func (w *Worker) Finish(ctx context.Context) {
	w.mu.Lock()
	w.closeFinish()
	if w.scheduled {
		w.start()
	}
	idle := w.whenIdle()
	w.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	w.halt()
	w.cancel()
}

// Stop keeps further steps from beginning. It waits until the running step has ended or
// ctx ends, then cancels the step's ctx and returns. It may be called twice.
func (w *Worker) Stop(ctx context.Context) {
	w.halt()
	w.mu.Lock()
	w.closeFinish()
	idle := w.whenIdle()
	w.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	w.cancel()
}

// Cancel cancels the ctx of the steps, which stops the worker.
func (w *Worker) Cancel() { w.cancel() }

func (w *Worker) halt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.halted, w.scheduled = true, false
	w.stopTimer()
}

func (w *Worker) closeFinish() {
	if !w.Finishing() {
		close(w.finish)
	}
}

// whenIdle returns a channel that is closed when the worker is idle.
func (w *Worker) whenIdle() <-chan struct{} {
	if !w.running {
		idle := make(chan struct{})
		close(idle)
		return idle
	}
	if w.idle == nil {
		w.idle = make(chan struct{})
	}
	return w.idle
}
