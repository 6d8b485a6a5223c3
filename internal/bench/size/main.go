// Size shows how the reading calls and the memory of the process behave as a
// database grows. scripts/bench-size runs it.
//
//	size fill -mysql 'root@tcp(127.0.0.1:3306)/big' -links 1000000 -clicks 20000000
//	size measure -mysql 'root@tcp(127.0.0.1:3306)/big' -small 'root@tcp(127.0.0.1:3306)/small'
//	size memory -mysql 'root@tcp(127.0.0.1:3306)/big' -redirects 3600000
//	size fill -db big.db -links 1000000 -clicks 20000000
//	size measure -db big.db -small small.db
//	size all -links 1000000 -clicks 20000000
//
// "all" does the three in databases of its own, which it drops again, on the
// server that LINKTRACK_TEST_MYSQL_DSN names.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/linktrackhq/linktrack/internal/bench/database"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP, os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench-size:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet(command, flag.ExitOnError)
	var at place
	var small string
	if command != "all" {
		flags.StringVar(&at.dsn, "mysql", "", "`DSN` of the database")
		flags.StringVar(&at.file, "db", "", "`path` of an SQLite file, in place of -mysql")
	}
	switch command {
	case "fill":
		f := fillFlags(flags)
		flags.Parse(args)
		return fill(ctx, at, *f)
	case "measure":
		flags.StringVar(&small, "small", "", "`DSN`, or with -db the path, of a smaller database to compare with")
		times := flags.Int("times", 25, "`number` of times that each call is made")
		visits := flags.Int("visits", 10, "`number` of visits right before each call, whose clicks the call applies first")
		flags.Parse(args)
		return measure(ctx, at, small, *times, *visits)
	case "memory":
		redirects := flags.Int64("redirects", 3_600_000, "`number` of redirects: a thousand a second make that many in an hour")
		flags.Parse(args)
		return memory(ctx, at, *redirects)
	case "all":
		f := fillFlags(flags)
		times := flags.Int("times", 25, "`number` of times that each call is made")
		visits := flags.Int("visits", 10, "`number` of visits right before each call, whose clicks the call applies first")
		redirects := flags.Int64("redirects", 3_600_000, "`number` of redirects; 0: do not measure memory")
		flags.Parse(args)
		if f.links < 100 || f.clicks < 100 {
			return errors.New("a hundredth of -links and -clicks must be one at least")
		}
		return all(ctx, *f, *times, *visits, *redirects)
	}
	return errors.New("says what to do first: fill, measure, memory or all (behind it, -h shows the flags)")
}

func fillFlags(flags *flag.FlagSet) *filling {
	var f filling
	flags.IntVar(&f.links, "links", 1_000_000, "`number` of links")
	flags.Int64Var(&f.clicks, "clicks", 20_000_000, "`number` of clicks")
	flags.IntVar(&f.workers, "workers", 8, "`number` of connections to load through")
	flags.BoolVar(&f.relax, "relax", true, "let the server flush its log once a second, and use 2 GB of memory, while it loads; needs a privileged user")
	return &f
}

// all compares a database of the full size with one of a hundredth.
func all(ctx context.Context, f filling, times, visits int, redirects int64) (err error) {
	given, err := database.Given()
	if err != nil {
		return err
	}
	server, err := database.Open(given)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	var dsns []string
	for _, percent := range []int{1, 100} {
		part := f
		part.links, part.clicks = f.links*percent/100, f.clicks*int64(percent)/100
		name := fmt.Sprintf("linktrack_size_%d", percent)
		var dsn string
		if dsn, err = server.Create(ctx, name); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Drop(ctx, name)) }()
		if err := fill(ctx, place{dsn: dsn}, part); err != nil {
			return err
		}
		dsns = append(dsns, dsn)
	}
	small, full := dsns[0], dsns[1]
	about, err := server.About(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s.\n", about)
	if err := measure(ctx, place{dsn: full}, small, times, visits); err != nil || redirects == 0 {
		return err
	}
	return memory(ctx, place{dsn: full}, redirects)
}
