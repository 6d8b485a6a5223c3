package linktrack_test

import (
	"testing"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

// onEachStore runs a test on memory and on MySQL.
func onEachStore(t *testing.T, test func(t *testing.T, store linktrack.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, memstore.New()) })
	t.Run("mysql", func(t *testing.T) { test(t, newMySQL(t)) })
}
