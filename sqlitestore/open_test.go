package sqlitestore_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/sqlitestore"
)

func TestADatabaseThatCannotBeOpenedIsRefusedWithASentence(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text")
	require.NoError(t, os.WriteFile(text, []byte("this is not a database, but it is longer than a hundred bytes, which is the length of the header of one of them"), 0o600))
	for name, test := range map[string]struct{ path, want string }{
		"no path":      {"", "sqlitestore: the path of the database is empty"},
		"no folder":    {filepath.Join(folder, "none", "a.db"), "sqlitestore: open " + folder + "/none/a.db: the database cannot be opened: check that its folder exists and that the program may write to it (error 14)"},
		"a folder":     {folder, "sqlitestore: open " + folder + ": the database cannot be opened: check that its folder exists and that the program may write to it (error 14)"},
		"another file": {text, "sqlitestore: open " + text + ": the file is not an SQLite database: name another one (error 26)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlitestore.Open(test.path)
			require.EqualError(t, err, test.want)
		})
	}
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing was made")
}

func TestADatabaseOfANewerVersionIsRefusedAndUnchanged(t *testing.T) {
	s := fresh(t)
	s.Writer().MustExec(`INSERT INTO lt_migration (version, name) VALUES (99, x'')`)
	require.EqualError(t, s.Migrate(t.Context()),
		"sqlitestore: the database was migrated to version 99 by a newer linktrack; this one knows versions up to 3")
}

func TestAMigratedDatabaseIsMigratedAgain(t *testing.T) {
	s := fresh(t)
	require.NoError(t, s.Migrate(t.Context()))
}

// The tables are STRICT, so what is not bound as bytes is refused.
func TestEveryTableIsStrict(t *testing.T) {
	var loose []string
	require.NoError(t, fresh(t).Writer().Select(&loose, `SELECT name FROM pragma_table_list WHERE schema = 'main' AND name LIKE 'lt!_%' ESCAPE '!' AND strict = 0`))
	require.Empty(t, loose)
}

func TestCommitsAreFlushedUnlessTheStoreIsRelaxed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	const normal, full = 1, 2 // values of the pragma
	for name, test := range map[string]struct {
		store *sqlitestore.Store
		want  int
	}{
		"Open":    {opened(t, path), full},
		"New":     {onPool(t, sqlitestore.DSN(path), 1), full},
		"Relaxed": {opened(t, path, sqlitestore.Relaxed()), normal},
	} {
		var synchronous int
		var journal string
		require.NoError(t, test.store.Writer().Get(&synchronous, `PRAGMA synchronous`))
		require.Equal(t, test.want, synchronous, name)
		require.NoError(t, test.store.Writer().Get(&journal, `PRAGMA journal_mode`))
		require.Equal(t, "wal", journal, name)
	}
}

// Before 3.51.3, a database could be damaged when the WAL began anew.
func TestTheVersionOfSQLiteHasNoBugInTheWAL(t *testing.T) {
	var isNew bool
	require.NoError(t, fresh(t).Writer().Get(&isNew, `SELECT CAST(SUBSTR(sqlite_version(), 3) AS REAL) >= 51.3`))
	require.True(t, isNew)
}

// The files have hashes of passes and addresses of visitors.
func TestOnlyTheUserMayReadANewDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	opened(t, path)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
}
