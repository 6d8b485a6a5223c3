package sqlitestore_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// sums returns all that is summed up, so that two states of a database can be compared.
func sums(t *testing.T, s *sqlitestore.Store) (all []string) {
	t.Helper()
	for _, query := range []string{
		`SELECT 'count ' || link_id || ' ' || total || ' ' || uniques || ' ' || bots || ' ' || conversions || ' ' || used FROM lt_count ORDER BY 1`,
		`SELECT 'rank ' || link_id || ' ' || account_id || ' ' || list_kind || ' ' || total || ' ' || recent || ' ' || last_click FROM lt_rank ORDER BY 1`,
		`SELECT 'hour ' || link_id || ' ' || hour || ' ' || clicks || ' ' || uniques || ' ' || bots FROM lt_hour WHERE clicks + uniques + bots > 0 ORDER BY 1`,
		`SELECT 'day ' || link_id || ' ' || day || ' ' || CAST(data AS TEXT) FROM lt_day WHERE data <> x'7b7d' ORDER BY 1`,
		`SELECT 'sum ' || account_id || ' ' || kind || ' ' || CAST(name_key AS TEXT) || ' ' || day || ' ' || CAST(data AS TEXT) FROM lt_sum ORDER BY 1`,
	} {
		var rows []string
		require.NoError(t, s.Writer().Select(&rows, query))
		all = append(all, rows...)
	}
	return all
}

// repaired calls Repair and returns what it says.
func repaired(t *testing.T, s *sqlitestore.Store) (sentences []string) {
	t.Helper()
	require.NoError(t, s.Repair(t.Context(), func(sentence string) { sentences = append(sentences, sentence) }))
	return sentences
}

// countTwice does what two steps did that counted the same batches.
func countTwice(s *sqlitestore.Store) {
	tx := s.Writer().MustBegin()
	for _, statement := range []string{
		`UPDATE lt_count SET total = 2 * total, uniques = 2 * uniques, bots = 2 * bots`,
		`UPDATE lt_rank SET total = 2 * total, recent = 2 * recent`,
		`UPDATE lt_hour SET clicks = 2 * clicks, uniques = 2 * uniques, bots = 2 * bots`,
		`UPDATE lt_day SET data = CAST(` + doubled + ` AS BLOB)`,
		`UPDATE lt_sum SET data = CAST(` + doubled + ` AS BLOB)`,
	} {
		tx.MustExec(statement)
	}
	if err := tx.Commit(); err != nil {
		panic(err)
	}
}

// doubled is a roll-up of JSON with each number doubled.
const doubled = `(WITH RECURSIVE
	n(i, path, value) AS (SELECT ROW_NUMBER() OVER (), fullkey, atom FROM json_tree(CAST(data AS TEXT)) WHERE type = 'integer'),
	r(i, json) AS (SELECT 0, CAST(data AS TEXT) UNION ALL SELECT n.i, json_set(r.json, n.path, 2 * n.value) FROM r JOIN n ON n.i = r.i + 1)
	SELECT json FROM r ORDER BY i DESC LIMIT 1)`

const had = "Link 1 (go.example.com/a) had %d clicks of people, %d of new visitors, %d of bots, and %d conversions in its counts, and now has %d clicks of people, %d of new visitors, %d of bots, and %d conversions."

func TestRepairComputesAgainWhatWasCountedTwice(t *testing.T) {
	s, l := checked(t, filepath.Join(t.TempDir(), "a.db"))
	want := sums(t, s)
	require.Empty(t, repaired(t, s), "all agrees")
	require.Equal(t, want, sums(t, s))
	countTwice(s)
	require.NotEqual(t, want, sums(t, s))
	require.NoError(t, s.AppendClicks(t.Context(), batchOf(2, 1, l.ID, 3)))
	_, err := s.RecordConversion(t.Context(), linktrack.Conversion{Click: clickOf(t, s, l.ID), Time: noon, Value: 50000, Currency: "USD"}, nil)
	require.NoError(t, err)
	findings, err := s.Check(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, findings)

	require.Equal(t, []string{fmt.Sprintf(had, 6, 4, 2, 2, 3, 2, 1, 2) + " The sums of 2 of its days were recomputed."}, repaired(t, s))
	requireFindings(t, s)
	want[0] = strings.Replace(want[0], " 1 0", " 2 0", 1) // the conversion is not in the days yet
	require.Equal(t, want, sums(t, s))
	require.Empty(t, repaired(t, s), "the second call")
	_, err = s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	requireFindings(t, s)
	days, err := s.Rollups(t.Context(), linktrack.RollupOf{Account: 1}, 0, 1<<30)
	require.NoError(t, err)
	require.Equal(t, linktrack.Counters{People: 5, Unique: 1, Bots: 1, Conversions: 2}, days[1].Counters)
	require.Equal(t, map[string]int64{"USD": 50000}, days[1].Values)
}

