// Package e2e tests the whole as it is used: by a browser, by PHP, over sockets,
// and on MySQL. The tests of the root package need none of these, so that they
// take seconds.
package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/trackertest/rules"
	"github.com/linktrackhq/linktrack/memstore"
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

// onEachStore runs a test on memory and on MySQL.
func onEachStore(t *testing.T, test func(t *testing.T, store linktrack.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, memstore.New()) })
	t.Run("mysql", func(t *testing.T) { test(t, newMySQL(t)) })
}

// The root's tests check the same in memory.
func TestTheRulesHoldOnMySQL(t *testing.T) { rules.Run(t, newMySQL) }
