// Command scale measures what limits a service that outgrows one server: scripts/bench-scale
// builds it and says how to use it.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"github.com/linktrackhq/linktrack/internal/bench/database"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

const name = "linktrack_bench_scale" // of the database

// A part measures one thing on an empty database and prints it.
type part struct {
	name string
	run  func(ctx context.Context, b *bench) error
}

var parts = []part{{"append", appends}, {"lag", lags}, {"depth", depths}}

// A bench has the database server, and how long to measure.
type bench struct {
	server *database.Server
	round  time.Duration // of each row of a table
	links  int           // of each table of depths
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench-scale:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	b := &bench{}
	flags := flag.NewFlagSet("bench-scale", flag.ExitOnError)
	flags.DurationVar(&b.round, "round", 10*time.Second, "`time` that each row is measured for")
	flags.IntVar(&b.links, "links", 100_000, "`number` of links of which the keys get deep")
	only := flags.String("only", "", "the one `part` to run: append, lag, or depth (default: all)")
	flags.Parse(args)
	if flags.NArg() > 0 {
		return fmt.Errorf("takes only flags, not %q", flags.Arg(0))
	}
	if b.round <= 0 || b.links < 1000 {
		return errors.New("-round must be above 0, and -links 1000 at least")
	}
	dsn, err := database.Given()
	if err != nil {
		return err
	}
	if b.server, err = database.Open(dsn); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.server.Close()) }()
	about, err := b.server.About(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d processors for the benchmark and the database; %s; %s\n", runtime.NumCPU(), runtime.Version(), about)
	found := false
	for _, p := range parts {
		if *only != "" && *only != p.name {
			continue
		}
		found = true
		if err := p.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if !found {
		return fmt.Errorf("there is no part %q", *only)
	}
	return b.server.Drop(ctx, name)
}

// An opened database has a Store, and a pool for what the Store does not tell.
type opened struct {
	*mysqlstore.Store
	db *sql.DB
}

// open makes an empty database and its tables.
func (b *bench) open(ctx context.Context) (o *opened, err error) {
	dsn, err := b.server.Create(ctx, name)
	if err != nil {
		return nil, err
	}
	s, err := mysqlstore.Open(dsn)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("mysql", dsn)
	if err == nil {
		err = s.Migrate(ctx)
	}
	return &opened{s, db}, err
}

func (o *opened) close() error { return errors.Join(o.Store.Close(), o.db.Close()) }
