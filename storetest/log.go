package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

var clickLog = []rule{
	{"all that was appended is applied by one call", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 3)
		var all []linktrack.Click
		for i := range 40 {
			source := newSource()
			for seq := range i%4 + 1 {
				b := people(made[(i+seq)%3].ID, i%5+1, noon.Add(time.Duration(i)*time.Second+time.Duration(seq)*time.Minute))
				all = append(all, b...)
				appendBatch(t, s, linktrack.Batch{Source: source, Seq: int64(seq + 1), Clicks: b})
			}
		}
		apply(t, s, time.UTC)
		sums := tally(all)
		for _, l := range made {
			requireTally(t, s, l, sums[l.ID])
		}
		apply(t, s, time.UTC)
		for _, l := range made {
			requireTally(t, s, l, sums[l.ID])
		}
	}},
	{"a batch that is sent again is counted once, whether it is applied yet or not", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		source := newSource()
		b := linktrack.Batch{Source: source, Seq: 5, Clicks: people(l.ID, 3, noon)}
		appendBatch(t, s, b)
		appendBatch(t, s, b)
		apply(t, s, time.UTC)
		requireTotal(t, s, l, 3, "it was sent again before it was applied")
		appendBatch(t, s, b)
		apply(t, s, time.UTC)
		requireTotal(t, s, l, 3, "it was sent again after it was applied")
		appendBatch(t, s, linktrack.Batch{Source: source, Seq: 6, Clicks: people(l.ID, 1, noon.Add(time.Second))})
		appendBatch(t, s, b)
		apply(t, s, time.UTC)
		requireTotal(t, s, l, 4, "it was sent again when the next one was appended")
		appendBatch(t, s, b)
		appendBatch(t, s, linktrack.Batch{Source: source, Seq: 4, Clicks: people(l.ID, 10, noon)})
		apply(t, s, time.UTC)
		requireTotal(t, s, l, 4, "a call reached the store late, when a later batch was applied")
	}},
	{"a batch that is sent by many while the log is applied by many is counted once", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		source := newSource()
		const rounds, size = 20, 50
		for round := range rounds {
			b := linktrack.Batch{Source: source, Seq: int64(round + 1), Clicks: people(l.ID, size, noon.Add(time.Duration(round)*time.Second))}
			err := together(8, func(i int) error {
				if i%2 == 0 {
					return again(func() error { return s.AppendClicks(t.Context(), b) })
				}
				return again(func() error { return applyOnce(t.Context(), s) })
			})
			require.NoError(t, err)
		}
		apply(t, s, time.UTC)
		requireTotal(t, s, l, rounds*size, "each batch is counted once")
	}},
	{"when a call returns, all that was appended before is applied, also if another call is under way", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 6)
		err := together(len(made), func(i int) error {
			source := newSource()
			for round := range 20 {
				clicks := people(made[i].ID, 30, noon.Add(time.Duration(round)*time.Second))
				if err := insist(t.Context(), s, linktrack.Batch{Source: source, Seq: int64(round + 1), Clicks: clicks}); err != nil {
					return err
				}
				if err := requireCount(t.Context(), s, made[i], int64(30*(round+1))); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err)
	}},
	{"nothing is quarantined where nothing is wrong", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		send(t, s, people(l.ID, 3, noon)...)
		n, err := s.RequeueClicks(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		apply(t, s, time.UTC)
		requireTotal(t, s, l, 3, "nothing was requeued")
	}},
	{"an alert is made once, however its clicks are applied", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 10))
		source := newSource()
		for i := range 12 {
			appendBatch(t, s, linktrack.Batch{Source: source, Seq: int64(i + 1), Clicks: people(l.ID, 1, noon.Add(time.Duration(i)*time.Second))})
			if i%5 == 0 {
				apply(t, s, time.UTC)
			}
		}
		_, ok := lease(t, s)
		require.True(t, ok, "click 11 is applied")
		apply(t, s, time.UTC)
		_, ok = lease(t, s)
		require.False(t, ok, "the alert is made once")
	}},
}

func requireCount(ctx context.Context, s linktrack.Store, l linktrack.Link, want int64) error {
	found, err := s.LinkByPath(ctx, l.Host, l.Key())
	if err == nil && found.Counts.People != want {
		err = fmt.Errorf("ApplyClicks returned and %s has %d clicks, not %d", l.Path, found.Counts.People, want)
	}
	return err
}
