package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

const buyer = owner + 1 // the account that links are moved to

func move(t *testing.T, s linktrack.Store, id int64, to linktrack.AccountID) linktrack.Link {
	t.Helper()
	return edit(t, s, id, func(l *linktrack.Link) { l.Account = to })
}

var everySort = []linktrack.Sort{
	linktrack.SortExternalURL, linktrack.SortPath, linktrack.SortCreated, linktrack.SortDay,
	linktrack.SortTotal, linktrack.SortLastClick, linktrack.SortTitle, linktrack.SortGroup,
}

var moves = []rule{
	{"a move takes a link with its counts, history and roll-ups to another account", func(t *testing.T, s linktrack.Store) {
		want, stays := create(t, s, listed("sale")), create(t, s, plain("stays"))
		send(t, s, visitor(want.ID, noon), person(want.ID, noon.Add(time.Second)), bot(want.ID, noon.Add(time.Minute)), person(stays.ID, noon))
		require.True(t, convert(t, s, conversion(want, "order")), "it is counted")
		_, err := reserveFor(t.Context(), s, want.ID, 3)
		require.NoError(t, err, "a link that exists can be reserved")
		want, stays = look(t, s, want), look(t, s, stays)
		history, days := recorded(t, s, want.ID), sumsAround(t, s, want)

		want.Account = buyer
		require.Equal(t, want, move(t, s, want.ID, buyer), "UpdateLink returns the link as it was kept")
		require.Equal(t, want, look(t, s, want), "only the account is another")
		require.Equal(t, history, recorded(t, s, want.ID), "the history goes with the link")
		require.Equal(t, days, sumsAround(t, s, want), "the roll-ups go with the link")

		want.Counts.Day, stays.Counts.Day = 2, 1 // which list counts
		for _, sort := range everySort {
			require.Equal(t, []linktrack.Link{want}, list(t, s, linktrack.LinkFilter{Account: buyer, Sort: sort}), "sorted by %s it is the new account's", sort)
			require.Equal(t, []linktrack.Link{stays}, list(t, s, linktrack.LinkFilter{Sort: sort}), "sorted by %s it is no more the old one's", sort)
		}
		name := []linktrack.LinkName{{Host: want.Host, Key: want.Key()}}
		require.Len(t, list(t, s, linktrack.LinkFilter{Account: buyer, Names: name}), 1, "the new account finds it by name")
		require.Empty(t, list(t, s, linktrack.LinkFilter{Names: name}), "the old one does not")
		require.Len(t, list(t, s, linktrack.LinkFilter{Account: buyer, Search: "SALE"}), 1, "the new account finds it by a search")

		send(t, s, person(want.ID, noon.Add(time.Hour)))
		listed := list(t, s, linktrack.LinkFilter{Account: buyer})[0].Counts
		require.EqualValues(t, []int64{3, 3}, []int64{listed.Day, listed.People}, "clicks go on being counted")
	}},
	{"a move keeps what change sets, and not what an update does not change", func(t *testing.T, s linktrack.Store) {
		before := create(t, s, full("sale"))
		got := edit(t, s, before.ID, func(l *linktrack.Link) {
			require.Equal(t, before, *l, "change gets the link as it stands")
			l.ID, l.Account, l.CreatedAt = 4711, buyer, noon.AddDate(-1, 0, 0)
			l.Title, l.Group, l.ExpiresAt, l.AlertAt, l.Counts.Used = "moved", "", time.Time{}, 5, 7
		})
		want := before
		want.Account, want.Group, want.Title, want.ExpiresAt, want.AlertAt = buyer, "", "moved", time.Time{}, 5
		require.Equal(t, want, got, "UpdateLink returns the link as it was kept")
		require.Equal(t, want, look(t, s, want), "UpdateLink keeps what change left")
	}},
	{"groups are not moved, and the new account's are used", func(t *testing.T, s linktrack.Store) {
		theirs := grouped("theirs", "News")
		theirs.Account = buyer
		create(t, s, theirs)
		l := create(t, s, grouped("sale", "NEWS"))
		require.Equal(t, "News", move(t, s, l.ID, buyer).Group, "a group is one of the new account")
		require.Equal(t, "News", look(t, s, l).Group, "a group is one of the new account")
		l = create(t, s, grouped("made", "Own"))
		require.Equal(t, "Own", move(t, s, l.ID, buyer).Group, "a group that the new account does not have is made")
		l = create(t, s, grouped("none", "Left"))
		edit(t, s, l.ID, func(l *linktrack.Link) { l.Account, l.Group = buyer, "" })
		names, err := s.Groups(t.Context(), buyer, 10)
		require.NoError(t, err, "groups can be listed")
		require.Equal(t, []string{"News", "Own"}, names, "a link leaves the group behind that change takes away")
		require.ElementsMatch(t, []string{"theirs", "sale", "made"}, paths(list(t, s, linktrack.LinkFilter{Account: buyer, Groups: []string{"news", "own"}})), "the new account finds its links by their groups")
		names, err = s.Groups(t.Context(), owner, 10)
		require.NoError(t, err, "groups can be listed")
		require.Equal(t, []string{"Left", "NEWS", "Own"}, names, "the old account keeps its groups")
	}},
	{"an error of change is returned and nothing is moved", func(t *testing.T, s linktrack.Store) {
		before := create(t, s, listed("sale"))
		_, err := s.UpdateLink(t.Context(), before.ID, func(l *linktrack.Link) error {
			l.Account, l.Group, l.Title = buyer, "made", "moved"
			return errChange
		})
		require.ErrorIs(t, err, errChange, "change's error comes back")
		require.Equal(t, before, look(t, s, before), "nothing of a refused move is kept")
		require.Empty(t, list(t, s, linktrack.LinkFilter{Account: buyer}), "nothing of a refused move is kept")
		require.Len(t, list(t, s, linktrack.LinkFilter{}), 1, "nothing of a refused move is kept")
	}},
	{"a link can be moved on and back", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		for range 2 {
			move(t, s, l.ID, buyer)
			move(t, s, l.ID, linktrack.AnonymousAccount)
			move(t, s, l.ID, owner)
			require.Equal(t, []linktrack.Link{l}, list(t, s, linktrack.LinkFilter{}), "it is there once")
		}
		require.Empty(t, list(t, s, linktrack.LinkFilter{Account: buyer}), "it is nowhere else")
	}},
	{"an order that was counted stays the old account's", func(t *testing.T, s linktrack.Store) {
		l, stays := create(t, s, plain("sale")), create(t, s, plain("stays"))
		require.True(t, convert(t, s, conversion(l, "order")), "it is counted")
		move(t, s, l.ID, buyer)
		require.False(t, convert(t, s, conversion(stays, "order")), "the old account has counted it")
		require.True(t, convert(t, s, conversion(l, "order")), "the new account has not")
		requireConverted(t, s, look(t, s, l), 2, "both counted on the link")
	}},
	{"of many concurrent callers that move a link from its account, one moves it", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		var moved atomic.Int64
		err := together(16, func(i int) error {
			to := buyer + linktrack.AccountID(i)
			_, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error {
				if l.Account != owner {
					return errChange
				}
				l.Account = to
				return nil
			})
			if err == nil {
				moved.Add(int64(to))
			} else if errors.Is(err, errChange) {
				return nil
			}
			return err
		})
		require.NoError(t, err, "all others see that it was moved")
		require.EqualValues(t, look(t, s, l).Account, moved.Load(), "one account has it")
		require.Len(t, list(t, s, linktrack.LinkFilter{Account: linktrack.AccountID(moved.Load())}), 1, "one account has it")
	}},
}
