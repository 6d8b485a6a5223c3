package mysqlstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

func areBots(clicks []linktrack.Click) []linktrack.Verdict {
	verdicts := make([]linktrack.Verdict, len(clicks))
	for i := range clicks {
		verdicts[i] = linktrack.Verdict{
			Click: linktrack.ClickRef{Link: clicks[i].Link, ID: clicks[i].ID},
			Bot:   true, Class: linktrack.ClickClassScanner, Reason: linktrack.ClickReasonBurst,
		}
	}
	return verdicts
}

func reclassify(t testing.TB, s linktrack.Store, verdicts []linktrack.Verdict) int {
	t.Helper()
	changed, err := s.(linktrack.ClickReclassifier).ReclassifyClicks(t.Context(), verdicts, nil)
	require.NoError(t, err)
	return changed
}

// onlyDay returns the counts of the link's only day.
func onlyDay(t testing.TB, s linktrack.Store, link int64) linktrack.Rollup {
	t.Helper()
	days, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: link}, 0, 1<<30)
	require.NoError(t, err)
	require.Len(t, days, 1)
	return days[0]
}

func TestClicksAreReclassifiedInBoundedSteps(t *testing.T) {
	plain, dsn := opened(t)
	l := makeLink(t, plain, linktrack.Link{Path: "a"})
	b := linktrack.Batch{Seq: 1}
	for i := range 2500 {
		b.Clicks = append(b.Clicks, click(l.ID, noon.Add(time.Duration(i)*time.Second)))
	}
	record(t, plain, b)
	steps := 0
	s := hooked(t, dsn, func(statement string, _ func()) {
		if statement == "COMMIT" {
			steps++
		}
	})
	require.Equal(t, 2500, reclassify(t, s, areBots(b.Clicks)))
	require.Equal(t, 3, steps)
	require.Equal(t, linktrack.Counts{Bots: 2500, LastClick: b.Clicks[2499].ID.Time()}, counts(t, s, l))
}

// Whatever a step needs to read is read by key: the day's clicks and the other links' are not.
func TestAReclassifiedClickIsReadByItsKey(t *testing.T) {
	s, dsn := opened(t)
	today := time.Now().UTC().Truncate(24 * time.Hour)
	b := linktrack.Batch{Seq: 1}
	var some []linktrack.Click
	for i := range 500 {
		l := makeLink(t, s, linktrack.Link{Path: fmt.Sprint("p", i)})
		for hour := range 30 {
			c := click(l.ID, today.Add(time.Duration(hour)*time.Hour))
			b.Clicks = append(b.Clicks, c)
			if hour == 5 {
				some = append(some, c)
			}
		}
	}
	record(t, s, b)
	admin(t, dsn).MustExec(`ANALYZE TABLE lt_hit, lt_text, lt_click`)
	n := reads(t, dsn, func(s linktrack.Store) { require.Equal(t, len(some), reclassify(t, s, areBots(some))) })
	if n > 15*len(some) {
		t.Errorf("%d rows and keys were read for %d of %d clicks", n, len(some), len(b.Clicks))
	}
}

func TestClicksOfTheOldHistoryAreReclassified(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	all := visits(l.ID, noon, 30)
	record(t, s, linktrack.Batch{Seq: 1, Clicks: all})
	before := history(t, s, l.ID)
	for i := range all {
		if i%3 > 0 { // else it is only in lt_hit
			insertOld(db, all[i])
		}
		if i%3 > 1 { // else it is in both
			db.MustExec(`DELETE FROM lt_hit WHERE link_id = ? AND id = ?`, l.ID, all[i].ID[:])
		}
	}
	require.Equal(t, before, history(t, s, l.ID))

	require.Equal(t, 20, reclassify(t, s, areBots(all[:20])))
	for i := range 20 {
		before[i].Bot, before[i].Class, before[i].Reason = true, linktrack.ClickClassScanner, linktrack.ClickReasonBurst
	}
	require.Equal(t, before, history(t, s, l.ID))
	require.Equal(t, 0, reclassify(t, s, areBots(all[:20])))
	require.EqualValues(t, 20, counts(t, s, l).Bots)
	require.EqualValues(t, 10, onlyDay(t, s, l.ID).People)
}

