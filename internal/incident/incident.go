// Package incident logs a failure that lasts without flooding the log: when it
// begins, from time to time while it lasts, and when it is over.
package incident

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// An Incident is one thing that can go wrong. The messages and intervals are
// set before its first use and not changed. It is safe for concurrent use. Log
// is required; every other field may be left out.
type Incident struct {
	Log *slog.Logger

	// Began is logged as an error when the incident begins.
	Began string
	// Lasts is logged as an error at most once per Every while the incident
	// goes on. "": it is not.
	Lasts string
	// Ended is logged as information when the incident is over. "": it is not.
	Ended string

	// Every is the least time between two messages that it lasts. Zero: a
	// minute.
	Every time.Duration
	// Quiet is for failures that nobody reports the end of: the incident is
	// over, without a message, when so much time has passed since the last
	// failure. Zero: only Recovered ends it.
	Quiet time.Duration

	failing atomic.Bool // as guarded by mu; read without it by Recovered
	mu      sync.Mutex
	began   time.Time
	failed  time.Time // the last failure
	logged  time.Time // the last message
}

// Failed reports a failure. attrs are logged with the message, behind
// "for", how long the incident has lasted, if it is not new.
func (i *Incident) Failed(attrs ...any) {
	at := time.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	quiet := i.Quiet > 0 && at.Sub(i.failed) > i.Quiet
	i.failed = at
	if !i.failing.Load() || quiet {
		i.failing.Store(true)
		i.began, i.logged = at, at
		i.Log.Error(i.Began, attrs...)
		return
	}
	every := i.Every
	if every == 0 {
		every = time.Minute
	}
	if i.Lasts != "" && at.Sub(i.logged) >= every {
		i.logged = at
		i.Log.Error(i.Lasts, append([]any{"for", lasted(i.began, at)}, attrs...)...)
	}
}

// Recovered reports a success. It costs one atomic load unless the incident
// lasts; then it is over.
func (i *Incident) Recovered(attrs ...any) {
	if !i.failing.Load() {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.failing.Swap(false) {
		return
	}
	if i.Ended != "" {
		i.Log.Info(i.Ended, append([]any{"after", lasted(i.began, time.Now())}, attrs...)...)
	}
}

// Report is Failed with the error if there is one, else Recovered.
func (i *Incident) Report(err error, attrs ...any) {
	if err == nil {
		i.Recovered(attrs...)
		return
	}
	i.Failed(append(attrs, "error", err)...)
}

// Lasting reports whether the incident has begun and is not over.
func (i *Incident) Lasting() bool { return i.failing.Load() }

func lasted(from, to time.Time) string { return to.Sub(from).Round(time.Second).String() }
