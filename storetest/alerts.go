package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// alerting returns a link that alerts its owner when n people have clicked.
func alerting(path string, n int64) linktrack.Link {
	l := plain(path)
	l.AlertAt = n
	return l
}

// later is after all clicks of the checks, and leases made then end at until.
var (
	later = noon.Add(time.Hour)
	until = later.Add(time.Minute)
)

// lease returns the next alert that is due later, or false if none is.
func lease(t *testing.T, s linktrack.Store) (linktrack.PendingAlert, bool) {
	t.Helper()
	a, err := s.LeaseAlert(t.Context(), later, until)
	if errors.Is(err, linktrack.ErrNotFound) {
		return a, false
	}
	require.NoError(t, err, "LeaseAlert returns an alert or ErrNotFound")
	return a, true
}

// requireAlerts leases all alerts that are due, and checks that it is these.
func requireAlerts(t *testing.T, s linktrack.Store, why string, want ...linktrack.AlertID) {
	t.Helper()
	got := []linktrack.AlertID{}
	for a, ok := lease(t, s); ok; a, ok = lease(t, s) {
		got = append(got, a.ID)
	}
	require.ElementsMatch(t, want, got, why)
}

func alertAt(l linktrack.Link, n int64) linktrack.AlertID {
	return linktrack.AlertID{Link: l.ID, Kind: linktrack.AlertAt, Count: n}
}

func usedUp(l linktrack.Link, n int64) linktrack.AlertID {
	return linktrack.AlertID{Link: l.ID, Kind: linktrack.AlertUsedUp, Count: n}
}

