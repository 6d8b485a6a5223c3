package sqlitestore_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

var noon = time.Date(2026, 1, 22, 12, 0, 0, 0, time.UTC)

func makeLink(t *testing.T, s linktrack.Store, path string) linktrack.Link {
	t.Helper()
	l, err := trackertest.CreateLink(t.Context(), s, linktrack.Link{Account: 1, Host: "go.example.com", Path: path, CreatedAt: noon,
		LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/" + path, Title: "title of " + path, Group: "group"}})
	require.NoError(t, err)
	return l
}

func batchOf(source byte, seq int64, link int64, n int) linktrack.Batch {
	b := linktrack.Batch{Source: linktrack.Source{source}, Seq: seq}
	for range n {
		b.Clicks = append(b.Clicks, linktrack.Click{ID: linktrack.NewClickID(noon), Link: link, UserAgent: "Mozilla/5.0", Browser: "Firefox"})
	}
	return b
}

// requireCounted checks that everything that counts clicks says want.
func requireCounted(t *testing.T, s *sqlitestore.Store, link int64, want int) {
	t.Helper()
	_, err := s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	for _, sum := range []string{
		`SELECT total FROM lt_count WHERE link_id = ?`,
		`SELECT total FROM lt_rank WHERE link_id = ?`,
		`SELECT COALESCE(SUM(clicks), 0) FROM lt_hour WHERE link_id = ?`,
		`SELECT COUNT(*) FROM lt_hit WHERE link_id = ?`,
	} {
		var got int
		require.NoError(t, s.Writer().Get(&got, sum, link))
		require.Equal(t, want, got, sum)
	}
	for _, of := range []linktrack.RollupOf{{Link: link}, {Account: 1}, {Account: 1, Group: "group"}} {
		days, err := s.Rollups(t.Context(), of, 0, 1<<30)
		require.NoError(t, err)
		var sum int64
		for _, d := range days {
			sum += d.People
		}
		require.EqualValues(t, want, sum, "%+v", of)
	}
	var left int
	require.NoError(t, s.Writer().Get(&left, `SELECT COUNT(*) FROM lt_log`))
	require.Zero(t, left)
}

func TestEverythingIsThereAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s, err := sqlitestore.Open(path)
	require.NoError(t, err)
	require.NoError(t, s.Migrate(t.Context()))
	l := makeLink(t, s, "a")
	require.NoError(t, s.AppendClicks(t.Context(), batchOf(1, 1, l.ID, 3)))
	require.NoError(t, s.Close())

	s = opened(t, path)
	require.NoError(t, s.AppendClicks(t.Context(), batchOf(1, 1, l.ID, 3)), "the same batch")
	requireCounted(t, s, l.ID, 3)
	again, err := s.LinkByPath(t.Context(), "go.example.com", "a")
	require.NoError(t, err)
	require.Equal(t, l.LinkSettings, again.LinkSettings)
}

func TestProcessesOnOneFileCountEachClickOnce(t *testing.T) {
	for name, open := range map[string]func(*testing.T, string) *sqlitestore.Store{
		"Open":               func(t *testing.T, path string) *sqlitestore.Store { return opened(t, path) },
		"a pool":             func(t *testing.T, path string) *sqlitestore.Store { return onPool(t, sqlitestore.DSN(path), 4) },
		"a pool of one":      func(t *testing.T, path string) *sqlitestore.Store { return onPool(t, sqlitestore.DSN(path), 1) },
		"a pool of deferred": func(t *testing.T, path string) *sqlitestore.Store { return onPool(t, deferred(path), 4) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			requireCountsOnce(t, []*sqlitestore.Store{opened(t, path), open(t, path)})
		})
	}
}

// requireCountsOnce uses two Stores on one file at the same time.
func requireCountsOnce(t *testing.T, stores []*sqlitestore.Store) {
	l := makeLink(t, stores[0], "a")
	limited := makeLink(t, stores[0], "b")
	_, err := stores[0].UpdateLink(t.Context(), limited.ID, func(l *linktrack.Link) error { l.DeactivateAt = 50; return nil })
	require.NoError(t, err)
	const rounds, each = 20, 3
	var passed [4]int
	var all sync.WaitGroup
	for i := range passed {
		s, other := stores[i%2], stores[1-i%2]
		all.Go(func() {
			for seq := range int64(rounds) {
				b := batchOf(byte(i), seq+1, l.ID, each)
				assert.NoError(t, s.AppendClicks(t.Context(), b))
				assert.NoError(t, other.AppendClicks(t.Context(), b), "it is sent twice")
				if seq%5 == 0 {
					_, err := s.ApplyClicks(t.Context(), nil, time.Time{})
					assert.NoError(t, err)
				}
				n, err := trackertest.Reserve(t.Context(), s, limited.ID, 1)
				assert.NoError(t, err)
				passed[i] += n
			}
		})
	}
	all.Go(func() {
		for i := range 6 {
			findings, err := stores[i%2].Check(t.Context())
			assert.NoError(t, err)
			assert.Empty(t, findings, "the tables agree at any moment")
		}
	})
	all.Wait()
	requireCounted(t, stores[0], l.ID, len(passed)*rounds*each)
	require.Equal(t, 50, passed[0]+passed[1]+passed[2]+passed[3])
}

