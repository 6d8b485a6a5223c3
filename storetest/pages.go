package storetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// walk reads a list page by page, and returns the paths in order. It fails if it does not
// end.
func walk(t *testing.T, s linktrack.Store, q linktrack.LinkFilter) (read []string) {
	t.Helper()
	for range 1000 {
		page := list(t, s, q)
		require.LessOrEqual(t, len(page), q.Limit, "the limit holds")
		if len(page) == 0 {
			return read
		}
		after := linktrack.CursorOf(page[len(page)-1], q.Sort)
		read, q.After = append(read, paths(page)...), &after
	}
	require.Fail(t, "the walk does not end")
	return nil
}

// similar are links that have the same value in every sort as some others, and URLs that
// begin alike for a long way.
func similar(prefix string, n int) []linktrack.Link {
	links := make([]linktrack.Link, n)
	for i := range links {
		l := plain(prefix + pathOf(i)[1:])
		l.Title, l.Group = []string{"", "a", "A", "é"}[i%4], []string{"", "x", "y"}[i%3]
		l.CreatedAt = noon.Add(time.Duration(i%5) * time.Microsecond)
		stem := "https://example.com/"
		if i%2 == 0 {
			stem += strings.Repeat("x", 100*(i%5))
		}
		l.ExternalURL = stem + fmt.Sprint((i*7)%11)
		links[i] = l
	}
	return links
}

var pages = []rule{
	{"page by page a list is the same as in one piece, in every sort", func(t *testing.T, s linktrack.Store) {
		made := createAll(t, s, similar("", 40))
		var clicks []linktrack.Click
		for i, l := range made {
			clicks = append(clicks, people(l.ID, i%3, noon.Add(time.Duration(i%2)*time.Hour))...)
			if i%4 == 0 {
				clicks = append(clicks, person(l.ID, noon.Add(-72*time.Hour)))
			}
		}
		send(t, s, clicks...)
		for i, l := range made {
			if i%6 == 5 {
				edit(t, s, l.ID, func(l *linktrack.Link) { l.IsArchived = true })
			}
		}
		theirs := plain("theirs")
		theirs.Account++
		create(t, s, theirs)
		for _, since := range []time.Time{noon.Add(-24 * time.Hour), noon.Add(-100 * time.Hour)} { // the second may need another way
			for _, sort := range append(everySort, linktrack.SortID) {
				for _, ascending := range []bool{true, false} {
					for _, q := range []linktrack.LinkFilter{
						{}, {Archived: linktrack.WithArchived}, {Archived: linktrack.OnlyArchived}, {Host: host}, {Groups: []string{"x", "y"}},
						{State: linktrack.StateActive, Now: noon}, {Search: "example.com", Archived: linktrack.WithArchived},
					} {
						q.Sort, q.Ascending, q.DaySince = sort, ascending, since
						want := paths(list(t, s, q))
						require.NotEmpty(t, want)
						q.Limit = 3
						require.Equal(t, want, walk(t, s, q), "sorted by %s, ascending: %t, with %+v", sort, ascending, q)
						for q.Offset = 0; q.Offset <= len(want); q.Offset += 3 {
							require.Equal(t, want[q.Offset:min(q.Offset+3, len(want))], paths(list(t, s, q)), "an offset of %d, sorted by %s, ascending: %t", q.Offset, sort, ascending)
						}
					}
				}
			}
		}
		after := linktrack.CursorOf(made[3], linktrack.SortID)
		require.Equal(t, []string{made[6].Path}, paths(list(t, s, linktrack.LinkFilter{Sort: linktrack.SortID, Ascending: true, After: &after, Offset: 1, Limit: 1})),
			"Offset counts from the place")
	}},
	{"a place is there when its link is gone", func(t *testing.T, s linktrack.Store) {
		made := createAll(t, s, similar("", 12))
		for _, sort := range append(everySort, linktrack.SortID) {
			q := linktrack.LinkFilter{Sort: sort}
			all := list(t, s, q)
			after := linktrack.CursorOf(all[5], sort)
			q.After = &after
			edit(t, s, all[5].ID, func(l *linktrack.Link) { l.IsArchived = true })
			require.Equal(t, paths(all[6:]), paths(list(t, s, q)), "sorted by %s", sort)
			edit(t, s, all[5].ID, func(l *linktrack.Link) { l.IsArchived = false })
		}
		require.Len(t, made, 12)
	}},
	{"a walk returns each link once that is left alone, whatever happens to others", func(t *testing.T, s linktrack.Store) {
		still := createAll(t, s, similar("still-", 30))
		restless := createAll(t, s, similar("restless-", 30))
		var clicks []linktrack.Click
		for i, l := range still {
			clicks = append(clicks, people(l.ID, i%4, noon)...)
		}
		send(t, s, clicks...)

		ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
		var writers sync.WaitGroup
		write := func(most int, f func(i int) error) {
			writers.Go(func() {
				for i := 0; i < most && ctx.Err() == nil; i++ {
					assert.NoError(t, f(i), "others work meanwhile")
				}
			})
		}
		write(200, func(i int) error {
			l := similar("new-", 30)[i%30]
			l.Path = fmt.Sprint("new-", i)
			_, err := createOne(context.WithoutCancel(ctx), s, l)
			return err
		})
		write(1<<30, func(i int) error {
			other := similar("", 30)[(i*7)%30]
			_, err := s.UpdateLink(context.WithoutCancel(ctx), restless[i%30].ID, func(l *linktrack.Link) error {
				l.Title, l.Group, l.ExternalURL, l.IsArchived = other.Title, other.Group, other.ExternalURL, i%3 == 0
				return nil
			})
			return err
		})
		source := newSource()
		write(1<<30, func(i int) error {
			b := linktrack.Batch{Source: source, Seq: int64(i + 1), Clicks: people(restless[i%30].ID, 1+i%3, noon.Add(time.Duration(i)*time.Second))}
			return insist(context.WithoutCancel(ctx), s, b)
		})
		defer writers.Wait()
		defer stop()
		for _, sort := range append(everySort, linktrack.SortID) {
			for _, ascending := range []bool{true, false} {
				times := map[string]int{}
				for _, path := range walk(t, s, linktrack.LinkFilter{Sort: sort, Ascending: ascending, Limit: 7}) {
					times[path]++
				}
				for _, l := range still {
					require.Equal(t, 1, times[l.Path], "%s, sorted by %s, ascending: %t", l.Path, sort, ascending)
				}
			}
		}
	}},
}
