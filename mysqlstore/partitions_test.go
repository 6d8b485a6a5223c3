package mysqlstore_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// counter is the next id of a table.
var counter = regexp.MustCompile(` AUTO_INCREMENT=[0-9]+`)

// tables returns the statements that make the tables of a database.
func tables(t testing.TB, dsn string) map[string]string {
	t.Helper()
	db := admin(t, dsn)
	var names []string
	require.NoError(t, db.Select(&names, `SHOW TABLES`))
	all := make(map[string]string)
	for _, name := range names {
		var made string
		require.NoError(t, db.QueryRow("SHOW CREATE TABLE "+name).Scan(&name, &made))
		all[name] = counter.ReplaceAllString(made, "")
	}
	require.NotEmpty(t, all)
	return all
}

// fillDays fills lt_hit and lt_text without the Store: that many clicks on each of two links,
// in each of the days, which end with a click in their last microsecond.
func fillDays(t testing.TB, s *mysqlstore.Store, db *sqlx.DB, days, clicks int) (links [2]linktrack.Link, first time.Time) {
	t.Helper()
	first = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -days)
	for i := range links {
		links[i] = makeLink(t, s, linktrack.Link{Path: fmt.Sprint("l", i)})
		var rows []string
		for d := range days {
			begin := first.AddDate(0, 0, d)
			for n := range clicks {
				at := begin.Add(time.Duration(n) * 24 * time.Hour / time.Duration(clicks))
				if n == clicks-1 {
					at = begin.Add(24*time.Hour - time.Microsecond)
				}
				id := linktrack.NewClickID(at)
				rows = append(rows, fmt.Sprintf("(%d, x'%x', 'abcdefghijkl')", links[i].ID, id[:]))
			}
			if i == 0 {
				db.MustExec(`INSERT INTO lt_text (day, id, text, host, browser, platform) VALUES (?, 'abcdefghijkl', 'x', '', '', ''), (?, 'mnopqrstuvwx', 'y', '', '', '')`,
					begin.Unix()/86400, begin.Unix()/86400)
			}
		}
		for len(rows) > 0 {
			n := min(len(rows), 5000)
			db.MustExec(`INSERT INTO lt_hit (link_id, id, agent_id) VALUES ` + strings.Join(rows[:n], ", "))
			rows = rows[n:]
		}
	}
	db.MustExec(`ANALYZE TABLE lt_hit, lt_text`)
	return links, first
}

func number(t testing.TB, db *sqlx.DB, query string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, db.Get(&n, query, args...))
	return n
}

func TestWithoutPartitionsNoTableHasSome(t *testing.T) {
	dsn := testmysql.DSN(t)
	changes := func(statement string) bool {
		return strings.HasPrefix(statement, "CREATE") || strings.HasPrefix(statement, "ALTER")
	}
	var mu sync.Mutex
	var ddl []string
	db := testmysql.Hooked(t, dsn, func(statement string, _ func()) {
		mu.Lock()
		defer mu.Unlock()
		if changes(strings.TrimSpace(statement)) {
			ddl = append(ddl, statement)
		}
	})
	s := mysqlstore.New(db, mysqlstore.WithoutPartitions())
	require.NoError(t, s.Migrate(t.Context()))
	require.NotEmpty(t, ddl)
	require.NotContains(t, strings.Join(ddl, ";"), "PARTITION", "the server may have none at all")
	made := tables(t, dsn)
	for name, table := range made {
		require.NotContains(t, table, "PARTITION", name)
	}
	require.Contains(t, made["lt_hit"], "KEY `lt_hit_id` (`id`)")

	// What is there counts, not the option.
	ddl = nil
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.PruneClicks(t.Context(), time.Now()))
	other := mysqlstore.New(db)
	require.NoError(t, other.Migrate(t.Context()))
	require.NoError(t, other.PruneClicks(t.Context(), time.Now()))
	require.Empty(t, ddl)
	require.Equal(t, made, tables(t, dsn))
}

