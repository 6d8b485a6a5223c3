// Package worker runs work in the background that is done in steps, tried again
// when it fails, and finished or given up when the process ends.
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
	finish chan struct{} // closed by Finish and Stop: pause no longer

	mu        sync.Mutex
	running   bool
	again     bool          // woken while running
	scheduled bool          // woken; it begins when timer fires
	halted    bool          // begin no further step
	timer     *time.Timer   // of delay, poll and WakeAfter
	idle      chan struct{} // closed when there is nothing to do; nil: nobody waits for that
}

// Options say when a [Worker] works.
type Options struct {
	// Delay is the time between a wake and the step, so that what comes
	// meanwhile is done with it.
	Delay time.Duration
	// Poll has an idle worker begin by itself after so long. Zero: it waits to be
	// woken.
	Poll time.Duration
}

// FinishPause is the longest pause between two steps once Finish was called.
const FinishPause = 200 * time.Millisecond

// New returns a worker that is idle. step does a part of the work and says
// whether there is more: then it is called again after the pause, whether the
// worker is woken meanwhile or not. Its ctx ends when the worker stops.
func New(o Options, step func(ctx context.Context) (pause time.Duration, more bool)) *Worker {
	w := &Worker{step: step, delay: o.Delay, poll: o.Poll, finish: make(chan struct{})}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

// Wake says that there is work. It returns at once.
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

// WakeAfter has an idle worker begin once that time has passed, unless it is
// woken before.
func (w *Worker) WakeAfter(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.setTimer(d)
}

// begin starts the work, after the delay if there is one. It keeps no goroutine
// for the delay.
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
	for !w.rest(w.steps()) {
	}
}

// rest ends the work, unless the worker was woken since the last step began;
// done is whether all steps were done.
func (w *Worker) rest(done bool) bool {
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

// steps works until there is nothing more to do. False means that the worker
// has to stop before.
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

// Pause waits that long, for a step that has to wait itself. Once Finish was
// called it waits at most [FinishPause]. False means that the worker has to
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

// Finish has the work done without long pauses. It returns when the worker is
// idle, or ctx ends; then the worker stops. It may be called twice.
func (w *Worker) Finish(ctx context.Context) {
	w.mu.Lock()
	w.hurry()
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

// Stop begins no further step. It returns when the step under way has ended, or
// ctx ends; then that step's ctx is canceled. It may be called twice.
func (w *Worker) Stop(ctx context.Context) {
	w.halt()
	w.mu.Lock()
	w.hurry()
	idle := w.whenIdle()
	w.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	w.cancel()
}

// Cancel ends the ctx of the steps: the worker stops at once.
func (w *Worker) Cancel() { w.cancel() }

func (w *Worker) halt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.halted, w.scheduled = true, false
	w.stopTimer()
}

func (w *Worker) hurry() {
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
