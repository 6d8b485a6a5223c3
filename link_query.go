package linktrack

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// A LinksQuery says which links [Tracker.Links] returns. The zero value returns the
// account's newest 100 links, as the API does by default.
type LinksQuery struct {
	Paths     []string // names as in [Tracker.Link], but no former paths; nil: all; unknown ones match no link
	Groups    []string // names; nil: all; unknown ones match no link
	Search    string   // words that must all be in the destination, title, path, notes, or group, ignoring case; or tracking URLs; "": all. See LinkFilter.Search.
	Sort      Sort     // "": SortCreated
	Ascending bool
	Limit     int // 1 to 1,000; 0: 100
	Offset    int // how many of the first links are left out, 0 to 100,000
}

// A HistoryQuery says which clicks [Tracker.History] returns. The zero value returns the
// newest 100 clicks of today, as the API does by default.
type HistoryQuery struct {
	Start         time.Time // inclusive; zero: today 00:00 in Options.TimeZone; at most 30 days back
	End           time.Time // exclusive; zero: no bound; not after Start: no clicks
	Before, After ClickID   // only clicks with a lower, a higher id; zero: no bound
	Ascending     bool      // oldest first
	Limit         int       // 1 to 1,000; 0: 100
}

const (
	defaultLimit = 100
	maxLimit     = 1000
	maxItems     = 1000 // in a list of links or groups
	historyDays  = 30
	maxOffset    = 100_000
	maxSearch    = 255 // characters
)

// Link returns the account's link that name names. name is one of:
//   - the link's tracking URL, see [Tracker.TrackingURL], with or without its
//     scheme if the Tracker serves the host;
//   - its path, with or without the dot, in any case. If the account has links with
//     that path on several hosts, the error is an [*InvalidError];
//   - a former path of it, in the same forms, if no link of the account fits. A
//     path without a host is then looked up on the hosts that the Tracker serves.
//
// The error is [ErrNotFound] if there is no such link, or it is another account's.
func (t *Tracker) Link(ctx context.Context, a Account, name string) (Link, error) {
	if err := a.refuseAnonymous(); err != nil {
		return Link{}, err
	}
	names := t.linkNames(name)
	if len(names) == 0 {
		return Link{}, ErrNotFound
	}
	t.applier.beforeReading(ctx)
	found, err := t.store.Links(ctx, LinkFilter{
		Account:  a.ID,
		Names:    names,
		Archived: WithArchived,
		Sort:     SortID,
		Limit:    maxLimit,
		DaySince: daySince(now()),
	})
	if err != nil {
		return Link{}, unavailable(err)
	}
	for _, n := range names {
		fitting := slices.DeleteFunc(slices.Clone(found), func(l Link) bool {
			return l.Key() != n.Key || n.Host != "" && l.Host != n.Host
		})
		switch len(fitting) {
		case 0:
			continue
		case 1:
			return fitting[0], nil
		}
		return Link{}, t.errSeveral(fitting)
	}
	return t.linkByFormerPath(ctx, a, names)
}

// errSeveral is the error of a name that fits several links.
func (t *Tracker) errSeveral(fitting []Link) error {
	first := slices.MinFunc(fitting, func(x, y Link) int { return cmp.Compare(x.ID, y.ID) })
	return invalid("redirect_hash", "must be the whole tracking URL, such as %s, because the account has links with this path on several hosts",
		t.TrackingURL(first))
}

// linkByFormerPath returns the account's link that had one of the names, the first one that
// fits. A name without a host fits on the Tracker's hosts.
func (t *Tracker) linkByFormerPath(ctx context.Context, a Account, names []LinkName) (Link, error) {
	for _, n := range names {
		var on []LinkName
		if n.Host != "" {
			on = append(on, n)
		} else {
			for _, h := range t.hosts.list {
				on = append(on, LinkName{Host: h.name, Key: n.Key})
			}
		}
		var fitting []Link
		for part := range slices.Chunk(on, maxItems) {
			found, err := t.store.LinksByPath(ctx, part)
			if err != nil {
				return Link{}, unavailable(err)
			}
			for _, l := range found {
				if l.Account == a.ID && !slices.ContainsFunc(fitting, func(other Link) bool { return other.ID == l.ID }) {
					fitting = append(fitting, l)
				}
			}
		}
		switch len(fitting) {
		case 0:
		case 1:
			return t.LinkByID(ctx, a, fitting[0].ID)
		default:
			return Link{}, t.errSeveral(fitting)
		}
	}
	return Link{}, ErrNotFound
}

// LinkByID returns the account's link that has the [Link.ID], which is also
// [Click.Link]. The error is [ErrNotFound] if there is none, or it is another
// account's.
func (t *Tracker) LinkByID(ctx context.Context, a Account, id int64) (Link, error) {
	if err := a.refuseAnonymous(); err != nil {
		return Link{}, err
	}
	if id < 1 {
		return Link{}, ErrNotFound
	}
	t.applier.beforeReading(ctx)
	found, err := t.store.Links(ctx, LinkFilter{
		Account:   a.ID,
		Archived:  WithArchived,
		After:     &LinkCursor{ID: id - 1},
		Sort:      SortID,
		Ascending: true,
		Limit:     1,
		DaySince:  daySince(now()),
	})
	if err != nil {
		return Link{}, unavailable(err)
	}
	if len(found) == 0 || found[0].ID != id {
		return Link{}, ErrNotFound
	}
	return found[0], nil
}

