package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var concurrency = []rule{
	{"counters, history and hourly sums agree after everything at once", func(t *testing.T, s linktrack.Store) {
		const (
			senders = 6
			rounds  = 25
			size    = 24
			limit   = 300
		)
		made := createMany(t, s, 10)
		made[0] = edit(t, s, made[0].ID, func(l *linktrack.Link) { l.DeactivateAt = limit })

		var all []linktrack.Click
		queues := make([][]linktrack.Batch, senders)
		for i := range queues {
			source := newSource()
			for j := range rounds {
				b := linktrack.Batch{Source: source, Seq: int64(j + 1)}
				for k := range size {
					// each sender takes the links in another order, and has
					// clicks of the same hours and microseconds as the others
					id := made[(i*3+k*(i+1)+j)%len(made)].ID
					at := noon.Add(-time.Duration((j*k)%40) * time.Hour).Add(time.Duration(j) * time.Microsecond)
					switch k % 3 {
					case 0:
						b.Clicks = append(b.Clicks, visitor(id, at))
					case 1:
						b.Clicks = append(b.Clicks, person(id, at))
					case 2:
						b.Clicks = append(b.Clicks, bot(id, at))
					}
				}
				queues[i] = append(queues[i], b)
				all = append(all, b.Clicks...)
			}
		}

		ctx := t.Context()
		err := together(senders+4, func(i int) error {
			switch i - senders {
			case 0:
				return readAll(ctx, s, made, rounds)
			case 1:
				return editAll(ctx, s, made, rounds)
			case 2:
				return reserveAll(ctx, s, made[0].ID, limit)
			case 3: // repeats batches that may have been applied
				for _, b := range queues[0] {
					if err := insist(ctx, s, b); err != nil {
						return err
					}
				}
				return nil
			}
			for _, b := range queues[i] {
				if err := insist(ctx, s, b); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err, "all of them get through")

		sums := tally(all)
		for _, l := range made {
			requireTally(t, s, l, sums[l.ID])
			require.EqualValues(t, rounds, look(t, s, l).AlertAt, "clicks take nothing from edits, nor edits from each other")
		}
		used := look(t, s, made[0]).Counts.Used
		require.LessOrEqual(t, used, int64(limit), "no more than the limit was let through")
	}},
	{"links made at once are all there", func(t *testing.T, s linktrack.Store) {
		const makers, each = 8, 10
		err := together(makers, func(i int) error {
			for j := range each {
				made, err := createOne(t.Context(), s, plain(pathOf(i*each+j)))
				if err != nil {
					return err
				}
				found, err := s.LinkByPath(t.Context(), made.Host, made.Key())
				if err != nil || found.ID != made.ID {
					return fmt.Errorf("link %d is not found by its path at once, but %d: %w", made.ID, found.ID, err)
				}
			}
			return nil
		})
		require.NoError(t, err, "each link is found by all callers when CreateLinks returns")
		ids := map[int64]bool{}
		for _, l := range list(t, s, linktrack.LinkFilter{}) {
			ids[l.ID] = true
		}
		require.Len(t, ids, makers*each, "every link has an ID of its own")
	}},
}

// readAll reads what the others write, and finds no counters that contradict
// each other.
func readAll(ctx context.Context, s linktrack.Store, links []linktrack.Link, rounds int) error {
	var total int64
	for range rounds {
		found, err := s.Links(ctx, linktrack.LinkFilter{
			Account: owner, Sort: linktrack.SortTotal, Limit: 100, DaySince: noon.AddDate(0, 0, -1),
		})
		if err != nil {
			return err
		}
		if len(found) != len(links) {
			return fmt.Errorf("%d links are listed, not %d", len(found), len(links))
		}
		var sum int64
		for _, l := range found {
			sum += l.Counts.People
			if l.Counts.Unique > l.Counts.People {
				return fmt.Errorf("link %d has more unique clicks than clicks: %+v", l.ID, l.Counts)
			}
		}
		if sum < total {
			return fmt.Errorf("the totals went back from %d to %d", total, sum)
		}
		total = sum
		for _, l := range links {
			if _, err := s.LinkByPath(ctx, l.Host, l.Key()); err != nil {
				return err
			}
			page, err := s.Clicks(ctx, linktrack.ClickFilter{Link: l.ID, Limit: 50})
			if err != nil {
				return err
			}
			for i := 1; i < len(page); i++ {
				if string(page[i-1].ID[:]) <= string(page[i].ID[:]) {
					return fmt.Errorf("the history of link %d is not in the order of ids", l.ID)
				}
			}
		}
	}
	return nil
}

func editAll(ctx context.Context, s linktrack.Store, links []linktrack.Link, rounds int) error {
	for range rounds {
		for _, l := range links {
			if _, err := s.UpdateLink(ctx, l.ID, func(l *linktrack.Link) error { l.AlertAt++; return nil }); err != nil {
				return err
			}
		}
	}
	return nil
}

// reserveAll reserves until the link is used up.
func reserveAll(ctx context.Context, s linktrack.Store, link int64, limit int) error {
	var sum int
	for {
		granted, err := reserveFor(ctx, s, link, 3)
		if err != nil || granted == 0 {
			return err
		}
		if sum += granted; sum > limit {
			return fmt.Errorf("%d were let through a link with a limit of %d", sum, limit)
		}
	}
}