// clickOf returns a click of a link that has no conversion.
func clickOf(t *testing.T, s *sqlitestore.Store, link int64) linktrack.ClickRef {
	t.Helper()
	var id []byte
	require.NoError(t, s.Writer().Get(&id, `SELECT id FROM lt_hit WHERE link_id = ? AND id NOT IN (SELECT click_id FROM lt_conversion) LIMIT 1`, link))
	return linktrack.ClickRef{Link: link, ID: linktrack.ClickID(id)}
}

func TestRepairMakesEachSumAgree(t *testing.T) {
	for _, statements := range []string{
		`UPDATE lt_count SET total = total + 1, uniques = 0, bots = 7 WHERE link_id = 1`,
		`UPDATE lt_count SET total = 1 WHERE link_id = 1`,
		`UPDATE lt_count SET conversions = 2 WHERE link_id = 1`,
		`UPDATE lt_rank SET total = 5 WHERE link_id = 1`,
		`UPDATE lt_rank SET recent = 3 WHERE link_id = 1`,
		`DELETE FROM lt_rank WHERE link_id = 1`,
		`DELETE FROM lt_hour WHERE hour = (SELECT MAX(hour) FROM lt_hour)`,
		`DELETE FROM lt_hour`,
		`INSERT INTO lt_hour VALUES (1, 491000, 4, 0, 1)`,
		`UPDATE lt_day SET data = CAST('{"p":4,"u":1,"b":1}' AS BLOB) WHERE day = 20475; UPDATE lt_sum SET data = CAST('{"p":4,"u":1,"b":1}' AS BLOB) WHERE day = 20475`,
		`DELETE FROM lt_day WHERE day = 20475; DELETE FROM lt_sum WHERE day = 20475`,
		`UPDATE lt_day SET data = x'7b' WHERE day = 20475`,
		`DELETE FROM lt_hour; DELETE FROM lt_day; DELETE FROM lt_sum; UPDATE lt_count SET total = 0, uniques = 0, bots = 0`,
		`INSERT INTO lt_day VALUES (1, 20400, CAST('{"p":2,"h":{"3":{"p":2}}}' AS BLOB)); INSERT INTO lt_hour VALUES (1, 20400 * 24 + 3, 2, 0, 0)`,
		`UPDATE lt_day SET data = CAST(json_set(CAST(data AS TEXT), '$.c', 4) AS BLOB); UPDATE lt_sum SET data = CAST(json_set(CAST(data AS TEXT), '$.c', 4) AS BLOB)`,
	} {
		t.Run(statements, func(t *testing.T) {
			s, _ := checked(t, filepath.Join(t.TempDir(), "a.db"))
			want := sums(t, s)
			s.Writer().MustExec(statements)
			require.Len(t, repaired(t, s), 1)
			requireFindings(t, s)
			require.Equal(t, want, sums(t, s))
			require.Empty(t, repaired(t, s), "the second call")
		})
	}
}

