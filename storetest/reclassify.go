package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// verdict returns a verdict that a click is a bot's, or a person's.
func verdict(k linktrack.Click, isBot bool) linktrack.Verdict {
	v := linktrack.Verdict{
		Click: linktrack.ClickRef{Link: k.Link, ID: k.ID}, Bot: isBot,
		Class: linktrack.ClickClassPerson, Reason: linktrack.ClickReasonHost,
	}
	if isBot {
		v.Class, v.Reason = linktrack.ClickClassScanner, linktrack.ClickReasonBurst
	}
	return v
}

func verdicts(clicks []linktrack.Click, isBot bool) []linktrack.Verdict {
	all := make([]linktrack.Verdict, len(clicks))
	for i := range clicks {
		all[i] = verdict(clicks[i], isBot)
	}
	return all
}

// reclassifier skips a rule for a store that does not have this ability.
func reclassifier(t *testing.T, s linktrack.Store) linktrack.ClickReclassifier {
	t.Helper()
	r, ok := s.(linktrack.ClickReclassifier)
	if !ok {
		t.Skip("the store is no ClickReclassifier")
	}
	return r
}

func reclassify(t *testing.T, s linktrack.Store, wantChanged int, verdicts ...linktrack.Verdict) {
	t.Helper()
	changed, err := reclassifier(t, s).ReclassifyClicks(t.Context(), verdicts, time.UTC)
	require.NoError(t, err, "clicks can be re-classified at any time")
	require.Equal(t, wantChanged, changed, "the number of clicks that were changed is returned")
}

// requireAgreement checks that the counts, hours, and days of a link are what its history
// adds up to, and returns the history.
func requireAgreement(t *testing.T, s linktrack.Store, l linktrack.Link) []linktrack.Click {
	t.Helper()
	clicks := recorded(t, s, l.ID)
	want := tally(clicks)[l.ID]
	requireTally(t, s, l, want)
	require.Equal(t, rollUp(clicks, time.UTC), everyRollup(t, s, l.ID), "the days of %s are the clicks in its history", l.Path)
	return clicks
}

