package sqlitestore_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

func TestAFileOnANetworkIsRefused(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.db")
	for number, name := range map[uint32]string{0x6969: "NFS", 0xfe534d42: "SMB", 0xff534d42: "SMB"} {
		sqlitestore.OnFileSystem(t, number)
		_, err := sqlitestore.Open(path)
		require.EqualError(t, err, "sqlitestore: open "+path+": the file is on a network file system ("+name+"), where SQLite can lose data: name a file on a local disk")
	}
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, left, "no file was created")
	const ext4 = 0xef53
	sqlitestore.OnFileSystem(t, ext4)
	opened(t, path)
}

func TestADatabaseThatCannotBeWrittenIsRefusedWhenItIsOpened(t *testing.T) {
	disk := mounted(t, "size=4m")
	path := filepath.Join(disk, "a.db")
	s := opened(t, path)
	makeLink(t, s, "a")
	require.NoError(t, s.Close())
	remount(t, disk, "ro")
	_, err := sqlitestore.Open(path)
	require.ErrorContains(t, err, "sqlitestore: open "+path+": the database")
	require.ErrorContains(t, err, "write to ")
	_, err = sqlitestore.Open(filepath.Join(disk, "new.db"))
	require.ErrorContains(t, err, "check that its folder exists and that the program may write to it")
}

func TestAReadOnlyFileIsRefusedWhenItIsOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s := opened(t, path)
	require.NoError(t, s.Close())
	makeReadOnly(t, path)
	_, err := sqlitestore.Open(path)
	require.EqualError(t, err, "sqlitestore: open "+path+": the database, or its folder, is read-only: let the program write to both")
}

func TestADiskThatBecomesReadOnlyAcknowledgesNothing(t *testing.T) {
	s := fresh(t)
	l := makeLink(t, s, "a")
	require.NoError(t, s.AppendClicks(t.Context(), batchOf(1, 1, l.ID, 3)))
	s.Writer().MustExec(`PRAGMA query_only = 1`) // what a read-only file answers
	err := s.AppendClicks(t.Context(), batchOf(1, 2, l.ID, 3))
	require.EqualError(t, err, "sqlitestore: append clicks: the database, or its folder, is read-only: let the program write to both (error 8)")
	require.NotErrorIs(t, err, linktrack.ErrRejected)
	s.Writer().MustExec(`PRAGMA query_only = 0`)
	requireCounted(t, s, l.ID, 3)
}

// What was acknowledged is there when the disk has room again, and nothing else.
func TestOnADiskThatIsReallyFullNothingIsAcknowledgedThatIsNotThere(t *testing.T) {
	disk := mounted(t, "size=3m")
	s := opened(t, filepath.Join(disk, "a.db"))
	l := makeLink(t, s, "a")
	stored, rejected := 0, int64(0)
	var err error
	for seq := int64(1); err == nil; seq++ {
		if err = s.AppendClicks(t.Context(), batchOf(1, seq, l.ID, 500)); err == nil {
			stored += 500
		}
		rejected = seq
	}
	require.Positive(t, stored)
	require.EqualError(t, err, "sqlitestore: append clicks: the disk is full: free space on it (error 13)")
	_, err = s.ApplyClicks(t.Context(), nil, time.Time{})
	require.ErrorContains(t, err, "the disk is full")
	found, err := s.LinkByPath(t.Context(), l.Host, l.Key())
	require.NoError(t, err, "reads go on")
	require.Equal(t, l.LinkSettings, found.LinkSettings)

	remount(t, disk, "size=40m")
	requireCounted(t, s, l.ID, stored)
	require.NoError(t, s.AppendClicks(t.Context(), batchOf(1, rejected, l.ID, 500)), "it is sent again")
	requireCounted(t, s, l.ID, stored+500)
	requireFindings(t, s)
}

func TestADamagedDatabaseAcknowledgesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s, l := checked(t, path)
	damagePage(t, s, path, "lt_log")
	s, err := sqlitestore.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	err = s.AppendClicks(t.Context(), batchOf(2, 1, l.ID, 1))
	require.EqualError(t, err, "sqlitestore: append clicks: the database is damaged: restore a backup (error 11)")
	require.NotErrorIs(t, err, linktrack.ErrRejected, "so the clicks wait until the database is mended")
	found, err := s.LinkByPath(t.Context(), l.Host, l.Key())
	require.NoError(t, err, "what is whole can be read")
	require.EqualValues(t, 3, found.Counts.People)
	require.ErrorContains(t, s.Backup(t.Context(), path+".backup"), "the database is damaged: restore a backup")
}

func TestAFileThatWasCutOffIsReportedOrRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s, _ := checked(t, path)
	require.NoError(t, s.Close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, info.Size()/2))
	s, err = sqlitestore.Open(path)
	if err == nil {
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		var findings []string
		findings, err = s.Check(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, findings)
		err = s.Migrate(t.Context())
	}
	require.ErrorContains(t, err, "the database is damaged: restore a backup")
}
