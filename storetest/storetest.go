// Package storetest holds a [linktrack.Store] to its contract. A store's own
// test is a few lines:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) linktrack.Store { return mystore.New() })
//	}
//
// Each check is a subtest whose name is the rule, on a store of its own, so a
// rule can be run alone: go test -run 'TestStore/batches/a_batch_sent_twice'.
// Nothing depends on the clock or on the order of the checks.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// Run checks the store that newStore returns, which must be empty at each
// call. newStore cleans up with t.Cleanup.
func Run(t *testing.T, newStore func(t *testing.T) linktrack.Store) {
	for _, part := range []struct {
		name  string
		rules []rule
	}{
		{"accounts", accounts},
		{"account edits", accountEdits},
		{"keys", keys},
		{"sessions", sessions},
		{"account erasures", accountErasures},
		{"links", links},
		{"link batches", linkBatches},
		{"groups", groups},
		{"tags", tags},
		{"external ids", externalIDs},
		{"edits", edits},
		{"moves", moves},
		{"deletions", deletions},
		{"renames", renames},
		{"purges", purges},
		{"changes", changes},
		{"queries", queries},
		{"sorts", sorts},
		{"searches", searches},
		{"filters", filters},
		{"pages", pages},
		{"link counts", linkCounts},
		{"counts", counts},
		{"batches", batches},
		{"click log", clickLog},
		{"history", history},
		{"rollups", rollups},
		{"sums", sums},
		{"prunings", prunings},
		{"erasures", erasures},
		{"limits", limits},
		{"reservations", reservations},
		{"alerts", alerts},
		{"conversions", conversions},
		{"reclassifications", reclassifications},
		{"contexts", contexts},
		{"concurrency", concurrency},
	} {
		t.Run(part.name, func(t *testing.T) {
			for _, r := range part.rules {
				t.Run(r.name, func(t *testing.T) { r.check(t, newStore(t)) })
			}
		})
	}
}

// A rule is one sentence of the contract, and what shows that a store keeps it.
type rule struct {
	name  string
	check func(t *testing.T, s linktrack.Store)
}

// noon is the time around which the checks happen. Its microseconds are not
// whole milliseconds, so a store that keeps less is found out.
var noon = time.Date(2024, 11, 24, 12, 0, 0, 123457000, time.UTC)

const (
	owner = linktrack.AccountID(7) // of the links, unless a check says otherwise
	host  = "go.example.com"
)

// plain returns a link as a caller makes it, with nothing special about it.
func plain(path string) linktrack.Link {
	return linktrack.Link{
		Account:      owner,
		Host:         host,
		Path:         path,
		LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/" + path},
		CreatedAt:    noon,
	}
}

func create(t *testing.T, s linktrack.Store, l linktrack.Link) linktrack.Link {
	t.Helper()
	made, err := createOne(t.Context(), s, l)
	require.NoError(t, err, "a link that clashes with no other is made")
	return made
}

// createOne makes one link.
func createOne(ctx context.Context, s linktrack.Store, l linktrack.Link) (linktrack.Link, error) {
	made, err := s.CreateLinks(ctx, []linktrack.Link{l})
	if err != nil {
		return linktrack.Link{}, err
	}
	if len(made) != 1 {
		return linktrack.Link{}, fmt.Errorf("CreateLinks returned %d links for one", len(made))
	}
	return made[0], nil
}

// createMany makes n plain links.
func createMany(t *testing.T, s linktrack.Store, n int) []linktrack.Link {
	t.Helper()
	made := make([]linktrack.Link, n)
	for i := range made {
		made[i] = create(t, s, plain(pathOf(i)))
	}
	return made
}

func pathOf(i int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	return "." + string([]byte{digits[i/36/36%36], digits[i/36%36], digits[i%36]})
}

// look returns the link as LinkByPath sees it.
func look(t *testing.T, s linktrack.Store, l linktrack.Link) linktrack.Link {
	t.Helper()
	found, err := s.LinkByPath(t.Context(), l.Host, l.Key())
	require.NoError(t, err, "a link that was made is found by its host and key")
	return found
}

func edit(t *testing.T, s linktrack.Store, id int64, change func(l *linktrack.Link)) linktrack.Link {
	t.Helper()
	l, err := s.UpdateLink(t.Context(), id, func(l *linktrack.Link) error { change(l); return nil })
	require.NoError(t, err, "a link that exists can be edited")
	return l
}

// list returns the account's links by the query, whose Account, Sort and Limit
// are filled in where the check leaves them out.
func list(t *testing.T, s linktrack.Store, q linktrack.LinkFilter) []linktrack.Link {
	t.Helper()
	if q.Account == 0 {
		q.Account = owner
	}
	if q.Sort == "" {
		q.Sort, q.Ascending = linktrack.SortCreated, true
	}
	if q.Limit == 0 {
		q.Limit = 1000
	}
	if q.DaySince.IsZero() {
		q.DaySince = noon.Add(-24 * time.Hour)
	}
	found, err := s.Links(t.Context(), q)
	require.NoError(t, err, "a query for links has no errors of its own, even if nothing matches")
	return found
}

