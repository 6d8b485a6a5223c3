package sqlitestore_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// A statement that reads a whole table, or sorts more than a page, is slow when there are
// many links.
func TestListsReadAnIndexInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	plain := opened(t, path)
	for i := range 20 {
		makeLink(t, plain, fmt.Sprint("l", i))
	}
	_, err := plain.ApplyClicks(t.Context(), nil, noon)
	require.NoError(t, err)
	type query struct {
		statement string
		args      []any
	}
	var seen []query
	s := sqlitestore.Watched(path, func(statement string, args []any) { seen = append(seen, query{statement, args}) })
	defer s.Close()
	for _, sort := range []linktrack.Sort{linktrack.SortID, linktrack.SortCreated, linktrack.SortPath, linktrack.SortTitle, linktrack.SortGroup,
		linktrack.SortTotal, linktrack.SortLastClick, linktrack.SortDay, linktrack.SortExternalURL} {
		for _, ascending := range []bool{true, false} {
			for name, q := range map[string]linktrack.LinkFilter{
				"plain":    {},
				"active":   {State: linktrack.StateActive, Now: noon},
				"archived": {Archived: linktrack.WithArchived},
			} {
				t.Run(fmt.Sprint(sort, ascending, name), func(t *testing.T) {
					q.Account, q.Sort, q.Ascending, q.Limit, q.DaySince = 1, sort, ascending, 5, noon
					seen = nil
					links, err := s.Links(t.Context(), q)
					require.NoError(t, err)
					require.Len(t, links, 5)
					require.NotEmpty(t, seen)
					for _, q := range seen {
						requirePlan(t, plain, sort, q.statement, q.args)
					}
				})
			}
		}
	}
}

// requirePlan checks how SQLite runs a statement. The last step, which sorts a page by its
// key, may sort, and so may the one that sorts the links with equal heads of destinations.
func requirePlan(t *testing.T, s *sqlitestore.Store, sort linktrack.Sort, statement string, args []any) {
	t.Helper()
	var plan []struct {
		ID      int
		Parent  int
		NotUsed int
		Detail  string
	}
	require.NoError(t, s.Writer().Select(&plan, `EXPLAIN QUERY PLAN `+statement, args...))
	for _, step := range plan {
		require.False(t, strings.HasPrefix(step.Detail, "SCAN l") || strings.HasPrefix(step.Detail, "SCAN r"), "%s\n%s", step.Detail, statement)
		if strings.HasPrefix(step.Detail, "USE TEMP B-TREE") && step.Parent != 0 && !strings.Contains(statement, "UNION ALL") && sort != linktrack.SortExternalURL {
			t.Errorf("%s\n%s", step.Detail, statement)
		}
	}
}

func TestARedirectReadsTwoRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	plain := opened(t, path)
	makeLink(t, plain, "a")
	var details []string
	s := sqlitestore.Watched(path, func(statement string, args []any) {
		var plan []struct {
			ID, Parent, NotUsed int
			Detail              string
		}
		require.NoError(t, plain.Writer().Select(&plan, `EXPLAIN QUERY PLAN `+statement, args...))
		for _, step := range plan {
			details = append(details, step.Detail)
		}
	})
	defer s.Close()
	_, err := s.LinkByPath(t.Context(), "go.example.com", "a")
	require.NoError(t, err)
	require.Equal(t, []string{
		"SEARCH l USING INDEX lt_link_path (host=? AND path_key=?)",
		"SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
	}, details)
}