var alerts = []rule{
	{"an alert is made when people's clicks reach the number", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 3))
		send(t, s, people(l.ID, 2, noon)...)
		requireAlerts(t, s, "two of three have come")
		send(t, s, person(l.ID, noon.Add(time.Second)))
		a, ok := lease(t, s)
		require.True(t, ok, "the third has come")
		want := linktrack.PendingAlert{ID: alertAt(l, 3), Link: look(t, s, l), Reached: noon.Add(time.Second), Tries: 1}
		require.Equal(t, want, a, "an alert says what was reached, of which link, and when")
		send(t, s, people(l.ID, 10, noon.Add(time.Minute))...)
		requireAlerts(t, s, "a number is reached once")
	}},
	{"an alert is made when a batch passes the number", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 3))
		send(t, s, append(people(l.ID, 7, noon), bot(l.ID, noon.Add(time.Second)))...)
		a, ok := lease(t, s)
		require.True(t, ok, "seven is above three")
		require.Equal(t, alertAt(l, 3), a.ID, "the number is what the owner named")
		require.EqualValues(t, 7, a.Link.Counts.People, "the link is shown as it stands")
		require.WithinRange(t, a.Reached, noon.Add(2*time.Microsecond), noon.Add(time.Second), "Reached is of the third click or a later one of the batch")
	}},
	{"the first click may reach the number", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 1))
		send(t, s, visitor(l.ID, noon))
		requireAlerts(t, s, "one is a number too", alertAt(l, 1))
	}},
	{"a link without a number has no alert", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		send(t, s, people(l.ID, 10, noon)...)
		send(t, s, bot(l.ID, noon), bot(l.ID+1, noon), person(l.ID+1, noon))
		send(t, s)
		requireAlerts(t, s, "0 is off, and a link that does not exist has no owner")
	}},
	{"bots reach no number", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 3))
		send(t, s, people(l.ID, 2, noon)...)
		send(t, s, bot(l.ID, noon), bot(l.ID, noon), bot(l.ID, noon))
		requireAlerts(t, s, "two people have come")
		send(t, s, bot(l.ID, noon), person(l.ID, noon), bot(l.ID, noon))
		requireAlerts(t, s, "the third person has come among bots", alertAt(l, 3))
	}},
	{"a link that is used up has an alert of its own", func(t *testing.T, s linktrack.Store) {
		l := limited("sale", 4)
		l.AlertAt = 2
		l = create(t, s, l)
		send(t, s, people(l.ID, 2, noon)...)
		requireAlerts(t, s, "the second has come", alertAt(l, 2))
		send(t, s, people(l.ID, 2, noon)...)
		requireAlerts(t, s, "the fourth has come", usedUp(l, 4))
		both := limited("both", 5)
		both.AlertAt = 5
		both = create(t, s, both)
		send(t, s, people(both.ID, 9, noon)...)
		requireAlerts(t, s, "one batch may reach both numbers, which may be the same", alertAt(both, 5), usedUp(both, 5))
	}},
	{"a link that is used up by permissions has its alert, whatever is recorded", func(t *testing.T, s linktrack.Store) {
		l := limited("sale", 4)
		l.AlertAt = 4
		l = create(t, s, l)
		requireGrant(t, s, l, 3, 3, "three of four may pass")
		requireAlerts(t, s, "the link is not used up")
		granted, err := s.ReserveClicks(t.Context(), linktrack.Reservation{Link: l.ID, People: 5, Source: newSource(), Seq: 1, Time: noon})
		require.NoError(t, err, "a link that exists can be reserved")
		require.Equal(t, 1, granted, "one place is left")
		a, ok := lease(t, s)
		require.True(t, ok, "the link is used up, and its visitors may never be recorded")
		require.Equal(t, usedUp(l, 4), a.ID, "no click is recorded, so people's clicks have not reached the number of alert_at")
		require.Equal(t, noon, a.Reached, "the time of the reservation")
		require.NoError(t, s.FinishAlert(t.Context(), a.ID), "it is delivered")
		requireGrant(t, s, l, 1, 0, "it is used up")
		send(t, s, people(l.ID, 4, noon)...)
		requireAlerts(t, s, "an alert is made once, and people's clicks reach alert_at now", alertAt(l, 4))
	}},
	{"a link that is used up by clicks and permissions together has its alert", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		send(t, s, people(l.ID, 7, noon)...)
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 10 })
		requireGrant(t, s, l, 3, 3, "seven of ten had passed before there was a limit")
		requireAlerts(t, s, "the link is used up", usedUp(l, 10))
		edit(t, s, l.ID, func(l *linktrack.Link) { l.DeactivateAt = 12 })
		requireGrant(t, s, l, 1, 1, "ten of twelve may not pass any more")
		requireAlerts(t, s, "eleven of twelve have passed")
		requireGrant(t, s, l, 1, 1, "the last one")
		requireAlerts(t, s, "another number, another alert", usedUp(l, 12))
	}},
	{"a batch sent twice alerts once", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 3))
		b := linktrack.Batch{Source: newSource(), Seq: 1, Clicks: people(l.ID, 3, noon)}
		err := together(8, func(int) error { return insist(t.Context(), s, b) })
		require.NoError(t, err, "a batch may be sent by many at once")
		sendBatch(t, s, b)
		requireAlerts(t, s, "a batch is applied once", alertAt(l, 3))
	}},
	{"a number that was reached before it was set makes no alert", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		send(t, s, people(l.ID, 5, noon)...)
		for _, n := range []int64{5, 4, 1} {
			edit(t, s, l.ID, func(l *linktrack.Link) { l.AlertAt, l.DeactivateAt = n, n })
			requireAlerts(t, s, "an edit makes no alert")
			send(t, s, person(l.ID, noon), bot(l.ID, noon))
			requireAlerts(t, s, "nor does a click above the number")
		}
	}},
	{"an edit counts from the next batch on", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 3))
		send(t, s, people(l.ID, 2, noon)...)
		edit(t, s, l.ID, func(l *linktrack.Link) { l.AlertAt = 0 })
		send(t, s, people(l.ID, 2, noon)...)
		requireAlerts(t, s, "it was switched off before it was reached")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.AlertAt = 6 })
		edit(t, s, l.ID, func(l *linktrack.Link) { l.Title = "an edit of something else" })
		send(t, s, person(l.ID, noon))
		requireAlerts(t, s, "five are fewer than six")
		send(t, s, person(l.ID, noon))
		requireAlerts(t, s, "six are not", alertAt(l, 6))
		edit(t, s, l.ID, func(l *linktrack.Link) { l.AlertAt = 7 })
		send(t, s, people(l.ID, 3, noon)...)
		requireAlerts(t, s, "another number is another alert", alertAt(l, 7))
	}},
	{"each link of a large batch alerts for itself", func(t *testing.T, s linktrack.Store) {
		var b []linktrack.Click
		var want []linktrack.AlertID
		for i := range 300 {
			l := alerting(pathOf(i), int64(i%7))
			if i%5 == 0 {
				l.DeactivateAt = int64(i % 11)
			}
			l = create(t, s, l)
			n := i % 6
			b = append(b, people(l.ID, n, noon)...)
			b = append(b, bot(l.ID, noon), bot(l.ID, noon))
			if l.AlertAt > 0 && n >= int(l.AlertAt) {
				want = append(want, alertAt(l, l.AlertAt))
			}
			if l.DeactivateAt > 0 && n >= int(l.DeactivateAt) {
				want = append(want, usedUp(l, l.DeactivateAt))
			}
		}
		require.NotEmpty(t, want)
		send(t, s, b...)
		requireAlerts(t, s, "those that reached their number, and no others", want...)
		send(t, s, b[:len(b)/2]...)
		for {
			a, ok := lease(t, s)
			if !ok {
				break
			}
			require.NotContains(t, want, a.ID, "no number is reached twice")
		}
	}},
	{"many concurrent batches of one link make an alert once", func(t *testing.T, s linktrack.Store) {
		var want []linktrack.AlertID
		made := make([]linktrack.Link, 6)
		for i := range made {
			l := limited(pathOf(i), int64(30*i+1))
			l.AlertAt = int64(25*i + 1)
			made[i] = create(t, s, l)
			want = append(want, alertAt(made[i], l.AlertAt), usedUp(made[i], l.DeactivateAt))
		}
		err := together(8, func(i int) error { // 8 senders, 10 batches, 2 clicks on each link: 160
			source := newSource()
			for seq := range 10 {
				b := linktrack.Batch{Source: source, Seq: int64(seq + 1)}
				for k := range made {
					b.Clicks = append(b.Clicks, people(made[(i+k)%len(made)].ID, 2, noon)...)
				}
				if err := insist(t.Context(), s, b); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err, "all of them get through")
		requireAlerts(t, s, "one of the batches reached each number", want...)
	}},
	{"a lease keeps others away until it ends", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 1))
		send(t, s, person(l.ID, noon))
		_, ok := lease(t, s)
		require.True(t, ok, "an alert that was never leased is due")
		_, err := s.LeaseAlert(t.Context(), until.Add(-time.Microsecond), until.Add(time.Hour))
		require.ErrorIs(t, err, linktrack.ErrNotFound, "the lease still lasts")
		a, err := s.LeaseAlert(t.Context(), until, until.Add(time.Minute))
		require.NoError(t, err, "the lease has ended")
		require.Equal(t, alertAt(l, 1), a.ID, "it is the same alert")
		require.Equal(t, 2, a.Tries, "it was leased twice")
		_, err = s.LeaseAlert(t.Context(), until, until.Add(time.Hour))
		require.ErrorIs(t, err, linktrack.ErrNotFound, "another has it now")
	}},
	{"concurrent callers lease different alerts", func(t *testing.T, s linktrack.Store) {
		var b []linktrack.Click
		for i := range 40 {
			b = append(b, person(create(t, s, alerting(pathOf(i), 1)).ID, noon))
		}
		send(t, s, b...)
		var mu sync.Mutex
		got := map[linktrack.AlertID]int{}
		err := together(8, func(int) error {
			for {
				a, err := s.LeaseAlert(t.Context(), later, until)
				if errors.Is(err, linktrack.ErrNotFound) {
					return nil
				}
				if err != nil {
					return err
				}
				mu.Lock()
				got[a.ID]++
				mu.Unlock()
				if a.Tries != 1 {
					return fmt.Errorf("%v was leased %d times", a.ID, a.Tries)
				}
			}
		})
		require.NoError(t, err, "a caller that finds none gets ErrNotFound, and the others get one")
		require.Len(t, got, 40, "each alert is leased")
		for id, n := range got {
			require.Equal(t, 1, n, "%v is leased by one", id)
		}
	}},
	{"a finished alert is never due again", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 2))
		send(t, s, people(l.ID, 2, noon)...)
		a, ok := lease(t, s)
		require.True(t, ok, "two have come")
		for range 2 {
			require.NoError(t, s.FinishAlert(t.Context(), a.ID), "an alert may be finished twice")
		}
		require.NoError(t, s.PostponeAlert(t.Context(), a.ID, noon), "a slow caller may not know that it is finished")
		_, err := s.LeaseAlert(t.Context(), until.AddDate(100, 0, 0), until.AddDate(200, 0, 0))
		require.ErrorIs(t, err, linktrack.ErrNotFound, "it is finished, whatever comes after")
		edit(t, s, l.ID, func(l *linktrack.Link) { l.AlertAt = 9 })
		edit(t, s, l.ID, func(l *linktrack.Link) { l.AlertAt = 2 })
		send(t, s, people(l.ID, 9, noon)...)
		requireAlerts(t, s, "an alert is made once, forever")
	}},
	{"an alert may be finished after its lease ended", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 1))
		send(t, s, person(l.ID, noon))
		a, ok := lease(t, s)
		require.True(t, ok, "one has come")
		_, err := s.LeaseAlert(t.Context(), until, until.Add(time.Minute))
		require.NoError(t, err, "another caller has it now")
		require.NoError(t, s.FinishAlert(t.Context(), a.ID), "but the first has delivered it")
		_, err = s.LeaseAlert(t.Context(), until.AddDate(1, 0, 0), until.AddDate(2, 0, 0))
		require.ErrorIs(t, err, linktrack.ErrNotFound, "it is finished")
	}},
	{"a postponed alert is due when its time has come", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 1))
		send(t, s, person(l.ID, noon))
		a, ok := lease(t, s)
		require.True(t, ok, "one has come")
		next := until.Add(time.Hour)
		require.NoError(t, s.PostponeAlert(t.Context(), a.ID, next), "a leased alert may be postponed beyond its lease")
		_, err := s.LeaseAlert(t.Context(), next.Add(-time.Microsecond), next.Add(time.Minute))
		require.ErrorIs(t, err, linktrack.ErrNotFound, "its time has not come")
		_, err = s.LeaseAlert(t.Context(), next, next.Add(time.Minute))
		require.NoError(t, err, "its time has come")
		require.NoError(t, s.PostponeAlert(t.Context(), a.ID, noon), "or to a time within its lease")
		a, ok = lease(t, s)
		require.True(t, ok, "its time has come again")
		require.Equal(t, 3, a.Tries, "each lease is a try")
	}},
	{"an alert that was never leased comes first, then the one that is due longest", func(t *testing.T, s linktrack.Store) {
		made := make([]linktrack.Link, 4)
		for i := range made {
			made[i] = create(t, s, alerting(pathOf(i), 1))
		}
		send(t, s, person(made[0].ID, noon), person(made[1].ID, noon), person(made[2].ID, noon))
		for range 3 {
			_, ok := lease(t, s)
			require.True(t, ok, "three alerts are due")
		}
		for i, minute := range []int{-1, -3, -2} {
			require.NoError(t, s.PostponeAlert(t.Context(), alertAt(made[i], 1), later.Add(time.Duration(minute)*time.Minute)), "a leased alert may be postponed")
		}
		send(t, s, person(made[3].ID, noon.Add(time.Second)))
		var got []int64
		for a, ok := lease(t, s); ok; a, ok = lease(t, s) {
			got = append(got, a.ID.Link)
		}
		require.Equal(t, []int64{made[3].ID, made[1].ID, made[2].ID, made[0].ID}, got, "an alert that fails keeps no new one waiting")
	}},
	{"an alert shows the link as it stands", func(t *testing.T, s linktrack.Store) {
		l := alerting("sale", 1)
		l.HasAlertEmail, l.Title, l.PasswordHash = true, odd, []byte{0, 1}
		l = create(t, s, l)
		send(t, s, visitor(l.ID, noon))
		edit(t, s, l.ID, func(l *linktrack.Link) { l.Title, l.AlertAt = "edited", 0 })
		send(t, s, person(l.ID, noon.Add(time.Second)), bot(l.ID, noon))
		a, ok := lease(t, s)
		require.True(t, ok, "the number was reached before it was edited")
		require.Equal(t, look(t, s, l), a.Link, "the link is shown as LinkByPath shows it")
		require.Equal(t, alertAt(l, 1), a.ID, "the number is the one that was reached")
		require.Equal(t, noon, a.Reached, "it was reached by the first click")
	}},
	{"what becomes of an alert that does not exist is no error", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 1))
		require.NoError(t, s.FinishAlert(t.Context(), alertAt(l, 1)), "there is nothing to change")
		require.NoError(t, s.PostponeAlert(t.Context(), alertAt(l, 1), noon), "there is nothing to change")
		requireAlerts(t, s, "and nothing is made")
		send(t, s, person(l.ID, noon))
		requireAlerts(t, s, "nor kept from being made", alertAt(l, 1))
	}},
}
