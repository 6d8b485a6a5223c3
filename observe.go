package linktrack

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/linktrackhq/linktrack/internal/incident"
)

// An Observation is one piece of work that a Tracker has finished, see
// [Options.Observe]. Operation, Name and Outcome each have a small, fixed set of values,
// so they can be labels of a metric: nothing that a visitor or a caller sends is in them.
type Observation struct {
	Operation Operation

	// Name is the call of an OperationAPI, which is its path behind "/api/", such as
	// "v1_0/makeLink", or the method of an OperationStore, such as "AppendClicks". It
	// is "" for an OperationRedirect.
	Name string

	// Outcome says how it ended:
	//   - OperationRedirect: one of [RedirectOutcomes]
	//   - OperationAPI: the status of the answer, such as "201"; "aborted" if there is
	//     no complete answer
	//   - OperationStore: one of [StoreOutcomes]
	Outcome string

	Link     int64         // the ID of the link of an OperationRedirect; 0: it is not known, or another operation
	Start    time.Time     // when it began
	Duration time.Duration // until it ended; what follows says when that is
	Err      error         // of an OperationRedirect or OperationStore; nil: it succeeded. Its text is not for visitors
}

// An Operation is a kind of work that is observed.
type Operation string

const (
	// OperationRedirect is a visit to a link: a call of [Tracker.Follow], or a
	// request for a path that a link can have, whether or not there is such a link.
	// It ends when the rule has decided and the click is recorded as
	// [RecordingOptions.Ack] says. The answer is written after that. Requests that
	// [Tracker.Middleware] passes on are not observed, nor are those for "+" pages
	// and QR codes.
	OperationRedirect Operation = "redirect"

	// OperationAPI is a request for a call of the API. It ends when the answer is
	// written.
	OperationAPI Operation = "api"

	// OperationStore is a call of a method of [Store]. The Tracker makes some of them
	// for a visitor or a caller, and some for itself, such as ApplyClicks. One
	// AppendClicks has the clicks of many visitors.
	OperationStore Operation = "store"
)

// RedirectOutcomes returns the outcomes of an [OperationRedirect]:
//   - "redirected": the visitor is redirected and the click is recorded.
//   - "uncounted": the visitor is redirected without a click, as for HEAD and prefetch.
//   - "fallback": the link is gone and leads to [LinkSettings.FallbackURL].
//   - "password", "preview": the visitor sees the form of a password, or the page with a
//     button.
//   - "not_found", "not_yet", "gone", "wrong_password", "throttled": the visitor is refused.
//   - "bad_request": the method or the form is wrong.
//   - "unavailable": the store failed, or the Tracker is closed.
//   - "failed": any other error.
func RedirectOutcomes() []string {
	return []string{
		"redirected", "uncounted", "fallback", "password", "preview", "not_found", "not_yet", "gone", "wrong_password",
		"throttled", "bad_request", "unavailable", "failed",
	}
}

// StoreOutcomes returns the outcomes of an [OperationStore]:
//   - "ok": no error.
//   - "not_found": [ErrNotFound], which is a normal answer, for example to a look-up.
//   - "refused": another error with a meaning, such as [ErrTaken] or [ErrRejected].
//   - "canceled": the caller did not wait for the answer.
//   - "failed": the store could not do its work.
func StoreOutcomes() []string { return []string{"ok", "not_found", "refused", "canceled", "failed"} }

// An observer calls the host's hook.
type observer struct {
	hook     func(context.Context, Observation) // nil: there is none
	panicked incident.Incident
}

func newObserver(hook func(context.Context, Observation), log *slog.Logger) *observer {
	return &observer{hook: hook, panicked: incident.Incident{
		Log: log, Began: "linktrack: Observe panics; what it was called with is not observed", Quiet: time.Minute,
	}}
}

// begin returns the start of an observation; the zero time if nothing is observed.
func (o *observer) begin() time.Time {
	if o.hook == nil {
		return time.Time{}
	}
	return time.Now()
}

// end completes ob, which began at start, and passes it to the hook.
func (o *observer) end(ctx context.Context, start time.Time, ob Observation) {
	defer func() {
		if p := recover(); p != nil {
			o.panicked.Failed("panic", p)
		}
	}()
	ob.Start, ob.Duration = start, time.Since(start)
	o.hook(ctx, ob)
}

// redirect observes a visit. e is nil if no link was found.
func (o *observer) redirect(ctx context.Context, start time.Time, e *entry, d *decision, err error) {
	if o.hook == nil {
		return
	}
	ob := Observation{Operation: OperationRedirect, Outcome: outcomeOfVisit(d, err), Err: err}
	if e != nil {
		ob.Link = e.link.ID
	}
	o.end(ctx, start, ob)
}

// outcomeOfVisit returns one of RedirectOutcomes.
func outcomeOfVisit(d *decision, err error) string {
	switch {
	case err == nil && d.action == ActionAskPassword:
		return "password"
	case err == nil && d.action == ActionPreview:
		return "preview"
	case err == nil && d.fallback:
		return "fallback"
	case err == nil && d.click.IsZero():
		return "uncounted"
	case err == nil:
		return "redirected"
	case errors.Is(err, ErrNotYet):
		return "not_yet"
	case errors.Is(err, ErrNotFound):
		return "not_found"
	case errors.Is(err, ErrGone):
		return "gone"
	case errors.Is(err, ErrWrongPassword):
		return "wrong_password"
	case errors.Is(err, ErrThrottled):
		return "throttled"
	case errors.Is(err, ErrUnavailable):
		return "unavailable"
	case statusOf(err) < http.StatusInternalServerError:
		return "bad_request"
	}
	return "failed"
}

// call serves a call of the API and observes it.
func (o *observer) call(name string, w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
	if o.hook == nil {
		serve(w, r)
		return
	}
	start, answer, outcome := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}, "aborted"
	defer func() {
		o.end(r.Context(), start, Observation{Operation: OperationAPI, Name: name, Outcome: outcome})
	}()
	serve(answer, r)
	outcome = strconv.Itoa(answer.status)
}

// A statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// store observes a call of the store.
func (o *observer) store(ctx context.Context, method string, start time.Time, err error) {
	if o.hook == nil {
		return
	}
	o.end(ctx, start, Observation{Operation: OperationStore, Name: method, Outcome: outcomeOfStore(err), Err: err})
}

// outcomeOfStore returns one of StoreOutcomes.
func outcomeOfStore(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrNotFound):
		return "not_found"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, ErrRejected), errors.Is(err, ErrHasLinks), statusOf(err) < http.StatusInternalServerError:
		return "refused"
	}
	return "failed"
}
