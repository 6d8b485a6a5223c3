package journal_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/journal"
)

// sound is a journal with clicks in flight, waiting and set aside, and with
// free pages.
type sound struct {
	file   []byte
	clicks []linktrack.Click // in the order in which they come out, those aside last
	flight linktrack.Batch
}

func newSound(t *testing.T) sound {
	dir := t.TempDir()
	j := open(t, dir, quiet)
	all := typical(4000)
	for c := range slices.Chunk(all[:2000], 40) {
		require.NoError(t, j.Append(c))
	}
	require.NoError(t, j.Append(all[2000:]))
	first := next(t, j, 600)
	require.NoError(t, j.Done())
	aside := next(t, j, 600)
	require.NoError(t, j.Quarantine())
	flight := next(t, j, 600)
	rest := all[len(first.Clicks)+len(aside.Clicks):]
	s := sound{flight: flight, clicks: append(slices.Clone(rest), aside.Clicks...)}
	require.NoError(t, j.Close())
	var err error
	s.file, err = os.ReadFile(filepath.Join(dir, "journal.bolt"))
	require.NoError(t, err)
	return s
}

// holds opens a journal whose file is that, and fails unless it is either
// set aside whole and reported, or as good as the sound one.
func (s sound) holds(t *testing.T, file []byte) (setAside bool) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.bolt"), file, 0o600))
	var report bytes.Buffer
	j, err := journal.Open(dir, journal.Options{OSBuffered: true, Logger: slog.New(slog.NewTextHandler(&report, nil))})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()
	kept, err := filepath.Glob(filepath.Join(dir, "journal.damaged-*"))
	require.NoError(t, err)
	if len(kept) == 0 {
		require.Empty(t, report.String())
		require.Equal(t, s.flight, next(t, j, 1))
		_, err := j.Requeue()
		require.NoError(t, err)
		require.True(t, slices.Equal(s.clicks, drain(t, j, 500)), "all clicks, in order")
		return false
	}
	require.Len(t, kept, 1)
	got, err := os.ReadFile(kept[0])
	require.NoError(t, err)
	require.True(t, bytes.Equal(file, got), "it is kept as it was")
	require.Contains(t, report.String(), kept[0])
	require.Zero(t, j.Size().Clicks+j.Size().Quarantined)
	require.NoError(t, j.Append(typical(3)))
	b := next(t, j, 10)
	require.Len(t, b.Clicks, 3)
	require.NotEqual(t, s.flight.Source, b.Source)
	return true
}

func TestADamagedFileIsKeptAndAnEmptyJournalTakesItsPlace(t *testing.T) {
	s := newSound(t)
	const page = 4096
	noise := make([]byte, 10*page)
	rand.NewChaCha8([32]byte{}).Read(noise)
	change := func(at int, with ...byte) []byte {
		b := bytes.Clone(s.file)
		copy(b[at:], with)
		return b
	}
	tree, leaf, free := s.pages(t)
	letter := leaf*page + bytes.Index(s.file[leaf*page:], []byte("Mozilla"))
	id := func(n int) []byte { return binary.NativeEndian.AppendUint64(nil, uint64(n)) }
	require.NotZero(t, s.file[free*page+10], "there are free pages")
	for name, file := range map[string][]byte{
		"a page leads to itself":          change(tree*page+16+8, id(tree)...),
		"a page leads out of the file":    change(tree*page+16+8, id(1<<30)...),
		"a page in use is free":           change(free*page+16, id(leaf)...),
		"a page is free twice":            change(free*page+16, s.file[free*page+24:free*page+32]...),
		"there are 65,534 free pages":     change(free*page+10, 0xfe, 0xff),
		"there are 2^56 free pages":       change(free*page+10, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
		"it is empty":                     {},
		"it is one byte":                  {1},
		"it is a text":                    []byte("not a journal\n"),
		"it is noise":                     noise,
		"it is zeros":                     make([]byte, 10*page),
		"it is cut within the first page": s.file[:50],
		"it is cut after the first page":  s.file[:page],
		"it is cut after the second page": s.file[:2*page],
		"it is cut within a page":         s.file[:len(s.file)/2+100],
		"the first page is lost":          change(0, make([]byte, page)...),
		"the second page is lost":         change(page, make([]byte, page)...),
		"both are lost":                   change(0, make([]byte, 2*page)...),
		"the first page is older":         change(0, s.file[page:2*page]...),
		"one page is of another version":  change(16+4, 9),
		"a page is lost":                  change(leaf*page, make([]byte, page)...),
		"a page is torn":                  change(leaf*page+page/2, make([]byte, page/2)...),
		"a page is another":               change(leaf*page, s.file[(leaf-1)*page:leaf*page]...),
		"a click has another letter":      change(letter, 'm'),
	} {
		t.Run(name, func(t *testing.T) { require.True(t, s.holds(t, file)) })
	}
	t.Run("it is not damaged at all", func(t *testing.T) { require.False(t, s.holds(t, s.file)) })
	t.Run("it is longer than it was", func(t *testing.T) { require.False(t, s.holds(t, append(bytes.Clone(s.file), noise...))) })
}

// pages returns a branch, a leaf with clicks and the list of free pages, all in
// use.
func (s sound) pages(t *testing.T) (branch, leaf, free int) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, s.file, 0o600))
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true})
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		for n := 2; ; n++ {
			info, err := tx.Page(n)
			if info == nil || err != nil {
				return err
			}
			switch info.Type {
			case "branch":
				branch = n
			case "leaf":
				if info.Count > 1 {
					leaf = n
				}
			case "freelist":
				free = n
			}
			n += info.OverflowCount
			if info.Type == "free" {
				n -= info.OverflowCount
			}
		}
	}))
	require.True(t, branch > 0 && leaf > 0 && free > 0)
	return branch, leaf, free
}

