package storecopy_test

import (
	"database/sql"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testcopy"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/mysqlstore"
	"github.com/linktrackhq/linktrack/sqlitestore"
	"github.com/linktrackhq/linktrack/storecopy"
)

// A side is a database and a store on it.
type side struct {
	store interface {
		linktrack.Store
		linktrack.VisitorEraser
		storecopy.Store
	}
	db *sql.DB
}

func sqlite(t testing.TB) side { return sqliteAt(t, filepath.Join(t.TempDir(), "a.db")) }

func sqliteAt(t testing.TB, path string) side {
	t.Helper()
	s, err := sqlitestore.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return side{s, connected(t, "sqlite", path)}
}

func mysql(t testing.TB) side { return mysqlWith(t) }

func mysqlWith(t testing.TB, options ...mysqlstore.Option) side {
	t.Helper()
	dsn := testmysql.DSN(t)
	s, err := mysqlstore.Open(dsn, options...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return side{s, connected(t, "mysql", dsn)}
}

func connected(t testing.TB, driver, name string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func (s side) migrated(t testing.TB) side {
	t.Helper()
	require.NoError(t, s.store.Migrate(t.Context()))
	return s
}

func filled(t testing.TB, s side) (side, *testcopy.Fill) {
	s.migrated(t)
	return s, testcopy.NewFill(t, s.store)
}

func copied(t testing.TB, from, to side) storecopy.Report {
	t.Helper()
	report, err := storecopy.Copy(t.Context(), from.store, to.store, storecopy.Options{})
	require.NoError(t, err)
	requireEqual(t, testcopy.Dump(t, from.db), testcopy.Dump(t, to.db))
	return report
}

func requireEqual(t testing.TB, want, got map[string][]string) {
	t.Helper()
	for table, rows := range want {
		require.Equal(t, rows, got[table], table)
	}
	require.Len(t, got, len(want))
}

func exec(t testing.TB, s side, statement string, args ...any) {
	t.Helper()
	_, err := s.db.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}

func TestACopyIsEqualWhateverTheEnginesAre(t *testing.T) {
	first, fill := filled(t, sqlite(t))
	exec(t, first, `INSERT INTO lt_log (source, seq, kind, at, clicks, bytes, is_quarantined, data) VALUES (x'71000000000000000000000000000000', 1, 77, 1, 0, 1, 1, x'00')`)
	second, third, fourth := mysql(t), mysql(t), sqlite(t)
	copied(t, first, second)
	requirePartitions(t, second, fill.Today.AddDate(0, 0, -40))
	copied(t, second, third)
	report := copied(t, third, fourth)
	dump := testcopy.Dump(t, first.db)
	for table, rows := range dump {
		require.NotEmpty(t, rows, "%s: the test shows nothing", table)
	}
	last := testcopy.Dump(t, fourth.db)
	dump["lt_log"], last["lt_log"] = nil, nil // Migrate gives a quarantined batch a new source
	requireEqual(t, dump, last)
	var lines strings.Builder
	require.NoError(t, report.Write(&lines))
	require.Regexp(t, `(?m)^ +48 +48 +48 +0 +clicks in the history$`, lines.String())
	require.Regexp(t, `(?m)^ +42 +42 +people$`, lines.String())

	// What is new has ids behind those that were ever given.
	for _, s := range []side{second, fourth} {
		l, err := trackertest.CreateLink(t.Context(), s.store, linktrack.Link{Account: 1, Host: "go.example.com", Path: "new", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
		require.NoError(t, err)
		require.Equal(t, fill.Links[11].ID+1, l.ID)
		a, err := s.store.CreateAccount(t.Context(), linktrack.Account{Login: "new"})
		require.NoError(t, err)
		require.EqualValues(t, 4, a.ID)
		k, err := s.store.CreateKey(t.Context(), linktrack.Key{Account: 1, Login: "new key"})
		require.NoError(t, err)
		require.EqualValues(t, 4, k.ID)
	}
}

func TestACopyMakesNoPartitionsInTablesWithout(t *testing.T) {
	first, fill := filled(t, sqlite(t))
	second, third := mysqlWith(t, mysqlstore.WithoutPartitions()), mysql(t)
	copied(t, first, second)
	var n int
	require.NoError(t, second.db.QueryRow(`SELECT COUNT(*) FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL`).Scan(&n))
	require.Zero(t, n)
	require.NoError(t, second.store.PruneClicks(t.Context(), fill.Today.AddDate(0, 0, -39)))
	copied(t, first, second)
	copied(t, second, third)
	requirePartitions(t, third, fill.Today.AddDate(0, 0, -40))
}

// PruneClicks removes a day with its partition.
func requirePartitions(t *testing.T, s side, day time.Time) {
	t.Helper()
	for _, table := range []string{"lt_hit", "lt_text"} {
		var n int
		require.NoError(t, s.db.QueryRow(`SELECT COUNT(*) FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND PARTITION_NAME = ?`,
			table, day.Format("p20060102")).Scan(&n))
		require.Equal(t, 1, n, table)
	}
}

func TestASecondCopyBringsWhatCameSince(t *testing.T) {
	for name, target := range map[string]func(testing.TB) side{"to SQLite": sqlite, "to MySQL": mysql} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			from, f := filled(t, sqlite(t))
			to := target(t)
			copied(t, from, to)
			require.Equal(t, int64(0), changes(copied(t, from, to)), "nothing came")

			f.Click(t, from.store, 3, 30, 3)
			f.Apply(t, from.store)
			// Paths and orders that one row gives up and another one takes, in both directions.
			f.Rename(t, from.store, 1, "swap")
			require.NoError(t, from.store.ReleasePaths(ctx, f.Links[1].ID, []linktrack.LinkName{{Host: "go.example.com", Key: "path_1"}}))
			f.Rename(t, from.store, 2, "Path_1")
			require.NoError(t, from.store.ReleasePaths(ctx, f.Links[2].ID, []linktrack.LinkName{{Host: "go.example.com", Key: "path_2"}}))
			f.Rename(t, from.store, 1, "Path_2")
			_, err := from.store.EraseVisitor(ctx, f.Account.ID, netip.MustParsePrefix("192.0.2.0/24"))
			require.NoError(t, err)
			f.Delete(t, from.store, 3)
			require.NoError(t, from.store.PurgeLink(ctx, f.Links[3].ID, true))
			require.NoError(t, from.store.PruneClicks(ctx, f.Today.AddDate(0, 0, -15)))
			require.NoError(t, from.store.EraseAccount(ctx, f.Account.ID+1))
			_, err = from.store.UpdateAccount(ctx, f.Account.ID, func(a *linktrack.Account) error { a.Login = "second"; return nil })
			require.NoError(t, err)
			require.Greater(t, changes(copied(t, from, to)), int64(20))
		})
	}
}

func changes(r storecopy.Report) (n int64) {
	for _, t := range r {
		n += t.Written + t.Removed
	}
	return n
}

// Without a zone, nobody has applied clicks, and the source cannot do it before the copy.
func TestClicksThatAreNotAppliedAreCountedOnceOnEachSide(t *testing.T) {
	from, to := sqlite(t).migrated(t), mysql(t)
	l, err := trackertest.CreateLink(t.Context(), from.store, linktrack.Link{Account: 1, Host: "go.example.com", Path: "a", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}})
	require.NoError(t, err)
	batch := linktrack.Batch{Source: linktrack.Source{1}, Seq: 1}
	for range 5 {
		batch.Clicks = append(batch.Clicks, linktrack.Click{ID: linktrack.NewClickID(time.Now()), Link: l.ID})
	}
	require.NoError(t, from.store.AppendClicks(t.Context(), batch))
	copied(t, from, to)
	count := func(s side) int64 {
		_, err := s.store.ApplyClicks(t.Context(), testcopy.Zone, time.Time{})
		require.NoError(t, err)
		l, err := s.store.LinkByPath(t.Context(), "go.example.com", "a")
		require.NoError(t, err)
		return l.Counts.People
	}
	require.EqualValues(t, 5, count(to), "the target has applied them")
	require.EqualValues(t, 5, count(from))
	copied(t, from, to)
	require.EqualValues(t, 5, count(to), "they were applied on both sides")
	require.NoError(t, to.store.AppendClicks(t.Context(), batch), "a process sends them again, to the target now")
	require.EqualValues(t, 5, count(to))
}

func TestWhatCannotBeCopiedIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	from, _ := filled(t, sqlite(t))
	unfinished := sqlite(t).migrated(t)
	exec(t, unfinished, `INSERT INTO lt_setting (name, value) VALUES (x'`+hexOf("copy_mark")+`', x'`+hexOf("unfinished x")+`')`)
	newer := sqlite(t).migrated(t)
	exec(t, newer, `INSERT INTO lt_migration (version, name) VALUES (99, x'')`)
	withAccount := sqlite(t).migrated(t)
	_, err := withAccount.store.CreateAccount(t.Context(), linktrack.Account{Login: "a"})
	require.NoError(t, err)
	ofOther, other := sqlite(t), sqlite(t)
	copied(t, other.migrated(t), ofOther)
	served := sqlite(t)
	copied(t, from, served)
	require.NoError(t, served.store.AppendClicks(t.Context(), linktrack.Batch{Source: linktrack.Source{9}, Seq: 1}))
	for name, test := range map[string]struct {
		from, to side
		want     string
		is       error
	}{
		"an empty source":                {sqlite(t), sqlite(t), "the source has no data of linktrack", storecopy.ErrSource},
		"a source that is unfinished":    {unfinished, sqlite(t), "is not finished", nil},
		"a source of a newer version":    {newer, sqlite(t), "migrated to version 99 by a newer linktrack", nil},
		"a target of a newer version":    {from, newer, "migrated to version 99 by a newer linktrack", nil},
		"a target with an account":       {from, withAccount, "the target has data of its own", storecopy.ErrTargetInUse},
		"a target that had a click":      {from, served, "the target has data of its own", storecopy.ErrTargetInUse},
		"a target of another source":     {from, ofOther, "a copy of another database", storecopy.ErrOtherSource},
		"the same database":              {from, from, "the same database", storecopy.ErrSame},
		"the same database, but at once": {other, other, "the same database", storecopy.ErrSame},
		"back to the source":             {served, from, "the target has data of its own", storecopy.ErrTargetInUse},
	} {
		t.Run(name, func(t *testing.T) {
			before := map[string][]string{}
			if test.to != newer && len(testcopy.Columns(t, test.to.db)) > 0 {
				before = testcopy.Dump(t, test.to.db)
			}
			report, err := storecopy.Copy(t.Context(), test.from.store, test.to.store, storecopy.Options{})
			require.ErrorContains(t, err, test.want)
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
			require.Nil(t, report)
			if len(before) > 0 {
				require.Equal(t, before, testcopy.Dump(t, test.to.db))
			} else if test.to != newer {
				require.Empty(t, testcopy.Columns(t, test.to.db))
			}
		})
	}
}

