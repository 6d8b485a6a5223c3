package journal_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/journal"
)

// sound is a journal with clicks in flight, waiting, and in quarantine, in several
// segments.
type sound struct {
	files  map[string][]byte
	names  []string
	clicks []linktrack.Click // in the order in which they come out, those in quarantine last
	flight linktrack.Batch
	done   int64 // Seq of the last batch that the store has, before flight
}

func newSound(t *testing.T) sound {
	dir := t.TempDir()
	o := safe
	o.MaxBytes = 16 << 20 // for small segments
	j := open(t, dir, o)
	all := numbered(0, 400)
	for i := range all {
		all[i].Query = strings.Repeat("q", 900)
	}
	for c := range slices.Chunk(all[:200], 10) {
		require.NoError(t, j.Append(c))
	}
	j = reopen(t, j, dir, o)
	for c := range slices.Chunk(all[200:], 5) {
		require.NoError(t, j.Append(c))
	}
	first := next(t, j, 40)
	require.NoError(t, j.Done())
	quarantined := next(t, j, 40)
	require.NoError(t, j.Quarantine())
	flight := next(t, j, 40)
	rest := all[len(first.Clicks)+len(quarantined.Clicks):]
	s := sound{flight: flight, done: quarantined.Seq, files: map[string][]byte{}, clicks: append(slices.Clone(rest), quarantined.Clicks...)}
	require.NoError(t, j.Close())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		s.files[f.Name()] = b
		s.names = append(s.names, f.Name())
	}
	require.Contains(t, s.names, "clicks-00000004.seg")
	require.Contains(t, s.names, "quarantine-00000001.seg")
	return s
}

