package sqlitestore_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testcopy"
	"github.com/linktrackhq/linktrack/sqlitestore"
	"github.com/linktrackhq/linktrack/storecopy"
)

func connected(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// The target fails for good at its first statement, then at its second one, and so on. What
// it has then must be refused by those who would use it, and the next copy must complete it.
func TestACopyThatEndedAtAnyStatementGoesOn(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "from.db")
	from := opened(t, path)
	f := testcopy.NewFill(t, from)
	stopped := errors.New("the target is gone")
	for name, least := range map[string]int{"the first copy": 60, "a later copy": 30} {
		t.Run(name, func(t *testing.T) {
			template := filepath.Join(t.TempDir(), "template.db")
			first, err := sqlitestore.Open(template)
			require.NoError(t, err)
			require.NoError(t, first.Migrate(t.Context()))
			if name == "a later copy" {
				_, err = storecopy.Copy(t.Context(), from, first, storecopy.Options{})
				require.NoError(t, err)
				f.Click(t, from, 3, 20, 2)
				f.Rename(t, from, 4, "other")
				require.NoError(t, from.PruneClicks(t.Context(), f.Today.AddDate(0, 0, -15)))
			}
			require.NoError(t, first.Close())
			content, err := os.ReadFile(template)
			require.NoError(t, err)
			_, err = from.ApplyClicks(t.Context(), testcopy.Zone, f.Today)
			require.NoError(t, err)
			want := testcopy.Dump(t, connected(t, path))
			unfinished := 0
			for statements := 0; ; statements++ {
				target := filepath.Join(t.TempDir(), "to.db")
				require.NoError(t, os.WriteFile(target, content, 0o600))
				left := statements
				to := sqlitestore.Failing(target, func() error {
					if left--; left < 0 {
						return stopped
					}
					return nil
				})
				_, err := storecopy.Copy(t.Context(), from, to, storecopy.Options{})
				require.NoError(t, to.Close())
				if err == nil {
					require.Greater(t, unfinished, least, "the test shows nothing")
					return
				}
				require.ErrorIs(t, err, stopped)

				next, err := sqlitestore.Open(target)
				require.NoError(t, err)
				if err := next.AppendClicks(t.Context(), linktrack.Batch{}); err != nil {
					require.ErrorContains(t, err, "is not finished")
					unfinished++
				} else { // it was not begun, or is finished but for the answer
					require.NoError(t, next.Close())
					continue
				}
				_, err = storecopy.Copy(t.Context(), from, next, storecopy.Options{})
				require.NoError(t, err, "after %d statements", statements)
				require.NoError(t, next.Close())
				db := connected(t, target)
				for table, rows := range testcopy.Dump(t, db) {
					require.Equal(t, want[table], rows, "%s after %d statements", table, statements)
				}
				require.NoError(t, db.Close())
			}
		})
	}
}

// Processes of the source append, apply, and edit while it is copied, again and again.
func TestWhileTheSourceServesEachCopyIsOfOneMoment(t *testing.T) {
	from, to := opened(t, filepath.Join(t.TempDir(), "from.db")), fresh(t)
	f := testcopy.NewFill(t, from)
	f.Apply(t, from)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 5 {
			_, err := storecopy.Copy(t.Context(), from, to, storecopy.Options{})
			assert.NoError(t, err)
			var hits, counts, hours int
			assert.NoError(t, to.Writer().Get(&hits, `SELECT COUNT(*) FROM lt_hit WHERE is_bot = 0`))
			assert.NoError(t, to.Writer().Get(&counts, `SELECT SUM(total) FROM lt_count`))
			assert.NoError(t, to.Writer().Get(&hours, `SELECT SUM(clicks) FROM lt_hour`))
			assert.Equal(t, hits, counts)
			assert.Equal(t, hits, hours)
		}
	}()
	for seq, isOver := int64(3), false; !isOver; seq++ {
		f.Click(t, from, seq, 16, 0)
		f.Apply(t, from)
		select {
		case <-ended:
			isOver = true
		default:
		}
	}
	report, err := storecopy.Copy(t.Context(), from, to, storecopy.Options{})
	require.NoError(t, err)
	for _, table := range report {
		require.Equal(t, table.Source, table.Target, table.What)
	}
	_, err = to.LinkByPath(t.Context(), "go.example.com", "renamed")
	require.NoError(t, err)
	tracker, err := linktrack.New(to, linktrack.Options{BaseURL: "https://go.example.com"})
	require.NoError(t, err)
	require.NoError(t, tracker.Close(t.Context()))
}
