package mysqlstore_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

func TestManyMigrateAtOnce(t *testing.T) {
	dsn := testmysql.DSN(t)
	var wg sync.WaitGroup
	for range 6 {
		s, err := mysqlstore.Open(dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		wg.Go(func() {
			for range 2 {
				if err := s.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var days []string
	err := admin(t, dsn).Select(&days, `SELECT PARTITION_NAME FROM information_schema.PARTITIONS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'lt_hit' ORDER BY PARTITION_ORDINAL_POSITION`)
	today := time.Now().UTC().Format("p20060102")
	if err != nil || len(days) < 33 || len(days) > 35 || days[1] != today && days[2] != today || days[len(days)-1] != "p_later" {
		t.Errorf("partitions %v, %v", days, err)
	}
}

// A host's settings do not change what Migrate makes, and neither does a copy:
// the other tests use one.
func TestEveryWayToASchemaMakesTheSame(t *testing.T) {
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
	own := testmysql.DSN(t)
	s, err := mysqlstore.Open(own)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Migrate(t.Context()))
	want := tables(own)
	require.NotEmpty(t, want)

	hosts := testmysql.DSN(t)
	require.NoError(t, hostile(t, hosts).Migrate(t.Context()))
	require.Equal(t, want, tables(hosts))

	migrated(t) // the first one may be what the others copy
	dsn := migrated(t)
	s, err = mysqlstore.Open(dsn)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Migrate(t.Context())) // makes the days
	require.Equal(t, want, tables(dsn))
	var rows int
	require.NoError(t, admin(t, dsn).Get(&rows, `SELECT COUNT(*) FROM lt_roll`))
	require.Equal(t, 1, rows)
}

func TestMigrateLeavesANewerDatabaseAlone(t *testing.T) {
	s, dsn := opened(t)
	admin(t, dsn).MustExec(`INSERT INTO lt_migration (version, name) VALUES (99, 'later.sql')`)
	if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("error %v", err)
	}
}

func TestMigrateWaitsForAnotherAsLongAsItsContext(t *testing.T) {
	s, dsn := opened(t)
	if err := s.Migrate(t.Context()); err != nil { // the days, which a copy has not
		t.Fatal(err)
	}
	holding, done := make(chan struct{}), make(chan struct{})
	conn, err := admin(t, dsn).Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var wg sync.WaitGroup
	wg.Go(func() {
		// A reader holds the table, and so the migrator that prunes, up.
		if _, err := conn.ExecContext(t.Context(), `LOCK TABLES lt_hit READ`); err != nil {
			t.Error(err)
		}
		close(holding)
		<-done
		if _, err := conn.ExecContext(context.Background(), `UNLOCK TABLES`); err != nil {
			t.Error(err)
		}
	})
	<-holding
	wg.Go(func() {
		if err := s.PruneClicks(t.Context(), time.Now()); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	for ctx.Err() == nil { // until the one that prunes has the lock
		err = s.Migrate(ctx)
	}
	close(done)
	wg.Wait()
	if err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("error %v", err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPruneClicksRemovesWholeDaysAndKeepsTheCounts(t *testing.T) {
	for name, open := range pools {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			l := makeLink(t, s, linktrack.Link{Path: "a"})
			today := time.Now().UTC().Truncate(24 * time.Hour)
			var b linktrack.Batch
			b.Seq = 1
			for d := -10; d <= 40; d++ { // before, in and after the partitions
				at := today.AddDate(0, 0, d)
				b.Clicks = append(b.Clicks, click(l.ID, at), click(l.ID, at.Add(24*time.Hour-time.Microsecond)))
			}
			record(t, s, b)
			left := func() int {
				t.Helper()
				clicks := history(t, s, l.ID)
				if c := counts(t, s, l); c.People != int64(len(b.Clicks)) {
					t.Errorf("counts %v", c)
				}
				for i, c := range clicks {
					if want := b.Clicks[len(b.Clicks)-len(clicks)+i]; c != want {
						t.Fatalf("click %d is of %v, want %v", i, c.ID.Time(), want.ID.Time())
					}
				}
				return len(clicks)
			}
			for _, step := range []struct {
				before time.Time
				left   int
			}{
				{time.Time{}, 102},
				{today.AddDate(0, 0, -20), 102},
				{today.AddDate(0, 0, -5), 92},
				{today.AddDate(0, 0, -5), 92},
				{today.AddDate(0, 0, -7), 92},
				{today.Add(-time.Microsecond), 84},
				{today.AddDate(0, 0, 3).Add(time.Hour), 76},
				{today.AddDate(0, 0, 38), 6},
			} {
				if err := s.PruneClicks(t.Context(), step.before); err != nil {
					t.Fatal(err)
				}
				if got := left(); got != step.left {
					t.Errorf("%d clicks left before %v, want %d", got, step.before, step.left)
				}
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenNamesTheCauseAndNeverThePassword(t *testing.T) {
	dsn := testmysql.DSN(t)
	with := func(change func(*mysql.Config)) string {
		c, err := mysql.ParseDSN(dsn)
		if err != nil {
			t.Fatal(err)
		}
		change(c)
		return c.FormatDSN()
	}
	for _, test := range []struct{ name, dsn, want string }{
		{"an empty DSN", "", "DSN"},
		{"a DSN without a slash", "root:s3cret@tcp(127.0.0.1:3306)", "slash"},
		{"a DSN without @", "root:s3cret/db", "cannot be read"},
		{"a DSN with a parameter that has a bad value", "root:s3cret@tcp(h:1)/db?parseTime=s3cret", "cannot be read"},
		{"a DSN without a database", with(func(c *mysql.Config) { c.DBName = "" }), "names no database"},
		{"a wrong password", with(func(c *mysql.Config) { c.Passwd = "s3cret" }), "does not accept user"},
		{"an unknown user", with(func(c *mysql.Config) { c.User, c.Passwd = "nobody", "s3cret" }), "does not accept user \"nobody\""},
		{"a password in the place of the user", with(func(c *mysql.Config) { c.User, c.Passwd = "s3cret", "" }), "does not accept the user of the DSN without a password: the DSN must look like user:password@tcp(host:3306)/database"},
		{"a user and a password with @ between them", with(func(c *mysql.Config) { c.User, c.Passwd = "me@s3cret", "" }), "does not accept the user of the DSN without"},
		{"a password with a slash, without an address", "me@/s3cret@tcp(127.0.0.1:1)", "names no database"},
		{"a user who must use TLS", testmysql.UserDSN(t, "REQUIRE SSL"), "tls=true"},
		{"TLS that the server does not offer, or not for this name", with(func(c *mysql.Config) { c.TLSConfig = "true" }), "TLS"},
		{"an unknown database", with(func(c *mysql.Config) { c.DBName = "lt_none" }), "has no database \"lt_none\""},
		{"a server that is down", "root:s3cret@tcp(127.0.0.1:1)/db", "connection refused"},
		{"a socket that is not there", "root:s3cret@unix(/nowhere/my.sock)/db", "connection refused"},
		{"a name that does not exist", "root:s3cret@tcp(nowhere.invalid:3306)/db?timeout=2s", "nowhere.invalid"},
		{"a bad session parameter", with(func(c *mysql.Config) { c.Params = map[string]string{"s3cret": "1"} }), "Unknown system variable '…' (error 1193)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := mysqlstore.Open(test.dsn)
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			if text := err.Error(); !strings.Contains(text, test.want) || strings.Contains(text, "s3cret") || !strings.HasPrefix(text, "mysqlstore: ") {
				t.Errorf("error %q, want %q in it", text, test.want)
			}
		})
	}
}

func TestMigrateSaysWhichRightsItMisses(t *testing.T) {
	dsn := testmysql.DSN(t)
	db := admin(t, dsn)
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	user := c.DBName[:20]
	for _, stmt := range []string{
		`CREATE USER '` + user + `'@'%' IDENTIFIED BY 's3cret'`,
		`CREATE USER '` + user + `'@'localhost' IDENTIFIED BY 's3cret'`,
		`GRANT SELECT ON ` + c.DBName + `.* TO '` + user + `'@'%'`,
		`GRANT SELECT ON ` + c.DBName + `.* TO '` + user + `'@'localhost'`,
	} {
		if _, err := db.Exec(stmt); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { admin(t, dsn).MustExec(`DROP USER '` + user + `'@'%', '` + user + `'@'localhost'`) })
	c.User, c.Passwd = user, "s3cret"
	s, err := mysqlstore.Open(c.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "needs CREATE") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v", err)
	}
	if _, err := s.LinkByPath(t.Context(), "h", "k"); err == nil || !strings.Contains(err.Error(), "has called Migrate") {
		t.Errorf("before Migrate: %v", err)
	}
}
