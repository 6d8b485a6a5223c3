package journal_test

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/journal"
)

var quiet = journal.Options{OSBuffered: true, Logger: slog.New(slog.DiscardHandler)}

func open(t testing.TB, dir string, o journal.Options) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, j.Close()) })
	return j
}

func reopen(t testing.TB, j *journal.Journal, dir string, o journal.Options) *journal.Journal {
	t.Helper()
	require.NoError(t, j.Close())
	return open(t, dir, o)
}

// crash opens what a process that is killed now would leave.
func crash(t testing.TB, dir string, o journal.Options) (*journal.Journal, string) {
	t.Helper()
	left := copied(t, dir)
	j := open(t, left, o)
	require.Empty(t, kept(t, left), "no file was kept because of damage")
	return j, left
}

// copied returns a copy of a folder.
func copied(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

// kept returns the files and folders that were renamed because of damage.
func kept(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "journal.damaged-*"))
	require.NoError(t, err)
	return names
}

// typical returns clicks as browsers send them, of about 200 bytes, on the
// links from 0.
func typical(n int) []linktrack.Click { return numbered(0, n) }

// numbered returns clicks on the links from to before to.
func numbered(from, to int) []linktrack.Click {
	c := make([]linktrack.Click, 0, to-from)
	for n := from; n < to; n++ {
		c = append(c, linktrack.Click{
			ID:        linktrack.NewClickID(time.Unix(1_700_000_000, int64(n)*1000)),
			Link:      int64(n),
			IP:        netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}),
			Referrer:  "https://www.example.com/news/spring",
			UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
			Query:     "utm_source=mail",
			Unique:    n%2 == 0,
		})
	}
	return c
}

func next(t testing.TB, j *journal.Journal, most int) linktrack.Batch {
	t.Helper()
	b, err := j.Next(most)
	require.NoError(t, err)
	return b
}

// drain takes everything out.
func drain(t testing.TB, j *journal.Journal, most int) []linktrack.Click {
	t.Helper()
	var all []linktrack.Click
	for {
		b := next(t, j, most)
		if len(b.Clicks) == 0 {
			return all
		}
		all = append(all, b.Clicks...)
		require.NoError(t, j.Done())
	}
}

func TestClicksComeOutAsTheyWentInInOrderAndOnceOverRestarts(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	want := typical(2000)
	want[0] = linktrack.Click{} // nothing known
	want[1] = linktrack.Click{
		ID: linktrack.ClickID{15: 1}, Link: -1, IP: netip.MustParseAddr("fe80::1%eth0"), Referrer: "a", ReferrerHost: "b",
		UserAgent: "c\x00\xff", Browser: "d", Platform: "e", Country: "f", Query: string(make([]byte, 100_000)), Unique: true, Bot: true,
	}
	want[2].IP = netip.MustParseAddr("::ffff:192.0.2.1")
	var got []linktrack.Click
	var last int64
	in := 0
	for round := range 20 {
		for range 10 {
			require.NoError(t, j.Append(want[in:in+10]))
			in += 10
		}
		for range 3 {
			b := next(t, j, 5*(round%7))
			require.Greater(t, b.Seq, last)
			last = b.Seq
			got = append(got, b.Clicks...)
			require.NoError(t, j.Done())
		}
		j = reopen(t, j, dir, journal.Options{})
	}
	got = append(got, drain(t, j, 100)...)
	require.Equal(t, want, got)
	require.Zero(t, j.Size().Clicks)
}

func TestABatchStaysTheSameUntilItIsDone(t *testing.T) {
	for name, o := range map[string]journal.Options{"with fsync": {}, "left to the system": quiet} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := open(t, dir, o)
			require.NoError(t, j.Append(typical(10)))
			first := next(t, j, 100)
			require.Len(t, first.Clicks, 10)
			require.NoError(t, j.Append(numbered(10, 20)))
			require.Equal(t, first, next(t, j, 100), "called again, with more clicks waiting")

			j, dir = crash(t, dir, o)
			require.Equal(t, first, next(t, j, 100), "after a crash")
			require.NoError(t, j.Append(numbered(20, 30)))
			j = reopen(t, j, dir, o)
			require.Equal(t, first, next(t, j, 1), "after a restart")

			require.NoError(t, j.Done())
			second := next(t, j, 100)
			require.Equal(t, first.Source, second.Source)
			require.Greater(t, second.Seq, first.Seq)
			require.Len(t, second.Clicks, 20)
			require.Equal(t, int64(10), second.Clicks[0].Link)
		})
	}
}

