package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// purge deletes a link and purges it. Its path is free then.
func purge(t *testing.T, s linktrack.Store, l linktrack.Link) {
	t.Helper()
	remove(t, s, l)
	require.NoError(t, s.PurgeLink(t.Context(), l.ID, true), "a deleted link is purged")
}

// renamed returns a link that has the path third, and had first and second.
func renamed(t *testing.T, s linktrack.Store) linktrack.Link {
	t.Helper()
	l := create(t, s, plain("first"))
	for _, path := range []string{"second", "third"} {
		var err error
		l, err = rename(s, t, l.ID, host, path)
		require.NoError(t, err)
	}
	return l
}

func deletedBefore(t *testing.T, s linktrack.Store, before time.Time, limit int) []int64 {
	t.Helper()
	ids, err := s.DeletedLinks(t.Context(), before, limit)
	require.NoError(t, err, "deleted links can be listed at any time")
	return ids
}

// requireWhole checks that what a link counts is what its history has, in all sums.
func requireWhole(t *testing.T, s linktrack.Store, l linktrack.Link) {
	t.Helper()
	counts := look(t, s, l).Counts
	var people, bots int64
	for _, k := range recorded(t, s, l.ID) {
		if k.Bot {
			bots++
		} else {
			people++
		}
	}
	require.Equal(t, []int64{people, bots}, []int64{counts.People, counts.Bots}, "the counts of link %d are its history", l.ID)
	for _, r := range sumsOf(t, s, linktrack.RollupOf{Link: l.ID}) {
		people, bots = people-r.People, bots-r.Bots
	}
	require.Equal(t, []int64{0, 0}, []int64{people, bots}, "the roll-ups of link %d are its history", l.ID)
}

