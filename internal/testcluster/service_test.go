package testcluster_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/load"
	"github.com/linktrackhq/linktrack/internal/testcluster"
	"github.com/linktrackhq/linktrack/internal/testprogram"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// The links of a service.
var paths = []string{"/hot", "/limited", "/alerted", "/a", "/b", "/c"}

// visited are the paths of a load: the first one is hot, and the others have equal shares.
var visited = []string{"/hot", "/limited", "/limited", "/limited", "/alerted", "/alerted", "/a", "/b", "/c"}

const (
	program = "../../cmd/linktrack"
	pass    = "0123456789abcdef"
	limit   = 100 // of /limited
	alertAt = 50  // of /alerted
)

// A service is three processes of the program, each at a node of its own.
type service struct {
	t         *testing.T
	cluster   *testcluster.Cluster
	programs  []*testprogram.Program
	addresses []string
	store     *mysqlstore.Store // connected as the process at node 1
	db        *sql.DB           // of the same database, at node 1
	alerts    alerts
}

// alerts receives webhooks.
type alerts struct {
	mu   sync.Mutex
	came map[string]int // by path and kind
}

func (a *alerts) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var alert struct {
		Kind string
		Link struct {
			Path string `json:"redirect_hash"`
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &alert) != nil {
		return // the sender died
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.came[alert.Link.Path+" "+alert.Kind]++
}

func (a *alerts) all() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.came)
}

// serve starts three processes together on an empty database, and makes the links. dsn is
// what the process at a node connects to.
func serve(t *testing.T, c *testcluster.Cluster, database string, dsn func(node int, database string) string) *service {
	t.Helper()
	bin := testprogram.Build(t, program)
	s := &service{t: t, cluster: c, alerts: alerts{came: map[string]int{}}}
	admin, err := sql.Open("mysql", c.DSN(1, ""))
	require.NoError(t, err)
	defer admin.Close()
	_, err = admin.Exec("CREATE DATABASE " + database)
	require.NoError(t, err)
	s.store, err = mysqlstore.Open(dsn(1, database))
	require.NoError(t, err)
	t.Cleanup(func() { s.store.Close() })
	s.db, err = sql.Open("mysql", c.DSN(1, database))
	require.NoError(t, err)
	t.Cleanup(func() { s.db.Close() })
	hook := httptest.NewServer(&s.alerts)
	t.Cleanup(hook.Close)

	for node := 1; node <= testcluster.Nodes; node++ {
		env := []string{"LINKTRACK_MYSQL=" + dsn(node, database), "LINKTRACK_PASS=" + pass}
		s.programs = append(s.programs, testprogram.Start(t, bin, env, "-addr", "127.0.0.1:0", "-base-url", "http://go.example.com",
			"-alert-webhook", hook.URL, "-alert-private"))
	}
	for _, p := range s.programs {
		line := p.Line(t, "  curl ")
		address, _, _ := strings.Cut(line[strings.Index(line, "http://")+len("http://"):], "/")
		s.addresses = append(s.addresses, address)
	}
	for i, path := range paths {
		link := url.Values{"login": {"linktrack"}, "pass": {pass}, "external_url": {"https://example.com/"}, "vanity_link": {path[1:]}}
		switch path {
		case "/limited":
			link.Set("deactivate_at", fmt.Sprint(limit))
		case "/alerted":
			link.Set("alert_at", fmt.Sprint(alertAt))
		}
		answer, err := http.PostForm("http://"+s.addresses[i%len(s.addresses)]+"/api/v1_0/makeLink", link)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		require.NoError(t, err)
		require.Equal(t, http.StatusCreated, answer.StatusCode, "%s", body)
	}
	for _, address := range s.addresses {
		for _, path := range paths {
			require.Eventually(t, func() bool { return head(address+path) != http.StatusNotFound }, time.Minute, 20*time.Millisecond)
		}
	}
	return s
}

// head returns the status of a HEAD request, which is not counted.
func head(address string) int {
	status, _ := headOf(address)
	return status
}

// location returns where a HEAD request is sent.
func location(address string) string {
	_, header := headOf(address)
	return header.Get("Location")
}

func headOf(address string) (status int, header http.Header) {
	r, err := http.NewRequest(http.MethodHead, "http://"+address, nil)
	if err != nil {
		return 0, nil
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, nil
	}
	answer.Body.Close()
	return answer.StatusCode, answer.Header
}

// A traffic is a load on each of the processes.
type traffic struct {
	s     *service
	loads []*load.Running
}

// begin sends clicks to all processes, perSecond to each, until end.
func (s *service) begin(perSecond float64) *traffic {
	s.t.Helper()
	tr := &traffic{s: s}
	for i, address := range s.addresses {
		l, err := load.Start(context.Background(), load.Load{
			Addr: address, Paths: visited, Hot: 0.4, Connections: 16, Rate: perSecond, Seed: uint64(i), Timeout: 20 * time.Second,
		})
		require.NoError(s.t, err)
		tr.loads = append(tr.loads, l)
	}
	return tr
}

// redirects returns the number of redirects of a process so far.
func (tr *traffic) redirects(process int) int64 { return tr.loads[process].Redirects() }

