package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack/internal/bench/server"
	"github.com/linktrackhq/linktrack/internal/load"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// A loading says how the visits are sent.
type loading struct {
	periods     int
	connections int
	rate        float64
}

// measure runs the server, sends it all clicks, and prints a row for each period.
func measure(ctx context.Context, p plan, l loading, file string, begin time.Time) (err error) {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s, err := server.Start(ctx, self, "serve", "-file", file, "-begin", begin.Format(time.DateOnly),
		"-clicks", strconv.FormatInt(p.clicks, 10), "-days", strconv.Itoa(p.days), "-history", strconv.Itoa(p.history))
	if err != nil {
		return err
	}
	running := true
	defer func() {
		if running {
			err = errors.Join(err, s.Stop())
		}
	}()
	fmt.Printf("### Days of load, time-lapsed\n\n`%s`\n\n"+
		"%d clicks on %d links in %d groups, %.1f %% of them on one link, spread over %d days, of which the history keeps %d. %d connections, AckStored, each commit flushed.\n\n",
		strings.Join(append([]string{"scripts/bench-day"}, os.Args[1:]...), " "), p.clicks, p.links, p.groups, share(p.links), p.days, p.history, l.connections)
	fmt.Print("| days | clicks | clicks/s | p50 ms | p99 ms | longest ms | CPU µs per click | file MB | WAL MB at most | RSS MB at most |\n| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n")
	begun := time.Now()
	sent := int64(0)
	visitors, paths := visitors(), paths(p.links)
	for i := range l.periods {
		from, to := i*p.days/l.periods, (i+1)*p.days/l.periods
		count := p.clicks*int64(to)/int64(p.days) - sent
		cpu, err := s.CPU()
		if err != nil {
			return err
		}
		watch := watchServer(s, file)
		r, err := load.Run(ctx, load.Load{Addr: s.Addr, Paths: paths, Visitors: visitors, Connections: l.connections, Count: count, Rate: l.rate, Seed: uint64(i)})
		walMost, rssMost, watchErr := watch()
		if err := errors.Join(err, watchErr, ctx.Err()); err != nil {
			return err
		}
		sent += count
		if r.Redirects != count {
			return fmt.Errorf("of %d requests, %d were redirected, %v were answered otherwise, and %d were not answered: %v", count, r.Redirects, r.Others, r.Unanswered, r.Errors)
		}
		after, err := s.CPU()
		if err != nil {
			return err
		}
		size, err := sizeOf(file)
		if err != nil {
			return err
		}
		fmt.Printf("| %d to %d | %d | %.0f | %.1f | %.1f | %.1f | %.1f | %d | %d | %d |\n", from+1, to, count, r.PerSecond(),
			millis(r.Latency.Quantile(.5)), millis(r.Latency.Quantile(.99)), millis(r.Latency.Max()),
			float64((after-cpu).Microseconds())/float64(count), size>>20, walMost>>20, rssMost>>20)
	}
	took := time.Since(begun)
	prunings, err := pruned(ctx, s.Addr)
	if err != nil {
		return err
	}
	if len(prunings) > 0 {
		fmt.Print("\n| the day that began | clicks removed | seconds |\n| --: | --: | --: |\n")
	}
	for _, one := range prunings {
		fmt.Printf("| %d | %d | %.1f |\n", one.Day+1, one.Removed, one.Took.Seconds())
	}
	running = false
	if err := s.Stop(); err != nil {
		return err
	}
	fmt.Printf("\n%d redirects in %s.", sent, took.Round(time.Second))
	return nil
}

// share returns the percentage of the visits that are for the first link.
func share(links int) float64 {
	all := paths(links)
	first := slices.IndexFunc(all, func(path string) bool { return path != all[0] })
	if first < 0 {
		return 100
	}
	return 100 * float64(first) / float64(len(all))
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func sizeOf(file string) (int64, error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// watchServer looks at the size of the WAL and the memory of the server until the function
// that it returns is called, which returns the largest of each.
func watchServer(s *server.Server, file string) func() (wal, rss int64, err error) {
	stop := make(chan struct{})
	var wal, rss int64
	var err error
	var all sync.WaitGroup
	all.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for err == nil {
			if n, err := sizeOf(file + "-wal"); err == nil { // else there is none now
				wal = max(wal, n)
			}
			var n int64
			n, err = s.RSS()
			rss = max(rss, n)
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	})
	return func() (int64, int64, error) {
		close(stop)
		all.Wait()
		return wal, rss, err
	}
}

// pruned returns the prunings that there were.
func pruned(ctx context.Context, addr string) (all []pruning, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+prunedPath, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return all, json.NewDecoder(res.Body).Decode(&all)
}

// check compares the counts, the sums, and the history of all links, and prints how many
// clicks there are.
func check(ctx context.Context, file string) (err error) {
	s, err := sqlitestore.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	db, err := sql.Open("sqlite", sqlitestore.DSN(file))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var waiting, people, bots, history int64
	err = db.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM lt_log), (SELECT SUM(total) FROM lt_count), (SELECT SUM(bots) FROM lt_count), (SELECT COUNT(*) FROM lt_hit)`).
		Scan(&waiting, &people, &bots, &history)
	if err != nil {
		return err
	}
	fmt.Printf(" Counted: %d, of which %d are of bots. In the history: %d. Batches not applied: %d.\n", people+bots, bots, history, waiting)
	begun := time.Now()
	findings, err := s.Check(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("Check took %s and found %d differences.\n", time.Since(begun).Round(100*time.Millisecond), len(findings))
	for _, f := range findings {
		fmt.Println("-", f)
	}
	if len(findings) > 0 {
		return errors.New("the counts, the sums, and the history differ")
	}
	return nil
}
