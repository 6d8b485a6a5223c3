package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// A ticket makes reservations of one source.
type ticket struct {
	source linktrack.Source
	seq    int64
}

func (k ticket) requireGrant(t *testing.T, s linktrack.Store, l linktrack.Link, people, want int, why string) {
	t.Helper()
	granted, err := s.ReserveClicks(t.Context(), linktrack.Reservation{Link: l.ID, People: people, Source: k.source, Seq: k.seq, Time: noon})
	require.NoError(t, err, "a link that exists can be reserved, again or not")
	require.Equal(t, want, granted, why)
}

func (k ticket) next() ticket { return ticket{k.source, k.seq + 1} }

func requireUsed(t *testing.T, s linktrack.Store, l linktrack.Link, want int, why string) {
	t.Helper()
	require.EqualValues(t, want, look(t, s, l).Counts.Used, why)
}

var reservations = []rule{
	{"a reservation that is repeated has the same answer and takes nothing", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 10))
		first := ticket{newSource(), 1}
		for _, people := range []int{3, 3, 1, 100} {
			first.requireGrant(t, s, l, people, 3, "three were granted for it the first time")
			requireUsed(t, s, l, 3, "what is repeated is taken once")
		}
		second := first.next()
		for range 2 {
			second.requireGrant(t, s, l, 4, 4, "another reservation of the source")
			requireUsed(t, s, l, 7, "it takes its own")
		}
		send(t, s, people(l.ID, 7, noon)...)
		second.requireGrant(t, s, l, 4, 4, "recording clicks changes no answer")
		requireUsed(t, s, l, 7, "nor takes anything")
	}},
	{"the last places are granted again to the reservation that got them", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 5))
		requireGrant(t, s, l, 3, 3, "three of five")
		lost := ticket{newSource(), 8}
		for range 3 {
			lost.requireGrant(t, s, l, 4, 2, "two were left for it, and they still are")
			requireGrant(t, s, l, 1, 0, "nothing is left for others")
		}
		requireUsed(t, s, l, 5, "all are used")
		requireAlerts(t, s, "the link is used up, once", usedUp(l, 5))
	}},
	{"a reservation that took nothing is a new one when it is repeated", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 2))
		requireGrant(t, s, l, 2, 2, "two of two")
		k := ticket{newSource(), 1}
		k.requireGrant(t, s, l, 1, 0, "the link is used up")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 5 })
		k.requireGrant(t, s, l, 1, 1, "there is room now")
		k.requireGrant(t, s, l, 2, 1, "now it has taken one")
	}},
	{"sources do not share their numbers", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 100))
		var all []ticket
		for range 20 {
			all = append(all, ticket{newSource(), 1})
		}
		for round := range 2 {
			for i, k := range all {
				k.requireGrant(t, s, l, 1+i%3, 1+i%3, "the first reservation of each source is its own")
			}
			requireUsed(t, s, l, 39, fmt.Sprint("round ", round))
		}
	}},
	{"a number of one link says nothing about another link", func(t *testing.T, s linktrack.Store) {
		l, other := create(t, s, limited("sale", 10)), create(t, s, limited("other", 10))
		k := ticket{newSource(), 5}
		k.requireGrant(t, s, l, 4, 4, "four of ten")
		k.requireGrant(t, s, other, 2, 2, "the same number for another link")
		ticket{k.source, 3}.requireGrant(t, s, create(t, s, limited("third", 10)), 1, 1, "a lower number for another link")
		k.requireGrant(t, s, l, 1, 4, "the first link's answer is kept")
		k.requireGrant(t, s, other, 1, 2, "and the other link's")
		requireUsed(t, s, other, 2, "each link has its own")
	}},
	{"a reservation that arrives after a later one takes nothing", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 10))
		k := ticket{newSource(), 5}
		k.requireGrant(t, s, l, 2, 2, "two of ten")
		for _, seq := range []int64{4, 1} {
			ticket{k.source, seq}.requireGrant(t, s, l, 3, 0, "nobody waits for its answer any more")
		}
		requireUsed(t, s, l, 2, "it takes nothing")
		k.requireGrant(t, s, l, 2, 2, "and changes no answer")
	}},
	{"what was granted without an answer is held to the limit that there is now", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 10))
		requireGrant(t, s, l, 3, 3, "three of ten")
		k := ticket{newSource(), 1}
		k.requireGrant(t, s, l, 4, 4, "seven of ten")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 5 })
		k.requireGrant(t, s, l, 4, 2, "three of five have passed, so two of the four may")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 2 })
		k.requireGrant(t, s, l, 4, 0, "more have passed than two")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 8 })
		k.requireGrant(t, s, l, 4, 4, "all four may pass again")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 0 })
		k.requireGrant(t, s, l, 9, 9, "there is no limit now")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt, l.DeletedAt = 8, noon })
		k.requireGrant(t, s, l, 4, 0, "the link is deleted now")
		requireUsed(t, s, l, 7, "nothing was taken by any of them")
	}},
	{"what is no reservation is an error", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 10))
		for _, r := range []linktrack.Reservation{{People: 0, Seq: 1}, {People: -1, Seq: 1}, {People: 1, Seq: 0}} {
			r.Link, r.Source, r.Time = l.ID, newSource(), noon
			_, err := s.ReserveClicks(t.Context(), r)
			require.Error(t, err, "People and Seq begin at 1")
			require.NotErrorIs(t, err, linktrack.ErrNotFound, "there is such a link")
		}
		requireUsed(t, s, l, 0, "nothing is taken")
	}},
	{"a reservation repeated by many at once is taken once", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 1000))
		sources := make([]linktrack.Source, 10)
		for i := range sources {
			sources[i] = newSource()
		}
		for seq := range int64(2) { // the first one of a source may be kept in another way than the next
			var wrong atomic.Int64
			err := together(50, func(i int) error {
				granted, err := s.ReserveClicks(t.Context(), linktrack.Reservation{
					Link: l.ID, People: 1 + i%10, Source: sources[i%10], Seq: 1 + seq, Time: noon.Add(time.Second),
				})
				if granted != 1+i%10 {
					wrong.Add(1)
				}
				return err
			})
			require.NoError(t, err, "each caller gets an answer")
			require.Zero(t, wrong.Load(), "all callers of a source get the same one")
			requireUsed(t, s, l, 55*int(1+seq), "ten sources took 1 to 10")
		}
	}},
}
