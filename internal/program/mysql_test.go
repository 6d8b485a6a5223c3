package program

import (
	"database/sql"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/testprogram"
)

func TestKeepsLinksClicksAndAccountInMySQL(t *testing.T) {
	dsn := testmysql.DSN(t)
	bin := testprogram.Build(t, programFolder)
	// The port changes from run to run; the links' host must not.
	args := []string{"-addr", "127.0.0.1:0", "-base-url", "http://go.example.com"}
	env := []string{"LINKTRACK_MYSQL=" + dsn}
	stop := func(p *testprogram.Program) {
		t.Helper()
		if status := p.Stop(t); status != 0 {
			t.Errorf("exit status after SIGTERM = %d", status)
		}
	}

	p := start(t, bin, env, args...)
	if state := p.Line(t, "account linktrack:"); !strings.HasPrefix(state, "new, pass ") {
		t.Errorf("the first run says of the account: %s", state)
	}
	first := p.Line(t, "  curl ")
	link := curl(t, first)
	click(t, first, link)
	if n := countTotal(t, first, link); n != 1 {
		t.Errorf("count_total after one click = %d", n)
	}
	stop(p)
	pass := credentials(t, first).Get("pass")

	p = start(t, bin, env, args...)
	if state := p.Line(t, "account linktrack:"); !strings.HasPrefix(state, "unchanged") {
		t.Errorf("the second run says of the account: %s", state)
	}
	line := p.Line(t, "  curl ")
	if strings.Contains(line, pass) {
		t.Error("the second run shows the pass again")
	}
	click(t, line, link)
	line = strings.Replace(line, "pass=PASS", "pass="+pass, 1)
	if n := countTotal(t, line, link); n != 2 {
		t.Errorf("count_total after a click in each run = %d", n)
	}
	stop(p)

	p = start(t, bin, env, append(args, "-pass", "another-pass-0123456789")...)
	if state := p.Line(t, "account linktrack:"); state != "now has the given pass" {
		t.Errorf("the run with another pass says of the account: %s", state)
	}
	line = p.Line(t, "  curl ")
	if strings.Contains(line, "another-pass") {
		t.Error("the run with another pass shows it")
	}
	line = strings.Replace(line, "pass=PASS", "pass=another-pass-0123456789", 1)
	if n := countTotal(t, line, link); n != 2 {
		t.Errorf("count_total with the new pass = %d", n)
	}
	stop(p)

	for _, secret := range []string{pass, "another-pass"} {
		if strings.Contains(p.Stderr(), secret) {
			t.Errorf("the log has a pass:\n%s", p.Stderr())
		}
	}
}

func TestTheHistoryOnMySQLCanBeWithoutPartitions(t *testing.T) {
	dsn := testmysql.DSN(t)
	bin := testprogram.Build(t, programFolder)
	db, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	defer db.Close()
	env := []string{"LINKTRACK_MYSQL=" + dsn}
	for _, run := range []struct {
		about string
		args  []string
		want  bool
	}{
		{"by default", nil, true},
		{"with the flag, on tables that have partitions", []string{"-mysql-partitions=false"}, false},
		{"without the flag, on tables that have none", nil, false},
	} {
		p := start(t, bin, env, append(run.args, "-addr", "127.0.0.1:0", "-base-url", "http://go.example.com", "-pass", "a-pass-of-the-test")...)
		line := strings.Replace(p.Line(t, "  curl "), "pass=PASS", "pass=a-pass-of-the-test", 1)
		click(t, line, curl(t, line))
		require.Zero(t, p.Stop(t))
		var partitioned int
		require.NoError(t, db.QueryRow(`SELECT COUNT(DISTINCT TABLE_NAME) FROM information_schema.PARTITIONS
			WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL`).Scan(&partitioned))
		require.Equal(t, run.want, partitioned > 0, run.about)
	}
}

// The database user of a shared host may have few connections. With or without the
// flag, no visitor may get an error.
func TestManyVisitorsShareFewConnections(t *testing.T) {
	bin := testprogram.Build(t, programFolder)
	for name, flags := range map[string][]string{
		"with the flag":    {"-mysql-connections", "5"},
		"without the flag": nil,
	} {
		t.Run(name, func(t *testing.T) {
			env := []string{"LINKTRACK_MYSQL=" + testmysql.LimitedDSN(t, 5)}
			p := start(t, bin, env, append(flags, "-addr", "127.0.0.1:0")...)
			call := p.Line(t, "  curl ")
			var links []string
			for range 40 {
				links = append(links, curl(t, call))
			}
			var all sync.WaitGroup
			for i := range 320 {
				all.Go(func() {
					req, err := http.NewRequest(http.MethodGet, links[i%len(links)], nil)
					assert.NoError(t, err)
					req.Header.Set("User-Agent", firefox)
					res, err := http.DefaultTransport.RoundTrip(req)
					if assert.NoError(t, err) {
						assert.Equal(t, http.StatusFound, res.StatusCode)
						assert.NoError(t, res.Body.Close())
					}
				})
			}
			all.Wait()
			require.Zero(t, p.Stop(t))
			require.NotContains(t, p.Stderr(), "ERROR")
			require.NotContains(t, p.Stderr(), "s3cret")
		})
	}
	p := start(t, bin, []string{"LINKTRACK_MYSQL_CONNECTIONS=0"}, "-addr", "127.0.0.1:0")
	require.NotZero(t, p.Wait(t))
	require.Contains(t, p.Stderr(), "-mysql-connections must be at least 1, not 0")
}