func hexOf(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(digits[s[i]>>4])
		b.WriteByte(digits[s[i]&15])
	}
	return b.String()
}

func TestNobodyUsesATargetThatIsUnfinished(t *testing.T) {
	from, f := filled(t, sqlite(t))
	path := filepath.Join(t.TempDir(), "b.db")
	to := sqliteAt(t, path)
	copied(t, from, to)
	exec(t, to, `UPDATE lt_setting SET value = CAST(x'`+hexOf("unfinished ")+`' || SUBSTR(value, 10) AS BLOB) WHERE name = x'`+hexOf("copy_mark")+`'`)
	const want = `a copy to this database is not finished: run "linktrack copy" again`
	again := sqliteAt(t, path) // a process that starts now
	_, err := linktrack.New(again.store, linktrack.Options{BaseURL: "https://go.example.com"})
	require.ErrorContains(t, err, want)
	require.ErrorContains(t, again.store.AppendClicks(t.Context(), linktrack.Batch{Source: linktrack.Source{9}, Seq: 1}), want)
	_, err = again.store.UpdateLink(t.Context(), f.Links[0].ID, func(*linktrack.Link) error { return nil })
	require.ErrorContains(t, err, want)
	copied(t, from, to)
	tracker, err := linktrack.New(again.store, linktrack.Options{BaseURL: "https://go.example.com"})
	require.NoError(t, err)
	require.NoError(t, tracker.Close(t.Context()))
}

// Reading it is possible between two copies, for example to compare exports.
func TestATrackerThatOnlyReadsLeavesTheTargetACopy(t *testing.T) {
	from, f := filled(t, sqlite(t))
	to := sqlite(t)
	copied(t, from, to)
	tracker, err := linktrack.New(to.store, linktrack.Options{BaseURL: "https://go.example.com"})
	require.NoError(t, err)
	_, err = tracker.Links(t.Context(), f.Account, linktrack.LinksQuery{})
	require.NoError(t, err)
	require.NoError(t, tracker.Close(t.Context()))
	copied(t, from, to)
}

// Versions before migration 11 kept the history in lt_click.
func TestAnOldHistoryBecomesTheHistory(t *testing.T) {
	from, f := filled(t, mysql(t))
	require.NoError(t, func() error { _, err := from.store.ApplyClicks(t.Context(), testcopy.Zone, time.Time{}); return err }())
	want := testcopy.Dump(t, from.db)
	columns := `link_id, id, ip, referrer, referrer_host, user_agent, browser, platform, country, query, is_unique, is_bot`
	exec(t, from, `INSERT INTO lt_click (`+columns+`) SELECT `+columns+` FROM lt_hit`)
	exec(t, from, `DELETE FROM lt_hit WHERE agent_id = '' AND referrer_id = '' AND class = 0`)
	exec(t, from, `DELETE FROM lt_hit WHERE link_id = ?`, f.Links[1].ID)
	old, err := from.store.Clicks(t.Context(), linktrack.ClickFilter{Link: f.Links[1].ID, Limit: 100})
	require.NoError(t, err)
	require.NotEmpty(t, old)
	to := sqlite(t)
	_, err = storecopy.Copy(t.Context(), from.store, to.store, storecopy.Options{})
	require.NoError(t, err)
	require.Len(t, testcopy.Dump(t, to.db)["lt_hit"], len(want["lt_hit"]))
	got, err := to.store.Clicks(t.Context(), linktrack.ClickFilter{Link: f.Links[1].ID, Limit: 100})
	require.NoError(t, err)
	require.Equal(t, old, got)
}

// MariaDB accepts packets of 16 MB, and a batch may be nearly as large.
func TestLargeRowsAreCopied(t *testing.T) {
	from, to, back := sqlite(t).migrated(t), mysql(t), sqlite(t)
	for i := range 2 {
		exec(t, from, `INSERT INTO lt_log (source, seq, kind, at, clicks, bytes, is_quarantined, data) VALUES (randomblob(16), ?, 1, 1, 0, 1, 0, randomblob(?))`, i, 9<<20)
	}
	copied(t, from, to)
	copied(t, to, back)
}
