package testcluster_test

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testcluster"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// nodes are two nodes of a Galera cluster. The second one can be made to lag behind: it then
// has not applied yet what was committed on the first one. That is how two transactions run
// at once on a cluster.
type nodes struct {
	t             *testing.T
	cluster       *testcluster.Cluster
	database      string
	one           *mysqlstore.Store
	first, second *sql.DB
}

func openNodes(t *testing.T, c *testcluster.Cluster, database string) *nodes {
	t.Helper()
	n := &nodes{t: t, cluster: c, database: database}
	pool := func(node int, database string) *sql.DB {
		db, err := sql.Open("mysql", c.DSN(node, database))
		require.NoError(t, err)
		t.Cleanup(func() { db.Close() })
		return db
	}
	n.exec(pool(1, ""), "CREATE DATABASE "+database)
	n.first, n.second = pool(1, database), pool(2, database)
	n.exec(n.first, "CREATE TABLE lagging (n BIGINT AUTO_INCREMENT PRIMARY KEY)")
	n.exec(n.second, "SET GLOBAL wsrep_slave_threads = 1")
	t.Cleanup(func() { n.exec(n.second, "SET GLOBAL wsrep_slave_threads = 4") })
	n.one = mysqlstore.New(n.first)
	require.NoError(t, n.one.Migrate(t.Context()))
	n.synced()
	return n
}

func (n *nodes) exec(db *sql.DB, statement string) {
	n.t.Helper()
	_, err := db.Exec(statement)
	require.NoError(n.t, err, statement)
}

// synced waits until the second node has applied all that the first one has.
func (n *nodes) synced() {
	n.t.Helper()
	want := n.status(n.first, "wsrep_last_committed")
	require.Eventually(n.t, func() bool { return n.status(n.second, "wsrep_last_committed") >= want }, time.Minute, 5*time.Millisecond)
}

func (n *nodes) status(db *sql.DB, name string) int64 {
	var value string
	if !assert.NoError(n.t, db.QueryRow("SHOW GLOBAL STATUS LIKE '"+name+"'").Scan(&name, &value)) {
		return 0
	}
	number, err := strconv.ParseInt(value, 10, 64)
	assert.NoError(n.t, err)
	return number
}

// behind makes the second node lag behind, calls do, and lets the node go on after a time.
func (n *nodes) behind(delay time.Duration, do func()) {
	conn, err := n.second.Conn(n.t.Context())
	require.NoError(n.t, err)
	_, err = conn.ExecContext(n.t.Context(), "LOCK TABLES lagging WRITE")
	require.NoError(n.t, err)
	n.exec(n.first, "INSERT INTO lagging VALUES ()") // the second node waits for the lock
	do()
	time.AfterFunc(delay, func() {
		conn.ExecContext(n.t.Context(), "UNLOCK TABLES")
		conn.Close()
	})
}

// lag makes the second node lag behind, and then calls do, which changes something on the
// first one. The node applies that when a transaction of its own has been compared with it.
func (n *nodes) lag(do func()) {
	conn, err := n.second.Conn(n.t.Context())
	if !assert.NoError(n.t, err) {
		return
	}
	_, err = conn.ExecContext(n.t.Context(), "LOCK TABLES lagging WRITE")
	assert.NoError(n.t, err)
	_, err = n.first.Exec("INSERT INTO lagging VALUES ()") // the second node waits for the lock
	assert.NoError(n.t, err)
	do()
	last, failures := n.status(n.first, "wsrep_last_committed"), n.status(n.second, "wsrep_local_cert_failures")
	go func() {
		compared := func() bool {
			return n.status(n.first, "wsrep_last_committed") > last || n.status(n.second, "wsrep_local_cert_failures") > failures
		}
		assert.Eventually(n.t, compared, time.Minute, 5*time.Millisecond)
		conn.ExecContext(n.t.Context(), "UNLOCK TABLES")
		conn.Close()
	}()
}

// two returns a store at the second node. The first time that it runs a statement that
// begins so, the first node has just done something else, and the second one does not know.
func (n *nodes) two(before string, do func()) *mysqlstore.Store {
	once := sync.OnceFunc(func() { n.lag(do) })
	return mysqlstore.New(testmysql.Hooked(n.t, n.cluster.DSN(2, n.database), func(statement string, _ func()) {
		if strings.HasPrefix(strings.TrimSpace(statement), before) {
			once()
		}
	}))
}

