package program

import (
	"context"
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

// serveAdmin serves adminHandler on an address of its own until the function that it
// returns is called.
func serveAdmin(running context.Context, addr string, t *linktrack.Tracker, observer *promstats.Observer, logger *slog.Logger) (net.Addr, func(), error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, cannotListen(addr, err)
	}
	server := &http.Server{
		Handler:           adminHandler(running, t, observer),
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      10 * time.Second,
		ErrorLog:          serverLog(logger),
	}
	go server.Serve(listener)
	return listener.Addr(), func() { server.Close() }, nil
}

// adminHandler answers /metrics, /healthz, and /readyz. running ends when the program
// is told to stop.
func adminHandler(running context.Context, t *linktrack.Tracker, observer *promstats.Observer) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(promstats.New(t), observer, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { health(w, t.Stats()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { readiness(running, w, r, t) })
	return mux
}

// health says that the process is alive, and so always answers 200. The text says
// whether clicks can be stored.
func health(w http.ResponseWriter, s linktrack.Stats) {
	plain(w, http.StatusOK)
	if s.Failing {
		fmt.Fprintf(w, "degraded: clicks cannot be stored, %d wait, the oldest for %v\n", s.Pending+s.JournalClicks, s.PendingAge.Round(time.Second))
		return
	}
	fmt.Fprintln(w, "ok")
}

// readiness says whether this process should get requests now. It answers 503 if not.
func readiness(running context.Context, w http.ResponseWriter, r *http.Request, t *linktrack.Tracker) {
	switch err := t.Ready(r.Context()); {
	case running.Err() != nil:
		plain(w, http.StatusServiceUnavailable)
		fmt.Fprintln(w, "not ready: the program is shutting down")
	case err != nil:
		plain(w, http.StatusServiceUnavailable)
		fmt.Fprintf(w, "not ready: %v\n", err)
	default:
		plain(w, http.StatusOK)
		fmt.Fprintln(w, "ready")
	}
	switch s := t.Stats(); s.LogClicks {
	case 0:
		fmt.Fprintln(w, "click log: empty")
	default:
		fmt.Fprintf(w, "click log: %d clicks, the oldest %v old\n", s.LogClicks, s.LogAge.Round(time.Second))
	}
}

func plain(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
}