// What bbolt itself finds nothing wrong with.
func TestAFileThatIsNotAJournalsIsKept(t *testing.T) {
	s := newSound(t)
	for name, change := range map[string]func(tx *bbolt.Tx) error{
		"a bucket is missing": func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("aside")) },
		"there is one more":   func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("zoo")); return err },
		"a bucket in a bucket": func(tx *bbolt.Tx) error {
			_, err := tx.Bucket([]byte("clicks")).CreateBucket([]byte("zoo"))
			return err
		},
		"a record is missing": func(tx *bbolt.Tx) error {
			k, _ := tx.Bucket([]byte("clicks")).Cursor().First()
			return tx.Bucket([]byte("clicks")).Delete(k)
		},
		"a record is too many": func(tx *bbolt.Tx) error {
			k, v := tx.Bucket([]byte("clicks")).Cursor().Last()
			k = binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(k)+1)
			return tx.Bucket([]byte("clicks")).Put(k, bytes.Clone(v))
		},
		"two records change places": func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("clicks"))
			c := b.Cursor()
			k1, v1 := c.First()
			k2, v2 := c.Next()
			v1, v2 = bytes.Clone(v1), bytes.Clone(v2)
			return firstError(b.Put(bytes.Clone(k1), v2), b.Put(bytes.Clone(k2), v1))
		},
		"there is no state": func(tx *bbolt.Tx) error { return tx.Bucket([]byte("about")).Delete([]byte("state")) },
		"the state is of another version": func(tx *bbolt.Tx) error {
			v := bytes.Clone(tx.Bucket([]byte("about")).Get([]byte("state")))
			v[0]++
			return tx.Bucket([]byte("about")).Put([]byte("state"), v)
		},
		"its source is another": func(tx *bbolt.Tx) error {
			v := bytes.Clone(tx.Bucket([]byte("about")).Get([]byte("state")))
			v[1]++
			return tx.Bucket([]byte("about")).Put([]byte("state"), v)
		},
		"everything is gone": func(tx *bbolt.Tx) error {
			return firstError(tx.DeleteBucket([]byte("about")), tx.DeleteBucket([]byte("aside")), tx.DeleteBucket([]byte("clicks")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			require.NoError(t, os.WriteFile(path, s.file, 0o600))
			db, err := bbolt.Open(path, 0o600, nil)
			require.NoError(t, err)
			require.NoError(t, db.Update(change))
			require.NoError(t, db.Close())
			file, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, s.holds(t, file))
		})
	}
}

