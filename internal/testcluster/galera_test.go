package testcluster_test

import (
	"net/http"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testcluster"
)

func TestOnGalera(t *testing.T) {
	c := testcluster.Start(t, testcluster.Galera)
	t.Run("locks hold on several nodes", func(t *testing.T) { locksHold(t, c) })
	t.Run("three processes at three nodes count each click once", func(t *testing.T) { clicksCountOnce(t, c) })
}

// clicksCountOnce checks that all that three processes at three nodes answer is counted once,
// also when a node dies meanwhile.
func clicksCountOnce(t *testing.T, c *testcluster.Cluster) {
	s := serve(t, c, "links", c.DSNOfAll) // each begins with a node of its own

	s.requireEdits()
	tr := s.begin(100)
	require.Eventually(t, func() bool { return tr.redirects(0)+tr.redirects(1)+tr.redirects(2) > 1000 }, time.Minute, 20*time.Millisecond)
	all := tr.end()
	assert.EqualValues(t, limit, all.answered["/limited"])
	assert.Zero(t, all.others[503], "%v", all.others)
	s.requireExact(all)
	s.requireAlerts()
	s.requireQuiet()

	tr = s.begin(100)
	require.Eventually(t, func() bool { return tr.redirects(2) > 200 }, time.Minute, 20*time.Millisecond)
	require.NoError(t, c.Kill(3))
	died := time.Now()
	first, second := tr.redirects(0), tr.redirects(1)
	require.Eventually(t, func() bool { return tr.redirects(0) > first+100 && tr.redirects(1) > second+100 }, time.Minute, 20*time.Millisecond)
	t.Logf("the other processes answered 100 clicks each within %v after the death of a node", time.Since(died).Round(10*time.Millisecond))
	// The process of the dead node goes on with another one.
	for made := 0; made != http.StatusCreated && time.Since(died) < time.Minute; time.Sleep(20 * time.Millisecond) {
		made = makeLink(s.addresses[2])
	}
	t.Logf("its process made a link at another node within %v", time.Since(died).Round(10*time.Millisecond))
	more := tr.end()
	t.Logf("%v; after the death of a node %v, slowest %v", all, more.answered, more.slowest)
	all.add(more)
	assert.EqualValues(t, limit, all.answered["/limited"])
	s.requireExact(all)
}
