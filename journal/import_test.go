package journal_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"hash/fnv"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/journal"
)

// oldFile returns a file that an earlier version wrote: clicks 0 to 19 are drained,
// 20 to 39 in quarantine, 40 to 69 in flight as number 3, and 70 to 199 wait. The
// last record, from 190 on, is of the version in which clicks had no country.
func oldFile(t *testing.T) []byte { return journal.OldFile(t) }

func oldFolder(t *testing.T, file []byte) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.bolt"), file, 0o600))
	return dir
}

const oldSeq = 3

var safe = journal.Options{Logger: quiet.Logger}

func requireOldClicks(t *testing.T, from, to int, clicks []linktrack.Click) {
	t.Helper()
	require.Len(t, clicks, to-from)
	for i, c := range clicks {
		n := from + i
		want := linktrack.Click{
			ID: c.ID, Link: int64(n), IP: netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), Referrer: "https://www.example.com/",
			UserAgent: "curl/8", Country: "DE", Unique: n%2 == 0,
		}
		if n >= 190 {
			want.Country = ""
		}
		require.Equal(t, want, c)
		require.Equal(t, time.Unix(1_700_000_000, 0).UTC(), c.ID.Time().UTC().Truncate(time.Second))
	}
}

// requireOld drains a journal that must hold what the old file does.
func requireOld(t *testing.T, j *journal.Journal) {
	t.Helper()
	require.Equal(t, int64(160), j.Size().Clicks)
	require.Equal(t, int64(20), j.Size().Quarantined)
	flight := next(t, j, 1)
	require.Equal(t, oldSource(t), flight.Source)
	require.Equal(t, int64(oldSeq), flight.Seq, "the store may have it")
	requireOldClicks(t, 40, 70, flight.Clicks)
	require.NoError(t, j.Done())
	b := next(t, j, 1000)
	require.Equal(t, flight.Source, b.Source)
	require.Equal(t, int64(oldSeq+1), b.Seq)
	requireOldClicks(t, 70, 200, b.Clicks)
	require.NoError(t, j.Done())
	n, err := j.Requeue()
	require.NoError(t, err)
	require.Equal(t, 20, n)
	b = next(t, j, 1000)
	require.Equal(t, int64(oldSeq+2), b.Seq)
	requireOldClicks(t, 20, 40, b.Clicks)
	require.NoError(t, j.Done())
	require.Empty(t, next(t, j, 10).Clicks)
}

func oldSource(t *testing.T) (s linktrack.Source) {
	t.Helper()
	inBolt(t, oldFile(t), func(tx *bbolt.Tx) error {
		copy(s[:], tx.Bucket([]byte("about")).Get([]byte("state"))[1:])
		return nil
	})
	return s
}

// inBolt returns the file changed with bbolt.
func inBolt(t *testing.T, file []byte, change func(tx *bbolt.Tx) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, file, 0o600))
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(change))
	require.NoError(t, db.Close())
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

func TestTheClicksOfAnEarlierVersionComeOnce(t *testing.T) {
	dir := oldFolder(t, oldFile(t))
	j := open(t, dir, journal.Options{})
	require.NoFileExists(t, filepath.Join(dir, "journal.bolt"))
	j = reopen(t, j, dir, journal.Options{})
	requireOld(t, j)
	j = reopen(t, j, dir, journal.Options{})
	require.Empty(t, next(t, j, 10).Clicks)
	require.Empty(t, kept(t, dir))
}

func TestClicksAreAppendedBehindThoseOfAnEarlierVersion(t *testing.T) {
	j := open(t, oldFolder(t, oldFile(t)), quiet)
	require.NoError(t, j.Append(numbered(1000, 1010)))
	got := drain(t, j, 1000)
	require.Len(t, got, 170)
	for i, c := range got[160:] {
		require.Equal(t, int64(1000+i), c.Link)
	}
}

func TestAnImportThatWasInterruptedBeginsAgain(t *testing.T) {
	file := oldFile(t)
	whole := oldFolder(t, file)
	j := open(t, whole, safe)
	require.NoError(t, j.Close())
	t.Run("the file was not deleted yet", func(t *testing.T) {
		dir := copied(t, whole)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.bolt"), file, 0o600))
		j := open(t, dir, safe)
		require.NoFileExists(t, filepath.Join(dir, "journal.bolt"))
		requireOld(t, j)
	})
	t.Run("the file was not deleted yet, and clicks were drained", func(t *testing.T) {
		dir := copied(t, whole)
		j := open(t, dir, safe)
		requireOld(t, j)
		require.NoError(t, j.Close())
		require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.bolt"), file, 0o600))
		require.Empty(t, drain(t, open(t, dir, safe), 100))
	})
}