// A whole file of another version has clicks that are safe, so it must stay.
func TestAFileOfAnotherVersionStaysAndTheJournalDoesNotOpen(t *testing.T) {
	s := newSound(t)
	const page, meta = 4096, 16
	version := func(sum bool, pages ...int) []byte {
		file := bytes.Clone(s.file)
		for _, p := range pages {
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
	inBolt := func(change func(tx *bbolt.Tx) error) []byte {
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, s.file, 0o600))
		db, err := bbolt.Open(path, 0o600, nil)
		require.NoError(t, err)
		require.NoError(t, db.Update(change))
		require.NoError(t, db.Close())
		file, err := os.ReadFile(path)
		require.NoError(t, err)
		return file
	}
	for name, file := range map[string][]byte{
		"bbolt's, with its checksum":       version(true, 0, 1),
		"bbolt's, with a checksum unknown": version(false, 0, 1),
		"bbolt's, of the first page only":  version(true, 0),
		"bbolt's, of the second page only": version(true, 1),
		"that of the state": inBolt(func(tx *bbolt.Tx) error {
			v := bytes.Clone(tx.Bucket([]byte("about")).Get([]byte("state")))
			v[0]++
			binary.BigEndian.PutUint32(v[len(v)-4:], crc32.Checksum(v[:len(v)-4], castagnoli))
			return tx.Bucket([]byte("about")).Put([]byte("state"), v)
		}),
		"that of a longer state": inBolt(func(tx *bbolt.Tx) error {
			v := bytes.Clone(tx.Bucket([]byte("about")).Get([]byte("state")))
			v[0]++
			v = append(v[:len(v)-4], 1, 2, 3)
			v = binary.BigEndian.AppendUint32(v, crc32.Checksum(v, castagnoli))
			return tx.Bucket([]byte("about")).Put([]byte("state"), v)
		}),
		"that of a record": inBolt(func(tx *bbolt.Tx) error {
			source := tx.Bucket([]byte("about")).Get([]byte("state"))[1:17]
			k, v := tx.Bucket([]byte("clicks")).Cursor().First()
			k, v = bytes.Clone(k), bytes.Clone(v)
			v[4] = 99
			sum := slices.Concat(source, []byte("clicks"), k, v[4:])
			binary.BigEndian.PutUint32(v, crc32.Checksum(sum, castagnoli))
			return tx.Bucket([]byte("clicks")).Put(k, v)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "journal.bolt")
			require.NoError(t, os.WriteFile(path, file, 0o600))
			for range 2 {
				_, err := journal.Open(dir, journal.Options{OSBuffered: true})
				require.ErrorContains(t, err, "has a version that this program cannot read")
			}
			files, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, files, 1, "nothing is put aside")
			kept, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, file, kept)
		})
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestRandomDamageIsFoundOrDoesNoHarm(t *testing.T) {
	s := newSound(t)
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	// Metas and structure are a small part of the file, so some damage aims
	// at the heads of pages.
	kinds := []func(b []byte) []byte{
		func(b []byte) []byte { b[random.IntN(len(b))] ^= 1 << random.IntN(8); return b },
		func(b []byte) []byte {
			b[random.IntN(len(b)/4096)*4096+random.IntN(64)] ^= byte(1 + random.IntN(255))
			return b
		},
		func(b []byte) []byte {
			b[random.IntN(8)*4096+random.IntN(128)] = byte(random.IntN(256))
			return b
		},
		func(b []byte) []byte { return b[:random.IntN(len(b))] },
		func(b []byte) []byte {
			at := random.IntN(len(b))
			for i := range b[at:min(len(b), at+1+random.IntN(9000))] {
				b[at+i] = byte(random.IntN(256))
			}
			return b
		},
		func(b []byte) []byte { // a sector is lost, or another stands in its place
			to, from := random.IntN(len(b)/512)*512, random.IntN(len(b)/512)*512
			copy(b[to:to+512], b[from:])
			return b
		},
		func(b []byte) []byte { // so is a page, but it says it is the right one
			to, from := 2+random.IntN(len(b)/4096-2), 2+random.IntN(len(b)/4096-2)
			copy(b[to*4096:(to+1)*4096], bytes.Clone(b[from*4096:]))
			binary.NativeEndian.PutUint64(b[to*4096:], uint64(to))
			return b
		},
	}
	for n := range 210 {
		kind := n % len(kinds)
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			if s.holds(t, kinds[kind](bytes.Clone(s.file))) {
				found++
			}
		})
	}
	t.Logf("%d were set aside", found)
	require.Greater(t, found, 50)
}

func TestADamagedFileOverwritesNoOther(t *testing.T) {
	dir := t.TempDir()
	for range 5 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.bolt"), []byte("damaged"), 0o600))
		j, err := journal.Open(dir, quiet)
		require.NoError(t, err)
		require.NoError(t, j.Close())
	}
	kept, err := filepath.Glob(filepath.Join(dir, "journal.damaged-*"))
	require.NoError(t, err)
	require.Len(t, kept, 5)
}

func TestAFileThatCannotBeReadIsNotCalledDamaged(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "journal.bolt"), 0o700))
	_, err := journal.Open(dir, quiet)
	require.ErrorContains(t, err, "is not a file")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = journal.Open(file, quiet)
	require.Error(t, err, "nor is a file a folder")
}
