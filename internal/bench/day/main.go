// Command day measures a day of heavy load on SQLite: scripts/bench-day builds it and says
// how to use it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/linktrackhq/linktrack/sqlitestore"
)

// A plan says how many clicks there are, and over which time they are spread.
type plan struct {
	clicks  int64
	days    int // over which the clicks are spread
	history int // days that clicks stay in the history
	links   int
	groups  int // of links
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		err = runServer(ctx, os.Args[2:])
	} else {
		err = runLoad(ctx, os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-day:", err)
		os.Exit(1)
	}
}

func addPlanFlags(flags *flag.FlagSet) *plan {
	p := &plan{}
	flags.Int64Var(&p.clicks, "clicks", 5_000_000, "`number` of clicks")
	flags.IntVar(&p.days, "days", 100, "`number` of days over which the clicks are spread")
	flags.IntVar(&p.history, "history", 90, "`number` of days that clicks stay in the history")
	flags.IntVar(&p.links, "links", 3_000, "`number` of links")
	flags.IntVar(&p.groups, "groups", 10, "`number` of groups of links, with half as many tags; each has sums of its own")
	return p
}

func (p *plan) check() error {
	if p.days < 1 || p.history < 1 || p.links < 1 || p.groups < 0 || p.clicks < int64(p.days) {
		return errors.New("-days, -history, and -links must be 1 at least, -groups 0, and -clicks as many as -days")
	}
	return nil
}

func runLoad(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("bench-day", flag.ExitOnError)
	p := addPlanFlags(flags)
	var l loading
	flags.IntVar(&l.periods, "periods", 10, "`number` of rows of the table")
	flags.IntVar(&l.connections, "conns", 64, "`number` of connections")
	flags.Float64Var(&l.rate, "rate", 0, "redirects per second, sent by a timetable (default: each connection sends again as soon as it has its answer)")
	dir := flags.String("dir", "", "`folder` for the database (default: a temporary one, which is removed)")
	flags.Parse(args)
	if flags.NArg() > 0 {
		return fmt.Errorf("takes only flags, not %q", flags.Arg(0))
	}
	if err := p.check(); err != nil {
		return err
	}
	if l.periods < 1 || l.periods > p.days || l.connections < 1 || l.rate < 0 {
		return errors.New("-periods must be between 1 and -days, -conns 1 at least, and -rate not negative")
	}
	if *dir == "" {
		if *dir, err = os.MkdirTemp("", "linktrack-bench-day"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(*dir)) }()
	}
	file := filepath.Join(*dir, "day.db")
	if err := fill(ctx, file, *p); err != nil {
		return err
	}
	begin := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -p.days)
	if err := measure(ctx, *p, l, file, begin); err != nil {
		return err
	}
	return check(ctx, file)
}

// fill makes the database and its links.
func fill(ctx context.Context, file string, p plan) (err error) {
	s, err := sqlitestore.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Migrate(ctx); err != nil {
		return err
	}
	return makeLinks(ctx, s, p.links, p.groups)
}
