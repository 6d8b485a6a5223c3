package sqlitestore_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// many is more than the conditions that SQLite accepts in a chain, and more than what the
// Store does in one statement.
const many = 1500

// manyLinks makes links, each on a host of its own.
func manyLinks(t *testing.T, s *sqlitestore.Store) []linktrack.Link {
	t.Helper()
	links := make([]linktrack.Link, many)
	for i := range links {
		links[i] = linktrack.Link{Account: 1, Host: fmt.Sprintf("h%d.example.com", i), Path: "a", CreatedAt: noon,
			LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}}
	}
	var made []linktrack.Link
	for part := range slices.Chunk(links, 1000) {
		some, err := s.CreateLinks(t.Context(), part)
		require.NoError(t, err)
		made = append(made, some...)
	}
	return made
}

func TestClicksOfManyLinksAreReclassifiedAtOnce(t *testing.T) {
	s := fresh(t)
	b := linktrack.Batch{Source: linktrack.Source{1}, Seq: 1}
	var verdicts []linktrack.Verdict
	for _, l := range manyLinks(t, s) {
		c := linktrack.Click{ID: linktrack.NewClickID(noon), Link: l.ID}
		b.Clicks = append(b.Clicks, c)
		verdicts = append(verdicts, linktrack.Verdict{Click: linktrack.ClickRef{Link: l.ID, ID: c.ID}, Bot: true, Class: linktrack.ClickClassBot})
	}
	require.NoError(t, s.AppendClicks(t.Context(), b))
	_, err := s.ApplyClicks(t.Context(), nil, noon)
	require.NoError(t, err)
	changed, err := s.ReclassifyClicks(t.Context(), verdicts, nil)
	require.NoError(t, err)
	require.Equal(t, many, changed)
	var people, bots int
	require.NoError(t, s.Writer().QueryRow(`SELECT SUM(total), SUM(bots) FROM lt_count`).Scan(&people, &bots))
	require.Zero(t, people)
	require.Equal(t, many, bots)
}

// The texts of each day are looked up under that day.
func TestClicksOfManyDaysAreAppliedAndReadAtOnce(t *testing.T) {
	s := fresh(t)
	l := makeLink(t, s, "a")
	b := linktrack.Batch{Source: linktrack.Source{1}, Seq: 1}
	const agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
	for day := range many {
		for range 3 {
			b.Clicks = append(b.Clicks, linktrack.Click{ID: linktrack.NewClickID(noon.AddDate(0, 0, -day)), Link: l.ID, UserAgent: agent, Browser: "Chrome"})
		}
	}
	require.NoError(t, s.AppendClicks(t.Context(), b))
	_, err := s.ApplyClicks(t.Context(), nil, noon)
	require.NoError(t, err)
	var shared int
	require.NoError(t, s.Writer().Get(&shared, `SELECT COUNT(*) FROM lt_text`))
	require.Equal(t, many, shared, "each day has its texts")
	clicks, err := s.Clicks(t.Context(), linktrack.ClickFilter{Link: l.ID, Limit: 3 * many})
	require.NoError(t, err)
	require.Len(t, clicks, 3*many)
	for _, c := range clicks {
		require.Equal(t, agent, c.UserAgent)
	}
}

func TestLinksOnManyHostsAreListedByTheirNames(t *testing.T) {
	s := fresh(t)
	var names []linktrack.LinkName
	for _, l := range manyLinks(t, s) {
		names = append(names, linktrack.LinkName{Host: l.Host, Key: l.Key()})
	}
	names = append(names, linktrack.LinkName{Host: "other.example.com", Key: "a"})
	found, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Names: names, Sort: linktrack.SortID, Ascending: true, Limit: 2 * many, DaySince: noon})
	require.NoError(t, err)
	require.Len(t, found, many)
}

// Sources are the processes that have sent clicks.
func TestBatchesOfManySourcesAreApplied(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "a.db"), sqlitestore.Relaxed())
	l := makeLink(t, s, "a")
	for i := range many {
		b := batchOf(0, 1, l.ID, 1)
		b.Source = linktrack.Source{byte(i), byte(i >> 8)}
		require.NoError(t, s.AppendClicks(t.Context(), b))
	}
	_, err := s.ApplyClicks(t.Context(), nil, time.Time{})
	require.NoError(t, err)
	requireCounted(t, s, l.ID, many)
}
