package load_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/load"
	"github.com/linktrackhq/linktrack/internal/useragent"
)

// A counter redirects, but for paths that begin with /status/, and counts.
type counter struct {
	mu     sync.Mutex
	byPath map[string]int64
	agents map[string]bool
}

func newCounter() *counter {
	return &counter{byPath: make(map[string]int64), agents: make(map[string]bool)}
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.byPath[r.URL.Path]++
	c.agents[r.UserAgent()] = true
	c.mu.Unlock()
	switch r.URL.Path {
	case "/long":
		http.Error(w, strings.Repeat("x", 1500), http.StatusGone)
	case "/chunked":
		w.WriteHeader(http.StatusNotFound)
		w.(http.Flusher).Flush()
		io.WriteString(w, strings.Repeat("x", 100_000))
	case "/cut":
		conn, _, _ := w.(http.Hijacker).Hijack()
		io.WriteString(conn, "HTTP/1.1 302 Found\r\nContent-Length: 10\r\n\r\nhalf")
		conn.Close()
	default:
		http.Redirect(w, r, "https://example.com/", http.StatusFound)
	}
}

func (c *counter) count(path string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byPath[path]
}

func address(s *httptest.Server) string { return s.Listener.Addr().String() }

func TestEveryRequestIsCountedOnceUnderWhatBecameOfIt(t *testing.T) {
	c := newCounter()
	s := httptest.NewServer(c)
	defer s.Close()
	paths := []string{"/a", "/b", "/long", "/chunked", "/cut"}
	r, err := load.Run(t.Context(), load.Load{Addr: address(s), Paths: paths, Connections: 7, Count: 2000, Seed: 1})
	require.NoError(t, err)
	a, b := c.count("/a"), c.count("/b")
	assert.EqualValues(t, 2000, a+b+c.count("/long")+c.count("/chunked")+c.count("/cut"), "requests at the server")
	assert.Equal(t, a+b, r.Redirects)
	assert.Equal(t, map[int]int64{410: c.count("/long"), 404: c.count("/chunked")}, r.Others)
	assert.Equal(t, c.count("/cut"), r.Unanswered, "a redirect that was cut off was not answered")
	assert.Equal(t, []load.PathResult{{Redirects: a}, {Redirects: b}, {}, {}, {Unanswered: r.Unanswered}}, r.ByPath)
	assert.Zero(t, r.Refused)
	assert.Equal(t, r.Redirects, r.Latency.Count())
	assert.Greater(t, a, int64(200), "paths are drawn alike")
}

func TestOneSeedSendsTheSameRequests(t *testing.T) {
	var counts [2][]int64
	for i := range counts {
		c := newCounter()
		s := httptest.NewServer(c)
		_, err := load.Run(t.Context(), load.Load{Addr: address(s), Paths: []string{"/a", "/b", "/c"}, Count: 300, Seed: 7})
		s.Close()
		require.NoError(t, err)
		counts[i] = []int64{c.count("/a"), c.count("/b"), c.count("/c")}
	}
	assert.Equal(t, counts[0], counts[1])
}

func TestAHotPathGetsItsShare(t *testing.T) {
	c := newCounter()
	s := httptest.NewServer(c)
	defer s.Close()
	_, err := load.Run(t.Context(), load.Load{Addr: address(s), Paths: []string{"/hot", "/b", "/c"}, Hot: 0.9, Count: 1000})
	require.NoError(t, err)
	assert.InDelta(t, 933, c.count("/hot"), 60)
}

func TestALoadSendsTheVisitorsThatItIsGiven(t *testing.T) {
	c := newCounter()
	s := httptest.NewServer(c)
	defer s.Close()
	_, err := load.Run(t.Context(), load.Load{Addr: address(s), Paths: []string{"/a"}, Count: 100, Visitors: []string{"User-Agent: one\r\nDNT: 1\r\n", "User-Agent: two\r\n"}})
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"one": true, "two": true}, c.agents)
}

