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
	// Again is the least time between the messages of two beginnings. An
	// incident that begins sooner is not logged, nor is its end. Zero: each is.
	Again time.Duration
	// Quiet is for failures that nobody reports the end of: the incident is
	// over, without a message, when so much time has passed since the last
	// failure. Zero: only Recovered ends it.
	Quiet time.Duration

	failing atomic.Bool // as guarded by mu; read without it by Recovered
	mu      sync.Mutex
	began   time.Time
	failed  time.Time // the last failure
	logged  time.Time // the last message
	told    time.Time // the last message that one began; zero: none
	silent  bool      // this one is not logged, see Again
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
		if i.silent = !i.told.IsZero() && at.Sub(i.told) < i.Again; !i.silent {
			i.told = at
			i.Log.Error(i.Began, attrs...)
		}
		return
	}
	if i.Lasts != "" && i.due(at) {
		i.Log.Error(i.Lasts, append([]any{"for", lasted(i.began, at)}, attrs...)...)
	}
}

// Progress logs, at most once per Every, that an incident which lasts is getting
// better.
func (i *Incident) Progress(message string, attrs ...any) {
	if !i.failing.Load() {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.due(time.Now()) {
		i.Log.Info(message, attrs...)
	}
}

// due reports whether it is time for another message, and takes it as logged.
func (i *Incident) due(at time.Time) bool {
	every := i.Every
	if every == 0 {
		every = time.Minute
	}
	if i.silent || at.Sub(i.logged) < every {
		return false
	}
	i.logged = at
	return true
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
	if i.Ended != "" && !i.silent {
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

// Since returns when the incident began; zero if none lasts.
func (i *Incident) Since() time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.failing.Load() {
		return time.Time{}
	}
	return i.began
}

func lasted(from, to time.Time) string { return to.Sub(from).Round(time.Second).String() }
