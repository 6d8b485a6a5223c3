package sqlitestore_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/sqlitestore"
)

// The tables of a program and those of linktrack are in one file, and a transaction can read
// both.
func TestAProgramReadsItsTablesAndOurs(t *testing.T) {
	db := sqlx.MustOpen("sqlite", sqlitestore.DSN(filepath.Join(t.TempDir(), "a ?b#c%20.db")))
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.MustExec(`CREATE TABLE poster (path TEXT, place TEXT)`)
	db.MustExec(`INSERT INTO poster (path, place) VALUES ('a', 'station')`)
	s := sqlitestore.New(db)
	require.NoError(t, s.Migrate(t.Context()))
	l := makeLink(t, s, "a")
	require.NoError(t, s.AppendClicks(t.Context(), batchOf(1, 1, l.ID, 3)))
	requireCounted(t, s, l.ID, 3)
	var place string
	require.NoError(t, db.Get(&place, `SELECT p.place FROM lt_link l JOIN poster p ON CAST(l.path AS TEXT) = p.path`))
	require.Equal(t, "station", place)
	require.NoError(t, s.Close())
	require.NoError(t, db.Ping(), "the pool is the program's, so it stays open")
}

func TestAPoolWithoutTheSettingsIsRefusedByMigrate(t *testing.T) {
	for name, test := range map[string]struct{ query, want string }{
		"no timeout": {"?_pragma=journal_mode(WAL)",
			"sqlitestore: use the pool of the program: its connections have no busy timeout: open it with sqlitestore.DSN, or add _busy_timeout=5000 to its DSN"},
		"no WAL": {"?_busy_timeout=5000",
			"sqlitestore: use the pool of the program: the journal mode of the database is delete: open it with sqlitestore.DSN, or add _pragma=journal_mode(WAL) to its DSN"},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "a.db")+test.query)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			require.EqualError(t, sqlitestore.New(db).Migrate(t.Context()), test.want)
			var tables int
			require.NoError(t, db.QueryRow(`SELECT COUNT(*) FROM sqlite_schema`).Scan(&tables))
			require.Zero(t, tables)
		})
	}
}

func TestAPoolOfAnotherDriverIsRefusedByMigrate(t *testing.T) {
	db := sql.OpenDB(sqlitestore.BareConnector(sqlitestore.DSN(filepath.Join(t.TempDir(), "a.db"))))
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.EqualError(t, sqlitestore.New(db).Migrate(t.Context()),
		`sqlitestore: use the pool of the program: it is not one of the driver "sqlite" of modernc.org/sqlite`)
}