// limited returns the DSN of a user who may only read and write rows.
func limited(t testing.TB, dsn string) string {
	t.Helper()
	c, err := mysql.ParseDSN(dsn)
	require.NoError(t, err)
	user := c.DBName[:20]
	for _, host := range []string{"%", "localhost"} {
		at := "'" + user + "'@'" + host + "'"
		admin(t, dsn).MustExec(`CREATE USER ` + at + ` IDENTIFIED BY 's3cret'`)
		t.Cleanup(func() { admin(t, dsn).MustExec(`DROP USER ` + at) })
		admin(t, dsn).MustExec(`GRANT SELECT, INSERT, UPDATE, DELETE ON ` + c.DBName + `.* TO ` + at)
	}
	c.User, c.Passwd = user, "s3cret"
	return c.FormatDSN()
}

func TestWithoutPartitionsAUserNeedNotChangeTables(t *testing.T) {
	for name, options := range map[string][]mysqlstore.Option{
		"with the option":    {mysqlstore.WithoutPartitions()},
		"without the option": nil,
	} {
		t.Run(name, func(t *testing.T) {
			_, dsn := withoutPartitions(t)
			s, err := mysqlstore.Open(limited(t, dsn), options...)
			require.NoError(t, err)
			defer s.Close()
			require.NoError(t, s.Migrate(t.Context()))
			l := makeLink(t, s, linktrack.Link{Path: "a"})
			today := time.Now().UTC().Truncate(24 * time.Hour)
			record(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(l.ID, today.Add(-time.Hour)), click(l.ID, today)}})
			require.NoError(t, s.PruneClicks(t.Context(), today))
			require.Len(t, history(t, s, l.ID), 1)
			require.EqualValues(t, 2, counts(t, s, l).People)
		})
	}
}

func TestWithoutPartitionsPruneClicksRemovesExactlyTheDays(t *testing.T) {
	s, dsn := withoutPartitions(t)
	db := admin(t, dsn)
	const days, clicks = 5, 2500
	links, first := fillDays(t, s, db, days, clicks) // 25,000
	until := first.AddDate(0, 0, 2)
	removed := 2 * 2 * clicks
	n := reads(t, dsn, func(s linktrack.Store) { require.NoError(t, s.PruneClicks(t.Context(), until.Add(time.Hour))) })
	require.Less(t, n, 4*removed, "it reads the keys of what it removes, and finds the rows")
	for _, l := range links {
		left := history(t, s, l.ID)
		require.Len(t, left, (days-2)*clicks)
		require.Equal(t, until, left[0].ID.Time().UTC(), "the first click of the first day that stays")
	}
	require.Equal(t, 2*(days-2), number(t, db, `SELECT COUNT(*) FROM lt_text`))
	require.EqualValues(t, until.Unix()/86400, number(t, db, `SELECT MIN(day) FROM lt_text`))
	// There is nothing to do the second time.
	n = reads(t, dsn, func(s linktrack.Store) { require.NoError(t, s.PruneClicks(t.Context(), until)) })
	require.Less(t, n, 1000)
	require.Equal(t, 2*(days-2)*clicks, number(t, db, `SELECT COUNT(*) FROM lt_hit`))
}

func TestWithoutPartitionsPruneClicksDeletesAThousandAtATimeByTheKey(t *testing.T) {
	s, dsn := withoutPartitions(t)
	db := admin(t, dsn)
	_, first := fillDays(t, s, db, 5, 1500)
	var deletes []string
	pruning := hooked(t, dsn, func(statement string, _ func()) {
		if strings.HasPrefix(statement, "DELETE lt_hit") {
			deletes = append(deletes, statement)
		}
	})
	require.NoError(t, pruning.PruneClicks(t.Context(), first.AddDate(0, 0, 2)))
	require.Len(t, deletes, 7, "6,000 clicks, and perhaps some behind them")
	var ids [][]byte
	require.NoError(t, db.Select(&ids, `SELECT id FROM lt_hit ORDER BY id LIMIT 3000`))
	for _, statement := range deletes {
		for _, id := range [][]byte{ids[2999], ids[0], ids[999]} {
			statement = strings.Replace(statement, "?", fmt.Sprintf("x'%x'", id), 1)
		}
		plan := make(map[string]any)
		require.NoError(t, db.QueryRowx(`EXPLAIN FORMAT=TRADITIONAL `+statement).MapScan(plan))
		require.Equal(t, "range lt_hit_id", fmt.Sprintf("%s %s", plan["type"], plan["key"]), statement)
	}
}