func TestAnEarlierVersionMayHaveRunInBetween(t *testing.T) {
	t.Run("the journal is empty", func(t *testing.T) {
		dir := t.TempDir()
		j := open(t, dir, safe)
		require.NoError(t, j.Append(numbered(0, 5)))
		drain(t, j, 10)
		require.NoError(t, j.Close())
		require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.bolt"), oldFile(t), 0o600))
		requireOld(t, open(t, dir, safe))
	})
	t.Run("clicks wait in both", func(t *testing.T) {
		dir := t.TempDir()
		j := open(t, dir, safe)
		require.NoError(t, j.Append(numbered(0, 5)))
		require.NoError(t, j.Close())
		path := filepath.Join(dir, "journal.bolt")
		require.NoError(t, os.WriteFile(path, oldFile(t), 0o600))
		_, err := journal.Open(dir, safe)
		require.ErrorContains(t, err, "there are clicks in "+path+" and in the newer files beside it")
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, oldFile(t), got)
		require.NoError(t, os.Remove(path))
		require.Len(t, drain(t, open(t, dir, safe), 10), 5)
	})
}

func TestNumbersLeapAfterAnEarlierVersionWithoutFsync(t *testing.T) {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	j := open(t, oldFolder(t, inBolt(t, oldFile(t), func(tx *bbolt.Tx) error {
		v := bytes.Clone(tx.Bucket([]byte("about")).Get([]byte("state")))
		v[25] = 1
		binary.BigEndian.PutUint32(v[len(v)-4:], crc32.Checksum(v[:len(v)-4], castagnoli))
		return tx.Bucket([]byte("about")).Put([]byte("state"), v)
	})), journal.Options{})
	require.Equal(t, int64(oldSeq), next(t, j, 1).Seq)
	require.NoError(t, j.Done())
	require.Greater(t, next(t, j, 1).Seq, int64(1<<32))
}

func TestADamagedFileOfAnEarlierVersionIsKeptAndNothingOfItIsUsed(t *testing.T) {
	file := oldFile(t)
	const page = 4096
	noise := bytes.Repeat([]byte("noise"), 5000)
	change := func(at int, with ...byte) []byte {
		b := bytes.Clone(file)
		copy(b[at:], with)
		return b
	}
	state := func(change func(v []byte)) []byte {
		return inBolt(t, file, func(tx *bbolt.Tx) error {
			v := bytes.Clone(tx.Bucket([]byte("about")).Get([]byte("state")))
			change(v)
			return tx.Bucket([]byte("about")).Put([]byte("state"), v)
		})
	}
	for name, file := range map[string][]byte{
		"it is empty":                     {},
		"it is a text":                    []byte("not a journal\n"),
		"it is noise":                     noise,
		"it is zeros":                     make([]byte, 10*page),
		"it is cut within the first page": file[:50],
		"it is cut after the first page":  file[:page],
		"it is cut after the second page": file[:2*page],
		"it is cut within a page":         file[:2*page+100],
		"the first page is lost":          change(0, make([]byte, page)...),
		"the second page is lost":         change(page, make([]byte, page)...),
		"the first page is older":         change(0, file[page:2*page]...),
		"one page is of another version":  change(16+4, 9),
		"all but these are lost":          append(bytes.Clone(file[:2*page]), make([]byte, len(file)-2*page)...),
		"a click has another letter":      bytes.ReplaceAll(file, []byte("curl/8"), []byte("Curl/8")),
		"its source is another":           state(func(v []byte) { v[1]++ }),
		"its state is of another version": state(func(v []byte) { v[0]++ }),
		"there is no state":               inBolt(t, file, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("about")).Delete([]byte("state")) }),
		"a bucket is missing":             inBolt(t, file, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("aside")) }),
		"the first bucket is missing":     inBolt(t, file, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("about")) }),
		"a record is missing": inBolt(t, file, func(tx *bbolt.Tx) error {
			k, _ := tx.Bucket([]byte("clicks")).Cursor().First()
			return tx.Bucket([]byte("clicks")).Delete(k)
		}),
		"the last record is missing": inBolt(t, file, func(tx *bbolt.Tx) error {
			k, _ := tx.Bucket([]byte("aside")).Cursor().Last()
			return tx.Bucket([]byte("aside")).Delete(k)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			dir := oldFolder(t, file)
			var report bytes.Buffer
			j := open(t, dir, journal.Options{OSBuffered: true, Logger: slog.New(slog.NewTextHandler(&report, nil))})
			names := kept(t, dir)
			require.Len(t, names, 1)
			got, err := os.ReadFile(names[0])
			require.NoError(t, err)
			require.True(t, bytes.Equal(file, got), "it is kept as it was")
			require.Contains(t, report.String(), names[0])
			require.Zero(t, j.Size().Clicks+j.Size().Quarantined)
			require.NoError(t, j.Append(typical(3)))
			require.Len(t, drain(t, j, 10), 3)
			j = reopen(t, j, dir, quiet)
			require.Empty(t, drain(t, j, 10))
		})
	}
}

