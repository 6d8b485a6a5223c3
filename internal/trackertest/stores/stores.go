// Package stores has the stores for tests that run on more than one.
package stores

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// Each runs a test in memory and on MySQL. Each store that newStore returns is
// empty.
func Each(t *testing.T, test func(t *testing.T, newStore func() linktrack.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, func() linktrack.Store { return memstore.New() }) })
	t.Run("mysql", func(t *testing.T) { test(t, func() linktrack.Store { return MySQL(t) }) })
}

// MySQL returns a store on a fresh database, which is dropped when the test ends.
// It skips the test where there is no server: see [testmysql.DSN].
func MySQL(t *testing.T) linktrack.Store {
	t.Helper()
	store, err := mysqlstore.Open(testmysql.DSN(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Migrate(t.Context()))
	return store
}
