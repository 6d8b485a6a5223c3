package linktrack

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack/internal/useragent"
)

// A Visit is one request for a tracking link, as much of it as the rule needs
// to know.
type Visit struct {
	Host      string // that was asked: one of the Tracker's; "": its first
	Path      string // with or without the leading slash, or the whole tracking URL, whose host then counts
	IP        netip.Addr
	Referrer  string
	UserAgent string
	Query     string // of the tracking link, without "?"
	Visitor   string // the token that an earlier Outcome gave this visitor for this link; "" none

	// OptOut is the value of the visitor's opt-out cookie for the link's
	// account, see [Tracker.OptOutURL]; "" none.
	OptOut string
	// Private: the visitor asks not to be tracked, see [Privacy.HonorGPC],
	// without which it is not heeded.
	Private bool

	// Confirmed means that the visitor pressed the button on the page that
	// ActionPreview asks for. Such a visitor counts as a person, whatever UserAgent
	// says, as does a visitor who enters the right password.
	Confirmed bool

	// Peek returns what would happen, without counting a click or using up a
	// limit. It does not return the destination of a link with a limit. HEAD
	// requests use it.
	Peek bool
	// Prefetch: a browser asks ahead of its user, who may never come.
	Prefetch bool

	// Password is what the visitor gave, if HasPassword; else a link with a
	// password asks for it.
	Password    string
	HasPassword bool
}

// An Outcome is what a visitor gets who was not refused.
type Outcome struct {
	Action   Action
	Link     Link   // without description and notes; its counts may be as old as Options.Links.CacheTTL
	Location string // for ActionRedirect: the destination, ready for a Location header
	Click    ClickID
	Visitor  string // a token to give to the visitor for the next visit to this link; "": none
}

// An Action is what to do with a visitor.
type Action int

const (
	ActionRedirect    Action = iota // go to Location; the click is recorded, unless Outcome.Click is zero
	ActionAskPassword               // show a form; nothing is recorded
	ActionPreview                   // show the link's title and a button, see Visit.Confirmed: a bot or Peek on a link with a limit; nothing is recorded
)

// Follow decides what a visit to a link leads to, and records it if it counts.
// It returns when the click is recorded as [RecordingOptions.Ack] says.
//
// The errors: [ErrNotFound], an [ErrGone], [ErrWrongPassword], [ErrThrottled]
// (too many wrong passwords for the link), and
// [ErrUnavailable] if the store can not say whose the path is, or can not
// promise that one more may pass a link with a limit. Outcome.Link is set where
// the link is known.
func (t *Tracker) Follow(ctx context.Context, v Visit) (Outcome, error) {
	at := now()
	e, asked, err := t.visited(ctx, v.Host, v.Path, at)
	if err != nil {
		return Outcome{}, err
	}
	if asked.view != redirectView {
		return Outcome{}, ErrNotFound
	}
	v.Query = joinQuery(asked.query, v.Query)
	p, err := t.follow(ctx, e, &v, at)
	return Outcome{Action: p.action, Link: e.link, Location: p.location, Click: p.click, Visitor: p.visitor}, err
}

// A passage is an Outcome without the link, which is large.
type decision struct {
	action   Action
	location string
	click    ClickID
	visitor  string
}

// follow is the rule: who may pass, and what counts.
func (t *Tracker) follow(ctx context.Context, e *entry, v *Visit, at time.Time) (out decision, err error) {
	l := &e.link
	if err := l.State(at); err != nil {
		return out, err
	}
	if e.usedUp.Load() {
		return out, ErrUsedUp
	}
	if e.blocked {
		return out, ErrInactive
	}
	limited := l.DeactivateAt > 0
	if limited && !l.HasPassword() && !v.Confirmed && (v.Peek || !t.opts.Visitors.BotsAsPeople && useragent.IsBot(v.UserAgent)) {
		out.action = ActionPreview
		return out, nil
	}
	if l.HasPassword() {
		if !v.HasPassword || v.Peek {
			out.action = ActionAskPassword
			return out, nil
		}
		if err := t.checkPassword(ctx, l, v); err != nil {
			return out, err
		}
	}
	location := e.location[0]
	if v.Query != "" && (l.ForwardQuery || t.opts.Links.ForwardQuery) {
		location = addQuery(location, v.Query)
	}
	ahead := v.Prefetch && !v.HasPassword && !v.Confirmed
	if ahead && !v.Peek && limited {
		// A browser that may use what it fetched ahead would let its user
		// through without asking us again.
		return out, errPrefetch
	}
	if v.Peek || ahead || t.isExcluded(l, v) {
		out.location = location
		return out, nil
	}
	if !t.recorder.begin() {
		return out, errClosed
	}
	defer t.recorder.end()
	if limited {
		granted, err := t.reserver.reserve(l.ID)
		if err != nil {
			err = unavailable(err)
			t.refusals.note(err)
			return out, err
		}
		if !granted {
			e.usedUp.Store(true)
			return out, ErrUsedUp
		}
		if l.Counts.Passed()+e.granted.Add(1) >= l.DeactivateAt {
			t.links.forget(*l) // that was the last, or nearly: ask how it stands
		}
	}
	click := Click{
		ID:        NewClickID(at),
		Link:      l.ID,
		IP:        v.IP,
		Referrer:  truncateBytes(v.Referrer, maxReferrer),
		UserAgent: truncateBytes(v.UserAgent, maxUserAgent),
		Query:     truncateBytes(v.Query, maxQuery),
		Person:    v.Confirmed || v.HasPassword,
	}
	visitor := ""
	private := v.Private && t.opts.Privacy.HonorGPC
	if t.opts.Visitors.Cookieless || private {
		click.Unique = t.fingerprints.IsNew(l.ID, v.IP, v.UserAgent, at)
	} else {
		click.Unique = t.visitors.IsNew(l.ID, v.Visitor, at)
		visitor = t.visitors.Token(l.ID, at)
	}
	if private {
		t.anonymize(&click)
	}
	t.recorder.record(click)
	if e.clickQuery && !private {
		location = addClick(location, ClickRef{Link: l.ID, ID: click.ID})
	}
	return decision{action: ActionRedirect, location: location, click: click.ID, visitor: visitor}, nil
}

var errPrefetch = fmt.Errorf("%w: a link with a limit is not fetched ahead of its user", ErrUnavailable)

// prepare makes a link ready to be followed, once for many visits.
func (t *Tracker) prepare(l Link) *entry {
	e := &entry{link: l, location: []string{location(l.ExternalURL)}, cookieTail: t.cookieTail(l.Path)}
	e.link.Description, e.link.Notes = "", ""
	scheme, _, err := t.destinations.splitScheme(l.ExternalURL)
	if l.HasConversionTracking {
		e.clickCookie = true
		e.clickQuery = t.opts.Links.ClickQuery && (scheme == "http" || scheme == "https")
	}
	if err != nil {
		e.blocked = true
		t.blocked.Do(func() {
			t.log.Error("linktrack: links with a destination that is not allowed are not followed; the first of them",
				"host", l.Host, "path", l.Path, "error", err)
		})
	}
	return e
}

// addQuery adds a query string, raw as it came, to a destination.
func addQuery(destination, query string) string {
	query = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == '#' {
			return -1
		}
		return r
	}, query)
	base, fragment, hasFragment := strings.Cut(destination, "#")
	sep := "?"
	if i := strings.IndexByte(base, '?'); i >= 0 {
		sep = "&"
		if i == len(base)-1 || strings.HasSuffix(base, "&") {
			sep = ""
		}
	}
	base += sep + location(query)
	if hasFragment {
		base += "#" + fragment
	}
	return base
}
