package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// requireTotal checks counters and history of a link that people clicked n
// times.
func requireTotal(t *testing.T, s linktrack.Store, l linktrack.Link, n int, why string) {
	t.Helper()
	require.EqualValues(t, n, look(t, s, l).Counts.People, "Total: %s", why)
	require.EqualValues(t, n, dayCount(t, s, l, noon.AddDate(0, 0, -2)), "hourly sums: %s", why)
	require.Len(t, recorded(t, s, l.ID), n, "history: %s", why)
}

var batches = []rule{
	{"a batch sent twice counts once", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		b := linktrack.Batch{Source: newSource(), Seq: 1, Clicks: people(l.ID, 3, noon)}
		for range 3 {
			sendBatch(t, s, b)
			requireTotal(t, s, l, 3, "a batch is applied once, however often it is sent, and sending it again is no error")
		}
	}},
	{"a batch sent by many at once counts once", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		source := newSource()
		const size = 500 // so that a batch takes its time
		for seq := range 5 {
			b := linktrack.Batch{Source: source, Seq: int64(seq + 1), Clicks: people(l.ID, size, noon.Add(time.Duration(seq)*time.Second))}
			total := int64(size * (seq + 1))
			err := together(16, func(int) error {
				if err := insist(t.Context(), s, b); err != nil {
					return err
				}
				found, err := s.LinkByPath(t.Context(), l.Host, l.Key())
				if err == nil && found.Counts.People != total {
					err = fmt.Errorf("the batch is acknowledged and Total is %d, not %d", found.Counts.People, total)
				}
				return err
			})
			require.NoError(t, err, "after a call has returned nil, the batch is applied")
		}
		requireTotal(t, s, l, 5*size, "a batch is applied once, also when it is sent concurrently")
	}},
	{"a batch whose Seq is not above the highest is ignored", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		source := newSource()
		sendBatch(t, s, linktrack.Batch{Source: source, Seq: 7, Clicks: people(l.ID, 1, noon)})
		for _, seq := range []int64{1, 6, 7} {
			sendBatch(t, s, linktrack.Batch{Source: source, Seq: seq, Clicks: people(l.ID, 10, noon)})
			requireTotal(t, s, l, 1, "a Seq of 7 or less was applied before")
		}
		sendBatch(t, s, linktrack.Batch{Source: source, Seq: 8, Clicks: people(l.ID, 1, noon)})
		requireTotal(t, s, l, 2, "the next Seq is applied")
		sendBatch(t, s, linktrack.Batch{Source: source, Seq: 1 << 40, Clicks: people(l.ID, 1, noon)})
		requireTotal(t, s, l, 3, "a Seq may be large, and above the highest by more than one")
		sendBatch(t, s, linktrack.Batch{Source: source, Seq: 9, Clicks: people(l.ID, 1, noon)})
		requireTotal(t, s, l, 3, "a Seq that was passed over was applied before")
	}},
	{"sources do not know each other's Seq", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		one, two := newSource(), newSource()
		two[0] = one[0]
		near := one
		near[15] ^= 0x20 // as letters differ in case
		for i, source := range []linktrack.Source{one, two, near, {}} {
			sendBatch(t, s, linktrack.Batch{Source: source, Seq: int64(10 - i), Clicks: people(l.ID, 1, noon.Add(time.Duration(i)))})
			requireTotal(t, s, l, i+1, "another source's batch is applied, though its Seq is lower")
		}
	}},
	{"an empty batch keeps its Seq", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		source := newSource()
		sendBatch(t, s, linktrack.Batch{Source: source, Seq: 3})
		sendBatch(t, s, linktrack.Batch{Source: source, Seq: 3, Clicks: people(l.ID, 1, noon)})
		requireTotal(t, s, l, 0, "the Seq of an empty batch was kept")
		sendBatch(t, s, linktrack.Batch{Source: source, Seq: 4, Clicks: people(l.ID, 1, noon)})
		requireTotal(t, s, l, 1, "the Seq after an empty batch is applied")
		sendBatch(t, s, linktrack.Batch{Source: source, Seq: 5, Clicks: []linktrack.Click{}})
		sendBatch(t, s, linktrack.Batch{Source: source, Seq: 5, Clicks: people(l.ID, 1, noon)})
		requireTotal(t, s, l, 1, "the Seq of an empty batch was kept")
	}},
	{"a batch may have the same link many times", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		var b []linktrack.Click
		for i := range 3000 {
			at := noon.Add(time.Duration(i*7919%3000) * time.Microsecond)
			b = append(b, visitor(l.ID, at), person(l.ID, at), bot(l.ID, at))
		}
		send(t, s, b...)
		want := linktrack.Counts{People: 6000, Unique: 3000, Bots: 3000, LastClick: noon.Add(2999 * time.Microsecond)}
		require.Equal(t, want, look(t, s, l).Counts, "every click of the batch counts")
		require.EqualValues(t, 6000, dayCount(t, s, l, noon), "every person of the batch is in the hourly sums")
		require.Equal(t, inOrder(b), recorded(t, s, l.ID), "every click of the batch is in the history, in the order of ids")
	}},
	{"a batch may be larger than a statement", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 300)
		var b []linktrack.Click
		for i := range 12_000 {
			l := made[i*7%len(made)]
			at := noon.Add(-time.Duration(i%30) * time.Hour).Add(time.Duration(i) * time.Microsecond)
			switch i % 4 {
			case 0:
				b = append(b, visitor(l.ID, at))
			case 1:
				b = append(b, bot(l.ID, at))
			default:
				b = append(b, person(l.ID, at))
			}
		}
		batch := linktrack.Batch{Source: newSource(), Seq: 1, Clicks: b}
		sendBatch(t, s, batch)
		sendBatch(t, s, batch)
		tallies := tally(b)
		for _, l := range made {
			requireTally(t, s, l, tallies[l.ID])
		}
	}},
	{"what the caller does with its batch later is not seen", func(t *testing.T, s linktrack.Store) {
		l, other := create(t, s, plain("sale")), create(t, s, plain("other"))
		b := people(l.ID, 2, noon)
		want := inOrder(b)
		send(t, s, b...)
		for i := range b {
			b[i] = bot(other.ID, noon)
		}
		require.Equal(t, want, recorded(t, s, l.ID), "the clicks kept are the store's own")
		recorded(t, s, l.ID)[0].Bot = true
		require.Equal(t, want, recorded(t, s, l.ID), "the clicks returned are the caller's own")
	}},
}