func TestALossOfPowerMayUndoDoneAndTheBatchComesAgainAsItWas(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	require.NoError(t, j.Append(typical(10)))
	b := next(t, j, 100)
	safe, err := os.ReadFile(filepath.Join(dir, "journal.position"))
	require.NoError(t, err)
	require.NoError(t, j.Done())
	require.Zero(t, j.Size().Clicks)
	require.Empty(t, next(t, j, 100).Clicks)
	require.NoError(t, j.Append(numbered(10, 20)))

	left := copied(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(left, "journal.position"), safe, 0o600))
	again := open(t, left, quiet)
	require.Equal(t, b, next(t, again, 100), "Done was not on the disk yet")
	require.NoError(t, again.Done())
	require.Equal(t, int64(10), next(t, again, 100).Clicks[0].Link, "later clicks are not lost with it")

	killed, _ := crash(t, dir, quiet)
	require.Equal(t, int64(10), next(t, killed, 100).Clicks[0].Link, "a crash of the process alone undoes nothing")
	j = reopen(t, j, dir, quiet)
	require.Equal(t, int64(10), next(t, j, 100).Clicks[0].Link)
}

func TestABatchSetAsideComesBackBehindAllOthersUnderANewNumber(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, quiet)
	require.NoError(t, j.Append(typical(10)))
	bad := next(t, j, 10)
	require.NoError(t, j.Append(numbered(10, 20)))
	require.NoError(t, j.Quarantine())
	require.Equal(t, int64(10), j.Size().Clicks)
	require.Equal(t, int64(10), j.Size().Quarantined)

	j, dir = crash(t, dir, quiet)
	b := next(t, j, 10)
	require.Equal(t, int64(10), b.Clicks[0].Link)
	require.NoError(t, j.Done())
	require.Empty(t, next(t, j, 10).Clicks)
	require.NoError(t, j.Append(numbered(20, 30)))

	j = reopen(t, j, dir, quiet)
	n, err := j.Requeue()
	require.NoError(t, err)
	require.Equal(t, 10, n)
	require.Zero(t, j.Size().Quarantined)
	j, _ = crash(t, dir, quiet)
	require.Equal(t, numbered(20, 30)[0].Link, next(t, j, 10).Clicks[0].Link)
	require.NoError(t, j.Done())
	back := next(t, j, 10)
	require.Equal(t, bad.Clicks, back.Clicks)
	require.Greater(t, back.Seq, b.Seq)
	require.NoError(t, j.Done())
	n, err = j.Requeue()
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestManyBatchesAsideComeBackInTheirOrder(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, quiet)
	for i := range 600 {
		require.NoError(t, j.Append(numbered(i, i+1)))
	}
	for range 60 {
		next(t, j, 10)
		require.NoError(t, j.Quarantine())
	}
	j = reopen(t, j, dir, quiet)
	require.Equal(t, linktrack.JournalSize{Quarantined: 600, Bytes: j.Size().Bytes}, j.Size())
	n, err := j.Requeue()
	require.NoError(t, err)
	require.Equal(t, 600, n)
	got := drain(t, j, 1000)
	require.Len(t, got, 600)
	require.True(t, slices.IsSortedFunc(got, func(a, b linktrack.Click) int { return int(a.Link - b.Link) }))
}

