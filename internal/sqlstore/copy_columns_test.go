package sqlstore_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/sqlstore"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/mysqlstore"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// A migration that adds a table or a column must say whether a copy has it.
func TestACopyHasEachTableAndColumnOrSaysWhyNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	lite, err := sqlitestore.Open(path)
	require.NoError(t, err)
	defer lite.Close()
	require.NoError(t, lite.Migrate(t.Context()))
	requireCopied(t, "sqlite", path, `
		SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name LIKE 'lt!_%' ESCAPE '!' ORDER BY m.name, c.cid`)

	dsn := testmysql.DSN(t)
	server, err := mysqlstore.Open(dsn)
	require.NoError(t, err)
	defer server.Close()
	require.NoError(t, server.Migrate(t.Context()))
	requireCopied(t, "mysql", dsn, `
		SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, COALESCE(k.ORDINAL_POSITION, 0)
		FROM information_schema.COLUMNS c LEFT JOIN information_schema.KEY_COLUMN_USAGE k
			ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME AND k.CONSTRAINT_NAME = 'PRIMARY'
		WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME LIKE 'lt!_%' ESCAPE '!' ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`)
}

func requireCopied(t *testing.T, driver, name, columns string) {
	db, err := sql.Open(driver, name)
	require.NoError(t, err)
	defer db.Close()
	rows, err := db.Query(columns)
	require.NoError(t, err)
	defer rows.Close()
	wanted := sqlstore.CopiedColumns()
	tables := map[string]bool{}
	for rows.Next() {
		var table, column, kind string
		var key int
		require.NoError(t, rows.Scan(&table, &column, &kind, &key))
		tables[table] = true
		if sqlstore.NotCopied(table) || sqlstore.NotCopied(table+"."+column) {
			continue
		}
		c, ok := wanted[table+"."+column]
		if !assert.True(t, ok, "%s: a copy loses %s.%s: add it to copiedTables, or to notCopied with the reason", driver, table, column) {
			continue
		}
		delete(wanted, table+"."+column)
		assert.Equal(t, c.Key, key, "%s: %s.%s: place in the primary key", driver, table, column)
		assert.Equal(t, c.Text, !strings.Contains(strings.ToLower(kind), "int"), "%s: %s.%s: %s", driver, table, column, kind)
	}
	require.NoError(t, rows.Err())
	assert.Empty(t, wanted, "%s does not have them", driver)
	assert.True(t, tables["lt_hit"] && tables["lt_setting"])
}
