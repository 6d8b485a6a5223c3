package linktrack

import (
	"context"
	"time"

	"github.com/linktrackhq/linktrack/internal/useragent"
)

// A PublicView says what of a link a stranger asks for. The link's owner allows each
// of them with a property of the link.
type PublicView int

const (
	// ViewLink is that the link exists, for its QR code. Allowed by IsPublic.
	ViewLink PublicView = iota
	// ViewSummary is the link with its counts. Allowed by HasPlusTracking.
	ViewSummary
	// ViewReport is the report of the last 30 days. Allowed by HasPublicTracking.
	ViewReport
)

func (v PublicView) allowed(l *Link) bool {
	switch v {
	case ViewLink:
		return l.IsPublic
	case ViewSummary:
		return l.HasPlusTracking
	case ViewReport:
		return l.HasPublicTracking
	}
	return false
}

// Public returns what anyone may know of the link at a visitor's path. host is as in
// [Visit].
//   - The link in it has neither the destination nor anything that its owner wrote
//     for himself.
//   - With [ViewLink] and [ViewSummary] it has the link only. With ViewLink, the
//     link's counts are as old as [LinkOptions.CacheTTL] allows.
//   - With [ViewReport] it has Values only if the link has HasPublicRevenue.
//     Referrers that are not complete domain names and browsers that are not well
//     known are combined in Other, because visitors can choose their names.
//
// The errors: [ErrNotFound], also if the owner does not allow the view, and
// [ErrUnavailable].
func (t *Tracker) Public(ctx context.Context, host, path string, view PublicView) (Report, error) {
	at := now()
	e, _, err := t.visited(ctx, host, path, at)
	if err != nil {
		return Report{}, err
	}
	l := e.link
	if !view.allowed(&l) {
		return Report{}, ErrNotFound
	}
	if view == ViewLink {
		return Report{Link: l.public()}, nil
	}
	links, err := t.store.Links(ctx, LinkFilter{ // the cache has old counts
		Account:  l.Account,
		Names:    []LinkName{{Host: l.Host, Key: l.Key()}},
		Sort:     SortCreated,
		Limit:    1,
		DaySince: daySince(at),
	})
	if err != nil {
		return Report{}, unavailable(err)
	}
	if len(links) == 0 || !view.allowed(&links[0]) {
		return Report{}, ErrNotFound
	}
	if l = links[0]; view == ViewSummary {
		return Report{Link: l.public()}, nil
	}
	return t.publicReport(ctx, l)
}

func (t *Tracker) publicReport(ctx context.Context, l Link) (Report, error) {
	zone, err := t.days.current(ctx)
	if err != nil {
		return Report{}, err
	}
	q, err := ReportQuery{}.complete(DayOf(time.Now().In(zone)))
	if err != nil {
		return Report{}, err
	}
	r, err := t.report(ctx, l.public(), q, zone)
	if !l.HasPublicRevenue {
		r.Values = nil
	}
	r.Referrers = r.Referrers.where(isPublicHost)
	r.Browsers = r.Browsers.where(useragent.IsKnownBrowser)
	return r, err
}
