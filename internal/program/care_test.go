package program

import (
	"database/sql"
	"os"
	"path/filepath"
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
	status, out, errs := transferring(t, nil, "check", "-db", dsn)
	require.Zero(t, status, errs)
	require.Equal(t, p.String()+": all counts agree\n", out)
}
