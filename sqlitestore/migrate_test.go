package sqlitestore_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// There are files that were made with these migrations. What comes later needs a migration of
// its own.
func TestMigrationsThatAreInUseAreNotEdited(t *testing.T) {
	for name, want := range map[string]string{
		"0001_init.sql": "e942bdde060fc9f623a0f58b2c148a48dbe99f596fba17104accdec773b0398f",
	} {
		text, err := os.ReadFile(filepath.Join("migrations", name))
		require.NoError(t, err)
		require.Equal(t, want, fmt.Sprintf("%x", sha256.Sum256(text)), "%s: write a new migration instead", name)
	}
}

func TestAFileOfAnEarlierVersionGetsWhatItLacks(t *testing.T) {
	first, err := os.ReadFile("migrations/0001_init.sql")
	require.NoError(t, err)
	for name, has := range map[string][]string{
		"made by the first migration":           nil,
		"made while the first one had all":      {"migrations/0002_reservation.sql", "migrations/0003_change.sql"},
		"made while it lacked the newest table": {"migrations/0002_reservation.sql"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			s, err := sqlitestore.Open(path)
			require.NoError(t, err)
			defer s.Close()
			s.Writer().MustExec(string(first))
			for _, file := range has {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				s.Writer().MustExec(string(text))
			}
			s.Writer().MustExec(`CREATE TABLE lt_migration (version INTEGER PRIMARY KEY, name BLOB NOT NULL) STRICT`)
			s.Writer().MustExec(`INSERT INTO lt_migration (version, name) VALUES (1, x'303030315f696e69742e73716c')`)

			require.NoError(t, s.Migrate(t.Context()))
			l := makeLink(t, s, "a")
			_, err = s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.DeactivateAt = 1; return nil })
			require.NoError(t, err)
			changes, err := s.Changes(t.Context(), time.Minute, 10)
			require.NoError(t, err)
			require.NotEmpty(t, changes)
			granted, err := s.ReserveClicks(t.Context(), linktrack.Reservation{Link: l.ID, People: 2, Source: linktrack.Source{1}, Seq: 1, Time: time.Now()})
			require.NoError(t, err)
			require.Equal(t, 1, granted)
		})
	}
}
