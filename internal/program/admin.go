package program

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/promstats"
)

// serveAdmin serves /metrics and /healthz on an address of their own until the
// function that it returns is called.
func serveAdmin(addr string, t *linktrack.Tracker, logger *slog.Logger) (net.Addr, func(), error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, cannotListen(addr, err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(promstats.New(t), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { health(w, t.Stats()) })
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      10 * time.Second,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	go server.Serve(listener)
	return listener.Addr(), func() { server.Close() }, nil
}

// health always answers 200, because the process serves redirects even while the
// store is down: otherwise a balancer would take the redirects away. The text
// says whether clicks can be stored.
func health(w http.ResponseWriter, s linktrack.Stats) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if s.Failing {
		fmt.Fprintf(w, "degraded: clicks cannot be stored, %d wait, the oldest for %v\n", s.Pending+s.JournalClicks, s.PendingAge.Round(time.Second))
		return
	}
	fmt.Fprintln(w, "ok")
}
