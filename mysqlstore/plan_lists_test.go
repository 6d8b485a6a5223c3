package mysqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// filledLists makes an account with 4,096 links, and applies the log so that the sort by
// day has its index. Every other link is archived.
func filledLists(t *testing.T) (s linktrack.Store, dsn string) {
	s, dsn = opened(t)
	db := admin(t, dsn)
	fill(t, s, db, 1, 12)
	fill(t, s, db, 2, 10)
	db.MustExec(`UPDATE lt_link SET uncounted = 0, list_kind = id % 2, is_archived = id % 2`)
	db.MustExec(`UPDATE lt_rank SET list_kind = link_id % 2`)
	db.MustExec(`UPDATE lt_rank SET recent = total DIV 7`)
	db.MustExec(`DELETE FROM lt_link_number`)
	db.MustExec(`INSERT INTO lt_link_number SELECT account_id, list_kind, COUNT(*) FROM lt_link GROUP BY account_id, list_kind`)
	db.MustExec(`INSERT INTO lt_link_tag SELECT account_id, 'some', id FROM lt_link WHERE id % 100 = 0`)
	db.MustExec(`ANALYZE TABLE lt_link, lt_count, lt_rank, lt_link_tag`)
	_, err := s.ApplyClicks(t.Context(), nil, noon.Add(-time.Hour))
	require.NoError(t, err)
	return s, dsn
}

func TestAPageByCursorReadsLittleMoreThanItself(t *testing.T) {
	s, dsn := filledLists(t)
	for _, sort := range append(sorts, linktrack.SortID) {
		for _, ascending := range []bool{true, false} {
			for _, archived := range []linktrack.Archived{linktrack.WithoutArchived, linktrack.WithArchived, linktrack.OnlyArchived} {
				t.Run(fmt.Sprint(sort, ascending, archived), func(t *testing.T) {
					q := linktrack.LinkFilter{Account: 1, Sort: sort, Ascending: ascending, Archived: archived, Limit: 1, Offset: 1000, DaySince: noon.Add(-time.Hour)}
					far, err := s.Links(t.Context(), q)
					require.NoError(t, err)
					require.Len(t, far, 1)
					// lt_rank was written by hand, so the sort by day has another value.
					after := linktrack.CursorOf(far[0], sort)
					if sort == linktrack.SortDay {
						after.Number = far[0].Counts.People / 7
					}
					q.Limit, q.Offset, q.After = 10, 0, &after
					for _, state := range []linktrack.LinkState{"", linktrack.StateActive} {
						q.State, q.Now = state, noon
						n := reads(t, dsn, func(s linktrack.Store) {
							page, err := s.Links(t.Context(), q)
							require.NoError(t, err)
							require.Len(t, page, 10)
						})
						require.Less(t, n, 300, "the page behind 1,000 links")
					}
				})
			}
		}
	}
}

func TestAListReadsNoLinksOfAnotherKind(t *testing.T) {
	_, dsn := filledLists(t)
	admin(t, dsn).MustExec(`UPDATE lt_link SET list_kind = 1, is_archived = 1 WHERE id % 400 <> 0`)
	admin(t, dsn).MustExec(`UPDATE lt_rank SET list_kind = 1 WHERE link_id % 400 <> 0`)
	for _, sort := range append(sorts, linktrack.SortID) {
		n := reads(t, dsn, func(s linktrack.Store) {
			page, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: sort, Limit: 100, DaySince: noon.Add(-time.Hour)})
			require.NoError(t, err)
			require.NotEmpty(t, page)
			require.Less(t, len(page), 20)
		})
		require.Less(t, n, 300, "few links beside 4,000 archived ones, sorted by %s", sort)
	}
}

func TestTheNumberOfLinksIsReadAndNotCounted(t *testing.T) {
	_, dsn := filledLists(t)
	for _, archived := range []linktrack.Archived{linktrack.WithoutArchived, linktrack.WithArchived, linktrack.OnlyArchived} {
		n := reads(t, dsn, func(s linktrack.Store) {
			links, err := s.CountLinks(t.Context(), linktrack.LinkFilter{Account: 1, Archived: archived})
			require.NoError(t, err)
			require.Greater(t, links, int64(2000))
		})
		require.Less(t, n, 20, "4,096 links")
	}
}

func TestAFilterCountsByAnIndex(t *testing.T) {
	_, dsn := filledLists(t)
	db := admin(t, dsn)
	db.MustExec(`UPDATE lt_link SET host = 'few.example' WHERE id % 200 = 0`)
	db.MustExec(`UPDATE lt_link SET is_active = 0 WHERE id % 300 = 0`)
	db.MustExec(`UPDATE lt_link SET expires_at = 5 WHERE id % 250 = 0`)
	db.MustExec(`UPDATE lt_count SET deactivate_at = 1, used = 1 WHERE link_id % 350 = 0`)
	db.MustExec(`ANALYZE TABLE lt_link, lt_count`)
	for name, q := range map[string]linktrack.LinkFilter{
		"tag":      {Tags: []string{"SOME", "none"}},
		"host":     {Host: "few.example"},
		"inactive": {State: linktrack.StateInactive, Now: noon},
		"expired":  {State: linktrack.StateExpired, Now: noon},
		"used up":  {State: linktrack.StateUsedUp, Now: noon},
	} {
		t.Run(name, func(t *testing.T) {
			q.Account = 1
			n := reads(t, dsn, func(s linktrack.Store) {
				links, err := s.CountLinks(t.Context(), q)
				require.NoError(t, err)
				require.Positive(t, links)
				require.Less(t, links, int64(100))
			})
			require.Less(t, n, 500, "a part of 4,096 links")
		})
	}
}

// A process of an older version does not write the numbers of links.
func TestLinksOfAnOlderVersionAreCounted(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	fill(t, s, db, 1, 3) // all but the first without the columns of this version
	count := func(archived linktrack.Archived) int64 {
		n, err := s.CountLinks(t.Context(), linktrack.LinkFilter{Account: 1, Archived: archived})
		require.NoError(t, err)
		return n
	}
	require.EqualValues(t, 8, count(linktrack.WithoutArchived))
	links, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: linktrack.SortID, Limit: 100})
	require.NoError(t, err)
	require.Len(t, links, 8)
	for _, l := range links {
		for range 2 {
			_, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.IsArchived = l.ID%2 == 0; return nil })
			require.NoError(t, err)
			require.EqualValues(t, 8, count(linktrack.WithArchived))
		}
	}
	require.EqualValues(t, 4, count(linktrack.WithoutArchived))
	require.EqualValues(t, 4, count(linktrack.OnlyArchived))
	var uncounted int
	require.NoError(t, db.Get(&uncounted, `SELECT COUNT(*) FROM lt_link WHERE uncounted = 1`))
	require.Zero(t, uncounted, "an edit counts its link")
}