// A process that is killed has stored each batch that it said it has.
func TestWhatAKilledProcessHasStoredIsThere(t *testing.T) {
	if path := os.Getenv("LINKTRACK_TEST_APPEND"); path != "" {
		appendForever(t, path)
	}
	path := filepath.Join(t.TempDir(), "a.db")
	s := opened(t, path)
	l, own := makeLink(t, s, "a"), makeLink(t, s, "own")
	_, err := s.UpdateLink(t.Context(), own.ID, func(l *linktrack.Link) error { l.Account, l.Group = 2, ""; return nil })
	require.NoError(t, err)
	stored, mine := 0, 0
	for range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), "LINKTRACK_TEST_APPEND="+path)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { cmd.Process.Kill() })
		first := stored
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			n, err := strconv.Atoi(lines.Text())
			require.NoError(t, err, "%s", lines.Text())
			if stored = n; n%4 == 0 { // this process writes at the same time
				require.NoError(t, s.AppendClicks(t.Context(), batchOf(2, int64(n), own.ID, 1)))
				mine++
			}
			if stored == first+25 {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait(), "it was killed")
		require.GreaterOrEqual(t, stored, first+25)

		// It may have stored the next batch and not have said so. The next process sends
		// that one again.
		require.NoError(t, s.AppendClicks(t.Context(), batchOf(1, int64(stored+1), l.ID, 2)))
		if stored++; stored%2 == 0 {
			requireCounted(t, s, l.ID, 2*stored)
		}
	}
	requireCounted(t, s, l.ID, 2*stored)
	requireFindings(t, s)
	found, err := s.LinkByPath(t.Context(), own.Host, own.Key())
	require.NoError(t, err)
	require.EqualValues(t, mine, found.Counts.People)
	var check string
	require.NoError(t, s.Writer().Get(&check, `PRAGMA integrity_check`))
	require.Equal(t, "ok", check)
}

// appendForever goes on with the batch behind the last one that is stored, and prints the
// number of each that it has stored. It applies some of them.
func appendForever(t *testing.T, path string) {
	s := opened(t, path)
	var last int64
	source := linktrack.Source{1}
	require.NoError(t, s.Writer().Get(&last, `SELECT COALESCE(MAX(seq), 0) FROM (SELECT source, seq FROM lt_log UNION ALL SELECT source, seq FROM lt_source) WHERE source = ?`, source[:]))
	l, err := s.LinkByPath(t.Context(), "go.example.com", "a")
	require.NoError(t, err)
	for seq := last + 1; ; seq++ {
		require.NoError(t, s.AppendClicks(t.Context(), batchOf(1, seq, l.ID, 2)))
		fmt.Println(seq)
		if seq%7 == 0 {
			_, err := s.ApplyClicks(t.Context(), nil, time.Time{})
			require.NoError(t, err)
		}
	}
}

// The limit on pages stands for a disk that is full: SQLite returns the same error.
func TestOnAFullDiskABatchIsNeitherStoredNorRejected(t *testing.T) {
	s := fresh(t)
	l := makeLink(t, s, "a")
	s.Writer().MustExec(`PRAGMA max_page_count = 1`) // the present number is the lowest one
	stored := 0
	var err error
	for seq := int64(1); err == nil; seq++ {
		if err = s.AppendClicks(t.Context(), batchOf(1, seq, l.ID, 500)); err == nil {
			stored += 500
		}
	}
	require.EqualError(t, err, "sqlitestore: append clicks: the disk is full: free space on it (error 13)")
	require.NotErrorIs(t, err, linktrack.ErrRejected)
	s.Writer().MustExec(`PRAGMA max_page_count = 4294967294`)
	requireCounted(t, s, l.ID, stored)
}
