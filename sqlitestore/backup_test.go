package sqlitestore_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// Batches of three clicks are appended, applied, and sent twice while the backups are made.
// Each backup has whole batches, counts each once, and has all that were stored before.
func TestABackupTakenUnderLoadIsConsistent(t *testing.T) {
	folder := t.TempDir()
	s := opened(t, filepath.Join(folder, "a.db"))
	l := makeLink(t, s, "a")
	require.NoError(t, s.AppendClicks(t.Context(), batchOf(9, 1, l.ID, 3000)))
	ctx, cancel := context.WithCancel(t.Context())
	own := context.WithoutCancel(ctx) // the last call of each goroutine succeeds, too
	var stored sync.Map               // the last batch of each source
	var all sync.WaitGroup
	for source := range byte(2) {
		all.Go(func() {
			for seq := int64(1); ctx.Err() == nil; seq++ {
				b := batchOf(source, seq, l.ID, 3)
				assert.NoError(t, s.AppendClicks(own, b))
				stored.Store(source, seq)
				if seq%5 == 0 {
					assert.NoError(t, s.AppendClicks(own, b), "it is sent twice")
					_, err := s.ApplyClicks(own, nil, time.Time{})
					assert.NoError(t, err)
				}
			}
		})
	}
	t.Cleanup(all.Wait)
	t.Cleanup(cancel)
	for _, name := range []string{"1.db", "2.db", "3 ?#%.db"} {
		before := map[byte]int64{}
		stored.Range(func(source, seq any) bool { before[source.(byte)] = seq.(int64); return true })
		path := filepath.Join(folder, name)
		require.NoError(t, s.Backup(t.Context(), path))

		restored := opened(t, path)
		_, err := restored.ApplyClicks(t.Context(), nil, time.Time{})
		require.NoError(t, err)
		var batches int
		for source := range byte(2) {
			var seq int64
			require.NoError(t, restored.Writer().Get(&seq, `SELECT COALESCE(MAX(seq), 0) FROM lt_source WHERE source = ?`, append([]byte{source}, make([]byte, 15)...)))
			require.GreaterOrEqual(t, seq, before[source])
			batches += int(seq)
		}
		requireCounted(t, restored, l.ID, 3000+3*batches)
		var check string
		require.NoError(t, restored.Writer().Get(&check, `PRAGMA integrity_check`))
		require.Equal(t, "ok", check)
		mode, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), mode.Mode().Perm(), "the backup has hashes of passwords")
	}
	requireNoPartial(t, folder)
}

func requireNoPartial(t *testing.T, folder string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(folder, "*.partial*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestABackupReplacesNoFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.db")
	s := opened(t, path)
	taken := filepath.Join(folder, "taken")
	require.NoError(t, os.WriteFile(taken, []byte("mine"), 0o600))
	dangling := filepath.Join(folder, "dangling")
	require.NoError(t, os.Symlink(filepath.Join(folder, "nowhere"), dangling))
	for _, to := range []string{taken, dangling, path, folder} {
		err := s.Backup(t.Context(), to)
		require.EqualError(t, err, "sqlitestore: back up to "+to+": file already exists: Backup does not replace a file")
		require.ErrorIs(t, err, fs.ErrExist)
	}
	data, err := os.ReadFile(taken)
	require.NoError(t, err)
	require.Equal(t, "mine", string(data))
	require.NoError(t, s.Migrate(t.Context()), "the database is as it was")
	requireNoPartial(t, folder)
}

func TestABackupThatFailsLeavesNoFile(t *testing.T) {
	folder := t.TempDir()
	s := opened(t, filepath.Join(folder, "a.db"))
	require.EqualError(t, s.Backup(t.Context(), ""), "sqlitestore: back up to : the path of the backup is empty")
	none := filepath.Join(folder, "none", "b.db")
	require.ErrorIs(t, s.Backup(t.Context(), none), fs.ErrNotExist)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Backup(ctx, filepath.Join(folder, "b.db")), context.Canceled)
	left, err := filepath.Glob(filepath.Join(folder, "b.db*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// The pools of programs may have other databases attached.
func TestABackupThroughAPoolOfTheProgramHasTheWholeFile(t *testing.T) {
	folder := t.TempDir()
	s := onPool(t, sqlitestore.DSN(filepath.Join(folder, "a.db")), 1)
	s.Writer().MustExec(`CREATE TABLE poster (place TEXT)`)
	s.Writer().MustExec(`INSERT INTO poster (place) VALUES ('station')`)
	l := makeLink(t, s, "a")
	to := filepath.Join(folder, "b.db")
	require.NoError(t, s.Backup(t.Context(), to))
	restored := opened(t, to)
	again, err := restored.LinkByPath(t.Context(), l.Host, l.Key())
	require.NoError(t, err)
	require.Equal(t, l.LinkSettings, again.LinkSettings)
	var place string
	require.NoError(t, restored.Writer().Get(&place, `SELECT place FROM poster`))
	require.Equal(t, "station", place)
	require.Equal(t, linktrack.AccountID(1), again.Account)
}
