package sqlitestore_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
	"github.com/linktrackhq/linktrack/storetest"
)

func opened(t testing.TB, path string, options ...sqlitestore.Option) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(path, options...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

func fresh(t testing.TB) *sqlitestore.Store {
	t.Helper()
	return opened(t, filepath.Join(t.TempDir(), "a ?b#c%20.db"))
}

// onPool returns a Store on a pool of its own, as programs have one.
func onPool(t testing.TB, dsn string, connections int) *sqlitestore.Store {
	t.Helper()
	db, err := sql.Open("sqlite", dsn)
	require.NoError(t, err)
	db.SetMaxOpenConns(connections)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s := sqlitestore.New(db)
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

// deferred is a name with which transactions take the lock when they first write.
func deferred(path string) string {
	return "file:" + path + "?_busy_timeout=5000&_pragma=journal_mode(WAL)"
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) linktrack.Store { return fresh(t) })
}