func (n *nodes) count(query string) (found int) {
	n.t.Helper()
	require.NoError(n.t, n.first.QueryRow(query).Scan(&found))
	return found
}

// link makes a link with a click that has been applied.
func (n *nodes) link(path string) (linktrack.Link, linktrack.ClickRef) {
	n.t.Helper()
	l, err := trackertest.CreateLink(n.t.Context(), n.one, linktrack.Link{Account: 1, Host: "go.example.com", Path: path, LinkSettings: linktrack.LinkSettings{AlertAt: 1}})
	require.NoError(n.t, err)
	click := linktrack.Click{ID: linktrack.NewClickID(time.Now()), Link: l.ID}
	require.NoError(n.t, n.one.AppendClicks(n.t.Context(), linktrack.Batch{Source: linktrack.Source{byte(l.ID), 1}, Seq: 1, Clicks: []linktrack.Click{click}}))
	_, err = n.one.ApplyClicks(n.t.Context(), time.UTC, time.Now())
	require.NoError(n.t, err)
	return l, linktrack.ClickRef{Link: l.ID, ID: click.ID}
}

func locksHold(t *testing.T, c *testcluster.Cluster) {
	n := openNodes(t, c, "locks")
	ctx := t.Context()

	t.Run("what was made on another node is found", func(t *testing.T) {
		two := mysqlstore.New(n.second)
		made := 0
		for name, found := range map[string]func(l linktrack.Link) error{
			"a link by its path": func(l linktrack.Link) error {
				found, err := two.LinkByPath(ctx, l.Host, l.Key())
				assert.Equal(t, l.ID, found.ID)
				return err
			},
			"links by their paths": func(l linktrack.Link) error {
				name := linktrack.LinkName{Host: l.Host, Key: l.Key()}
				found, err := two.LinksByPath(ctx, []linktrack.LinkName{name})
				assert.Equal(t, l.ID, found[name].ID)
				return err
			},
			"a link to edit": func(l linktrack.Link) error {
				_, err := two.UpdateLink(ctx, l.ID, func(l *linktrack.Link) error { l.Title = "new"; return nil })
				return err
			},
			"an account": func(l linktrack.Link) error {
				_, err := two.AccountByID(ctx, l.Account)
				return err
			},
			"a session": func(l linktrack.Link) error {
				_, _, err := two.Session(ctx, l.Account, linktrack.SessionID{1})
				return err
			},
		} {
			made++
			login := fmt.Sprint("made", made)
			var l linktrack.Link
			n.behind(100*time.Millisecond, func() {
				account, err := n.one.CreateAccount(ctx, linktrack.Account{Login: login, Type: "free"})
				require.NoError(t, err)
				l, err = trackertest.CreateLink(ctx, n.one, linktrack.Link{Account: account.ID, Host: "go.example.com", Path: login})
				require.NoError(t, err)
				var there int
				require.NoError(t, n.second.QueryRow(`SELECT COUNT(*) FROM lt_account WHERE login = ?`, login).Scan(&there))
				require.Zero(t, there, "the second node does not lag behind")
			})
			assert.NoError(t, found(l), name)
			n.synced()
		}

		n.behind(2*time.Second, func() { n.exec(n.first, "INSERT INTO lagging VALUES ()") })
		start := time.Now()
		_, err := two.LinkByPath(ctx, "go.example.com", "nowhere")
		require.ErrorIs(t, err, linktrack.ErrNotFound)
		require.Less(t, time.Since(start), time.Second, "a node that lags behind keeps visitors waiting")
		n.synced()
	})

	t.Run("an account that gets a key on another node is erased with it", func(t *testing.T) {
		account, err := n.one.CreateAccount(ctx, linktrack.Account{Login: "erased", Type: "free"})
		require.NoError(t, err)
		n.synced()
		s := n.two("DELETE FROM lt_key", func() {
			_, err := n.one.CreateKey(ctx, linktrack.Key{Account: account.ID, Login: "key", Scope: "all"})
			assert.NoError(t, err)
		})
		require.NoError(t, s.EraseAccount(ctx, account.ID))
		n.synced()
		require.Zero(t, n.count(`SELECT COUNT(*) FROM lt_key WHERE account_id NOT IN (SELECT id FROM lt_account)`))
	})

	t.Run("an account that gets a link on another node is not erased", func(t *testing.T) {
		account, err := n.one.CreateAccount(ctx, linktrack.Account{Login: "linked", Type: "free"})
		require.NoError(t, err)
		n.synced()
		s := n.two("DELETE FROM lt_key", func() {
			_, err := trackertest.CreateLink(ctx, n.one, linktrack.Link{Account: account.ID, Host: "go.example.com", Path: "new"})
			assert.NoError(t, err)
		})
		require.ErrorIs(t, s.EraseAccount(ctx, account.ID), linktrack.ErrHasLinks)
		require.Equal(t, 1, n.count(`SELECT COUNT(*) FROM lt_account WHERE login = 'linked'`))
	})

	t.Run("a conversion that is replaced on another node while its link is purged leaves nothing", func(t *testing.T) {
		l, click := n.link("purged")
		c := linktrack.Conversion{Click: click, Time: time.Now(), OrderID: "order"}
		_, err := n.one.RecordConversion(ctx, c, time.UTC)
		require.NoError(t, err)
		_, err = n.one.UpdateLink(ctx, l.ID, func(l *linktrack.Link) error { l.DeletedAt = time.Now(); return nil })
		require.NoError(t, err)
		n.synced()
		s := n.two("DELETE FROM lt_alert", func() {
			c.Trusted = true
			c.Click.ID = linktrack.NewClickID(time.Now())
			_, err := n.one.RecordConversion(ctx, c, time.UTC)
			assert.NoError(t, err)
		})
		require.NoError(t, s.PurgeLink(ctx, l.ID, true))
		require.Zero(t, n.count(`SELECT COUNT(*) FROM lt_conversion WHERE link_id NOT IN (SELECT id FROM lt_link)`))
	})

	t.Run("an alert is leased on one node", func(t *testing.T) {
		n.link("alerted")
		n.synced()
		now := time.Now().Add(time.Minute)
		var leased linktrack.PendingAlert
		s := n.two("UPDATE lt_alert", func() {
			var err error
			leased, err = n.one.LeaseAlert(ctx, now, now.Add(time.Hour))
			assert.NoError(t, err)
		})
		again, err := s.LeaseAlert(ctx, now, now.Add(time.Hour))
		require.ErrorIs(t, err, linktrack.ErrNotFound, "%v and %v", leased, again)
	})

	t.Run("a batch is counted once when two nodes apply it", func(t *testing.T) {
		l, _ := n.link("applied")
		b := linktrack.Batch{Source: linktrack.Source{99}, Seq: 1}
		for range 100 {
			b.Clicks = append(b.Clicks, linktrack.Click{ID: linktrack.NewClickID(time.Now()), Link: l.ID})
		}
		require.NoError(t, n.one.AppendClicks(ctx, b))
		n.synced()
		s := n.two("UPDATE lt_roll", func() {
			_, err := n.one.ApplyClicks(ctx, time.UTC, time.Now())
			assert.NoError(t, err)
		})
		_, err := s.ApplyClicks(ctx, time.UTC, time.Now())
		require.NoError(t, err)
		n.synced()
		require.Equal(t, 101, n.count(fmt.Sprintf(`SELECT total FROM lt_count WHERE link_id = %d`, l.ID)))
		require.Equal(t, 101, n.count(fmt.Sprintf(`SELECT COUNT(*) FROM lt_hit WHERE link_id = %d`, l.ID)))
	})

	t.Run("three nodes migrate and prune at once", func(t *testing.T) {
		n.exec(n.first, "CREATE DATABASE together")
		n.synced()
		var all sync.WaitGroup
		for node := 1; node <= testcluster.Nodes; node++ {
			s, err := mysqlstore.Open(c.DSN(node, "together"))
			require.NoError(t, err)
			defer s.Close()
			all.Go(func() {
				assert.NoError(t, s.Migrate(ctx))
				assert.NoError(t, s.PruneClicks(ctx, time.Now().AddDate(0, 0, 2)))
			})
		}
		all.Wait()
	})
}