// It is interrupted after some steps, and goes on with the next call. Another process may do
// the same at the same time.
func TestWithoutPartitionsAnInterruptedPruneClicksGoesOn(t *testing.T) {
	s, dsn := withoutPartitions(t)
	db := admin(t, dsn)
	_, first := fillDays(t, s, db, 4, 2000)
	until := first.AddDate(0, 0, 3)
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	err := hooked(t, dsn, func(statement string, _ func()) {
		if strings.HasPrefix(statement, "DELETE lt_hit") {
			if steps++; steps == 3 {
				cancel()
			}
		}
	}).PruneClicks(ctx, until)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 14000, number(t, db, `SELECT COUNT(*) FROM lt_hit`), "two steps were made")
	require.Equal(t, 8, number(t, db, `SELECT COUNT(*) FROM lt_text`), "the texts of clicks go after them")

	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		other := hooked(t, dsn, func(string, func()) {})
		wg.Go(func() { errs[i] = other.PruneClicks(t.Context(), until) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, 4000, number(t, db, `SELECT COUNT(*) FROM lt_hit`))
	require.Equal(t, 2, number(t, db, `SELECT COUNT(*) FROM lt_text`))
}

func TestPartitionsAreRemovedAndMadeAgain(t *testing.T) {
	_, plainDSN := withoutPartitions(t)
	plain := tables(t, plainDSN)
	s, dsn := opened(t)
	require.NoError(t, s.Migrate(t.Context())) // the days, which a copy has not
	partitioned := tables(t, dsn)
	require.Contains(t, partitioned["lt_hit"], "PARTITION")
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	today := time.Now().UTC().Truncate(24 * time.Hour)
	var b linktrack.Batch
	for d := -3; d < 3; d++ {
		b.Clicks = append(b.Clicks, visits(l.ID, today.AddDate(0, 0, d), 100)...)
	}
	b.Seq = 1
	record(t, s, b)
	require.Positive(t, number(t, admin(t, dsn), `SELECT COUNT(*) FROM lt_text`))

	// An earlier attempt stopped halfway.
	admin(t, dsn).MustExec(`ALTER TABLE lt_hit REMOVE PARTITIONING`)
	require.NoError(t, migrate(t, dsn, mysqlstore.WithoutPartitions()))
	require.Equal(t, plain, tables(t, dsn))
	require.Equal(t, b.Clicks, history(t, s, l.ID))
	require.NoError(t, s.Migrate(t.Context()))
	require.Equal(t, plain, tables(t, dsn))
	require.NoError(t, s.PruneClicks(t.Context(), today.AddDate(0, 0, -2)))
	require.Equal(t, b.Clicks[100:], history(t, s, l.ID))

	// The way back is that of docs/operating.md.
	for _, stmt := range []string{
		`ALTER TABLE lt_hit DROP KEY lt_hit_id PARTITION BY RANGE COLUMNS (id) (PARTITION p_later VALUES LESS THAN (MAXVALUE))`,
		`ALTER TABLE lt_click DROP KEY lt_click_id PARTITION BY RANGE COLUMNS (id) (PARTITION p_later VALUES LESS THAN (MAXVALUE))`,
		`ALTER TABLE lt_text PARTITION BY RANGE COLUMNS (day) (PARTITION p_later VALUES LESS THAN (MAXVALUE))`,
	} {
		admin(t, dsn).MustExec(stmt)
	}
	require.NoError(t, s.Migrate(t.Context()))
	back := tables(t, dsn)
	delete(back, "lt_click") // PruneClicks made a partition there
	delete(partitioned, "lt_click")
	require.Equal(t, partitioned, back)
	require.Equal(t, b.Clicks[100:], history(t, s, l.ID))
	require.NoError(t, s.PruneClicks(t.Context(), today))
	require.Equal(t, b.Clicks[300:], history(t, s, l.ID))
}
