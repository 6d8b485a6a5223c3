package mysqlstore_test

import (
	"cmp"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// On a cluster, a statement may fail because a process on another node was faster. A trigger
// fails with the same error here.
func TestACallThatAnotherNodeRollsBackIsMadeAgain(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	ctx := t.Context()
	account, err := s.CreateAccount(ctx, linktrack.Account{Login: "a", Type: "free"})
	require.NoError(t, err)
	key, err := s.CreateKey(ctx, linktrack.Key{Account: account.ID, Login: "k", Scope: "all"})
	require.NoError(t, err)
	l := makeLink(t, s, linktrack.Link{Account: account.ID, Path: "l", LinkSettings: linktrack.LinkSettings{AlertAt: 1}})
	now := time.Now()
	alert := linktrack.AlertID{Link: l.ID, Kind: linktrack.AlertAt, Count: 1}
	record(t, s, linktrack.Batch{Source: linktrack.Source{6}, Seq: 1, Clicks: []linktrack.Click{click(l.ID, now)}})
	apply(t, s)

	db.MustExec(`CREATE TABLE failing (n INT NOT NULL) ENGINE=MyISAM`) // a rollback does not change it
	db.MustExec(`INSERT INTO failing VALUES (0)`)
	for _, on := range []string{"UPDATE ON lt_alert", "INSERT ON lt_setting", "UPDATE ON lt_account", "INSERT ON lt_ended_session", "UPDATE ON lt_key",
		"DELETE ON lt_key", "UPDATE ON lt_roll", "UPDATE ON lt_lease", "INSERT ON lt_log", "UPDATE ON lt_count"} {
		db.MustExec(fmt.Sprintf(`CREATE TRIGGER on_%s BEFORE %s FOR EACH ROW
			BEGIN
				IF (SELECT n FROM failing) > 0 THEN
					UPDATE failing SET n = n - 1;
					SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock: wsrep aborted transaction';
				END IF;
			END`, strings.ReplaceAll(on, " ON ", "_"), on))
	}
	const failures = 3
	session := linktrack.SessionID{1}
	for _, test := range []struct {
		name string
		call func() error
	}{
		{"lease an alert", func() error { _, err := s.LeaseAlert(ctx, now, now.Add(time.Minute)); return err }},
		{"postpone an alert", func() error { return s.PostponeAlert(ctx, alert, now) }},
		{"finish an alert", func() error { return s.FinishAlert(ctx, alert) }},
		{"read the secret", func() error { _, err := s.Secret(ctx, []byte("secret")); return err }},
		{"end a session", func() error { return s.EndSession(ctx, account.ID, session, now.Add(time.Hour), now) }},
		{"end the sessions", func() error { return s.EndSessions(ctx, account.ID) }},
		{"use a key", func() error { return s.UseKey(ctx, account.ID, key.ID, 20000) }},
		{"use the account's own key", func() error { return s.UseKey(ctx, account.ID, 0, 20000) }},
		{"delete a key", func() error { return s.DeleteKey(ctx, account.ID, key.ID) }},
		{"append clicks", func() error {
			return s.AppendClicks(ctx, linktrack.Batch{Source: linktrack.Source{7}, Seq: 1, Clicks: []linktrack.Click{click(l.ID, now)}})
		}},
		{"apply clicks", func() error { _, err := s.ApplyClicks(ctx, time.UTC, now); return err }},
		{"update an account", func() error {
			_, err := s.UpdateAccount(ctx, account.ID, func(a *linktrack.Account) error { a.Email = "a@example.com"; return nil })
			return err
		}},
		{"prune clicks", func() error { return s.PruneClicks(ctx, now.AddDate(0, 0, -30)) }},
		{"migrate", func() error { return s.Migrate(ctx) }},
		{"repair", func() error {
			db.MustExec(`UPDATE lt_rank SET total = 9`)
			return s.Repair(ctx, nil)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			db.MustExec(`UPDATE failing SET n = ?`, failures)
			require.NoError(t, test.call())
			var left int
			require.NoError(t, db.Get(&left, `SELECT n FROM failing`))
			assert.Zero(t, left, "statements that were not refused")
		})
	}
}

// GET_LOCK excludes only processes on the same node, and a statement may take longer than the
// lease. So a process on another node can run a statement just before this one does.
func TestProcessesOnTwoNodesMigrateAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		before string // statements that begin so
		times  int
		runs   string // what the other process runs; "": the same statement
	}{
		"a table is made":                {"CREATE TABLE", 4, ""},
		"a column is added":              {"ALTER TABLE lt_link", 2, ""},
		"a migration is noted":           {"INSERT INTO lt_migration", 3, `INSERT INTO lt_migration SELECT COALESCE(MAX(version), 0) + 1, 'other' FROM lt_migration`},
		"the partitions of days are new": {"ALTER TABLE lt_hit REORGANIZE", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := testmysql.DSN(t)
			other := admin(t, dsn)
			ran := 0
			s := hooked(t, dsn, func(statement string, _ func()) {
				if ran < test.times && strings.HasPrefix(strings.TrimSpace(statement), test.before) {
					ran++
					other.MustExec(cmp.Or(test.runs, statement))
				}
			})
			require.NoError(t, s.Migrate(t.Context()))
			require.Equal(t, test.times, ran)
			requireMigrated(t, dsn)
		})
	}
}