// opened opens a journal with one of the sound one's files changed, and drains it
// as a store does. It fails unless each click that comes is one of the sound one's,
// comes once, and in order; and unless what does not come is reported.
func (s sound) opened(t *testing.T, change map[string][]byte) (came int, report string) {
	t.Helper()
	dir := t.TempDir()
	for name, b := range s.files {
		if c, ok := change[name]; ok {
			b = c
		}
		if b != nil {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
		}
	}
	var log bytes.Buffer
	o := journal.Options{MaxBytes: 16 << 20, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	j, err := journal.OpenUnsynced(dir, o)
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()
	holds := j.Size().Clicks + j.Size().Quarantined
	fresh := numbered(5000, 5003)
	require.NoError(t, j.Append(fresh))
	_, err = j.Requeue()
	require.NoError(t, err)
	known := append(slices.Clone(s.clicks), fresh...)
	// The new clicks come before those that were in quarantine.
	quarantined := slices.IndexFunc(known, func(c linktrack.Click) bool { return c.Link == 40 })
	require.Positive(t, quarantined)
	known = slices.Concat(known[:quarantined], fresh, known[quarantined:len(known)-len(fresh)])
	at := 0
	last := s.done
	for {
		b := next(t, j, 1+at%60)
		if len(b.Clicks) == 0 {
			break
		}
		if b.Source == s.flight.Source {
			require.Greater(t, b.Seq, last)
			last = b.Seq
		}
		for _, c := range b.Clicks {
			if b.Source == s.flight.Source && b.Seq == s.flight.Seq {
				require.True(t, slices.Contains(s.flight.Clicks, c), "the same batch, or what is left of it")
			}
			for at < len(known) && known[at] != c {
				at++
			}
			if at == len(known) {
				require.Fail(t, "a click is wrong, or comes twice", "%+v", c)
			}
			at++
			came++
		}
		require.NoError(t, j.Done())
	}
	require.Equal(t, int64(came-len(fresh)), holds, "Size tells the truth")
	came -= len(fresh)
	if came < len(s.clicks) {
		require.Contains(t, log.String(), "level=ERROR")
	}
	return came, log.String()
}

func TestDamagedFilesLoseTheirDamagedClicksAndNoOthers(t *testing.T) {
	s := newSound(t)
	const third = "clicks-00000003.seg"
	all := len(s.clicks)
	changed := func(name string, at int, with ...byte) map[string][]byte {
		b := bytes.Clone(s.files[name])
		copy(b[at:], with)
		return map[string][]byte{name: b}
	}
	letter := bytes.LastIndex(s.files[third], []byte("Mozilla"))
	zeros := make([]byte, 512)
	size := len(s.files[third])
	for name, test := range map[string]struct {
		change map[string][]byte
		lost   int // at most
		least  int
	}{
		"nothing is":                                   {nil, 0, 0},
		"a letter of a click":                          {changed(third, letter, 'm'), 10, 10},
		"a letter of a click in flight":                {changed("clicks-00000002.seg", len(s.files["clicks-00000002.seg"])-3000, 'x'), 10, 10},
		"a sector in the middle":                       {changed(third, size/2, zeros...), 20, 10},
		"the first head of a segment":                  {changed(third, 0, zeros...), 0, 0},
		"the second head of a segment":                 {changed(third, 512, zeros...), 0, 0},
		"both heads of a segment":                      {changed(third, 0, make([]byte, 1024)...), 1000, 1},
		"a segment is missing":                         {map[string][]byte{"clicks-00000002.seg": nil}, 1000, 1},
		"a segment is empty":                           {map[string][]byte{"clicks-00000002.seg": {}}, 1000, 1},
		"a segment is a text":                          {map[string][]byte{"clicks-00000002.seg": bytes.Repeat([]byte("not a segment\n"), 200)}, 1000, 1},
		"a segment is another":                         {map[string][]byte{"clicks-00000002.seg": s.files["clicks-00000003.seg"]}, 1000, 1},
		"a segment ends early":                         {map[string][]byte{third: s.files[third][:size-100]}, 10, 10},
		"the last segment ends early":                  {map[string][]byte{s.lastSegment(): s.files[s.lastSegment()][:len(s.files[s.lastSegment()])-100]}, 5, 5},
		"there is noise behind a segment":              {map[string][]byte{third: append(bytes.Clone(s.files[third]), bytes.Repeat([]byte("noise"), 2000)...)}, 0, 0},
		"there is noise behind the last segment":       {map[string][]byte{s.lastSegment(): append(bytes.Clone(s.files[s.lastSegment()]), bytes.Repeat([]byte("noise"), 2000)...)}, 0, 0},
		"a segment follows itself":                     {map[string][]byte{third: append(bytes.Clone(s.files[third]), s.files[third]...)}, 0, 0},
		"the quarantine is missing":                    {map[string][]byte{"quarantine-00000001.seg": nil}, 40, 40},
		"a letter in the quarantine":                   {changed("quarantine-00000001.seg", len(s.files["quarantine-00000001.seg"])-300, 'x'), 40, 1},
		"a sector of the position":                     {changed("journal.position", 0, zeros...), 0, 0},
		"a sector of the other slot":                   {changed("journal.position", 4096+2048, zeros...), 0, 0},
		"a slot of the position":                       {changed("journal.position", 0, make([]byte, 4096)...), all, all},
		"the other slot":                               {changed("journal.position", 4096, make([]byte, 4096)...), all, all},
		"the position is empty":                        {map[string][]byte{"journal.position": {}}, all, all},
		"the position is missing":                      {map[string][]byte{"journal.position": nil}, all, all},
		"the position is a text":                       {map[string][]byte{"journal.position": bytes.Repeat([]byte("not a position\n"), 1000)}, all, all},
		"the position has the same slot twice, unread": {map[string][]byte{"journal.position": append(bytes.Clone(s.files["journal.position"][:4096]), make([]byte, 4096)...)}, all, all},
		"everything but the position is missing":       {s.without("journal.position"), all, all},
		"all segments are zeros":                       {s.zeroed(), all, all},
	} {
		t.Run(name, func(t *testing.T) {
			came, report := s.opened(t, test.change)
			require.GreaterOrEqual(t, came, all-test.lost, report)
			require.LessOrEqual(t, came, all-test.least, report)
		})
	}
}

func (s sound) lastSegment() (name string) {
	for _, n := range s.names {
		if n[0] == 'c' {
			name = n
		}
	}
	return name
}

func (s sound) without(but string) map[string][]byte {
	c := map[string][]byte{}
	for _, n := range s.names {
		if n != but {
			c[n] = nil
		}
	}
	return c
}

func (s sound) zeroed() map[string][]byte {
	c := map[string][]byte{}
	for n, b := range s.files {
		if filepath.Ext(n) == ".seg" {
			c[n] = make([]byte, len(b))
		}
	}
	return c
}

func TestADamagedSegmentIsKeptWhenItIsDrained(t *testing.T) {
	s := newSound(t)
	dir := t.TempDir()
	const name = "clicks-00000003.seg"
	for n, b := range s.files {
		if n == name {
			b = bytes.Clone(b)
			b[5000]++
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, n), b, 0o600))
	}
	j := open(t, dir, safe)
	require.Len(t, drain(t, j, 100), len(s.clicks)-40-10)
	require.NoError(t, j.Append(numbered(0, 1)))
	require.Len(t, drain(t, j, 100), 1)
	names := kept(t, dir)
	require.Len(t, names, 1)
	require.Contains(t, names[0], name)
	require.NoFileExists(t, filepath.Join(dir, name))
}

