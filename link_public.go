package linktrack

import (
	"context"
	"time"

	"github.com/linktrackhq/linktrack/internal/useragent"
)

// shows reports whether the link's owner allows anyone to see a page about it.
func (l *Link) shows(page PageKind) bool {
	switch page {
	case PageQR:
		return l.IsPublic
	case PageSummary:
		return l.HasPlusTracking
	case PageReport:
		return l.HasPublicTracking
	}
	return false
}

// Public returns what anyone may know of the link at a visitor's path: what a page of
// that kind shows. host is as in [Visit].
//   - The link in it has neither the destination nor anything that its owner wrote
//     for himself.
//   - [PageQR] is allowed by IsPublic. It has the link only, whose counts are as old
//     as [LinkOptions.CacheTTL] allows.
//   - [PageSummary] is allowed by HasPlusTracking. It has the link only.
//   - [PageReport] is allowed by HasPublicTracking. It has the report of the last 30
//     days, with Values only if the link has HasPublicRevenue. Referrers that are not
//     complete domain names and browsers that are not well known are combined in
//     Other, because visitors can choose their names.
//
// The errors: [ErrNotFound], also if the owner does not allow the page and for other
// kinds of pages, [ErrDeleted], and [ErrUnavailable].
func (t *Tracker) Public(ctx context.Context, host, path string, page PageKind) (Report, error) {
	at := now()
	e, _, err := t.visited(ctx, host, path, at)
	if err != nil {
		return Report{}, err
	}
	l := e.link
	if l.IsDeleted() {
		return Report{}, ErrDeleted
	}
	if !l.shows(page) {
		return Report{}, ErrNotFound
	}
	if page == PageQR {
		return Report{Link: l.public()}, nil
	}
	t.applier.beforeReading(ctx)
	links, err := t.store.Links(ctx, LinkFilter{ // the cache has old counts
		Account:   l.Account,
		Archived:  WithArchived,
		After:     &LinkCursor{ID: l.ID - 1}, // by its ID, because it may have been renamed
		Sort:      SortID,
		Ascending: true,
		Limit:     1,
		DaySince:  daySince(at),
	})
	if err != nil {
		return Report{}, unavailable(err)
	}
	if len(links) == 0 || links[0].ID != l.ID || !links[0].shows(page) {
		return Report{}, ErrNotFound
	}
	if l = links[0]; page == PageSummary {
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
