package mysqlstore_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// reads returns how many rows and keys of tables the server reads for what do
// does on the store. It counts instead of explaining: an estimate may be wrong
// and its form differs between servers.
func reads(t testing.TB, dsn string, do func(s linktrack.Store)) int {
	t.Helper()
	db := admin(t, dsn)
	db.SetMaxOpenConns(1) // the status is the session's
	count := func() (sum int) {
		rows, err := db.Queryx(`SHOW SESSION STATUS LIKE 'Handler\_read\_%'`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var n int
			if err := rows.Scan(&name, &n); err != nil {
				t.Fatal(err)
			}
			// Rows of temporary tables, which hold at most some times the
			// limit, are counted as rnd too.
			if name != "Handler_read_rnd_deleted" {
				sum += n
			}
		}
		return sum
	}
	s := mysqlstore.New(db)
	_, _ = s.LinkByPath(t.Context(), "", "none") // asks the server, once a minute, whether there are other nodes
	before := count()
	idle := count() - before // what SHOW STATUS itself reads
	before = count()
	do(s)
	n := count() - before - idle
	if n < 1 {
		t.Errorf("%d reads were counted, so none of what follows means anything", n)
	}
	return n
}

// fill makes an account with 2 to the power of doublings links, each with its
// own counts.
func fill(t testing.TB, s linktrack.Store, db *sqlx.DB, account linktrack.AccountID, doublings int) {
	t.Helper()
	makeLink(t, s, linktrack.Link{Account: account, Path: fmt.Sprint("first", account), LinkSettings: linktrack.LinkSettings{Title: "t", Group: "g"}})
	for i := range doublings {
		db.MustExec(`
			INSERT INTO lt_link (account_id, host, path_key, path, external_url, url_head, title, description, notes, group_name,
				is_active, is_public, has_plus_tracking, has_public_tracking, has_conversion_tracking,
				has_alert_email, forward_query, password_hash, alert_at, expires_at, created_at)
			SELECT account_id, host, CONCAT('k', ?, '-', id), CONCAT('k', ?, '-', id),
				CONCAT('https://example.com/', id * 7919 % 10007), CONCAT('https://example.com/', id * 7919 % 10007),
				CONCAT('title ', id * 7919 % 10007), '', 'notes', CONCAT('group ', id % 7),
				1, 0, 0, 0, 0, 0, 0, NULL, 0, 0, created_at + id
			FROM lt_link WHERE account_id = ?`, i, i, int64(account))
	}
	db.MustExec(`
		INSERT INTO lt_count (link_id, account_id, total, last_click)
		SELECT id, account_id, id * 7919 % 10007, 1 FROM lt_link
		WHERE account_id = ? AND NOT EXISTS (SELECT 1 FROM lt_count WHERE link_id = id)`, int64(account))
	db.MustExec(`
		INSERT INTO lt_rank (link_id, account_id, total, last_click)
		SELECT link_id, account_id, total, last_click FROM lt_count
		WHERE account_id = ? AND NOT EXISTS (SELECT 1 FROM lt_rank r WHERE r.link_id = lt_count.link_id)`, int64(account))
	db.MustExec(`ANALYZE TABLE lt_link, lt_count, lt_rank`)
}

var sorts = []linktrack.Sort{
	linktrack.SortExternalURL, linktrack.SortPath, linktrack.SortCreated, linktrack.SortDay,
	linktrack.SortTotal, linktrack.SortLastClick, linktrack.SortTitle, linktrack.SortGroup,
}

func TestAListReadsLittleMoreThanItsLimitInEverySort(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	fill(t, s, db, 1, 12)
	fill(t, s, db, 2, 10)
	var ids []int64
	if err := db.Select(&ids, `SELECT id FROM lt_link WHERE account_id = 1 LIMIT 15`); err != nil {
		t.Fatal(err)
	}
	b := linktrack.Batch{Seq: 1}
	for i, id := range ids {
		for range i {
			b.Clicks = append(b.Clicks, click(id, noon))
		}
	}
	appendBatch(t, s, b)
	if _, err := s.ApplyClicks(t.Context(), nil, noon.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, sort := range sorts {
		for _, ascending := range []bool{true, false} {
			t.Run(fmt.Sprint(sort, ascending), func(t *testing.T) {
				n := reads(t, dsn, func(s linktrack.Store) {
					links, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: sort, Ascending: ascending, Limit: 10, DaySince: noon.Add(-time.Hour)})
					if err != nil || len(links) != 10 {
						t.Errorf("%d links, %v", len(links), err)
					}
				})
				if n > 300 { // a list that sorts them all reads at least 4,096
					t.Errorf("%d reads for 10 links of 4,096", n)
				}
			})
		}
	}
}