func TestTheRestOfAWriteThatWasInterruptedIsCutOffAndSaidOnce(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, safe)
	require.NoError(t, j.Append(numbered(0, 10)))
	b := next(t, j, 100)
	before := copied(t, dir)
	require.NoError(t, j.Append(numbered(10, 20)))
	whole, err := os.ReadFile(filepath.Join(dir, "clicks-00000001.seg"))
	require.NoError(t, err)
	begun, err := os.Stat(filepath.Join(before, "clicks-00000001.seg"))
	require.NoError(t, err)
	for n := int(begun.Size()); n < len(whole); n += 97 {
		left := copied(t, before)
		require.NoError(t, os.WriteFile(filepath.Join(left, "clicks-00000001.seg"), whole[:n], 0o600))
		var log bytes.Buffer
		for range 2 {
			j, err := journal.OpenUnsynced(left, journal.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			require.NoError(t, err)
			require.Equal(t, b, next(t, j, 100))
			require.Equal(t, int64(10), j.Size().Clicks)
			require.NoError(t, j.Close())
		}
		want := 1
		if n == int(begun.Size()) {
			want = 0
		}
		require.Equal(t, want, bytes.Count(log.Bytes(), []byte("a write was interrupted")), log.String())
		require.NotContains(t, log.String(), "ERROR")
		j, err := journal.OpenUnsynced(left, safe)
		require.NoError(t, err)
		require.NoError(t, j.Append(numbered(20, 30)))
		require.Len(t, drain(t, j, 100), 20)
		require.NoError(t, j.Close())
		require.Empty(t, kept(t, left))
	}
}

// A whole file of another version has clicks that are safe, so it must stay.
func TestAFileOfAnotherVersionStaysAndTheJournalDoesNotOpen(t *testing.T) {
	s := newSound(t)
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	later := func(name string, offsets ...int) map[string][]byte {
		b := bytes.Clone(s.files[name])
		for _, at := range offsets {
			binary.BigEndian.PutUint32(b[at+8:], 2)
			binary.BigEndian.PutUint32(b[at+12:], crc32.Checksum(b[at:at+12], castagnoli))
		}
		return map[string][]byte{name: b}
	}
	for name, change := range map[string]map[string][]byte{
		"the position":             later("journal.position", 0, 2048, 4096, 4096+2048),
		"a slot of the position":   later("journal.position", 4096, 4096+2048),
		"a segment":                later("clicks-00000002.seg", 0, 512),
		"a segment in quarantine":  later("quarantine-00000001.seg", 0, 512),
		"the clicks of one record": {"clicks-00000003.seg": s.laterClicks(t, "clicks-00000003.seg")},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			want := map[string][]byte{}
			for name, b := range s.files {
				if c, ok := change[name]; ok {
					b = c
				}
				want[name] = b
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
			}
			for range 2 {
				_, err := journal.Open(dir, safe)
				require.ErrorContains(t, err, "has a version that this program cannot read")
			}
			got := map[string][]byte{}
			files, err := os.ReadDir(dir)
			require.NoError(t, err)
			for _, f := range files {
				b, err := os.ReadFile(filepath.Join(dir, f.Name()))
				require.NoError(t, err)
				got[f.Name()] = b
			}
			require.True(t, fmt.Sprint(want) == fmt.Sprint(got), "all stays as it was")
		})
	}
}

