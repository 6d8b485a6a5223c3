package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// A pruning is one call of PruneClicks, as a day began.
type pruning struct {
	Day     int // the number of the day that began
	Took    time.Duration
	Removed int64 // clicks
}

// prunedPath is where the server answers its prunings as JSON, after those that are due have
// ended.
const prunedPath = "/bench/pruned"

// runServer serves redirects from a database until ctx ends.
func runServer(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("bench-day serve", flag.ExitOnError)
	p := addPlanFlags(flags)
	file := flags.String("file", "", "the database")
	date := flags.String("begin", "", "the first day")
	flags.Parse(args)
	begin, err := time.Parse(time.DateOnly, *date)
	if err != nil {
		return err
	}
	s, err := sqlitestore.Open(*file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	lapsed := newLapsedStore(s, *p, begin)
	t, err := linktrack.New(lapsed, linktrack.Options{BaseURL: "https://go.example.com", Privacy: linktrack.Privacy{HistoryDays: -1}}) // the pruner below replaces its own
	if err != nil {
		return err
	}
	pruner := pruner{store: lapsed, history: p.history}
	mux := http.NewServeMux()
	mux.Handle("/", t.Handler())
	mux.Handle(prunedPath, &pruner)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(listener) }()
	go func() { failed <- pruner.run(ctx) }()
	fmt.Printf("listens on http://%s\n", listener.Addr())
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return errors.Join(err, server.Close(), t.Close(end))
}

// A pruner removes old history at the beginning of each day, as a Tracker does.
type pruner struct {
	store   *lapsedStore
	history int

	mu   sync.Mutex // held during a pruning
	done []pruning
}

func (p *pruner) run(ctx context.Context) error {
	for {
		select {
		case d := <-p.store.begun:
			if err := p.prune(ctx, d); err != nil && ctx.Err() == nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (p *pruner) prune(ctx context.Context, d int) error {
	if d <= p.history {
		return nil // the first day is still in the history
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	until := p.store.begin.AddDate(0, 0, d-p.history)
	// A day has the same number of clicks as each other.
	removed := int64(until.Sub(until.AddDate(0, 0, -1)) / p.store.perClick)
	begun := time.Now()
	if err := p.store.PruneClicks(ctx, until); err != nil {
		return err
	}
	p.done = append(p.done, pruning{Day: d, Took: time.Since(begun), Removed: removed})
	return nil
}

func (p *pruner) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	b, err := json.Marshal(p.done)
	p.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b)
}
