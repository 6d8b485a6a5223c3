package sqlitestore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// checked returns a Store with a link that has three people, two of them new, a bot, and a
// conversion, on two days; the other links have none.
func checked(t *testing.T, path string) (*sqlitestore.Store, linktrack.Link) {
	t.Helper()
	s := opened(t, path, sqlitestore.Relaxed())
	l := makeLink(t, s, "a")
	makeLink(t, s, "b")
	yesterday := noon.AddDate(0, 0, -1)
	b := linktrack.Batch{Source: linktrack.Source{1}, Seq: 1, Clicks: []linktrack.Click{
		{ID: linktrack.NewClickID(yesterday), Link: l.ID, Unique: true},
		{ID: linktrack.NewClickID(noon), Link: l.ID, Unique: true},
		{ID: linktrack.NewClickID(noon), Link: l.ID},
		{ID: linktrack.NewClickID(noon), Link: l.ID, Bot: true},
	}}
	require.NoError(t, s.AppendClicks(t.Context(), b))
	_, err := s.RecordConversion(t.Context(), linktrack.Conversion{Click: linktrack.ClickRef{Link: l.ID, ID: b.Clicks[1].ID}, Time: noon}, nil)
	require.NoError(t, err)
	_, err = s.ApplyClicks(t.Context(), nil, noon.Add(-time.Hour))
	require.NoError(t, err)
	return s, l
}

func requireFindings(t *testing.T, s *sqlitestore.Store, want ...string) {
	t.Helper()
	got, err := s.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, append([]string{}, want...), append([]string{}, got...))
}

func TestCheckFindsNothingWhereAllAgrees(t *testing.T) {
	s, l := checked(t, filepath.Join(t.TempDir(), "a.db"))
	requireFindings(t, s)
	require.NoError(t, s.AppendClicks(t.Context(), batchOf(2, 1, l.ID, 3)))
	requireFindings(t, s)
	require.NoError(t, s.PruneClicks(t.Context(), noon))
	clicks, err := s.Clicks(t.Context(), linktrack.ClickFilter{Link: l.ID, Limit: 10})
	require.NoError(t, err)
	require.Len(t, clicks, 3, "a day was removed")
	requireFindings(t, s)
	require.NoError(t, s.PruneClicks(t.Context(), noon.AddDate(0, 0, -5)))
	requireFindings(t, s)
}

func TestCheckReportsEachRowThatDoesNotAgree(t *testing.T) {
	const a = "Link 1 (go.example.com/a) has "
	for statement, want := range map[string][]string{
		`UPDATE lt_count SET total = total + 1 WHERE link_id = 1`:                 {a + "4 clicks of people in its counts, but 3 in its hours."},
		`UPDATE lt_count SET uniques = 0 WHERE link_id = 1`:                       {a + "0 clicks of new visitors in its counts, but 2 in its hours."},
		`UPDATE lt_count SET bots = 7 WHERE link_id = 1`:                          {a + "7 clicks of bots in its counts, but 1 in its hours."},
		`UPDATE lt_count SET conversions = 2 WHERE link_id = 1`:                   {a + "2 conversions in its counts, but 1 in lt_conversion."},
		`UPDATE lt_count SET total = 1 WHERE link_id = 2`:                         {"Link 2 (go.example.com/b) has 1 clicks of people in its counts, but 0 in its hours."},
		`UPDATE lt_day SET data = CAST('{"p":2,"u":1,"b":1}' AS BLOB)`:            {a + "3 clicks of people in its hours, but 4 in its days.", a + "1 clicks of bots in its hours, but 2 in its days.", a + "0 conversions in its days, but 1 in lt_conversion."},
		`UPDATE lt_day SET data = x'7b' WHERE day = 20475`:                        {a + "a row of 2026-01-22 in lt_day that cannot be read."},
		`DELETE FROM lt_hit WHERE is_bot = 1`:                                     {a + "1 clicks of bots in its hours, but 0 in its history."},
		`UPDATE lt_hit SET is_unique = 0 WHERE id = (SELECT MIN(id) FROM lt_hit)`: {a + "2 clicks of new visitors in its hours, but 1 in its history."},
		`UPDATE lt_rank SET total = 5 WHERE link_id = 1`:                          {a + "3 clicks of people in its hours, but 5 in lt_rank.total."},
		`UPDATE lt_rank SET recent = 3 WHERE link_id = 1`:                         {a + "2 recent clicks of people in its hours, but 3 in lt_rank.recent."},
		`DELETE FROM lt_count WHERE link_id = 2`:                                  {"Link 2 (go.example.com/b) has no row in lt_count."},
		`DELETE FROM lt_rank WHERE link_id = 2`:                                   {"Link 2 (go.example.com/b) has no row in lt_rank."},
		`UPDATE lt_link SET is_purging = 1, host = 'x' WHERE id = 1000`:           nil,
	} {
		t.Run(statement, func(t *testing.T) {
			s, _ := checked(t, filepath.Join(t.TempDir(), "a.db"))
			s.Writer().MustExec(statement)
			requireFindings(t, s, want...)
		})
	}
}

// What was removed by hand is no pruned day.
func TestCheckReportsClicksThatAreMissingAfterTheLastPrunedDay(t *testing.T) {
	s, _ := checked(t, filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, s.PruneClicks(t.Context(), noon))
	s.Writer().MustExec(`DELETE FROM lt_hit WHERE is_bot = 1`)
	requireFindings(t, s, "Link 1 (go.example.com/a) has 1 clicks of bots in its hours since 2026-01-22 (UTC), but 0 in its history.")
}

func TestCheckReadsAllLinksAndReportsTheFirstDifferences(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "a.db"), sqlitestore.Relaxed())
	links := manyLinks(t, s)
	last := links[len(links)-1]
	s.Writer().MustExec(`UPDATE lt_count SET bots = 1 WHERE link_id = ?`, last.ID)
	requireFindings(t, s, fmt.Sprintf("Link %d (%s/a) has 1 clicks of bots in its counts, but 0 in its hours.", last.ID, last.Host))
	s.Writer().MustExec(`UPDATE lt_count SET bots = 1`)
	findings, err := s.Check(t.Context())
	require.NoError(t, err)
	require.Len(t, findings, 101)
	require.Equal(t, "There are more differences.", findings[100])
}

func TestCheckFindsADamagedPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s, _ := checked(t, path)
	damagePage(t, s, path, "lt_hour")
	s = opened(t, path)
	findings, err := s.Check(t.Context())
	require.NoError(t, err)
	require.Greater(t, len(findings), 1)
	require.Contains(t, findings[0], "SQLite")
	require.Equal(t, "The links were not compared, because the file is damaged.", findings[len(findings)-1])
}

// damagePage closes the Store and overwrites the first page of a table.
func damagePage(t *testing.T, s *sqlitestore.Store, path, table string) {
	t.Helper()
	var page, size int64
	require.NoError(t, s.Writer().Get(&page, `SELECT rootpage FROM sqlite_schema WHERE name = ?`, table))
	require.NoError(t, s.Writer().Get(&size, `PRAGMA page_size`))
	require.NoError(t, s.Close())
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	garbage := make([]byte, size)
	for i := range garbage {
		garbage[i] = 0xa5
	}
	_, err = f.WriteAt(garbage, (page-1)*size)
	require.NoError(t, err)
}
