package mysqlstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

func TestCheckReportsRowsThatDoNotAgree(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	l := makeLink(t, s, linktrack.Link{Account: 1, Path: "a"})
	makeLink(t, s, linktrack.Link{Account: 1, Path: "b"})
	old := click(l.ID, noon.AddDate(0, 0, -2))
	record(t, s, linktrack.Batch{Source: linktrack.Source{1}, Seq: 1, Clicks: []linktrack.Click{
		old, click(l.ID, noon.AddDate(0, 0, -1)), click(l.ID, noon), {ID: linktrack.NewClickID(noon), Link: l.ID, Bot: true},
	}})
	_, err := s.RecordConversion(t.Context(), converted(l, "order"), nil)
	require.NoError(t, err)
	apply(t, s)
	requireFindings := func(why string, want ...string) {
		t.Helper()
		got, err := s.Check(t.Context())
		require.NoError(t, err)
		require.Equal(t, append([]string{}, want...), append([]string{}, got...), why)
	}
	requireFindings("all agrees")
	insertOld(db, old)
	requireFindings("a click that an older process applied, too, is in both tables")
	db.MustExec(`DELETE FROM lt_hit WHERE id = ?`, old.ID[:])
	requireFindings("a click may be in the table of an older version only")
	db.MustExec(`DELETE FROM lt_click`)
	requireFindings("an older version may have removed a day and not have noted it")
	require.NoError(t, s.PruneClicks(t.Context(), noon))
	requireFindings("the removed days are noted")

	const a = "Link 1 (go.example.com/a) has "
	db.MustExec(`DELETE FROM lt_hit WHERE is_bot = 1`)
	db.MustExec(`UPDATE lt_count SET total = 4, uniques = 2 WHERE link_id = 1`)
	db.MustExec(`UPDATE lt_day SET data = '{' WHERE data LIKE '%"b":1%'`)
	requireFindings("each difference",
		a+"a row of 2026-01-22 in lt_day that cannot be read.",
		a+"4 clicks of people in its counts, but 3 in its hours.",
		a+"2 clicks of new visitors in its counts, but 3 in its hours.",
		a+"1 clicks of bots in its hours since 2026-01-22 (UTC), but 0 in its history.")
}