// What a load counts must hold while the server is killed and comes back:
// answered ≤ served ≤ answered and unanswered.
func TestCountsStayRightWhileTheServerRestarts(t *testing.T) {
	c := newCounter()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	server := &http.Server{Handler: c}
	go server.Serve(listener)

	ctx, cancel := context.WithCancel(t.Context())
	running, err := load.Start(ctx, load.Load{Addr: addr, Paths: []string{"/a"}, Connections: 8})
	require.NoError(t, err)
	reached := func(n int64) {
		assert.Eventually(t, func() bool { return running.Redirects() >= n }, 30*time.Second, time.Millisecond)
	}
	reached(500)
	server.Close()                      // cuts connections off in the middle
	require.Eventually(t, func() bool { // others may hold the port for a moment
		listener, err = net.Listen("tcp", addr)
		return err == nil
	}, 30*time.Second, 10*time.Millisecond)
	server = &http.Server{Handler: c}
	go server.Serve(listener)
	reached(running.Redirects() + 500)
	cancel()
	r := running.Wait()
	server.Close()

	assert.GreaterOrEqual(t, c.count("/a"), r.Redirects)
	assert.LessOrEqual(t, c.count("/a"), r.Redirects+r.Unanswered)
	assert.LessOrEqual(t, r.Unanswered, int64(8), "one request at a time was under way on each connection")
	assert.Empty(t, r.Others)
}

func TestAServerThatIsDownIsWaitedFor(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	listener.Close()
	r, err := load.Run(t.Context(), load.Load{Addr: addr, Paths: []string{"/a"}, Duration: 100 * time.Millisecond})
	require.NoError(t, err)
	assert.Positive(t, r.Refused)
	assert.Zero(t, r.Redirects+r.Unanswered)
	assert.NotEmpty(t, r.Errors)
}

// A server that stops for a while makes all requests late that the timetable
// has for that time, not only those that were under way.
func TestATimetableHidesNoStall(t *testing.T) {
	const stall = 300 * time.Millisecond
	var once sync.Once
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		once.Do(func() { time.Sleep(stall) })
		w.WriteHeader(http.StatusFound)
	}))
	defer s.Close()
	r, err := load.Run(t.Context(), load.Load{Addr: address(s), Paths: []string{"/a"}, Rate: 200, Count: 200})
	require.NoError(t, err)
	assert.EqualValues(t, 200, r.Redirects)
	assert.GreaterOrEqual(t, r.Elapsed, 199*time.Second/200)
	assert.GreaterOrEqual(t, r.Latency.Max(), stall)
	assert.Greater(t, r.Latency.Quantile(0.9), 50*time.Millisecond, "a quarter of the requests was due during the stall")
}

func TestOnlyTheLoopbackIsTaken(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:80", "0.0.0.0:80", ":80", "127.0.0.1"} {
		_, err := load.Run(t.Context(), load.Load{Addr: addr, Paths: []string{"/"}, Count: 1})
		assert.Error(t, err, addr)
	}
}

func TestVisitorsArePeople(t *testing.T) {
	c := newCounter()
	s := httptest.NewServer(c)
	defer s.Close()
	_, err := load.Run(t.Context(), load.Load{Addr: address(s), Paths: []string{"/a"}, Count: 500})
	require.NoError(t, err)
	assert.Len(t, c.agents, 5)
	for a := range c.agents {
		assert.False(t, useragent.IsBot(a), a)
	}
}

func TestAHistogramIsSomePercentOffAtMost(t *testing.T) {
	var h load.Histogram
	assert.Zero(t, h.Quantile(0.5))
	for i := range 1000 {
		h.Record(time.Duration(i+1) * 100 * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 50 * time.Millisecond, 0.99: 99 * time.Millisecond, 1: 100 * time.Millisecond, 0: 100 * time.Microsecond} {
		assert.InEpsilon(t, want, h.Quantile(q), 0.07, "%v", q)
	}
	assert.Equal(t, 100*time.Millisecond, h.Max())
	var sum load.Histogram
	sum.Add(&h)
	sum.Add(&h)
	assert.EqualValues(t, 2000, sum.Count())
	h.Record(1000 * 24 * time.Hour)
	h.Record(-time.Second)
	assert.EqualValues(t, 1002, h.Count())
}
