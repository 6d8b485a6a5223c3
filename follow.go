package linktrack

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack/internal/useragent"
)

// A Visit is one request for a tracking link.
type Visit struct {
	Host      string // one of the Tracker's hosts; "": its first
	Path      string // with or without the leading slash; or the whole tracking URL, whose host replaces Host
	IP        netip.Addr
	Referrer  string
	UserAgent string
	Query     string // of the tracking link, without "?"
	Visitor   string // the token of an earlier Outcome for this visitor and link; "" none

	// OptOut is the value of the visitor's opt-out cookie for the link's
	// account, see [Tracker.OptOutURL]; "" none.
	OptOut string
	// Private means that the visitor asks not to be tracked. It has no effect
	// without [Privacy.HonorGPC].
	Private bool

	// Confirmed means that the visitor pressed the button on the page that
	// ActionPreview asks for. Such a visitor counts as a person, whatever UserAgent
	// says, as does a visitor who enters the right password.
	Confirmed bool

	// Peek returns what would happen, without counting a click or using up a
	// limit. It does not return the destination of a link with a limit. HEAD
	// requests use it.
	Peek bool
	// Prefetch means that a browser loads the link before its user follows it,
	// which may never happen.
	Prefetch bool

	// Password is the password that the visitor entered. It is used only with
	// HasPassword. Without that, a link with a password asks for it.
	Password    string
	HasPassword bool
}

// An Outcome says how to answer a visitor who was not refused.
type Outcome struct {
	Action   Action
	Link     Link    // without description and notes; its counts may be as old as LinkOptions.CacheTTL
	Location string  // for ActionRedirect: the destination or LinkSettings.FallbackURL, ready for a Location header
	Click    ClickID // zero: no click was recorded
	Visitor  string  // a token that the visitor brings along at the next visit to this link; "": none
}

// An Action is what to do with a visitor.
type Action int

const (
	ActionRedirect    Action = iota // go to Location; the click is recorded, unless Outcome.Click is zero
	ActionAskPassword               // show a form; nothing is recorded
	ActionPreview                   // show the link's title and a button (Visit.Confirmed), to bots and for Peek on a link with a limit; nothing is recorded
)

// Follow decides how to answer a visit to a link, and records the click if it
// counts. It returns when the click is recorded as [RecordingOptions.Ack] says.
//
// The errors:
//   - [ErrNotFound], [ErrNotYet], or an [ErrGone]. A link with a FallbackURL leads
//     there instead of being an ErrGone, unless it was deleted, and nothing is
//     counted.
//   - [ErrWrongPassword], or [ErrThrottled] after too many wrong passwords for the
//     link
//   - [ErrUnavailable] if the store cannot look the link up, or cannot say whether
//     one more visitor may pass a link with a limit
//
// Outcome.Link is also set with an error, if the link is known. Of a deleted link it has
// only ID, Account, Host, Path, and DeletedAt.
func (t *Tracker) Follow(ctx context.Context, v Visit) (Outcome, error) {
	at, start := now(), t.observer.begin()
	e, asked, err := t.visited(ctx, v.Host, v.Path, at)
	if err == nil && asked.view != redirectView {
		err = ErrNotFound
	}
	if err != nil {
		t.observer.redirect(ctx, start, nil, nil, err)
		return Outcome{}, err
	}
	v.Query = joinQuery(asked.query, v.Query)
	p, err := t.follow(ctx, e, &v, at)
	t.observer.redirect(ctx, start, e, &p, err)
	return Outcome{Action: p.action, Link: e.link, Location: p.location, Click: p.click, Visitor: p.visitor}, err
}

// A decision is an [Outcome] without the link, which is large.
type decision struct {
	action   Action
	location string
	click    ClickID
	visitor  string
	fallback bool // location is where the link leads instead of being gone
}

// follow is the rule: it decides where a visitor goes and what counts.
func (t *Tracker) follow(ctx context.Context, e *entry, v *Visit, at time.Time) (decision, error) {
	out, err := t.pass(ctx, e, v, at)
	if err != nil && e.fallback != "" && errors.Is(err, ErrGone) {
		return decision{action: ActionRedirect, location: e.fallback, fallback: true}, nil
	}
	return out, err
}

// state returns the error of [Link.State]. A link that is used up lets people through as
// long as the store may have granted something to this process that nobody has used.
func (t *Tracker) state(e *entry, at time.Time) error {
	err := e.link.State(at)
	if err == nil && e.usedUp.Load() {
		err = ErrUsedUp
	}
	if err != ErrUsedUp || !t.reserver.mayHold(e.link.ID) {
		return err
	}
	if at.Before(e.link.StartsAt) {
		return ErrNotYet
	}
	return nil
}

// pass decides who may pass.
func (t *Tracker) pass(ctx context.Context, e *entry, v *Visit, at time.Time) (out decision, err error) {
	l := &e.link
	if err := t.state(e, at); err != nil {
		return out, err
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
		// A browser that uses the prefetched answer would let its user pass
		// without a request that the limit counts.
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
			t.links.forget(*l) // the limit is near: load the link again at the next visit
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

// prepare computes once what many visits to a link need. Visitors learn nothing of a
// deleted link, so nothing else of it is kept.
func (t *Tracker) prepare(l Link) *entry {
	if l.IsDeleted() {
		return &entry{link: Link{ID: l.ID, Account: l.Account, Host: l.Host, Path: l.Path, DeletedAt: l.DeletedAt}, location: []string{""}}
	}
	e := &entry{link: l, location: []string{location(l.ExternalURL)}, cookieTail: t.hosts.of(&l).cookie(l.Path, aYear)}
	e.link.Description, e.link.Notes = "", ""
	if l.FallbackURL != "" {
		if _, _, err := t.destinations.splitScheme(destination{"fallback_url", l.FallbackURL}); err == nil {
			e.fallback = location(l.FallbackURL)
		}
	}
	scheme, _, err := t.destinations.splitScheme(destination{"external_url", l.ExternalURL})
	if l.HasConversionTracking {
		e.clickCookie = true
		e.clickQuery = t.opts.Links.ClickQuery && (scheme == "http" || scheme == "https")
	}
	if err != nil {
		e.blocked = true
		t.blocked.Do(func() {
			t.log.Error("linktrack: a link cannot be followed because its destination is not allowed; further links of this kind are not logged",
				"host", l.Host, "path", l.Path, "error", err)
		})
	}
	return e
}

// addQuery adds a query string, as it was sent, to a destination.
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
