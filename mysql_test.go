package linktrack_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// newMySQL returns a store on a fresh database, or skips the test.
func newMySQL(t *testing.T) linktrack.Store {
	t.Helper()
	store, err := mysqlstore.Open(testmysql.DSN(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Migrate(t.Context()))
	return store
}
