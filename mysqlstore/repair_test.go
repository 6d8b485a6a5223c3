package mysqlstore_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// countTwice does what two steps did that counted the same batches on two nodes.
func countTwice(t *testing.T, db *sqlx.DB) {
	tx := db.MustBegin()
	defer tx.Rollback()
	var lock int
	assert.NoError(t, tx.Get(&lock, `SELECT id FROM lt_roll FOR UPDATE`)) // no step runs meanwhile
	tx.MustExec(`UPDATE lt_hour SET clicks = 2 * clicks, uniques = 2 * uniques, bots = 2 * bots`)
	tx.MustExec(`UPDATE lt_rank SET total = 2 * total, recent = 2 * recent`)
	type row struct {
		Owner int64  `db:"owner"`
		Kind  int64  `db:"kind"`
		Name  []byte `db:"name"`
		Day   int64  `db:"day"`
		Data  []byte `db:"data"`
	}
	twice := func(query, update string, keys func(r row) []any) {
		var rows []row
		assert.NoError(t, tx.Select(&rows, query))
		for _, r := range rows {
			day := linktrack.Rollup{Day: linktrack.Day(r.Day)}
			assert.NoError(t, json.Unmarshal(r.Data, &day))
			sum := linktrack.Rollup{Day: day.Day}
			sum.Merge(day)
			sum.Merge(day)
			data, err := json.Marshal(sum)
			assert.NoError(t, err)
			tx.MustExec(update, append([]any{data}, keys(r)...)...)
		}
	}
	twice(`SELECT link_id AS owner, 0 AS kind, '' AS name, day, data FROM lt_day`,
		`UPDATE lt_day SET data = ? WHERE link_id = ? AND day = ?`, func(r row) []any { return []any{r.Owner, r.Day} })
	twice(`SELECT account_id AS owner, kind, name_key AS name, day, data FROM lt_sum`,
		`UPDATE lt_sum SET data = ? WHERE account_id = ? AND kind = ? AND name_key = ? AND day = ?`,
		func(r row) []any { return []any{r.Owner, r.Kind, r.Name, r.Day} })
	tx.MustExec(`UPDATE lt_count SET total = 2 * total, uniques = 2 * uniques, bots = 2 * bots`)
	assert.NoError(t, tx.Commit())
}

func repaired(t *testing.T, s *mysqlstore.Store) (sentences []string) {
	t.Helper()
	require.NoError(t, s.Repair(t.Context(), func(sentence string) { sentences = append(sentences, sentence) }))
	return sentences
}

func requireAgreement(t *testing.T, s *mysqlstore.Store) {
	t.Helper()
	findings, err := s.Check(t.Context())
	require.NoError(t, err)
	require.Empty(t, findings)
}

func TestRepairComputesAgainWhatWasCountedTwice(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	l := makeLink(t, s, linktrack.Link{Account: 1, Path: "a"})
	makeLink(t, s, linktrack.Link{Account: 1, Path: "b"})
	old, moved := click(l.ID, noon.AddDate(0, 0, -2)), click(l.ID, noon.AddDate(0, 0, -1))
	record(t, s, linktrack.Batch{Source: linktrack.Source{1}, Seq: 1, Clicks: []linktrack.Click{
		old, moved, click(l.ID, noon), {ID: linktrack.NewClickID(noon), Link: l.ID, Bot: true},
	}})
	_, err := s.RecordConversion(t.Context(), converted(l, "order"), nil)
	require.NoError(t, err)
	apply(t, s)
	insertOld(db, moved) // it is in both tables of the history
	insertOld(db, old)
	db.MustExec(`DELETE FROM lt_hit WHERE id = ?`, old.ID[:]) // it is in the old one only
	require.Empty(t, repaired(t, s))
	states := func() (all [][]linktrack.Rollup) {
		for _, of := range []linktrack.RollupOf{{Link: l.ID}, {Account: 1}} {
			days, err := s.Rollups(t.Context(), of, 0, 1<<30)
			require.NoError(t, err)
			all = append(all, days)
		}
		return all
	}
	want := states()
	countTwice(t, db)
	appendBatch(t, s, linktrack.Batch{Source: linktrack.Source{2}, Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
	db.MustExec(`INSERT INTO lt_pending (last_link, facts) VALUES (1, x'01')`)
	require.ErrorContains(t, s.Repair(t.Context(), nil), "a process of a version without a click log has left clicks")
	require.NotEqual(t, want, states())
	db.MustExec(`DELETE FROM lt_pending`)

	require.Equal(t, []string{
		"Link 1 (go.example.com/a) had 6 clicks of people, 6 of new visitors, 2 of bots, and 1 conversions in its counts, and now has " +
			"3 clicks of people, 3 of new visitors, 1 of bots, and 1 conversions. The sums of 3 of its days were recomputed.",
	}, repaired(t, s))
	require.Equal(t, want, states())
	requireAgreement(t, s)
	require.Empty(t, repaired(t, s), "the second call")
	apply(t, s)
	requireAgreement(t, s)
	require.EqualValues(t, 4, counts(t, s, l).People)

	db.MustExec(`DELETE FROM lt_rank`)
	db.MustExec(`DELETE FROM lt_hour`)
	db.MustExec(`UPDATE lt_day SET data = '{'`)
	require.NoError(t, s.PruneClicks(t.Context(), noon))
	require.Len(t, repaired(t, s), 2)
	findings, err := s.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{
		"Link 1 (go.example.com/a) has a row of 2026-01-20 in lt_day that cannot be read.",
		"Link 1 (go.example.com/a) has a row of 2026-01-21 in lt_day that cannot be read.",
	}, findings, "nobody knows what these days had")
	require.EqualValues(t, 2, counts(t, s, l).People)
}

func TestRepairCountsWhatComesMeanwhileOnce(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	l := makeLink(t, s, linktrack.Link{Account: 1, Path: "a"})
	record(t, s, linktrack.Batch{Source: linktrack.Source{9}, Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
	apply(t, s)
	const writers, rounds = 2, 40
	stores := []*mysqlstore.Store{hooked(t, dsn, func(string, func()) {}), hooked(t, dsn, func(string, func()) {})}
	var all sync.WaitGroup
	for i := range byte(writers) {
		all.Go(func() {
			for seq := range int64(rounds) {
				b := linktrack.Batch{Source: linktrack.Source{i}, Seq: seq + 1, Clicks: []linktrack.Click{click(l.ID, noon), click(l.ID, noon.AddDate(0, 0, -1))}}
				assert.NoError(t, stores[i].AppendClicks(t.Context(), b))
				_, err := stores[i].RecordConversion(t.Context(), linktrack.Conversion{Click: linktrack.ClickRef{Link: l.ID, ID: b.Clicks[0].ID}, Time: noon}, nil)
				assert.NoError(t, err)
				if seq%3 == 0 {
					_, err := stores[i].ApplyClicks(t.Context(), nil, time.Time{})
					assert.NoError(t, err)
				}
			}
		})
	}
	all.Go(func() {
		for i := range 8 {
			countTwice(t, db)
			assert.NoError(t, stores[i%2].Repair(t.Context(), nil))
		}
	})
	all.Wait()
	requireAgreement(t, s)
	apply(t, s)
	requireAgreement(t, s)
	c := counts(t, s, l)
	require.EqualValues(t, 1+2*writers*rounds, c.People)
	require.EqualValues(t, writers*rounds, c.Conversions)
	require.Len(t, history(t, s, l.ID), 1+2*writers*rounds)
}