// Links returns links of the account. Their counts include every click that was in the
// store before the call; if the store is slow or fails, the last clicks may be missing. The
// errors: an [*InvalidError], [ErrUnavailable].
func (t *Tracker) Links(ctx context.Context, a Account, q LinksQuery) ([]Link, error) {
	if err := a.refuseAnonymous(); err != nil {
		return nil, err
	}
	limit, err := limitOf(q.Limit)
	if err != nil {
		return nil, err
	}
	if q.Sort == "" {
		q.Sort = SortCreated
	}
	if !slices.Contains(sorts, q.Sort) {
		return nil, invalid("sort", "must be one of %s", joinSorts())
	}
	if len(q.Paths) > maxItems {
		return nil, invalid("links", "must have at most %d items", maxItems)
	}
	if len(q.Groups) > maxItems {
		return nil, invalid("groups", "must have at most %d items", maxItems)
	}
	if err := checkText("search", q.Search, maxSearch, false); err != nil {
		return nil, err
	}
	search, err := t.search(q.Search)
	if err != nil {
		return nil, err
	}
	if q.Offset < 0 || q.Offset > maxOffset {
		return nil, invalid("offset", "must be from 0 to %d", maxOffset)
	}
	var names []LinkName
	if q.Paths != nil {
		names = []LinkName{}
		for _, name := range q.Paths {
			names = append(names, t.linkNames(name)...)
		}
	}
	t.applier.beforeReading(ctx)
	links, err := t.store.Links(ctx, LinkFilter{
		Account:   a.ID,
		Names:     names,
		Groups:    q.Groups,
		Search:    search,
		Sort:      q.Sort,
		Ascending: q.Ascending,
		Limit:     limit,
		Offset:    q.Offset,
		DaySince:  daySince(now()),
	})
	return links, unavailable(err)
}

// History returns clicks of a link of the account; name is as in
// [Tracker.Link]. The errors: an [*InvalidError], [ErrNotFound],
// [ErrUnavailable].
func (t *Tracker) History(ctx context.Context, a Account, name string, q HistoryQuery) ([]Click, error) {
	limit, err := limitOf(q.Limit)
	if err != nil {
		return nil, err
	}
	today := startOfDay(time.Now().In(t.opts.TimeZone))
	if q.Start.IsZero() {
		q.Start = today
	}
	if q.Start.Before(today.AddDate(0, 0, -historyDays)) {
		return nil, invalid("start_date", "must not be more than %d days back", historyDays)
	}
	l, err := t.Link(ctx, a, name)
	if err != nil {
		return nil, err
	}
	if !q.End.IsZero() && !q.End.After(q.Start) {
		return []Click{}, nil
	}
	clicks, err := t.store.Clicks(ctx, ClickFilter{
		Link:      l.ID,
		From:      q.Start.UTC(),
		To:        q.End.UTC(),
		Before:    q.Before,
		After:     q.After,
		Ascending: q.Ascending,
		Limit:     limit,
	})
	return clicks, unavailable(err)
}

// Groups returns the names of the account's groups in order, the first 1,000 of
// them. The error is an [ErrUnavailable].
func (t *Tracker) Groups(ctx context.Context, a Account) ([]string, error) {
	if err := a.refuseAnonymous(); err != nil {
		return nil, err
	}
	groups, err := t.store.Groups(ctx, a.ID, maxItems)
	return groups, unavailable(err)
}

// linkNames returns the link names that a caller may mean by name, the likeliest first:
// the path as written, then without or with the dot. If name has a host, the host as
// written comes before the Tracker's host of that name, because there may be older links
// on another port of it.
func (t *Tracker) linkNames(name string) []LinkName {
	h, p, ok := t.readLinkName(name)
	hosts := []string{""}
	if written, q, isURL := readTrackingURL(name); isURL {
		hosts[0] = written
		if !ok {
			if _, served := t.hosts.find(written); served {
				return nil
			}
			p, ok = q, true
		}
	}
	if !ok {
		return nil
	}
	if h != nil && hosts[0] == "" {
		hosts[0] = h.name
	} else if h != nil && hosts[0] != h.name {
		hosts = append(hosts, h.name)
	}
	keys := []string{p.key}
	if dotted, ok := dottedKey(p.key); ok {
		keys = append(keys, dotted)
	} else if bare, ok := strings.CutPrefix(p.key, "."); ok { // a caller need not know whether the path has a dot
		keys = append(keys, bare)
	}
	var names []LinkName
	for _, host := range hosts {
		for _, key := range keys {
			names = append(names, LinkName{host, key})
		}
	}
	return names
}

// daySince returns the beginning of Counts.Day, 24 hours ago.
func daySince(at time.Time) time.Time { return at.Add(-24 * time.Hour) }

func limitOf(n int) (int, error) {
	if n == 0 {
		return defaultLimit, nil
	}
	if n < 1 || n > maxLimit {
		return 0, invalid("limit", "must be from 1 to %d", maxLimit)
	}
	return n, nil
}

var sorts = []Sort{SortExternalURL, SortPath, SortCreated, SortDay, SortTotal, SortLastClick, SortTitle, SortGroup}

func joinSorts() string {
	names := make([]string, len(sorts))
	for i, s := range sorts {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

func startOfDay(t time.Time) time.Time { return DayOf(t).Start(t.Location()) }
