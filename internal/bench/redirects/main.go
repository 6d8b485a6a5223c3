// Redirects measures how many redirects a second the real server gives, how
// fast, and whether the clicks keep up, beside a bare net/http server on the
// same machine, and prints tables in Markdown. scripts/bench-server runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/linktrackhq/linktrack/internal/bench/database"
	"github.com/linktrackhq/linktrack/internal/bench/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP, os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench-server:", err)
		os.Exit(1)
	}
}

// The tables that can be asked for.
const (
	rates   = "rates"
	latency = "latency"
	sustain = "sustained"
	hot     = "hot"
)

// A bench is what all measurements have in common.
type bench struct {
	dir      string // for binaries and journals
	server   *database.Server
	bare     *server.Server
	baseline string // binaries
	program  string
	paths    []string

	databasePID int

	rounds  int
	round   time.Duration
	sustain time.Duration
	settle  time.Duration
	tables  []string
}

const destination = "https://example.com/a/page?with=a&query=1"

func run(ctx context.Context) (err error) {
	b := &bench{}
	quick := flag.Bool("quick", false, "see in about a minute that all works; the figures say little")
	flag.IntVar(&b.rounds, "rounds", 5, "`number` of rounds, each of the bare server and then of the other")
	flag.DurationVar(&b.round, "round", 10*time.Second, "`length` of a round")
	flag.DurationVar(&b.sustain, "sustain", time.Minute, "`length` of the sustained load")
	flag.DurationVar(&b.settle, "settle", time.Second, "`time` to leave the machine alone once all clicks are counted")
	conns := flag.String("conns", "64,512", "`numbers` of connections")
	links := flag.Int("links", 1000, "`number` of links, a thousand at most")
	only := flag.String("only", "", "measure those servers only that have this `word` in their name")
	tables := flag.String("tables", strings.Join([]string{rates, latency, sustain, hot}, ","), "`tables` to print")
	flag.Parse()
	if *quick {
		given := make(map[string]bool)
		flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
		for name, value := range map[string]string{"rounds": "1", "round": "1s", "sustain": "2s", "settle": "0s"} {
			if !given[name] {
				flag.Set(name, value)
			}
		}
	}
	if flag.NArg() > 0 || b.rounds < 1 || *links < 1 || *links > 1000 {
		return errors.New("wrong arguments (-h shows them)")
	}
	b.tables = strings.Split(*tables, ",")
	for i := range *links {
		b.paths = append(b.paths, "/"+strconv.Itoa(i))
	}
	var numbers []int
	for s := range strings.SplitSeq(*conns, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fmt.Errorf("-conns has %q", s)
		}
		numbers = append(numbers, n)
	}
	if err := b.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()

	about, err := b.server.About(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d processors for the server, the database and the load; %s %s/%s; %s.\n",
		runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, about)
	failed := 0
	for _, n := range numbers {
		r := &report{command: "scripts/bench-server " + strings.Join(os.Args[1:], " "), conns: n, bench: b}
		for _, c := range contenders {
			if !strings.Contains(strings.ToLower(c.name), strings.ToLower(*only)) {
				continue
			}
			if err := b.measure(ctx, c, n, r); err != nil {
				progress("  %v", err)
				r.failed = append(r.failed, c.name+": "+err.Error())
				failed++
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		r.print(os.Stdout)
		r.printFailures(os.Stdout)
	}
	if failed > 0 {
		return fmt.Errorf("%d measurements failed, see there", failed)
	}
	return nil
}

// open builds the programs, connects to the database and starts the bare
// server.
func (b *bench) open(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "linktrack-bench"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	dsn, err := database.Given()
	if err != nil {
		return err
	}
	if b.server, err = database.Open(dsn); err != nil {
		return err
	}
	if b.databasePID, err = b.server.PID(ctx); err != nil {
		return err
	}
	progress("build")
	if b.baseline, err = server.Build(ctx, b.dir, "internal/bench/baseline"); err != nil {
		return err
	}
	if b.program, err = server.Build(ctx, b.dir, server.Program); err != nil {
		return err
	}
	b.bare, err = server.Start(ctx, b.baseline, "-to", destination)
	return err
}

func (b *bench) close() (err error) {
	if b.bare != nil {
		err = b.bare.Stop()
	}
	if b.server != nil {
		err = errors.Join(err, b.server.Close())
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

func (b *bench) wants(table string) bool { return slices.Contains(b.tables, table) }

// measure takes one server through all that is asked of it.
func (b *bench) measure(ctx context.Context, c contender, conns int, r *report) (err error) {
	if !b.wants(rates) && !(b.wants(latency) && c.latency) && !(b.wants(sustain) && c.sustained) && !(b.wants(hot) && c.hot) {
		return nil
	}
	progress("%s, %d connections", c.name, conns)
	s, err := b.start(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()

	// The others need to know how fast the server is.
	rounds := b.rounds
	if !b.wants(rates) {
		rounds = 1
	}
	rate, err := b.rates(ctx, s, conns, rounds)
	if err != nil {
		return err
	}
	if b.wants(rates) {
		r.rates = append(r.rates, rate)
	}
	if b.wants(latency) && c.latency {
		l, err := b.latency(ctx, s, conns, median(rate.own)/2)
		if err != nil {
			return err
		}
		r.latency = append(r.latency, l)
	}
	if b.wants(sustain) && c.sustained {
		for _, share := range []float64{0, sustainedGoal} {
			row, err := b.sustained(ctx, s, conns, share*median(rate.bare))
			if err != nil {
				return err
			}
			r.sustained = append(r.sustained, row)
		}
	}
	if b.wants(hot) && c.hot {
		row, err := b.hot(ctx, s, conns)
		if err != nil {
			return err
		}
		r.hot = append(r.hot, row)
	}
	return nil
}

// progress prints what is being measured, with the time, to stderr.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