var purges = []rule{
	{"deleted links of all accounts are listed in the order of their deletion", func(t *testing.T, s linktrack.Store) {
		require.Empty(t, deletedBefore(t, s, noon.AddDate(1, 0, 0), 10))
		var made []linktrack.Link
		for i := range 6 {
			l := plain(pathOf(i))
			l.Account += linktrack.AccountID(i % 2)
			made = append(made, create(t, s, l))
		}
		for i, after := range []time.Duration{3, 1, 2, 1, 0, 5} { // hours
			edit(t, s, made[i].ID, func(l *linktrack.Link) { l.DeletedAt = noon.Add(after * time.Hour) })
		}
		restore(t, s, made[4])
		purge(t, s, made[5])
		want := []int64{made[1].ID, made[3].ID, made[2].ID, made[0].ID}
		require.Equal(t, want, deletedBefore(t, s, noon.AddDate(1, 0, 0), 10))
		require.Equal(t, want[:3], deletedBefore(t, s, noon.AddDate(1, 0, 0), 3), "at most limit")
		require.Equal(t, want[:3], deletedBefore(t, s, noon.Add(3*time.Hour), 10), "only those that were deleted before the time")
		require.Equal(t, want, deletedBefore(t, s, noon.Add(3*time.Hour+time.Microsecond), 10))
		require.Empty(t, deletedBefore(t, s, time.Time{}, 10))
	}},
	{"only a deleted link is purged, and only once", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		refused := func(id int64, why string) {
			t.Helper()
			require.ErrorIs(t, s.PurgeLink(t.Context(), id, true), linktrack.ErrNotFound, why)
		}
		refused(l.ID, "it is not deleted")
		refused(l.ID+1, "there is no such link")
		remove(t, s, l)
		refused(restore(t, s, l).ID, "it was restored")
		require.Equal(t, l, look(t, s, l), "a refused purge changes nothing")
		purge(t, s, l)
		refused(l.ID, "it was purged before")
	}},
	{"a purged link is gone with all that it had", func(t *testing.T, s linktrack.Store) {
		l := full("sale")
		l.AlertAt, l.DeactivateAt, l.ExternalID, l.Tags = 1, 4, "42", []string{"Red", "Blue"}
		l = create(t, s, l)
		stays := create(t, s, listed("stays"))
		sent := people(l.ID, 4, noon)
		send(t, s, append(sent, person(stays.ID, noon), bot(l.ID, noon))...)
		require.True(t, convert(t, s, conversion(l, "order")))
		requireGrant(t, s, stays, 1, 1, "others may pass")
		stays = look(t, s, stays)
		purge(t, s, l)

		apply(t, s, time.UTC)
		_, err := s.LinkByPath(t.Context(), l.Host, l.Key())
		require.ErrorIs(t, err, linktrack.ErrNotFound, "LinkByPath")
		found, err := s.LinksByPath(t.Context(), []linktrack.LinkName{{Host: l.Host, Key: l.Key()}})
		require.NoError(t, err)
		require.Empty(t, found, "LinksByPath")
		for _, sort := range everySort {
			require.Empty(t, list(t, s, linktrack.LinkFilter{Sort: sort, Deleted: true}), "sorted by %s", sort)
			require.Len(t, list(t, s, linktrack.LinkFilter{Sort: sort}), 1, "sorted by %s", sort)
		}
		require.Empty(t, list(t, s, linktrack.LinkFilter{Deleted: true, Tags: []string{"red"}}), "by a tag")
		requireCounted(t, s, owner)
		require.Empty(t, recorded(t, s, l.ID), "Clicks")
		require.Empty(t, sumsOf(t, s, linktrack.RollupOf{Link: l.ID}), "Rollups")
		_, err = s.LinkByClick(t.Context(), linktrack.ClickRef{Link: l.ID, ID: sent[0].ID})
		require.ErrorIs(t, err, linktrack.ErrNotFound, "LinkByClick")
		_, err = reserveFor(t.Context(), s, l.ID, 1)
		require.ErrorIs(t, err, linktrack.ErrNotFound, "ReserveClicks")
		_, err = s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.DeletedAt = time.Time{}; return nil })
		require.ErrorIs(t, err, linktrack.ErrNotFound, "UpdateLink")
		requireAlerts(t, s, "its alerts are gone")
		require.NoError(t, s.FinishAlert(t.Context(), alertAt(l, 1)))
		require.NoError(t, s.PostponeAlert(t.Context(), alertAt(l, 1), later))
		requireAlerts(t, s, "its alerts are gone")

		require.Equal(t, stays, look(t, s, stays), "other links stay as they were")
		requireWhole(t, s, stays)
		require.True(t, convert(t, s, conversion(stays, "order")), "the order can be reported again")
		again := external("SALE", "42")
		require.Greater(t, create(t, s, again).ID, stays.ID, "path and external id are free, and the ID is another one")
	}},
	{"an alert is made for each link after others were purged", func(t *testing.T, s linktrack.Store) {
		var made []linktrack.Link
		for i := range 4 {
			made = append(made, create(t, s, alerting(pathOf(i), 1)))
		}
		for _, l := range made[:3] {
			send(t, s, person(l.ID, noon))
		}
		purge(t, s, made[0])
		send(t, s, person(made[3].ID, noon))
		requireAlerts(t, s, "those of the links that are there", alertAt(made[1], 1), alertAt(made[2], 1), alertAt(made[3], 1))
		require.NoError(t, s.FinishAlert(t.Context(), alertAt(made[2], 1)))
		a, err := s.LeaseAlert(t.Context(), until, until.Add(time.Hour))
		require.NoError(t, err)
		require.Contains(t, []linktrack.AlertID{alertAt(made[1], 1), alertAt(made[3], 1)}, a.ID)
	}},
	{"the paths of a purged link are reserved for its account", func(t *testing.T, s linktrack.Store) {
		gone, stays := renamed(t, s), create(t, s, plain("stays"))
		foreign := plain("foreign")
		foreign.Account = buyer
		foreign = create(t, s, foreign)
		remove(t, s, gone)
		require.NoError(t, s.PurgeLink(t.Context(), gone.ID, false))
		for _, path := range []string{"FIRST", "Second", "third"} {
			_, err := s.LinkByPath(t.Context(), host, strings.ToLower(path))
			require.ErrorIs(t, err, linktrack.ErrNotFound, "it leads nowhere")
			require.Empty(t, lookUp(t, s, named(strings.ToLower(path))), "it leads nowhere")
			require.Empty(t, list(t, s, linktrack.LinkFilter{Names: []linktrack.LinkName{{Key: strings.ToLower(path)}}}), "it leads nowhere")
			theirs := plain(path)
			theirs.Account = buyer
			_, err = s.CreateLinks(t.Context(), []linktrack.Link{theirs})
			require.ErrorIs(t, err, linktrack.ErrTaken, path)
			_, err = rename(s, t, foreign.ID, host, path)
			require.ErrorIs(t, err, linktrack.ErrTaken, path)
		}
		requireFormer(t, s, gone.ID)
		require.NoError(t, s.ReleasePaths(t.Context(), gone.ID, []linktrack.LinkName{named("first")}), "the link has none")
		require.NoError(t, s.ReleasePaths(t.Context(), 0, []linktrack.LinkName{named("first")}), "there is no such link")
		theirs := plain("first")
		theirs.Account = buyer
		_, err := createOne(t.Context(), s, theirs)
		require.ErrorIs(t, err, linktrack.ErrTaken, "it is still reserved")

		again := create(t, s, plain("first"))
		_, err = rename(s, t, stays.ID, host, "third")
		require.NoError(t, err, "a link of the account gets a reserved path")
		require.Equal(t, again, look(t, s, again))
		require.Equal(t, stays.ID, look(t, s, plain("third")).ID)
		purge(t, s, again)
		require.NotZero(t, create(t, s, theirs).ID, "what a link got is not reserved any more")
	}},
	{"the paths of a purged link are free if they are to be", func(t *testing.T, s linktrack.Store) {
		purge(t, s, renamed(t, s))
		for _, path := range []string{"first", "second", "third"} {
			theirs := plain(path)
			theirs.Account = buyer
			create(t, s, theirs)
		}
	}},
	{"paths are reserved for the account that the link had last", func(t *testing.T, s linktrack.Store) {
		l := renamed(t, s)
		move(t, s, l.ID, buyer)
		remove(t, s, l)
		require.NoError(t, s.PurgeLink(t.Context(), l.ID, false))
		for _, path := range []string{"first", "second", "third"} {
			_, err := createOne(t.Context(), s, plain(path))
			require.ErrorIs(t, err, linktrack.ErrTaken, path)
			theirs := plain(path)
			theirs.Account = buyer
			create(t, s, theirs)
		}
		if lister, ok := s.(linktrack.HostLister); ok {
			l := plain("elsewhere")
			l.Host = "other.example.com"
			l = remove(t, s, create(t, s, l))
			require.NoError(t, s.PurgeLink(t.Context(), l.ID, false))
			hosts, err := lister.LinkHosts(t.Context(), 10)
			require.NoError(t, err)
			require.Equal(t, []string{host}, hosts, "no link is on the host of a reserved path")
		}
	}},
	{"what a purged link has counted stays in the sums of its account, group and tags", func(t *testing.T, s linktrack.Store) {
		l := summed(t, s, "a", "News", "Red")
		send(t, s, append(people(l.ID, 3, noon), bot(l.ID, noon))...)
		require.True(t, convert(t, s, conversion(l, "order")))
		apply(t, s, time.UTC)
		of := []linktrack.RollupOf{{Account: owner}, {Account: owner, Group: "News"}, {Account: owner, Tag: "Red"}}
		want := sumsOf(t, s, linktrack.RollupOf{Link: l.ID})
		purge(t, s, l)
		apply(t, s, time.UTC)
		for _, of := range of {
			require.Equal(t, want, sumsOf(t, s, of), "%+v", of)
		}
	}},
	{"clicks and conversions of a purged link are ignored", func(t *testing.T, s linktrack.Store) {
		l, stays := summed(t, s, "a", "News", "Red"), summed(t, s, "b", "News", "Red")
		before := linktrack.Batch{Source: newSource(), Seq: 1, Clicks: append(people(l.ID, 3, noon), people(stays.ID, 2, noon)...)}
		appendBatch(t, s, before)
		require.True(t, convert(t, s, conversion(l, "order")))
		purge(t, s, l)
		apply(t, s, time.UTC)
		send(t, s, append(people(l.ID, 5, noon), people(stays.ID, 2, noon)...)...)
		_, err := s.RecordConversion(t.Context(), conversion(l, ""), time.UTC)
		require.ErrorIs(t, err, linktrack.ErrNotFound, "there is no such link")

		require.Empty(t, recorded(t, s, l.ID), "no click comes into the history")
		require.Empty(t, sumsOf(t, s, linktrack.RollupOf{Link: l.ID}), "nothing comes into the roll-ups")
		requireTotal(t, s, stays, 4, "other clicks of these batches count")
		requireWhole(t, s, stays)
		for _, of := range []linktrack.RollupOf{{Account: owner}, {Account: owner, Group: "News"}, {Account: owner, Tag: "Red"}} {
			require.EqualValues(t, 4, sumsOf(t, s, of)[0].People, "%+v", of)
		}
		requireAlerts(t, s, "there are none")
	}},
	{"a link with many clicks, hours and days is purged, and no other", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 3)
		for _, l := range made {
			var clicks []linktrack.Click
			for i := range 2500 {
				clicks = append(clicks, person(l.ID, noon.Add(time.Duration(i)*time.Hour)))
			}
			send(t, s, clicks...)
		}
		purge(t, s, made[1])
		require.Empty(t, recorded(t, s, made[1].ID))
		require.Empty(t, sumsOf(t, s, linktrack.RollupOf{Link: made[1].ID}))
		for _, l := range []linktrack.Link{made[0], made[2]} {
			requireWhole(t, s, l)
			requireTotal(t, s, l, 2500, "it was not purged")
			require.EqualValues(t, 2500, dayCount(t, s, l, noon.Add(-time.Hour)))
		}
	}},
	{"links are purged while all else goes on", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 9)
		for _, l := range made {
			send(t, s, people(l.ID, 200, noon)...)
		}
		for _, l := range made[:6] {
			remove(t, s, l)
		}
		var purged [6]atomic.Int32
		err := together(9, func(i int) error {
			if i < 3 { // each link is purged by three callers
				for n := range 6 {
					n = (n + 3*i) % 6
					switch err := s.PurgeLink(t.Context(), made[n].ID, true); {
					case err == nil:
						purged[n].Add(1)
					case !errors.Is(err, linktrack.ErrNotFound):
						return fmt.Errorf("purge: %w", err)
					}
				}
				return nil
			}
			source := newSource()
			for seq := range int64(8) {
				b := linktrack.Batch{Source: source, Seq: seq + 1}
				for _, l := range made {
					b.Clicks = append(b.Clicks, people(l.ID, 4, noon.Add(time.Duration(i)*time.Hour))...)
				}
				if err := insist(t.Context(), s, b); err != nil {
					return fmt.Errorf("click: %w", err)
				}
				for _, l := range made {
					c := conversion(l, fmt.Sprint(i, "-", l.ID, "-", seq%3))
					c.Trusted = seq%2 == 0
					_, err := s.RecordConversion(t.Context(), c, time.UTC)
					if err != nil && !errors.Is(err, linktrack.ErrNotFound) {
						return fmt.Errorf("convert: %w", err)
					}
					_, err = s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.AlertAt++; return nil })
					if err != nil && !errors.Is(err, linktrack.ErrNotFound) {
						return fmt.Errorf("edit: %w", err)
					}
				}
			}
			return nil
		})
		require.NoError(t, err, "no call fails because of others")
		apply(t, s, time.UTC)
		for n := range purged {
			require.EqualValues(t, 1, purged[n].Load(), "of several calls for a link, one purges it")
			require.Empty(t, recorded(t, s, made[n].ID))
			require.Empty(t, sumsOf(t, s, linktrack.RollupOf{Link: made[n].ID}))
		}
		for _, l := range made[6:] {
			requireTotal(t, s, l, 200+6*8*4, "no click of it is lost")
			requireWhole(t, s, l)
		}
		require.EqualValues(t, 6*3, look(t, s, made[8]).Counts.Conversions, "no conversion is lost")
		requireCounted(t, s, owner)
		require.Len(t, list(t, s, linktrack.LinkFilter{}), 3)
	}},
}