func TestRepairKeepsDaysBeforeTheHistory(t *testing.T) {
	s, l := checked(t, filepath.Join(t.TempDir(), "a.db"))
	countTwice(s)
	require.NoError(t, s.PruneClicks(t.Context(), noon))
	const counted = "Link 1 (go.example.com/a) had 6 clicks of people, 4 of new visitors, 2 of bots, and 1 conversions in its counts, and now has 4 clicks of people, 3 of new visitors, 1 of bots, and 1 conversions. The sums of 1 of its days were recomputed."
	require.Equal(t, []string{counted}, repaired(t, s))
	requireFindings(t, s)
	days, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: l.ID}, 0, 1<<30)
	require.NoError(t, err)
	require.EqualValues(t, 2, days[0].People, "nobody knows that one click was counted twice")
	require.EqualValues(t, 2, days[1].People)

	s.Writer().MustExec(`UPDATE lt_hour SET clicks = 7 WHERE hour < ?`, noon.Unix()/3600-12)
	require.Len(t, repaired(t, s), 1, "the counts are those of the hours")
	requireFindings(t, s, "Link 1 (go.example.com/a) has 9 clicks of people in its hours, but 4 in its days.")
	require.Empty(t, repaired(t, s))
}

func TestRepairKeepsADayThatIsRemovedMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s, l := checked(t, path)
	countTwice(s)
	pruned := false
	other := sqlitestore.Failing(path, func() error {
		if pruned {
			return nil
		}
		pruned = true // the links were compared, and nothing is changed yet
		return s.PruneClicks(t.Context(), noon)
	})
	defer other.Close()
	require.NoError(t, other.Repair(t.Context(), nil))
	require.True(t, pruned)
	days, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: l.ID}, 0, 1<<30)
	require.NoError(t, err)
	require.Len(t, days, 2)
	require.EqualValues(t, 2, days[0].People, "it is as it was")
	require.EqualValues(t, 2, days[1].People)
	requireFindings(t, s)
}

// In this zone, the first day of the history begins before the history does.
func TestRepairKeepsTheDayOfAZoneThatTheHistoryHasInPart(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "a.db"), sqlitestore.Relaxed())
	_, err := s.Zone(t.Context(), "America/Chicago") // midnight is at 6:00 UTC
	require.NoError(t, err)
	zone, err := time.LoadLocation("America/Chicago")
	require.NoError(t, err)
	l := makeLink(t, s, "a")
	midnight := noon.Truncate(24 * time.Hour)
	b := linktrack.Batch{Source: linktrack.Source{1}, Seq: 1}
	for _, hour := range []int{-1, 1, 7, 31} {
		b.Clicks = append(b.Clicks, linktrack.Click{ID: linktrack.NewClickID(midnight.Add(time.Duration(hour) * time.Hour)), Link: l.ID, Browser: "Firefox"})
	}
	require.NoError(t, s.AppendClicks(t.Context(), b))
	_, err = s.ApplyClicks(t.Context(), zone, time.Time{})
	require.NoError(t, err)
	countTwice(s)
	require.NoError(t, s.PruneClicks(t.Context(), midnight))
	require.Len(t, repaired(t, s), 1)
	requireFindings(t, s, "Link 1 (go.example.com/a) has 5 clicks of people in its hours, but 6 in its days.")
	days, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: l.ID}, 0, 1<<30)
	require.NoError(t, err)
	require.Len(t, days, 3)
	require.EqualValues(t, 4, days[0].People, "it has a click of the removed day")
	require.EqualValues(t, 1, days[1].People)
	require.EqualValues(t, 1, days[2].People)
	require.Equal(t, map[int]linktrack.Counters{1: {People: 1}}, days[2].Hours)
	require.Empty(t, repaired(t, s))
}

// Where a day begins within an hour, the hour has clicks of two days.
func TestRepairCountsAnHourThatTwoDaysShareOnce(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "a.db"), sqlitestore.Relaxed())
	_, err := s.Zone(t.Context(), "Asia/Kolkata") // midnight is at 18:30 UTC
	require.NoError(t, err)
	zone, err := time.LoadLocation("Asia/Kolkata")
	require.NoError(t, err)
	l := makeLink(t, s, "a")
	b := linktrack.Batch{Source: linktrack.Source{1}, Seq: 1}
	for _, minute := range []int{15, 45, 50} {
		b.Clicks = append(b.Clicks, linktrack.Click{ID: linktrack.NewClickID(noon.Add(6*time.Hour + time.Duration(minute)*time.Minute)), Link: l.ID})
	}
	require.NoError(t, s.AppendClicks(t.Context(), b))
	_, err = s.ApplyClicks(t.Context(), zone, time.Time{})
	require.NoError(t, err)
	want := sums(t, s)
	countTwice(s)
	require.Len(t, repaired(t, s), 1)
	require.Equal(t, want, sums(t, s))
	s.Writer().MustExec(`DELETE FROM lt_hour`)
	require.Len(t, repaired(t, s), 1)
	require.Equal(t, want, sums(t, s))
}

