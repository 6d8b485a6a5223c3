// Package incident logs a failure that lasts without flooding the log: when it
// begins, from time to time while it lasts, and when it is over.
package incident

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// An Incident is one kind of failure. Its messages and intervals are set before its
// first use and not changed afterwards. It is safe for concurrent use. Log
// is required; every other exported field is optional.
type Incident struct {
	Log *slog.Logger

	// Began is logged as an error when the incident begins.
	Began string
	// Lasts is logged as an error at most once per Every while the incident
	// lasts. "": nothing is logged.
	Lasts string
	// Ended is logged as information when the incident is over. "":
	// nothing is logged.
	Ended string

	// Every is the minimum time between two messages while the incident lasts.
	// Zero: a minute.
	Every time.Duration
	// Again is the minimum time between two messages that an incident began. If
	// an incident begins sooner, neither its beginning nor its end is logged.
	// Zero: all are logged.
	Again time.Duration
	// Quiet is for failures after which no success is reported. The incident is
	// over, without a message, when this time has passed since the last failure.
	// Zero: only Recovered ends it.
	Quiet time.Duration

	failing   atomic.Bool // written under mu, and read without it
	mu        sync.Mutex
	began     time.Time
	failed    time.Time // the last failure
	logged    time.Time // the last message
	lastBegan time.Time // the last message that an incident began; zero: none
	silent    bool      // the present incident is not logged, see Again
}

// Failed reports a failure. attrs are logged with the message. If the incident is not
// new, the message also has the attribute "for": how long the incident has lasted.
func (i *Incident) Failed(attrs ...any) {
	at := time.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	quiet := i.Quiet > 0 && at.Sub(i.failed) > i.Quiet
	i.failed = at
	if !i.failing.Load() || quiet {
		i.failing.Store(true)
		i.began, i.logged = at, at
		if i.silent = !i.lastBegan.IsZero() && at.Sub(i.lastBegan) < i.Again; !i.silent {
			i.lastBegan = at
			i.Log.Error(i.Began, attrs...)
		}
		return
	}
	if i.Lasts != "" && i.due(at) {
		i.Log.Error(i.Lasts, append([]any{"for", lasted(i.began, at)}, attrs...)...)
	}
}

// Progress logs message, at most once per Every, if an incident lasts.
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

// due reports whether it is time for another message. If so, it counts as logged.
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

// Recovered reports a success, which ends an incident that lasts. Without one, it costs
// one atomic load.
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

// Report calls Failed if err is not nil, and adds it to attrs. Otherwise it calls
// Recovered.
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
