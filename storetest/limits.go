package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func limited(path string, limit int64) linktrack.Link {
	l := plain(path)
	l.DeactivateAt = limit
	return l
}

// reserveFor makes a reservation that is not repeated.
func reserveFor(ctx context.Context, s linktrack.Store, link int64, people int) (granted int, err error) {
	return s.ReserveClicks(ctx, linktrack.Reservation{Link: link, People: people, Source: newSource(), Seq: 1, Time: noon})
}

func requireGrant(t *testing.T, s linktrack.Store, l linktrack.Link, n, want int, why string) {
	t.Helper()
	granted, err := reserveFor(t.Context(), s, l.ID, n)
	require.NoError(t, err, "a link that exists can be reserved, used up or not")
	require.Equal(t, want, granted, why)
}

var limits = []rule{
	{"a link lets through as many people as its limit says", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 5))
		requireGrant(t, s, l, 2, 2, "two of five may pass")
		require.EqualValues(t, 2, look(t, s, l).Counts.Used, "what is granted is kept in Used")
		requireGrant(t, s, l, 2, 2, "four of five may pass")
		requireGrant(t, s, l, 2, 1, "of two that ask for the last place one may pass")
		require.EqualValues(t, 5, look(t, s, l).Counts.Used, "what is granted is kept in Used")
		for _, n := range []int{1, 1, 1000} {
			requireGrant(t, s, l, n, 0, "a link that is used up grants nothing")
		}
		require.EqualValues(t, 5, look(t, s, l).Counts.Used, "what is refused uses nothing")
		require.Zero(t, look(t, s, l).Counts.People, "a reservation is no click")
	}},
	{"the clicks of people who were let through use nothing more", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 10))
		requireGrant(t, s, l, 6, 6, "six of ten may pass")
		send(t, s, people(l.ID, 6, noon)...)
		require.EqualValues(t, 6, look(t, s, l).Counts.Used, "recording a click does not use it again")
		requireGrant(t, s, l, 10, 4, "the limit is not used twice by one person")
		send(t, s, people(l.ID, 4, noon)...)
		requireGrant(t, s, l, 1, 0, "recording frees nothing either")
	}},
	{"places that were granted stay used, recorded or not", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 10))
		requireGrant(t, s, l, 8, 8, "eight of ten may pass")
		send(t, s, people(l.ID, 3, noon)...)
		requireGrant(t, s, l, 10, 2, "eight were let through, though three are recorded")
	}},
	{"recorded clicks of people count where none were reserved", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		send(t, s, people(l.ID, 7, noon)...)
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 10 })
		requireGrant(t, s, l, 5, 3, "seven of ten had passed before there was a limit")
		require.EqualValues(t, 10, look(t, s, l).Counts.Used, "what is granted is added to what was recorded")
		requireGrant(t, s, l, 1, 0, "the link is used up")

		l = create(t, s, plain("over"))
		send(t, s, people(l.ID, 7, noon)...)
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 7 })
		requireGrant(t, s, l, 1, 0, "seven of seven had passed before there was a limit")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 3 })
		requireGrant(t, s, l, 1, 0, "more had passed than the limit allows")
		require.Zero(t, look(t, s, l).Counts.Used, "no permission was granted since there is a limit")
	}},
	{"bots use up nothing", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 2))
		send(t, s, bot(l.ID, noon), bot(l.ID, noon), bot(l.ID, noon))
		requireGrant(t, s, l, 3, 2, "three bots came, and both places are left")
	}},
	{"a limit that is raised lets more through, one that is lowered fewer", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 3))
		requireGrant(t, s, l, 5, 3, "three may pass")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 5 })
		requireGrant(t, s, l, 5, 2, "two more may pass")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 4 })
		requireGrant(t, s, l, 1, 0, "five passed and four is the limit now")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 6 })
		requireGrant(t, s, l, 5, 1, "five passed and six is the limit now")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 0 })
		requireGrant(t, s, l, 1000, 1000, "there is no limit now")
	}},
	{"a link without a limit grants all and keeps no account of it", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		for _, n := range []int{1, 1000, 1 << 30} {
			requireGrant(t, s, l, n, n, "there is no limit")
		}
		require.Zero(t, look(t, s, l).Counts.Used, "Used counts people who were let through a link with a limit")
	}},
	{"a limit may be as large as a number", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 1<<63-1))
		requireGrant(t, s, l, 1<<40, 1<<40, "the limit is far away")
		requireGrant(t, s, l, 1<<40, 1<<40, "the limit is far away")
		require.EqualValues(t, 1<<41, look(t, s, l).Counts.Used, "large sums are exact")
	}},
	{"a link that does not exist is not found", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 1))
		for _, id := range []int64{0, -1, l.ID + 1, 1 << 62} {
			granted, err := reserveFor(t.Context(), s, id, 1)
			require.ErrorIs(t, err, linktrack.ErrNotFound, "there is no link %d", id)
			require.Zero(t, granted, "nothing is granted with an error")
		}
	}},
	{"two hundred callers get exactly the limit", func(t *testing.T, s linktrack.Store) {
		const limit = 500
		l := create(t, s, limited("sale", limit))
		other := create(t, s, limited("other", 1))
		var granted atomic.Int64
		err := together(200, func(i int) error {
			n := 1 + i%7 // 794 in all
			got, err := reserveFor(t.Context(), s, l.ID, n)
			if err == nil && (got < 0 || got > n) {
				err = fmt.Errorf("%d granted of %d asked for", got, n)
			}
			granted.Add(int64(got))
			return err
		})
		require.NoError(t, err, "each caller gets an answer, of at most what it asked for")
		require.EqualValues(t, limit, granted.Load(), "what is granted adds up to the limit, not one more and not one less")
		require.EqualValues(t, limit, look(t, s, l).Counts.Used, "what is granted is kept in Used")
		requireGrant(t, s, other, 5, 1, "another link's limit is its own")

		send(t, s, people(l.ID, limit, noon)...)
		requireGrant(t, s, l, 1, 0, "recording the clicks does not free the places")
	}},
}
