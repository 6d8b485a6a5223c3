package program

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testmysql"
)

func TestABackupThatIsTakenWhileTheServiceRunsIsADatabase(t *testing.T) {
	folder := t.TempDir()
	where, to := filepath.Join(folder, "links.db"), filepath.Join(folder, "copy.db")
	inService(t, where, func(line string) {
		link := curl(t, line)
		click(t, line, link)
		require.Equal(t, 1, countTotal(t, line, link))
		status, out, errs := transferring(t, nil, "backup", "-db", where, to)
		require.Zero(t, status, errs)
		require.Equal(t, to+" is a copy of "+where+"\n", out)
		click(t, line, link)
	})
	status, out, errs := transferring(t, nil, "check", "-db", to)
	require.Zero(t, status, errs)
	require.Equal(t, to+": all counts agree\n", out)
	status, _, errs = transferring(t, nil, "backup", "-db", where, to)
	require.Equal(t, 1, status)
	require.Contains(t, errs, "there is a file "+to+" already")
	db, err := sql.Open("sqlite", to)
	require.NoError(t, err)
	defer db.Close()
	var total int
	require.NoError(t, db.QueryRow(`SELECT SUM(total) FROM lt_count`).Scan(&total))
	require.Equal(t, 1, total)

	_, err = db.Exec(`UPDATE lt_count SET total = 7`)
	require.NoError(t, err)
	status, out, errs = transferring(t, nil, "check", "-db", to)
	require.Equal(t, 1, status)
	require.NotEmpty(t, out)
	require.Contains(t, errs, to+" has differences")
}

func TestCheckRepairsTheSumsOfAFile(t *testing.T) {
	where := filepath.Join(t.TempDir(), "links.db")
	check := func(want int, args ...string) (out, errs string) {
		t.Helper()
		status, out, errs := transferring(t, nil, append([]string{"check", "-db", where}, args...)...)
		require.Equal(t, want, status, out+errs)
		return out, errs
	}
	const had = " had 4 clicks of people, 4 of new visitors, 0 of bots, and 0 conversions in its counts, and now has 2 clicks of people, " +
		"2 of new visitors, 0 of bots, and 0 conversions. The sums of 1 of its days were recomputed.\n"
	agrees := where + ": all counts agree\n"
	db, err := sql.Open("sqlite", where)
	require.NoError(t, err)
	defer db.Close()
	double := func() {
		for _, statement := range []string{
			`UPDATE lt_count SET total = 2 * total, uniques = 2 * uniques`,
			`UPDATE lt_hour SET clicks = 2 * clicks, uniques = 2 * uniques`,
			`UPDATE lt_rank SET total = 2 * total, recent = 2 * recent`,
			`UPDATE lt_day SET data = CAST(json_set(CAST(data AS TEXT), '$.p', 4, '$.u', 4) AS BLOB)`,
		} {
			_, err := db.Exec(statement)
			require.NoError(t, err)
		}
	}
	inService(t, where, func(line string) {
		link := curl(t, line)
		click(t, line, link)
		click(t, line, link)
		require.Equal(t, 2, countTotal(t, line, link))
		double()
		out, _ := check(0, "-repair")
		require.Regexp(t, `^Link 1 \(.*\) had 4 clicks of people, .* and now has 2 clicks`, out, "while the service runs")
		require.Equal(t, 2, countTotal(t, line, link))
	})
	double()
	first, errs := check(1)
	require.Contains(t, first, " has 4 clicks of people in its hours, but 2 in its history.")
	require.Contains(t, errs, where+" has differences")
	again, _ := check(1)
	require.Equal(t, first, again, "without -repair, nothing is changed")
	out, _ := check(0, "-repair")
	require.Contains(t, out, had)
	require.True(t, strings.HasSuffix(out, agrees), out)
	out, _ = check(0, "-repair")
	require.Equal(t, agrees, out, "a second repair finds nothing")
	out, _ = check(0)
	require.Equal(t, agrees, out)

	_, err = db.Exec(`INSERT INTO lt_setting VALUES (CAST('pruned_before' AS BLOB), CAST('2999-01-01' AS BLOB)); UPDATE lt_hour SET clicks = 7`)
	require.NoError(t, err)
	out, errs = check(1, "-repair")
	require.Contains(t, out, " and now has 7 clicks of people")
	require.Contains(t, out, " has 7 clicks of people in its hours, but 2 in its days.")
	require.Contains(t, errs, "still has differences that its history does not explain")
}

func TestCareIsRefusedWhereItCannotBeTaken(t *testing.T) {
	dsn := testmysql.DSN(t)
	folder := t.TempDir()
	for want, args := range map[string][]string{
		"backup: works on SQLite only: for MySQL, use mysqldump --single-transaction": {"backup", "-db", dsn, "x.db"},
		"backup: -db must not be memory":                                              {"backup", "-db", "memory", "x.db"},
		"check: -db must not be memory":                                               {"check", "-db", "memory"},
		"backup: must be called with its flags first":                                 {"backup", "-db", "x.db"},
		`check: takes only flags, not "x.db"`:                                         {"check", "x.db"},
		"there is no database " + folder + "/none.db":                                 {"check", "-db", folder + "/none.db"},
		"backup: flag provided but not defined: -repair":                              {"backup", "-repair", "x.db"},
	} {
		status, out, errs := transferring(t, nil, args...)
		assert.NotZero(t, status, want)
		assert.Empty(t, out, want)
		assert.Contains(t, errs, want)
	}
	assert.NoFileExists(t, "x.db")
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, files)

	p, err := placeOf(dsn)
	require.NoError(t, err)
	inService(t, dsn, func(string) {})
	for _, args := range [][]string{{"check", "-db", dsn}, {"check", "-repair", "-db", dsn}} {
		status, out, errs := transferring(t, nil, args...)
		require.Zero(t, status, errs)
		require.Equal(t, p.String()+": all counts agree\n", out)
	}
	status, out, errs := transferring(t, nil, "check", "-repair", "-db", "memory")
	require.NotZero(t, status)
	require.Empty(t, out)
	require.Contains(t, errs, "check: -db must not be memory")
}
