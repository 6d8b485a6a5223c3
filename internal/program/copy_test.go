package program

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testcopy"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

func TestADatabaseMovesToAServerAndBack(t *testing.T) {
	folder := t.TempDir()
	first, last := filepath.Join(folder, "first.db"), filepath.Join(folder, "last.db")
	server := testmysql.DSN(t)
	store, err := sqlitestore.Open(first)
	require.NoError(t, err)
	defer store.Close()
	require.NoError(t, store.Migrate(t.Context()))
	f := testcopy.NewFill(t, store)
	copying := func(from, to string) string {
		t.Helper()
		status, out, errs := transferring(t, map[string]string{"LINKTRACK_TO": to}, "copy", "-from", from)
		require.Equal(t, 0, status, errs)
		require.Regexp(t, `^(.*: \d+ written, \d+ deleted\n)*$`, errs) // how far it is, if it takes long
		require.Contains(t, out, "\nBoth are equal: ")
		return out
	}
	require.Regexp(t, `(?m)^ +48 +48 +48 +0  clicks in the history$`, copying(first, server))
	f.Click(t, store, 3, 10, 0)
	require.Regexp(t, `(?m)^ +58 +58 +10 +0  clicks in the history$`, copying(first, server))
	copying(server, last)
	for name, db := range map[string]string{"first": first, "server": server, "last": last} {
		status, out, errs := transferring(t, nil, "export", "-db", db, "-login", "first", "-password-hashes")
		require.Equal(t, 0, status, errs)
		_, want, _ := transferring(t, nil, "export", "-db", first, "-login", "first", "-password-hashes")
		require.Equal(t, want, out, name)
	}
}

func TestWhatCannotBeCopiedIsRefusedWithASentence(t *testing.T) {
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name) }
	for _, name := range []string{"a.db", "b.db"} {
		store, err := sqlitestore.Open(path(name))
		require.NoError(t, err)
		require.NoError(t, store.Migrate(t.Context()))
		testcopy.NewFill(t, store)
		require.NoError(t, store.Close())
	}
	for want, tt := range map[string]struct {
		status int
		args   []string
	}{
		"copy: -from must not be empty":                                   {2, []string{"-to", path("new.db")}},
		"copy: -to must not be empty":                                     {2, []string{"-from", path("a.db")}},
		"copy: -to must not be memory":                                    {2, []string{"-from", path("a.db"), "-to", "memory"}},
		"copy: -from must be the path of a file, memory, mysql":           {2, []string{"-from", "mysql://hush", "-to", path("new.db")}},
		"copy: -from: there is no database " + path("none.db"):            {1, []string{"-from", path("none.db"), "-to", path("new.db")}},
		"copy: -to: the folder " + path("none"):                           {1, []string{"-from", path("a.db"), "-to", path("none/new.db")}},
		"copy: storecopy: the target has data of its own":                 {1, []string{"-from", path("a.db"), "-to", path("b.db")}},
		"copy: takes only flags, not":                                     {2, []string{"-from", path("a.db"), "-to", path("b.db"), "x"}},
		"copy: flag provided but not defined: -form, did you mean -from?": {2, []string{"-form", "x"}},
	} {
		status, out, errs := transferring(t, nil, append([]string{"copy"}, tt.args...)...)
		assert.Equal(t, tt.status, status, want)
		assert.Contains(t, errs, want)
		assert.NotContains(t, errs, "hush")
		assert.Empty(t, out)
	}
	assert.NoFileExists(t, path("none.db"))
}

func TestServeRefusesATargetThatIsUnfinished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	store, err := sqlitestore.Open(path)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	require.NoError(t, store.Close())
	setting(t, path, "copy_mark", "unfinished x")
	status, _, errs := transferring(t, nil, "serve", "-addr", "127.0.0.1:0", "-db", path)
	require.Equal(t, 1, status)
	require.Contains(t, errs, `a copy to this database is not finished: run "linktrack copy" again until it says that both are equal`)
}

func setting(t *testing.T, path, name, value string) {
	t.Helper()
	db := testcopy.SQLite(t, path)
	_, err := db.ExecContext(t.Context(), `INSERT INTO lt_setting (name, value) VALUES (?, ?)`, []byte(name), []byte(value))
	require.NoError(t, err)
}