// laterClicks returns a segment in which the first record is of a later version of
// the clicks' form.
func (s sound) laterClicks(t *testing.T, name string) []byte {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	b := bytes.Clone(s.files[name])
	head := b[1024 : 1024+32]
	n := int(binary.BigEndian.Uint32(head))
	clicks := b[1024+32 : 1024+32+n]
	require.Equal(t, byte(3), clicks[0], "the version that clicks are written in")
	clicks[0] = 9
	binary.BigEndian.PutUint32(head[24:], crc32.Checksum(clicks, castagnoli))
	seed := crc32.Checksum(slices.Concat(b[16:32], []byte("clicks"), b[32:40]), castagnoli)
	at := binary.BigEndian.AppendUint64(nil, 1024)
	binary.BigEndian.PutUint32(head[28:], crc32.Update(crc32.Update(seed, castagnoli, at), castagnoli, head[:28]))
	return b
}

func TestRandomDamageIsReportedAndGivesNothingWrongAndNothingTwice(t *testing.T) {
	s := newSound(t)
	random := rand.New(rand.NewPCG(1, 2))
	// The position and the heads are a small part of the files, so some damage aims
	// at them.
	kinds := []func(b []byte) []byte{
		func(b []byte) []byte { b[random.IntN(len(b))] ^= 1 << random.IntN(8); return b },
		func(b []byte) []byte { b[random.IntN(min(len(b), 1200))] ^= byte(1 + random.IntN(255)); return b },
		func(b []byte) []byte { return b[:random.IntN(len(b))] },
		func(b []byte) []byte { // noise
			at := random.IntN(len(b))
			for i := range b[at:min(len(b), at+1+random.IntN(9000))] {
				b[at+i] = byte(random.IntN(256))
			}
			return b
		},
		func(b []byte) []byte { // a sector is lost, or another stands in its place
			to, from := random.IntN(len(b)/512)*512, random.IntN(len(b)/512)*512
			copy(b[to:min(len(b), to+512)], b[from:])
			return b
		},
		func(b []byte) []byte { // zeros
			at := random.IntN(len(b))
			clear(b[at:min(len(b), at+1+random.IntN(9000))])
			return b
		},
		func(b []byte) []byte { // a part moves
			to, from, n := random.IntN(len(b)), random.IntN(len(b)), random.IntN(9000)
			copy(b[to:min(len(b), to+n)], bytes.Clone(b[from:min(len(b), from+n)]))
			return b
		},
		func(b []byte) []byte { // a part comes twice
			at, n := random.IntN(len(b)), random.IntN(9000)
			return slices.Concat(b[:at], b[at:min(len(b), at+n)], b[at:])
		},
		func(b []byte) []byte { // it is grown
			return append(b, make([]byte, random.IntN(9000))...)
		},
	}
	count := 1000
	if n, err := strconv.Atoi(os.Getenv("JOURNAL_TEST_DAMAGED_FILES")); err == nil {
		count = n
	}
	lost := 0
	for n := range count {
		name := s.names[random.IntN(len(s.names))]
		change := map[string][]byte{name: kinds[n%len(kinds)](bytes.Clone(s.files[name]))}
		if random.IntN(4) == 0 { // two files are damaged
			other := s.names[random.IntN(len(s.names))]
			if other != name {
				change[other] = kinds[random.IntN(len(kinds))](bytes.Clone(s.files[other]))
			}
		}
		if !t.Run(fmt.Sprint(n), func(t *testing.T) {
			if came, _ := s.opened(t, change); came < len(s.clicks) {
				lost++
			}
		}) {
			break
		}
	}
	t.Logf("clicks were lost in %d of %d", lost, count)
	require.Greater(t, lost, count/4)
}

func TestKeptFilesOverwriteNoOther(t *testing.T) {
	dir := t.TempDir()
	for range 5 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.position"), []byte("damaged"), 0o600))
		j, err := journal.Open(dir, quiet)
		require.NoError(t, err)
		require.NoError(t, j.Close())
	}
	require.Len(t, kept(t, dir), 5)
}