// An outcome is what the processes answered.
type outcome struct {
	answered map[string]int64 // redirects by path
	others   map[int]int64    // by status
	slowest  time.Duration
}

// end ends the loads. Every request must have got an answer: the processes live.
func (tr *traffic) end() outcome {
	tr.s.t.Helper()
	o := outcome{answered: map[string]int64{}, others: map[int]int64{}}
	for _, l := range tr.loads {
		l.Stop()
	}
	for i, l := range tr.loads {
		r := l.Wait()
		assert.Zero(tr.s.t, r.Unanswered, "process %d: %v", i+1, r.Errors)
		for p, path := range visited {
			if n := r.ByPath[p].Redirects; n > 0 {
				o.answered[path] += n
			}
		}
		for status, n := range r.Others {
			o.others[status] += n
		}
		o.slowest = max(o.slowest, r.Latency.Max())
	}
	return o
}

func (o *outcome) add(more outcome) {
	for path, n := range more.answered {
		o.answered[path] += n
	}
	for status, n := range more.others {
		o.others[status] += n
	}
	o.slowest = max(o.slowest, more.slowest)
}

func (o outcome) sum() (n int64) {
	for _, answered := range o.answered {
		n += answered
	}
	return n
}

// requireExact requires that all that was answered is stored, once: in the totals, the
// history, the hours, the days, and the sort keys. It waits until the last clicks are
// applied.
func (s *service) requireExact(o outcome) {
	s.t.Helper()
	var stored map[string]int64
	settled := func() bool {
		stored = s.totals()
		return maps.Equal(stored, o.answered)
	}
	for deadline := time.Now().Add(90 * time.Second); !settled() && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	require.Equal(s.t, o.answered, stored, "answered and stored")
	findings, err := s.store.Check(s.t.Context()) // history, hours, days, and sort keys
	require.NoError(s.t, err)
	require.Empty(s.t, findings)
	var history, waiting int64
	require.NoError(s.t, s.db.QueryRow(`SELECT (SELECT COUNT(*) FROM lt_hit), (SELECT COUNT(*) FROM lt_log)`).Scan(&history, &waiting))
	require.Equal(s.t, o.sum(), history)
	require.Zero(s.t, waiting)
}

// totals returns the stored totals of links with clicks, by path; nil if they cannot be read.
func (s *service) totals() map[string]int64 {
	rows, err := s.db.Query(`SELECT l.path, c.total FROM lt_link l JOIN lt_count c ON c.link_id = l.id WHERE c.total > 0`)
	if err != nil {
		return nil
	}
	defer rows.Close()
	all := map[string]int64{}
	for rows.Next() {
		var path string
		var total int64
		if rows.Scan(&path, &total) != nil {
			return nil
		}
		all["/"+path] = total
	}
	return all
}

// requireAlerts waits until the alerts of both links have come.
func (s *service) requireAlerts() {
	s.t.Helper()
	assert.Eventually(s.t, func() bool { return len(s.alerts.all()) == 2 }, time.Minute, 50*time.Millisecond)
	for alert, times := range s.alerts.all() {
		assert.Equal(s.t, 1, times, alert)
	}
	s.t.Log("alerts:", s.alerts.all())
}

// requireEdits requires that each process follows a link as it was edited at another node,
// and logs how long that takes. Each has followed the link before, so it has it in its cache.
func (s *service) requireEdits() {
	s.t.Helper()
	var id int64
	require.NoError(s.t, s.db.QueryRow(`SELECT id FROM lt_link WHERE path = 'a'`).Scan(&id))
	took := make([][]time.Duration, len(s.addresses))
	for edit := range 10 {
		for _, address := range s.addresses {
			require.Equal(s.t, http.StatusFound, head(address+"/a"))
		}
		want := fmt.Sprintf("https://example.com/%d", edit)
		_, err := s.store.UpdateLink(s.t.Context(), id, func(l *linktrack.Link) error { l.ExternalURL = want; return nil })
		require.NoError(s.t, err)
		edited := time.Now()
		var all sync.WaitGroup
		for i, address := range s.addresses {
			all.Go(func() {
				for location(address+"/a") != want {
					if time.Since(edited) > cacheTTL/2 {
						assert.Fail(s.t, "an edit was not seen", "by process %d", i+1)
						return
					}
					time.Sleep(5 * time.Millisecond)
				}
				took[i] = append(took[i], time.Since(edited))
			})
		}
		all.Wait()
	}
	for i := range took {
		slices.Sort(took[i])
		s.t.Logf("process %d followed %d edited links within %v (median), %v (at most)", i+1, len(took[i]),
			took[i][len(took[i])/2].Round(time.Millisecond), took[i][len(took[i])-1].Round(time.Millisecond))
	}
}

// cacheTTL is how long the processes follow a link as it was if they cannot read the changes.
const cacheTTL = 5 * time.Second

// requireQuiet requires that no process has logged a problem.
func (s *service) requireQuiet() {
	s.t.Helper()
	for i, p := range s.programs {
		for line := range strings.Lines(p.Stderr()) {
			assert.NotRegexp(s.t, `level=(WARN|ERROR)`, line, "process %d", i+1)
		}
	}
}