// reclassifications are the rules for a linktrack.ClickReclassifier.
var reclassifications = []rule{
	{"a re-classified click moves between people and bots in all sums", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		clicks := []linktrack.Click{visitor(l.ID, noon), person(l.ID, noon.Add(-2*time.Hour)), bot(l.ID, noon.Add(-30*time.Hour)), person(l.ID, noon.Add(time.Second))}
		clicks[0].ReferrerHost, clicks[1].ReferrerHost, clicks[2].Country = "a.example", "b.example", "DE"
		send(t, s, clicks...)
		newest := look(t, s, l).Counts.LastClick

		reclassify(t, s, 2, verdict(clicks[0], true), verdict(clicks[2], false))
		got := requireAgreement(t, s, l)
		want := inOrder(clicks)
		want[0].Bot, want[0].Class, want[0].Reason = false, linktrack.ClickClassPerson, linktrack.ClickReasonHost
		want[2].Bot, want[2].Class, want[2].Reason = true, linktrack.ClickClassScanner, linktrack.ClickReasonBurst
		require.Equal(t, want, got, "the history has the verdicts, and all else as it was")
		require.Equal(t, linktrack.Counts{People: 3, Bots: 1, LastClick: newest}, look(t, s, l).Counts)

		reclassify(t, s, 1, verdict(clicks[0], false))
		requireAgreement(t, s, l)
		require.Equal(t, linktrack.Counts{People: 4, Unique: 1, LastClick: newest}, look(t, s, l).Counts, "a click keeps whether it is unique, and counts so again")

		reclassify(t, s, 4, verdicts(clicks, true)...)
		requireAgreement(t, s, l)
		require.Equal(t, linktrack.Counts{Bots: 4, LastClick: newest}, look(t, s, l).Counts, "the last click stays")
	}},
	{"a class alone can be changed", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		k := person(l.ID, noon)
		send(t, s, k)
		before := everyRollup(t, s, l.ID)
		v := linktrack.Verdict{Click: linktrack.ClickRef{Link: l.ID, ID: k.ID}, Class: 200, Reason: 255}
		reclassify(t, s, 1, v)
		reclassify(t, s, 0, v)
		k.Class, k.Reason = 200, 255
		require.Equal(t, []linktrack.Click{k}, requireAgreement(t, s, l))
		require.Equal(t, before, everyRollup(t, s, l.ID), "nothing is counted")
	}},
	{"the same verdicts again change nothing", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 3)
		var clicks []linktrack.Click
		for _, l := range made {
			clicks = append(clicks, people(l.ID, 20, noon)...)
		}
		send(t, s, clicks...)
		reclassify(t, s, 30, verdicts(clicks[:30], true)...)
		before := requireAgreement(t, s, made[1])
		for range 2 {
			reclassify(t, s, 0, verdicts(clicks[:30], true)...)
			require.Equal(t, before, requireAgreement(t, s, made[1]))
		}
		reclassify(t, s, 0)
	}},
	{"of several verdicts on a click the last one holds", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		clicks := people(l.ID, 2, noon)
		send(t, s, clicks...)
		reclassify(t, s, 2, verdict(clicks[0], true), verdict(clicks[1], false), verdict(clicks[0], false), verdict(clicks[1], true))
		got := requireAgreement(t, s, l)
		require.Equal(t, []bool{false, true}, []bool{got[0].Bot, got[1].Bot})
		require.Equal(t, linktrack.ClickReasonHost, got[0].Reason, "it holds for the class, too")
	}},
	{"a click that is not in the history is ignored", func(t *testing.T, s linktrack.Store) {
		l, other := create(t, s, plain("sale")), create(t, s, plain("other"))
		old := person(l.ID, noon.Add(-48*time.Hour))
		k, late := person(l.ID, noon), person(l.ID, noon.Add(time.Second))
		send(t, s, old, k)
		require.NoError(t, s.PruneClicks(t.Context(), noon.Add(-24*time.Hour)))
		before := everyRollup(t, s, l.ID)
		appendBatch(t, s, linktrack.Batch{Source: newSource(), Seq: 1, Clicks: []linktrack.Click{late}})

		elsewhere, unknown := k, person(l.ID, noon)
		elsewhere.Link = other.ID
		nowhere := k
		nowhere.Link = other.ID + 100
		reclassify(t, s, 0, verdicts([]linktrack.Click{old, late, elsewhere, unknown, nowhere}, true)...)
		require.Equal(t, before, everyRollup(t, s, l.ID), "what was pruned stays in the sums as it was counted")
		require.Equal(t, []linktrack.Click{k}, recorded(t, s, l.ID))
		reclassify(t, s, 1, verdicts([]linktrack.Click{old, elsewhere, k, nowhere}, true)...)
		apply(t, s, time.UTC)
		require.Equal(t, linktrack.Counts{People: 2, Bots: 1, LastClick: late.ID.Time()}, look(t, s, l).Counts, "the clicks beside them count")
		require.Equal(t, []bool{true, false}, []bool{recorded(t, s, l.ID)[0].Bot, recorded(t, s, l.ID)[1].Bot})
	}},
	{"days are those of the zone in which they were counted", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		chicago := zone(t, "America/Chicago")
		var clicks []linktrack.Click
		for i := range 60 {
			clicks = append(clicks, visitor(l.ID, time.Date(2024, 11, 2, 0, 30, 0, 0, time.UTC).Add(time.Duration(i)*time.Hour)))
		}
		sendIn(t, s, chicago, linktrack.Batch{Source: newSource(), Seq: 1, Clicks: clicks})
		changed, err := reclassifier(t, s).ReclassifyClicks(t.Context(), verdicts(clicks[10:50], true), chicago)
		require.NoError(t, err)
		require.Equal(t, 40, changed)
		require.Equal(t, rollUp(recorded(t, s, l.ID), chicago), everyRollup(t, s, l.ID))
	}},
	{"a value that a day no longer has is taken from its other values", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		var clicks []linktrack.Click
		for i := range 400 {
			for range 1 + i/100 {
				k := person(l.ID, noon)
				k.ReferrerHost = fmt.Sprintf("%03d.example", i)
				clicks = append(clicks, k)
			}
		}
		send(t, s, clicks...)
		reclassify(t, s, 600, verdicts(clicks[:600], true)...)
		days := everyRollup(t, s, l.ID)
		require.Len(t, days, 1)
		require.EqualValues(t, len(clicks)-600, days[0].People)
		sum := days[0].Referrers.Other
		require.GreaterOrEqual(t, sum, int64(0))
		for _, n := range days[0].Referrers.Top {
			require.Positive(t, n)
			sum += n
		}
		require.Equal(t, days[0].People, sum, "the sum of all values is exact, however many there are")
	}},
	{"more people make an alert, once", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, alerting("sale", 3))
		clicks := []linktrack.Click{person(l.ID, noon), person(l.ID, noon.Add(time.Second)), bot(l.ID, noon.Add(2*time.Second)), bot(l.ID, noon.Add(3*time.Second))}
		send(t, s, clicks...)
		reclassify(t, s, 1, verdict(clicks[1], true))
		requireAlerts(t, s, "two people fewer than before are no reason")
		reclassify(t, s, 3, verdicts(clicks[1:], false)...)
		a, ok := lease(t, s)
		require.True(t, ok, "four people have clicked, which is more than three")
		require.Equal(t, alertAt(l, 3), a.ID)
		require.Equal(t, noon.Add(3*time.Second), a.Reached, "the last click that has become a person's")
		require.NoError(t, s.FinishAlert(t.Context(), a.ID))
		reclassify(t, s, 4, verdicts(clicks, true)...)
		reclassify(t, s, 4, verdicts(clicks, false)...)
		requireAlerts(t, s, "it was made before")
	}},
	{"a link that is used up stays so with fewer people", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, limited("sale", 3))
		granted, err := reserveFor(t.Context(), s, l.ID, 3)
		require.NoError(t, err)
		require.Equal(t, 3, granted)
		clicks := people(l.ID, 3, noon)
		send(t, s, clicks...)
		reclassify(t, s, 3, verdicts(clicks, true)...)
		granted, err = reserveFor(t.Context(), s, l.ID, 1)
		require.NoError(t, err)
		require.Zero(t, granted, "those who passed have passed")
		require.EqualValues(t, 3, look(t, s, l).Counts.Used)
	}},
	{"links are sorted by the counts as they are then", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 3)
		var first []linktrack.Click
		for i, l := range made {
			clicks := people(l.ID, 5-i, noon)
			send(t, s, clicks...)
			if i == 0 {
				first = clicks
			}
		}
		reclassify(t, s, 4, verdicts(first[:4], true)...)
		for _, by := range []linktrack.Sort{linktrack.SortTotal, linktrack.SortDay} {
			require.Equal(t, []string{made[1].Path, made[2].Path, made[0].Path}, paths(list(t, s, linktrack.LinkFilter{Sort: by})), "by %s", by)
		}
	}},
	{"any number of verdicts is taken", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 7)
		var clicks []linktrack.Click
		for i := range 6000 {
			clicks = append(clicks, visitor(made[i%len(made)].ID, noon.Add(time.Duration(i)*time.Second)))
		}
		send(t, s, clicks...)
		reclassify(t, s, len(clicks), verdicts(clicks, true)...)
		for _, l := range made {
			requireAgreement(t, s, l)
			require.Zero(t, look(t, s, l).Counts.People)
		}
	}},
	{"random re-classifications between appends and applies keep everything in agreement", func(t *testing.T, s linktrack.Store) {
		random := rand.New(rand.NewPCG(1, 2))
		made := createMany(t, s, 4)
		var all []linktrack.Click
		for range 25 {
			var batch []linktrack.Click
			for range random.IntN(60) {
				batch = append(batch, randomClick(random, made))
			}
			appendBatch(t, s, linktrack.Batch{Source: newSource(), Seq: 1, Clicks: batch})
			all = append(all, batch...)
			if random.IntN(2) == 0 {
				apply(t, s, time.UTC)
			}
			if len(all) > 0 {
				_, err := reclassifier(t, s).ReclassifyClicks(t.Context(), randomVerdicts(random, all, 50), time.UTC)
				require.NoError(t, err)
			}
			for _, l := range made {
				requireAgreement(t, s, l)
			}
		}
	}},
	{"re-classifications, appends, and applies by many callers at once agree", func(t *testing.T, s linktrack.Store) {
		made := createMany(t, s, 6)
		made[0] = edit(t, s, made[0].ID, func(l *linktrack.Link) { l.AlertAt = 40 })
		random := rand.New(rand.NewPCG(3, 4))
		var all []linktrack.Click
		for range 600 {
			all = append(all, randomClick(random, made))
		}
		send(t, s, all[:400]...)
		const callers, rounds = 6, 10
		given := make([][][]linktrack.Verdict, callers)
		for i := range given {
			for range rounds {
				given[i] = append(given[i], randomVerdicts(random, all, 80))
			}
		}
		ctx, r := t.Context(), reclassifier(t, s)
		err := together(callers+3, func(i int) error {
			for round := range rounds {
				var err error
				switch i - callers {
				case 0:
					err = insist(ctx, s, linktrack.Batch{Source: linktrack.Source{1}, Seq: int64(round + 1), Clicks: all[400+20*round : 420+20*round]})
				case 1:
					err = again(func() error { return applyOnce(ctx, s) })
				case 2:
					_, err = reserveFor(ctx, s, made[1].ID, 1)
				default:
					err = again(func() error {
						_, err := r.ReclassifyClicks(ctx, given[i][round], time.UTC)
						return err
					})
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err, "all of them get through")
		apply(t, s, time.UTC)
		n := 0
		for _, l := range made {
			n += len(requireAgreement(t, s, l))
		}
		require.Equal(t, len(all), n)
		var last []linktrack.Verdict
		for i := range all {
			last = append(last, verdict(all[i], i%2 == 0))
		}
		_, err = r.ReclassifyClicks(ctx, last, time.UTC)
		require.NoError(t, err)
		reclassify(t, s, 0, last...)
		for _, l := range made {
			requireAgreement(t, s, l)
		}
	}},
	{"a cancelled context is an error, and nothing is re-classified", func(t *testing.T, s linktrack.Store) {
		l := create(t, s, plain("sale"))
		k := person(l.ID, noon)
		send(t, s, k)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		changed, err := reclassifier(t, s).ReclassifyClicks(ctx, []linktrack.Verdict{verdict(k, true)}, time.UTC)
		require.Error(t, err)
		require.Zero(t, changed)
		require.Equal(t, []linktrack.Click{k}, requireAgreement(t, s, l))
	}},
}

func randomClick(random *rand.Rand, links []linktrack.Link) linktrack.Click {
	k := visitor(links[random.IntN(len(links))].ID, noon.Add(-time.Duration(random.Int64N(int64(50*time.Hour)))).Truncate(time.Microsecond))
	k.ReferrerHost = []string{"", "a.example", "b.example", "c.example"}[random.IntN(4)]
	k.Browser = []string{"Firefox", "Safari"}[random.IntN(2)]
	k.UserAgent = "agent of " + k.Browser
	k.Country = []string{"", "DE"}[random.IntN(2)]
	k.Unique, k.Bot = random.IntN(2) == 0, random.IntN(3) == 0
	return k
}

func randomVerdicts(random *rand.Rand, clicks []linktrack.Click, n int) []linktrack.Verdict {
	all := make([]linktrack.Verdict, 0, n)
	for range n {
		v := verdict(clicks[random.IntN(len(clicks))], random.IntN(2) == 0)
		v.Class = linktrack.ClickClass(random.IntN(3))
		all = append(all, v)
	}
	return slices.Clip(all)
}
