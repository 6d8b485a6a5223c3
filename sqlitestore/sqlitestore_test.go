package sqlitestore_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
	"github.com/linktrackhq/linktrack/storetest"
)

func opened(t testing.TB, path string) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

func fresh(t testing.TB) *sqlitestore.Store {
	t.Helper()
	return opened(t, filepath.Join(t.TempDir(), "a ?b#c%20.db"))
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) linktrack.Store { return fresh(t) })
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) linktrack.Store { return fresh(b) })
}