func TestADayThatAnotherNodeHasRemovedDoesNotStopTheOthers(t *testing.T) {
	s, dsn := opened(t)
	require.NoError(t, s.Migrate(t.Context())) // makes the partitions
	other := admin(t, dsn)
	ran := 0
	pruning := hooked(t, dsn, func(statement string, _ func()) {
		if ran < 2 && strings.HasPrefix(statement, "ALTER TABLE lt_hit") {
			ran++
			other.MustExec(statement)
		}
	})
	before := time.Now().UTC().AddDate(0, 0, 3)
	require.NoError(t, pruning.PruneClicks(t.Context(), before))
	require.Equal(t, 2, ran)
	var first string
	require.NoError(t, other.Get(&first, `SELECT PARTITION_NAME FROM information_schema.PARTITIONS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'lt_hit' ORDER BY PARTITION_ORDINAL_POSITION LIMIT 1`))
	require.Equal(t, before.AddDate(0, 0, -1).Format("p20060102"), first)
}

// A process whose lease was taken over runs no further statement until the other one is done.
func TestOneProcessAtATimeChangesTheTablesOfACluster(t *testing.T) {
	dsn := testmysql.DSN(t)
	other := admin(t, dsn)
	const taken = "ALTER TABLE lt_roll"
	var others, tried atomic.Bool
	s := hooked(t, dsn, func(statement string, _ func()) {
		statement = strings.TrimSpace(statement)
		switch {
		case !others.Load() && strings.HasPrefix(statement, taken):
			others.Store(true)
			other.MustExec(`UPDATE lt_lease SET holder = 'other', server = 'other', ends_at = UNIX_TIMESTAMP() + 2, changes = changes + 1`)
		case others.Load() && strings.HasPrefix(statement, "UPDATE lt_lease"):
			tried.Store(true)
		case others.Load():
			var holder string
			var left int
			assert.NoError(t, other.QueryRow(`SELECT holder, ends_at - UNIX_TIMESTAMP() FROM lt_lease`).Scan(&holder, &left))
			assert.True(t, strings.HasPrefix(statement, "SELECT") || holder != "other", "%s runs while another process has the lease", statement)
		}
	})
	require.NoError(t, s.Migrate(t.Context()))
	require.True(t, tried.Load())
	requireMigrated(t, dsn)
}

// A process that died while it changed the tables does not hold up the next one on the same
// server.
func TestALeaseOfADeadProcessEndsWithItsLock(t *testing.T) {
	_, dsn := opened(t)
	died, err := mysqlstore.Open(dsn)
	require.NoError(t, err)
	defer died.Close()
	db := admin(t, dsn)
	require.NoError(t, died.Migrate(t.Context()))
	db.MustExec(`UPDATE lt_lease SET holder = 'dead', ends_at = UNIX_TIMESTAMP() + 30`)
	statements := 0
	s := hooked(t, dsn, func(statement string, _ func()) {
		if strings.Contains(statement, "UPDATE lt_lease") {
			statements++
		}
	})
	require.NoError(t, s.Migrate(t.Context()))
	require.Less(t, statements, 10, "statements that asked for the lease")
}

// requireMigrated requires that the database is as after one undisturbed migration.
func requireMigrated(t *testing.T, dsn string) {
	t.Helper()
	tables := func(dsn string) (all []string) {
		db := admin(t, dsn)
		var names []string
		require.NoError(t, db.Select(&names, `SHOW TABLES`))
		for _, name := range names {
			var made string
			require.NoError(t, db.QueryRow("SHOW CREATE TABLE "+name).Scan(&name, &made))
			all = append(all, made)
		}
		return all
	}
	undisturbed := testmysql.DSN(t)
	s, err := mysqlstore.Open(undisturbed)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Migrate(t.Context()))
	require.Equal(t, tables(undisturbed), tables(dsn))
	var notes int
	require.NoError(t, admin(t, dsn).Get(&notes, `SELECT COUNT(*) FROM lt_migration`))
	require.Positive(t, notes)
}