func TestAFullJournalTakesNothingUntilItIsDrained(t *testing.T) {
	dir := t.TempDir()
	o := quiet
	o.MaxBytes = 1 << 20
	j := open(t, dir, o)
	in := 0
	fill := func() {
		for in < 1_000_000 {
			err := j.Append(numbered(in, in+10))
			if err != nil {
				require.ErrorIs(t, err, linktrack.ErrJournalFull)
				return
			}
			in += 10
		}
	}
	fill()
	require.Greater(t, in, 3000)
	require.Less(t, in, 7000)
	require.Equal(t, int64(in), j.Size().Clicks)
	require.Less(t, j.Size().Bytes, int64(3<<20)/2)

	j = reopen(t, j, dir, o)
	require.ErrorIs(t, j.Append(numbered(in, in+10)), linktrack.ErrJournalFull, "it is full after a restart, too")
	next(t, j, 100)
	require.NoError(t, j.Quarantine())
	require.ErrorIs(t, j.Append(numbered(in, in+10)), linktrack.ErrJournalFull, "quarantined clicks count")
	next(t, j, 100)
	require.NoError(t, j.Done())
	require.NoError(t, j.Append(numbered(in, in+10)), "a batch that is done makes room at once")
	in += 10

	size := j.Size().Bytes
	for range 30 {
		for range 20 {
			next(t, j, 100)
			require.NoError(t, j.Done())
		}
		fill()
	}
	require.Less(t, j.Size().Bytes, 2*size, "room is used again")
	n, err := j.Requeue()
	require.NoError(t, err)
	require.NotZero(t, n)
	drain(t, j, 5000)
	require.Zero(t, j.Size().Clicks)
	require.ErrorIs(t, j.Append(typical(20_000)), linktrack.ErrJournalFull, "more than there ever is room for")
	require.Empty(t, next(t, j, 1).Clicks)
}

func TestABatchHasAboutAsManyClicksAsAskedFor(t *testing.T) {
	j := open(t, t.TempDir(), quiet)
	require.NoError(t, j.Append(typical(20_000)))
	for _, most := range []int{5000, 1000, 100, 1, 0, -1} {
		n := len(next(t, j, most).Clicks)
		assert.Greater(t, n, most-130)
		assert.LessOrEqual(t, n, max(most, 130))
		assert.NotZero(t, n)
		require.NoError(t, j.Done())
	}
}

func TestAFileThatHasGrownLargeIsReplacedOnceItIsNearlyEmpty(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, quiet)
	for i := range 50 {
		require.NoError(t, j.Append(numbered(i*5000, (i+1)*5000)))
	}
	require.Greater(t, j.Size().Bytes, int64(32<<20))
	source := next(t, j, 5000).Source
	var got int
	for range 49 {
		got += len(next(t, j, 5000).Clicks)
		require.NoError(t, j.Done())
	}
	b := next(t, j, 100)
	require.LessOrEqual(t, j.Size().Bytes, int64(8<<20))
	j, _ = crash(t, dir, quiet)
	require.Equal(t, b, next(t, j, 1))
	require.Equal(t, source, b.Source)
	require.Equal(t, 250_000, got+len(drain(t, j, 5000)))
}

func TestWithoutABatchThereIsNothingToEnd(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, quiet)
	require.Error(t, j.Done())
	require.NoError(t, j.Append(nil))
	require.Empty(t, next(t, j, 10))
	require.Error(t, j.Quarantine())
	require.NoError(t, j.Append(typical(1)))
	next(t, j, 10)
	require.NoError(t, j.Done())
	require.Error(t, j.Done(), "twice")
	require.NoError(t, j.Append(typical(1)))
	next(t, j, 10)
	j = reopen(t, j, dir, quiet)
	require.Error(t, j.Done(), "this process was given no batch")
	require.Len(t, drain(t, j, 10), 1)
}

func TestAClosedJournalSaysSo(t *testing.T) {
	j, err := journal.Open(t.TempDir(), quiet)
	require.NoError(t, err)
	require.NoError(t, j.Close())
	require.NoError(t, j.Close())
	require.ErrorContains(t, j.Append(typical(1)), "closed")
	_, err = j.Next(1)
	require.ErrorContains(t, err, "closed")
	_, err = j.Requeue()
	require.ErrorContains(t, err, "closed")
}

func TestTheFileIsForItsOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	open(t, dir, journal.Options{})
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "journal.position"): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm())
	}
}