func TestAPartOfAllLinksIsReadByKey(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	fill(t, s, db, 1, 12)
	fill(t, s, db, 2, 12)
	var after int64
	if err := db.Get(&after, `SELECT MAX(id) - 20 FROM lt_link WHERE account_id = 1`); err != nil {
		t.Fatal(err)
	}
	n := reads(t, dsn, func(s linktrack.Store) {
		links, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: linktrack.SortID, Ascending: true, After: &linktrack.LinkCursor{ID: after}, Limit: 10})
		if err != nil || len(links) != 10 {
			t.Errorf("%d links, %v", len(links), err)
		}
	})
	if n > 300 {
		t.Errorf("%d reads for the last links of 4,096", n)
	}
	names := make([]linktrack.LinkName, 200)
	for i := range names {
		names[i] = linktrack.LinkName{Host: "go.example.com", Key: fmt.Sprint("k11-", i+1)}
	}
	n = reads(t, dsn, func(s linktrack.Store) {
		links, err := s.LinksByPath(t.Context(), names)
		if err != nil || len(links) < 100 {
			t.Errorf("%d links, %v", len(links), err)
		}
	})
	if n > 1000 {
		t.Errorf("%d reads for 200 paths", n)
	}
}

func TestNamesAreLookedUpByKey(t *testing.T) {
	s, dsn := opened(t)
	fill(t, s, admin(t, dsn), 1, 12)
	var names []linktrack.LinkName
	for i := range 20 {
		names = append(names, linktrack.LinkName{Key: fmt.Sprint("k11-", i+1)}, linktrack.LinkName{Host: "go.example.com", Key: fmt.Sprint("k10-", i+1)})
	}
	n := reads(t, dsn, func(s linktrack.Store) {
		links, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Names: names, Sort: linktrack.SortTotal, Limit: 100})
		if err != nil || len(links) < 20 {
			t.Errorf("%d links, %v", len(links), err)
		}
	})
	if n > 600 {
		t.Errorf("%d reads for 40 names", n)
	}
}

func TestTheRedirectReadsTwoRows(t *testing.T) {
	s, dsn := opened(t)
	fill(t, s, admin(t, dsn), 1, 12)
	n := reads(t, dsn, func(s linktrack.Store) {
		if _, err := s.LinkByPath(t.Context(), "go.example.com", "first1"); err != nil {
			t.Error(err)
		}
	})
	if n > 2 {
		t.Errorf("%d reads, want one of the link and one of its counts", n)
	}
	n = reads(t, dsn, func(s linktrack.Store) {
		if _, err := s.LinkByPath(t.Context(), "go.example.com", "nöne"); err == nil {
			t.Error("found")
		}
	})
	if n > 2 {
		t.Errorf("%d reads for a link that does not exist", n)
	}
	l := makeLink(t, s, linktrack.Link{Path: "old"})
	if _, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.Path = "new"; return nil }); err != nil {
		t.Fatal(err)
	}
	n = reads(t, dsn, func(s linktrack.Store) {
		if _, err := s.LinkByPath(t.Context(), "go.example.com", "old"); err != nil {
			t.Error(err)
		}
	})
	if n > 4 {
		t.Errorf("%d reads for a former path, want one of no link, and one each of the path, the link and its counts", n)
	}
}