func TestAStepThatDiesChangesNothingAndTheNextCallDoesIt(t *testing.T) {
	for _, at := range []string{"INSERT INTO lt_hit", "INSERT INTO lt_hour", "INSERT INTO lt_day", "UPDATE lt_roll SET from_hour", "INSERT INTO lt_count", "COMMIT", "COMMITTED"} {
		t.Run(at, func(t *testing.T) {
			plain, dsn := opened(t)
			l := makeLink(t, plain, linktrack.Link{Path: "a"})
			all := visits(l.ID, noon, 10)
			record(t, plain, linktrack.Batch{Seq: 1, Clicks: all})
			died := false
			s := hooked(t, dsn, func(statement string, kill func()) {
				if !died && strings.HasPrefix(strings.TrimSpace(statement), at) {
					died = true
					kill()
				}
			})
			_, err := s.ReclassifyClicks(t.Context(), areBots(all[:4]), nil)
			require.True(t, died)
			bots := counts(t, plain, l).Bots
			want := int64(0)
			if at == "COMMITTED" || err == nil { // MySQL reports the end in a way that lets the store repeat the step
				want = 4
			}
			require.Equal(t, want, bots)
			require.Equal(t, bots, onlyDay(t, plain, l.ID).Bots)
			require.Equal(t, 4-int(bots), reclassify(t, s, areBots(all[:4])), "the lease that the dead step held ends")
			require.EqualValues(t, 4, counts(t, plain, l).Bots)
			require.EqualValues(t, 4, onlyDay(t, plain, l.ID).Bots)
		})
	}
}

func TestVisitorsToALinkWithALimitDoNotWaitForAReclassification(t *testing.T) {
	plain, dsn := opened(t)
	l := makeLink(t, plain, linktrack.Link{Path: "a", LinkSettings: linktrack.LinkSettings{DeactivateAt: 100}})
	all := visits(l.ID, noon, 10)
	record(t, plain, linktrack.Batch{Seq: 1, Clicks: all})
	reserved := 0
	s := hooked(t, dsn, func(statement string, _ func()) {
		if strings.Contains(statement, "FROM lt_count") || strings.HasPrefix(statement, "INSERT INTO lt_count") || strings.HasPrefix(statement, "COMMIT") {
			return // the end of the step
		}
		n, err := trackertest.Reserve(t.Context(), plain, l.ID, 1)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		reserved++
	})
	require.Equal(t, 10, reclassify(t, s, areBots(all)))
	require.Greater(t, reserved, 5)
}

// A process took the lease and lives.
func TestAReclassificationWaitsWhileAnotherProcessAppliesTheLog(t *testing.T) {
	plain, dsn := opened(t)
	db := admin(t, dsn)
	l := makeLink(t, plain, linktrack.Link{Path: "a"})
	all := visits(l.ID, noon, 3)
	record(t, plain, linktrack.Batch{Seq: 1, Clicks: all})
	db.MustExec(`UPDATE lt_roll SET lease_holder = 'somebody', lease_until = UNIX_TIMESTAMP() + 50`)
	looks := 0
	s := hooked(t, dsn, func(statement string, _ func()) {
		if strings.Contains(statement, "lease_until NOT BETWEEN") {
			if looks++; looks == 3 {
				db.MustExec(`UPDATE lt_roll SET lease_until = 0`)
			}
		}
		if strings.Contains(statement, "lt_hit") {
			require.GreaterOrEqual(t, looks, 3, "the other process has ended its lease")
		}
	})
	require.Equal(t, 3, reclassify(t, s, areBots(all)))
}