func TestRepairKeepsWhatWasDerivedFromErasedVisitors(t *testing.T) {
	s, l := checked(t, filepath.Join(t.TempDir(), "a.db"))
	b := batchOf(2, 1, l.ID, 1)
	b.Clicks[0].IP = netip.MustParseAddr("192.0.2.1")
	require.NoError(t, s.AppendClicks(t.Context(), b))
	_, err := s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	want := sums(t, s)
	n, err := s.EraseVisitor(t.Context(), 1, netip.MustParsePrefix("192.0.2.0/24"))
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	s.Writer().MustExec(`UPDATE lt_count SET total = 9 WHERE link_id = 1`)
	for _, table := range []string{"lt_day", "lt_sum"} {
		s.Writer().MustExec(`UPDATE ` + table + ` SET data = CAST(json_set(CAST(data AS TEXT), '$.c', 4) AS BLOB) WHERE day = 20475`)
	}
	require.Len(t, repaired(t, s), 1)
	require.Equal(t, want, sums(t, s), "the number of clicks on the day agrees, so it still has the browser")
}

// The link counts for its group of today. The sums of the one it had before stay.
func TestRepairTakesNothingFromAGroupForWhichTheLinkDidNotCount(t *testing.T) {
	s, l := checked(t, filepath.Join(t.TempDir(), "a.db"))
	_, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.Group = "other"; return nil })
	require.NoError(t, err)
	countTwice(s)
	group := func(name string) (people []int64) {
		days, err := s.Rollups(t.Context(), linktrack.RollupOf{Account: 1, Group: name}, 0, 1<<30)
		require.NoError(t, err)
		for _, d := range days {
			people = append(people, d.People)
		}
		return people
	}
	require.Len(t, repaired(t, s), 1)
	require.Equal(t, []int64{2, 4}, group("group"))
	require.Empty(t, group("other"))
	requireFindings(t, s)
}

func TestRepairKeepsLimitsAndAlerts(t *testing.T) {
	s, l := checked(t, filepath.Join(t.TempDir(), "a.db"))
	ctx := t.Context()
	_, err := s.UpdateLink(ctx, l.ID, func(l *linktrack.Link) error { l.AlertAt, l.DeactivateAt = 5, 8; return nil })
	require.NoError(t, err)
	lease := func() (sent []linktrack.AlertID) {
		for {
			a, err := s.LeaseAlert(ctx, noon, noon.Add(time.Hour))
			if errors.Is(err, linktrack.ErrNotFound) {
				return sent
			}
			require.NoError(t, err)
			require.NoError(t, s.FinishAlert(ctx, a.ID))
			sent = append(sent, a.ID)
		}
	}
	apply := func(b linktrack.Batch) {
		require.NoError(t, s.AppendClicks(ctx, b))
		_, err = s.ApplyClicks(ctx, nil, time.Time{})
		require.NoError(t, err)
	}
	alert := linktrack.AlertID{Link: l.ID, Kind: linktrack.AlertAt, Count: 5}
	apply(batchOf(2, 1, l.ID, 1)) // 4
	s.Writer().MustExec(`UPDATE lt_count SET total = 2, used = 5 WHERE link_id = 1`)
	s.Writer().MustExec(`UPDATE lt_hour SET clicks = 9`)
	require.Len(t, repaired(t, s), 1)
	require.Empty(t, lease(), "4 clicks do not reach the alert at 5")
	var used int
	require.NoError(t, s.Writer().Get(&used, `SELECT used FROM lt_count WHERE link_id = 1`))
	require.Equal(t, 5, used, "what was let through counts for the limit")

	apply(batchOf(2, 2, l.ID, 1)) // 5
	require.Equal(t, []linktrack.AlertID{alert}, lease())
	s.Writer().MustExec(`UPDATE lt_count SET total = 3 WHERE link_id = 1`)
	require.Len(t, repaired(t, s), 1)
	require.Empty(t, lease(), "it was sent")

	s.Writer().MustExec(`DELETE FROM lt_alert`)
	s.Writer().MustExec(`UPDATE lt_count SET total = 3 WHERE link_id = 1`)
	require.Len(t, repaired(t, s), 1)
	require.Equal(t, []linktrack.AlertID{alert}, lease(), "it was never sent")
}

