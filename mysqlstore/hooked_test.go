package mysqlstore_test

import (
	"testing"

	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// hooked returns a Store on the database of a DSN that shows its statements to h.
func hooked(t testing.TB, dsn string, h testmysql.Hook) *mysqlstore.Store {
	t.Helper()
	return mysqlstore.New(testmysql.Hooked(t, dsn, h))
}