// dayCount returns the link's Counts.Day since a time.
func dayCount(t *testing.T, s linktrack.Store, l linktrack.Link, since time.Time) int64 {
	t.Helper()
	found := list(t, s, linktrack.LinkFilter{
		Account:  l.Account,
		Names:    []linktrack.LinkName{{Host: l.Host, Key: l.Key()}},
		DaySince: since,
	})
	require.Len(t, found, 1, "a link is found once by its host and key")
	return found[0].Counts.Day
}

func paths(links []linktrack.Link) []string {
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.Path
	}
	return names
}

// person returns a click by a visitor who was there before.
func person(link int64, at time.Time) linktrack.Click {
	return linktrack.Click{
		ID:        linktrack.NewClickID(at),
		Link:      link,
		IP:        netip.MustParseAddr("192.0.2.7"),
		UserAgent: "Mozilla/5.0",
		Browser:   "Firefox",
		Platform:  "Linux",
	}
}

// visitor returns a click by a new visitor.
func visitor(link int64, at time.Time) linktrack.Click {
	k := person(link, at)
	k.Unique = true
	return k
}

func bot(link int64, at time.Time) linktrack.Click {
	k := person(link, at)
	k.Bot, k.Browser = true, "Googlebot"
	return k
}

// people returns n clicks by known visitors, a microsecond apart.
func people(link int64, n int, from time.Time) []linktrack.Click {
	clicks := make([]linktrack.Click, n)
	for i := range clicks {
		clicks[i] = person(link, from.Add(time.Duration(i)*time.Microsecond))
	}
	return clicks
}

func newSource() (s linktrack.Source) {
	id := linktrack.NewClickID(noon) // 62 of its bits are random
	copy(s[:], id[8:])
	return s
}

// send records clicks as the first batch of a new source.
func send(t *testing.T, s linktrack.Store, clicks ...linktrack.Click) {
	t.Helper()
	sendBatch(t, s, linktrack.Batch{Source: newSource(), Seq: 1, Clicks: clicks})
}

// sendBatch appends a batch and applies it.
func sendBatch(t *testing.T, s linktrack.Store, b linktrack.Batch) {
	t.Helper()
	sendIn(t, s, time.UTC, b)
}

// sendIn is sendBatch for days of a zone.
func sendIn(t *testing.T, s linktrack.Store, zone *time.Location, b linktrack.Batch) {
	t.Helper()
	appendBatch(t, s, b)
	apply(t, s, zone)
}

func appendBatch(t *testing.T, s linktrack.Store, b linktrack.Batch) {
	t.Helper()
	require.NoError(t, s.AppendClicks(t.Context(), b), "a batch without concurrent calls is appended")
}

// apply applies the log, in which nothing is left then.
func apply(t *testing.T, s linktrack.Store, zone *time.Location) {
	t.Helper()
	size, err := s.ApplyClicks(t.Context(), zone, noon.Add(-24*time.Hour))
	require.NoError(t, err, "the log can be applied at any time")
	require.Zero(t, size, "all that was appended is applied")
}

// insist sends a batch and applies the log as the contract tells callers to: again
// after an error, until a call returns nil.
func insist(ctx context.Context, s linktrack.Store, b linktrack.Batch) error {
	if err := again(func() error { return s.AppendClicks(ctx, b) }); err != nil {
		return err
	}
	return again(func() error { return applyOnce(ctx, s) })
}

func applyOnce(ctx context.Context, s linktrack.Store) error {
	_, err := s.ApplyClicks(ctx, time.UTC, time.Time{})
	return err
}

func again(call func() error) (err error) {
	for range 1000 {
		if err = call(); err == nil {
			return nil
		}
	}
	return err
}

// recorded returns the link's whole history, oldest first.
func recorded(t *testing.T, s linktrack.Store, link int64) []linktrack.Click {
	t.Helper()
	return clicks(t, s, linktrack.ClickFilter{Link: link, Ascending: true, Limit: 1_000_000})
}

func clicks(t *testing.T, s linktrack.Store, q linktrack.ClickFilter) []linktrack.Click {
	t.Helper()
	found, err := s.Clicks(t.Context(), q)
	require.NoError(t, err, "a query for clicks has no errors of its own, even if nothing matches")
	return found
}

// together runs f for 0 to n-1 at the same time, and returns all its errors.
func together(n int, f func(i int) error) error {
	var (
		wg    sync.WaitGroup
		start = make(chan struct{})
		errs  = make([]error, n)
	)
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errors.Join(errs...)
}

// inOrder returns clicks sorted by id.
func inOrder(clicks []linktrack.Click) []linktrack.Click {
	sorted := slices.Clone(clicks)
	slices.SortFunc(sorted, func(a, b linktrack.Click) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return sorted
}
