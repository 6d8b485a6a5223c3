// Command copy measures package storecopy: scripts/bench-copy builds it and says how to use
// it.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/mysqlstore"
	"github.com/linktrackhq/linktrack/sqlitestore"
	"github.com/linktrackhq/linktrack/storecopy"
	"github.com/linktrackhq/linktrack/transfer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	links := flag.Int("links", 100_000, "`number` of links")
	clicks := flag.Int("clicks", 2_000_000, "`number` of clicks")
	dir := flag.String("dir", "", "`folder` for the files (default: a temporary one, which is removed)")
	flag.Parse()
	if err := run(ctx, *links, *clicks, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench-copy:", err)
		os.Exit(1)
	}
}

// A store is one side of a copy.
type store interface {
	linktrack.Store
	storecopy.Store
	Close() error
}

func run(ctx context.Context, links, clicks int, dir string) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "linktrack-bench-copy"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	first, err := sqlitestore.Open(filepath.Join(dir, "first.db"))
	if err != nil {
		return err
	}
	defer first.Close()
	begun := time.Now()
	account, err := fill(ctx, first, links, clicks)
	if err != nil {
		return err
	}
	fmt.Printf("filled SQLite with %d links and %d clicks in %s\n", links, clicks, time.Since(begun).Round(time.Millisecond))
	dsn, drop, err := database(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	server, err := mysqlstore.Open(dsn)
	if err != nil {
		return err
	}
	defer server.Close()
	last, err := sqlitestore.Open(filepath.Join(dir, "last.db"))
	if err != nil {
		return err
	}
	defer last.Close()
	want, err := export(ctx, first, account)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name     string
		from, to store
	}{
		{"SQLite to MySQL", first, server},
		{"SQLite to MySQL, again", first, server},
		{"MySQL to SQLite", server, last},
		{"MySQL to SQLite, again", server, last},
	} {
		before := resetPeak()
		begun := time.Now()
		report, err := storecopy.Copy(ctx, c.from, c.to, storecopy.Options{})
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		took, most := time.Since(begun), peak()
		got, err := export(ctx, c.to, account)
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s: the exports differ", c.name)
		}
		fmt.Printf("%s: %s, %.0f clicks/s, memory %s MB before and at most %s MB, equal exports\n",
			c.name, took.Round(time.Millisecond), float64(clicks)/took.Seconds(), before, most)
		if !strings.HasSuffix(c.name, "again") {
			if err := report.Write(os.Stdout); err != nil {
				return err
			}
		}
	}
	return nil
}

// resetPeak makes peak begin anew, and returns the memory that the process occupies now, in
// MB. It gives back to the system what the process no longer needs.
func resetPeak() string {
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return "?"
	}
	return peak()
}

// peak returns the largest memory that the process occupied, in MB; "?" where the system
// does not say it.
func peak() string {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "?"
	}
	for line := range strings.Lines(string(b)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			if kB, err := strconv.Atoi(fields[1]); err == nil {
				return strconv.Itoa(kB >> 10)
			}
		}
	}
	return "?"
}

// fill makes links of one account, and clicks of the last 60 days on them.
func fill(ctx context.Context, s *sqlitestore.Store, links, clicks int) (linktrack.Account, error) {
	if err := s.Migrate(ctx); err != nil {
		return linktrack.Account{}, err
	}
	now := time.Now().UTC()
	account, err := s.CreateAccount(ctx, linktrack.Account{Login: "bench", Type: linktrack.AccountTypeProfessional, CreatedAt: now})
	if err != nil {
		return account, err
	}
	if _, err := s.Zone(ctx, "UTC"); err != nil {
		return account, err
	}
	var ids []int64
	for len(ids) < links {
		var some []linktrack.Link
		for i := len(ids); i < min(links, len(ids)+1000); i++ {
			some = append(some, linktrack.Link{Account: account.ID, Host: "go.example.com", Path: fmt.Sprintf(".%d", i), CreatedAt: now.Add(-1500 * time.Hour),
				LinkSettings: linktrack.LinkSettings{ExternalURL: fmt.Sprintf("https://example.com/pages/%d", i), Title: fmt.Sprint("Page ", i), Group: fmt.Sprint("group ", i%50)}})
		}
		made, err := s.CreateLinks(ctx, some)
		if err != nil {
			return account, err
		}
		for _, l := range made {
			ids = append(ids, l.ID)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	b := linktrack.Batch{Source: linktrack.Source{1}}
	for made := 0; made < clicks; {
		b.Seq++
		for b.Clicks = b.Clicks[:0]; len(b.Clicks) < 10_000 && made < clicks; made++ {
			agent := random.IntN(200)
			// Some links have most clicks, and clicks come in the order of time.
			link := ids[int(float64(len(ids))*random.Float64()*random.Float64()*random.Float64())]
			b.Clicks = append(b.Clicks, linktrack.Click{
				ID: linktrack.NewClickID(now.Add(-time.Duration(float64(60*24*time.Hour) * (1 - float64(made)/float64(clicks))))), Link: link,
				IP: netip.AddrFrom4([4]byte{198, 51, byte(random.IntN(256)), 0}), UserAgent: fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0", agent, agent), Browser: "Firefox", Platform: "Linux",
				Referrer: fmt.Sprintf("https://site%d.example/page", random.IntN(500)), ReferrerHost: "site.example", Country: "DE", Unique: random.IntN(2) == 0, Class: linktrack.ClickClassPerson,
			})
		}
		if err := s.AppendClicks(ctx, b); err != nil {
			return account, err
		}
		if b.Seq%10 == 0 || made == clicks {
			if _, err := s.ApplyClicks(ctx, time.UTC, now.Add(-24*time.Hour)); err != nil {
				return account, err
			}
		}
	}
	return account, nil
}

// export returns a hash of the exported links with their counts, and of the history of some
// links.
func export(ctx context.Context, s store, account linktrack.Account) (hash [32]byte, err error) {
	t, err := linktrack.New(s, linktrack.Options{BaseURL: "https://go.example.com", TimeZone: time.UTC, Privacy: linktrack.Privacy{HistoryDays: -1}})
	if err != nil {
		return hash, err
	}
	defer func() { err = errors.Join(err, t.Close(ctx)) }()
	var b bytes.Buffer
	if _, err := transfer.Export(ctx, t, account, &b, transfer.ExportOptions{PasswordHashes: true}); err != nil {
		return hash, err
	}
	for link := int64(1); link <= 100; link++ {
		clicks, err := s.Clicks(ctx, linktrack.ClickFilter{Link: link, Limit: 1000})
		if err != nil {
			return hash, err
		}
		fmt.Fprintln(&b, clicks)
	}
	return sha256.Sum256(b.Bytes()), nil
}

// database makes a database on the server of the tests.
func database(ctx context.Context) (dsn string, drop func() error, err error) {
	c, err := mysql.ParseDSN(os.Getenv(testmysql.Variable))
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", testmysql.Variable, err)
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return "", nil, err
	}
	db := sql.OpenDB(connector)
	name := fmt.Sprintf("lt_bench_copy_%d", os.Getpid())
	if _, err := db.ExecContext(ctx, `CREATE DATABASE `+name); err != nil {
		return "", nil, errors.Join(err, db.Close())
	}
	c.DBName = name
	return c.FormatDSN(), func() error {
		_, err := db.ExecContext(context.WithoutCancel(ctx), `DROP DATABASE `+name)
		return errors.Join(err, db.Close())
	}, nil
}
