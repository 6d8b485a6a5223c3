package testcluster_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testcluster"
)

// killsVariable names the environment variable that holds how many nodes the tests in this
// file kill at random moments. They take long, so they are skipped without it: make
// test-cluster runs them.
const killsVariable = "LINKTRACK_TEST_KILLS"

func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv(killsVariable)
	if text == "" {
		t.Skip("this test takes long: make test-cluster runs it")
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, killsVariable)
	return n
}

// until waits until all processes have answered some more clicks.
func (tr *traffic) until(t *testing.T, clicks int64) {
	t.Helper()
	for process := range tr.loads {
		before := tr.redirects(process)
		require.Eventually(t, func() bool { return tr.redirects(process) >= before+clicks }, 2*time.Minute, 20*time.Millisecond)
	}
}

func TestAMinuteOfLoadOnThreeGaleraNodesIsExactAndQuiet(t *testing.T) {
	kills(t)
	c := testcluster.Start(t, testcluster.Galera)
	s := serve(t, c, "minute", c.DSN)
	tr := s.begin(100)
	time.Sleep(time.Minute)
	all := tr.end()
	assert.EqualValues(t, limit, all.answered["/limited"])
	assert.Zero(t, all.others[503], "%v", all.others)
	s.requireExact(all)
	s.requireAlerts()
	s.requireQuiet()
	t.Log(s.account(all))
}

func TestKnownLinksGoOnWhileTwoOfThreeGaleraNodesArePaused(t *testing.T) {
	kills(t)
	c := testcluster.Start(t, testcluster.Galera)
	s := serve(t, c, "paused", c.DSN)
	tr := s.begin(50)
	tr.until(t, 200)
	require.NoError(t, c.Pause(2))
	require.NoError(t, c.Pause(3))
	tr.until(t, 200)
	require.NoError(t, c.Continue(2))
	require.NoError(t, c.Continue(3))
	for node := 1; node <= testcluster.Nodes; node++ {
		require.NoError(t, c.Revive(node))
	}
	tr.until(t, 200)
	all := tr.end()
	s.requireExact(all)
	t.Log(s.account(all))
}

func TestWhatWasAnsweredIsThereAfterAllGaleraNodesWereKilled(t *testing.T) {
	kills(t)
	c := testcluster.Start(t, testcluster.Galera)
	s := serve(t, c, "killed", c.DSN)
	tr := s.begin(50)
	tr.until(t, 200)
	for node := 1; node <= testcluster.Nodes; node++ {
		require.NoError(t, c.Kill(node))
	}
	require.NoError(t, c.Start())
	tr.until(t, 200)
	all := tr.end()
	s.requireExact(all)
	t.Log(s.account(all))
}

func TestGroupReplicationTakesWritesAgainAfterThePrimaryWasKilled(t *testing.T) {
	kills(t)
	c := testcluster.Start(t, testcluster.GroupReplication)
	s := serve(t, c, "writes_again", func(_ int, database string) string { return c.DSNOfAll(1, database) })
	tr := s.begin(50)
	tr.until(t, 200)
	primary := c.Primary()
	require.NoError(t, c.Kill(primary))
	died := time.Now()
	for i, address := range s.addresses {
		for made := 0; made != http.StatusCreated; time.Sleep(20 * time.Millisecond) {
			made = makeLink(address)
			require.Less(t, time.Since(died), time.Minute)
		}
		took := time.Since(died)
		t.Logf("process %d wrote again %v after the death of the primary", i+1, took.Round(10*time.Millisecond))
		assert.Less(t, took, 10*time.Second, "process %d", i+1)
	}
	tr.until(t, 200)
	require.NoError(t, c.Revive(primary)) // the account is read there, too
	all := tr.end()
	s.requireExact(all)
	t.Log(s.account(all))
}

// makeLink makes a link and returns the status; 0: no answer.
func makeLink(address string) int {
	link := url.Values{"login": {"linktrack"}, "pass": {pass}, "external_url": {"https://example.com/"}}
	answer, err := http.PostForm("http://"+address+"/api/v1_0/makeLink", link)
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestNothingIsLostOrCountedTwiceHoweverOftenNodesDie(t *testing.T) {
	n := kills(t)
	for _, kind := range []testcluster.Kind{testcluster.Galera, testcluster.GroupReplication} {
		t.Run(string(kind), func(t *testing.T) {
			c := testcluster.Start(t, kind)
			dsn := c.DSN
			if kind == testcluster.GroupReplication {
				dsn = func(_ int, database string) string { return c.DSNOfAll(1, database) }
			}
			s := serve(t, c, "kills", dsn)
			tr := s.begin(30)
			tr.until(t, 20)
			for kill := range n / 2 {
				node := 1 + rand.IntN(testcluster.Nodes)
				if primary := c.Primary(); kill%2 == 0 && primary != 0 {
					node = primary
				}
				time.Sleep(rand.N(2 * time.Second))
				require.NoError(t, c.Kill(node))
				time.Sleep(rand.N(3 * time.Second))
				require.NoError(t, c.Revive(node))
				t.Logf("kill %d, of node %d", kill+1, node)
			}
			tr.until(t, 20)
			all := tr.end()
			s.requireExact(all)
			assert.LessOrEqual(t, all.answered["/limited"], int64(limit))
			t.Logf("%d kills of nodes of %s: %s", n/2, kind, s.account(all))
		})
	}
}

// account returns the sums of what was answered and what is stored.
func (s *service) account(o outcome) string {
	s.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "answered %d", o.sum())
	for _, sum := range []struct{ name, query string }{
		{"history", `SELECT COUNT(*) FROM lt_hit`},
		{"totals", `SELECT SUM(total) FROM lt_count`},
		{"hours", `SELECT SUM(clicks) FROM lt_hour`},
		{"days", `SELECT SUM(CAST(JSON_EXTRACT(CONVERT(data USING utf8mb4), '$.p') AS SIGNED)) FROM lt_day`},
		{"sort keys", `SELECT SUM(total) FROM lt_rank`},
	} {
		var n int64
		if assert.NoError(s.t, s.db.QueryRow(sum.query).Scan(&n), sum.name) {
			assert.Equal(s.t, o.sum(), n, sum.name)
			fmt.Fprintf(&b, ", %s %d", sum.name, n)
		}
	}
	var used int64
	assert.NoError(s.t, s.db.QueryRow(`SELECT used FROM lt_count WHERE deactivate_at > 0`).Scan(&used))
	fmt.Fprintf(&b, "; of %d permissions %d were given and %d used; other statuses %v; slowest redirect %v",
		limit, used, o.answered["/limited"], o.others, o.slowest.Round(time.Millisecond))
	return b.String()
}