// A whole file of another version has clicks that are safe, so it must stay.
func TestAFileOfAnotherVersionOfBboltStaysAndTheJournalDoesNotOpen(t *testing.T) {
	file := oldFile(t)
	const page, meta = 4096, 16
	bolt := func(sum bool) []byte {
		file := bytes.Clone(file)
		for p := range 2 {
			b := file[p*page+meta:]
			binary.NativeEndian.PutUint32(b[4:], 9)
			if sum {
				h := fnv.New64a()
				h.Write(b[:56])
				binary.NativeEndian.PutUint64(b[56:], h.Sum64())
			}
		}
		return file
	}
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	state := func(longer ...byte) []byte {
		return inBolt(t, file, func(tx *bbolt.Tx) error {
			v := bytes.Clone(tx.Bucket([]byte("about")).Get([]byte("state")))
			v[0]++
			v = append(v[:len(v)-4], longer...)
			v = binary.BigEndian.AppendUint32(v, crc32.Checksum(v, castagnoli))
			return tx.Bucket([]byte("about")).Put([]byte("state"), v)
		})
	}
	for name, file := range map[string][]byte{
		"bbolt's, with its checksum":       bolt(true),
		"bbolt's, with a checksum unknown": bolt(false),
		"that of the state":                state(),
		"that of a longer state":           state(1, 2, 3),
		"that of a record": inBolt(t, file, func(tx *bbolt.Tx) error {
			source := tx.Bucket([]byte("about")).Get([]byte("state"))[1:17]
			k, v := tx.Bucket([]byte("clicks")).Cursor().Last()
			k, v = bytes.Clone(k), bytes.Clone(v)
			v[4] = 99
			sum := slices.Concat(source, []byte("clicks"), k, v[4:])
			binary.BigEndian.PutUint32(v, crc32.Checksum(sum, castagnoli))
			return tx.Bucket([]byte("clicks")).Put(k, v)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			dir := oldFolder(t, file)
			for range 2 {
				_, err := journal.Open(dir, journal.Options{OSBuffered: true})
				require.ErrorContains(t, err, "has a version that this program cannot read")
			}
			require.Empty(t, kept(t, dir))
			got, err := os.ReadFile(filepath.Join(dir, "journal.bolt"))
			require.NoError(t, err)
			require.Equal(t, file, got)
		})
	}
}

func TestAFileOfAnEarlierVersionInUseIsRefused(t *testing.T) {
	dir := oldFolder(t, oldFile(t))
	db, err := bbolt.Open(filepath.Join(dir, "journal.bolt"), 0o600, nil)
	require.NoError(t, err)
	_, err = journal.Open(dir, quiet)
	require.ErrorContains(t, err, "another process uses the journal")
	require.NoError(t, db.Close())
	requireOld(t, open(t, dir, quiet))
}

func TestAFolderInTheOldFilesPlaceIsNotCalledDamaged(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "journal.bolt"), 0o700))
	_, err := journal.Open(dir, quiet)
	require.ErrorContains(t, err, "is not a file")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = journal.Open(file, quiet)
	require.Error(t, err, "nor is a file a folder")
}