func TestAPageOfHistoryReadsItsRangeOnly(t *testing.T) {
	s, dsn := opened(t)
	l, other := makeLink(t, s, linktrack.Link{Path: "a"}), makeLink(t, s, linktrack.Link{Path: "b"})
	today := time.Now().UTC().Truncate(24 * time.Hour)
	b := linktrack.Batch{Seq: 1}
	for i := range 5000 {
		at := today.Add(time.Duration(i) * 10 * time.Minute) // 34 days
		b.Clicks = append(b.Clicks, click(l.ID, at), click(other.ID, at))
	}
	record(t, s, b)
	admin(t, dsn).MustExec(`ANALYZE TABLE lt_hit, lt_text, lt_click`)
	// The first query after that makes the server read its statistics of the tables, which
	// counts as reads of the session.
	if _, err := s.Clicks(t.Context(), linktrack.ClickFilter{Link: l.ID, Limit: 10}); err != nil {
		t.Fatal(err)
	}
	middle := b.Clicks[5000].ID
	for name, test := range map[string]struct {
		query linktrack.ClickFilter
		most  int // a row for the page, one where the range ends in each partition that it touches
	}{
		"a part of a day, oldest first": {linktrack.ClickFilter{From: today.Add(4 * time.Hour), To: today.Add(5 * time.Hour), Ascending: true}, 12},
		"a part of a day, newest first": {linktrack.ClickFilter{From: today.Add(4 * time.Hour), To: today.Add(5 * time.Hour)}, 12},
		"the newest":                    {linktrack.ClickFilter{}, 80},
		"the page before a click":       {linktrack.ClickFilter{Before: middle}, 80},
		"the page after a click":        {linktrack.ClickFilter{After: middle, Ascending: true}, 80},
	} {
		t.Run(name, func(t *testing.T) {
			test.query.Link, test.query.Limit = l.ID, 10
			n := reads(t, dsn, func(s linktrack.Store) {
				clicks, err := s.Clicks(t.Context(), test.query)
				if err != nil || len(clicks) < 6 {
					t.Errorf("%d clicks, %v", len(clicks), err)
				}
			})
			if n > test.most {
				t.Errorf("%d reads, want at most %d", n, test.most)
			}
		})
	}
}

// BenchmarkLinks lists 100 links of an account with very many: a million, or
// 2 to the power of LINKTRACK_TEST_DOUBLINGS.
func BenchmarkLinks(b *testing.B) {
	doublings := 20
	if v := os.Getenv("LINKTRACK_TEST_DOUBLINGS"); v != "" {
		doublings, _ = strconv.Atoi(v)
	}
	s, dsn := opened(b)
	fill(b, s, admin(b, dsn), 1, doublings)
	for _, sort := range sorts {
		for _, ascending := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/ascending=%t", sort, ascending), func(b *testing.B) {
				for b.Loop() {
					_, err := s.Links(b.Context(), linktrack.LinkFilter{Account: 1, Sort: sort, Ascending: ascending, Limit: 100, DaySince: noon})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func TestAPageFarBackReadsKeysAndFewLinks(t *testing.T) {
	s, dsn := opened(t)
	fill(t, s, admin(t, dsn), 1, 12)
	if _, err := s.ApplyClicks(t.Context(), nil, noon.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, sort := range sorts {
		t.Run(string(sort), func(t *testing.T) {
			n := reads(t, dsn, func(s linktrack.Store) {
				links, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: sort, Limit: 10, Offset: 500, DaySince: noon.Add(-time.Hour)})
				if err != nil || len(links) != 10 {
					t.Errorf("%d links, %v", len(links), err)
				}
			})
			if n > 2500 { // a list that sorts them all reads at least 4,096
				t.Errorf("%d reads for 10 links behind 500 of 4,096", n)
			}
		})
	}
}

func TestHostsAreListedWithoutReadingTheirLinks(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	fill(t, s, db, 1, 12)
	db.MustExec(`UPDATE lt_link SET host = CONCAT('host', id % 3)`)
	if n := reads(t, dsn, func(s linktrack.Store) {
		hosts, err := s.(linktrack.HostLister).LinkHosts(t.Context(), 100)
		if err != nil || len(hosts) != 3 {
			t.Fatalf("LinkHosts = %v, %v", hosts, err)
		}
	}); n > 20 {
		t.Errorf("%d rows and keys were read for 3 hosts with 4,096 links", n)
	}
}
