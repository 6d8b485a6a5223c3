// Command drivers compares drivers of SQLite by what linktrack does with them:
// scripts/bench-drivers builds it and says how to use it. It is a module of its own, so that
// the library does not depend on the other driver.
package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

// A driver opens a pool on a file, with the same settings as all others.
type driver struct {
	name string
	open func(file string) (*sql.DB, error)
}

// drivers has the drivers in the order in which they take turns.
var drivers = []driver{{"modernc.org/sqlite", func(file string) (*sql.DB, error) { return sql.Open("sqlite", sqlitestore.DSN(file)) }}}

const perBatch = 100 // clicks

// A plan says how much is measured.
type plan struct{ rounds, batches, links int }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var p plan
	flag.IntVar(&p.rounds, "rounds", 5, "`number` of rounds, in each of which all drivers take their turn")
	flag.IntVar(&p.batches, "batches", 500, "`number` of batches of 100 clicks in a round")
	flag.IntVar(&p.links, "links", 1000, "`number` of links")
	flag.Parse()
	if p.rounds < 1 || p.batches < 1 || p.links < 1 {
		fmt.Fprintln(os.Stderr, "bench-drivers: -rounds, -batches, and -links must be 1 at least")
		os.Exit(1)
	}
	if err := compare(ctx, p); err != nil {
		fmt.Fprintln(os.Stderr, "bench-drivers:", err)
		os.Exit(1)
	}
}

// A cost is what clicks took, each, of the whole process.
type cost struct{ processor, time time.Duration }

// compare prints the medians of the rounds.
func compare(ctx context.Context, p plan) error {
	appends, applies := make([][]cost, len(drivers)), make([][]cost, len(drivers))
	versions := make([]string, len(drivers))
	for range p.rounds {
		for i, d := range drivers {
			appended, applied, version, err := measure(ctx, p, d)
			if err != nil {
				return fmt.Errorf("%s: %w", d.name, err)
			}
			appends[i], applies[i], versions[i] = append(appends[i], appended), append(applies[i], applied), version
		}
	}
	fmt.Printf("### Drivers of SQLite\n\n`scripts/bench-drivers`\n\n"+
		"%s %s/%s. %d rounds, in each all drivers in turn; medians, in microseconds per click. Batches of %d clicks are appended, each with a commit that is flushed (synchronous=FULL), and then applied to %d links.\n\n"+
		"| driver | SQLite | append: CPU | append: time | apply: CPU | apply: time |\n| --- | --- | --: | --: | --: | --: |\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, p.rounds, perBatch, p.links)
	for i, d := range drivers {
		a, b := median(appends[i]), median(applies[i])
		fmt.Printf("| %s | %s | %.1f | %.1f | %.1f | %.1f |\n", d.name, versions[i], micros(a.processor), micros(a.time), micros(b.processor), micros(b.time))
	}
	return nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// median returns the medians of both, which may be of different rounds.
func median(all []cost) cost {
	of := func(value func(cost) time.Duration) time.Duration {
		sorted := slices.SortedFunc(slices.Values(all), func(x, y cost) int { return cmp.Compare(value(x), value(y)) })
		return value(sorted[len(sorted)/2])
	}
	return cost{of(func(c cost) time.Duration { return c.processor }), of(func(c cost) time.Duration { return c.time })}
}

// measure appends and applies clicks to a new database.
func measure(ctx context.Context, p plan, d driver) (appended, applied cost, version string, err error) {
	dir, err := os.MkdirTemp("", "linktrack-bench-drivers")
	if err != nil {
		return appended, applied, "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := d.open(filepath.Join(dir, "a.db"))
	if err != nil {
		return appended, applied, "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1) // the one that writes
	s := sqlitestore.New(db)
	if err = s.Migrate(ctx); err != nil {
		return appended, applied, "", err
	}
	if err = db.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&version); err != nil {
		return appended, applied, "", err
	}
	links, err := makeLinks(ctx, s, p.links)
	if err != nil {
		return appended, applied, "", err
	}
	clicks := p.batches * perBatch
	appended, err = timed(clicks, func() error {
		for seq := range p.batches {
			if err := s.AppendClicks(ctx, batch(seq, links)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return appended, applied, "", err
	}
	applied, err = timed(clicks, func() error {
		_, err := s.ApplyClicks(ctx, time.UTC, time.Now().Add(-24*time.Hour))
		return err
	})
	if err != nil {
		return appended, applied, "", err
	}
	var rows int
	if err = db.QueryRowContext(ctx, `SELECT COUNT(*) FROM lt_hit`).Scan(&rows); err == nil && rows != clicks {
		err = fmt.Errorf("the history has %d clicks of %d", rows, clicks)
	}
	return appended, applied, version, err
}

// timed returns what each of the clicks took.
func timed(clicks int, do func() error) (cost, error) {
	runtime.GC()
	begun, before := time.Now(), processorTime()
	err := do()
	return cost{(processorTime() - before) / time.Duration(clicks), time.Since(begun) / time.Duration(clicks)}, err
}

// processorTime returns the processor time that this process has taken, C included.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are right
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func makeLinks(ctx context.Context, s linktrack.Store, n int) (ids []int64, err error) {
	for from := 0; from < n; from += 1000 {
		var links []linktrack.Link
		for i := from; i < min(from+1000, n); i++ {
			links = append(links, linktrack.Link{Account: 1, Host: "go.example.com", Path: fmt.Sprint("l", i), CreatedAt: time.Now(),
				LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", Group: fmt.Sprint("Campaign ", i%10)}})
		}
		made, err := s.CreateLinks(ctx, links)
		if err != nil {
			return nil, err
		}
		for _, l := range made {
			ids = append(ids, l.ID)
		}
	}
	return ids, nil
}

func batch(seq int, links []int64) linktrack.Batch {
	b := linktrack.Batch{Source: linktrack.Source{1}, Seq: int64(seq) + 1, Clicks: make([]linktrack.Click, perBatch)}
	for i := range b.Clicks {
		n := seq*perBatch + i
		b.Clicks[i] = linktrack.Click{
			ID: linktrack.NewClickID(time.Now()), Link: links[n*7%len(links)], IP: netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), 0}),
			Referrer: fmt.Sprintf("https://site%d.example.com/page/%d", n%50, n%1000), ReferrerHost: fmt.Sprintf("site%d.example.com", n%50),
			UserAgent: fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", 100+n%40),
			Browser:   "Chrome", Platform: "Windows", Country: "DE", Unique: n%3 == 0, Class: linktrack.ClickClassPerson,
		}
	}
	return b
}