func TestARepairThatIsInterruptedGoesOnWithTheNextCall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	good, _ := checked(t, path)
	want := sums(t, good)
	countTwice(good)
	calls := 0
	for left := 0; ; left++ {
		require.Less(t, left, 500)
		n := left
		good.Writer().MustExec(`UPDATE lt_roll SET lease_until = 0`) // else each call waits until the lease ends
		s := sqlitestore.Failing(path, func() error {
			if n--; n < 0 {
				return errors.New("the disk is gone")
			}
			return nil
		})
		err := s.Repair(t.Context(), nil)
		require.NoError(t, s.Close())
		if calls++; err == nil {
			break
		}
	}
	require.Greater(t, calls, 5, "it was interrupted at each of its writes")
	requireFindings(t, good)
	require.Equal(t, want, sums(t, good))

	countTwice(good)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, good.Repair(ctx, nil), context.Canceled)
}

func TestRepairCountsWhatComesMeanwhileOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	stores := []*sqlitestore.Store{opened(t, path, sqlitestore.Relaxed()), opened(t, path, sqlitestore.Relaxed())}
	l := makeLink(t, stores[0], "a")
	require.NoError(t, stores[0].AppendClicks(t.Context(), batchOf(9, 1, l.ID, 100)))
	_, err := stores[0].ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	countTwice(stores[0])
	const rounds, each = 60, 3
	var all sync.WaitGroup
	for i := range byte(2) {
		all.Go(func() {
			for seq := range int64(rounds) {
				assert.NoError(t, stores[i].AppendClicks(t.Context(), batchOf(i, seq+1, l.ID, each)))
				if seq%3 == 0 {
					_, err := stores[i].ApplyClicks(t.Context(), nil, time.Time{})
					assert.NoError(t, err)
				}
			}
		})
	}
	all.Go(func() {
		for i := range 10 {
			assert.NoError(t, stores[i%2].Repair(t.Context(), nil))
			countTwice(stores[0])
		}
		assert.NoError(t, stores[0].Repair(t.Context(), nil))
	})
	all.Wait()
	requireCounted(t, stores[0], l.ID, 100+2*rounds*each)
	requireFindings(t, stores[0])
}

func TestRepairReadsALongDayInParts(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "a.db"), sqlitestore.Relaxed())
	l := makeLink(t, s, "a")
	require.NoError(t, s.AppendClicks(t.Context(), batchOf(1, 1, l.ID, 12000)))
	_, err := s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	want := sums(t, s)
	countTwice(s)
	require.Len(t, repaired(t, s), 1)
	require.Equal(t, want, sums(t, s))
}

func TestRepairRefusesWhatItCannotKnow(t *testing.T) {
	for statement, want := range map[string]string{
		`INSERT INTO lt_setting VALUES (CAST('zone' AS BLOB), CAST('Mars/Base' AS BLOB))`: `the zone of the days, "Mars/Base", is unknown on this machine`,
		`INSERT INTO lt_log VALUES (x'01', 1, 2, 0, 0, 1, 1, x'09')`:                      "a row of lt_log is damaged or was written by a newer version",
	} {
		s, _ := checked(t, filepath.Join(t.TempDir(), "a.db"))
		countTwice(s)
		s.Writer().MustExec(statement)
		was := sums(t, s)
		require.ErrorContains(t, s.Repair(t.Context(), nil), want)
		require.Equal(t, was, sums(t, s))
	}
	path := filepath.Join(t.TempDir(), "a.db")
	s, _ := checked(t, path)
	damagePage(t, s, path, "lt_hour")
	require.ErrorContains(t, opened(t, path).Repair(t.Context(), nil), "the file is damaged")
}
