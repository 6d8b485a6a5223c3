// Memory prints how much memory the program linktrack takes when strangers send
// long requests: before and after a number of requests of each kind. Each kind has
// a process of its own.
//
//	scripts/with-mariadb go run ./internal/bench/memory
//
// The database is the one that LINKTRACK_TEST_MYSQL_DSN names. It stays up: the
// store is "down" when the proxy before it takes no connections, and "hangs"
// when the proxy forwards nothing.
package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/linktrackhq/linktrack/internal/bench/server"
)

// A kind is one way of sending long requests.
type kind struct {
	name  string
	mysql state // of the database; absent: the store is memory
	flags []string
	send  func(n int64) *http.Request
}

// long is text of n bytes that no other call returns.
func long(n int) string { return rand.Text() + strings.Repeat("x", n-26) }

// get asks for a path, as it stands.
func get(path string) *http.Request {
	return &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Opaque: path}, Header: http.Header{"User-Agent": {"Mozilla/5.0 Firefox/142.0"}}}
}

func post(path string, form url.Values) *http.Request {
	r, err := http.NewRequest(http.MethodPost, "http://server"+path, strings.NewReader(form.Encode()))
	if err != nil {
		panic(err) // the path is one of those below
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func unknown(int64) *http.Request { return get("/x" + rand.Text() + strings.Repeat(".", 30_000)) }

func longClick(int64) *http.Request {
	r := get("/0" + strings.Repeat(".", 10_000) + "?q=" + long(8_000))
	r.Header.Set("User-Agent", "Mozilla/5.0 Firefox/142.0 "+long(4_000))
	r.Header.Set("Referer", "https://"+rand.Text()+".example.org/"+long(8_000))
	return r
}

func shortClick(int64) *http.Request { return get("/0?q=1") }

var kinds = []kind{
	{"unknown paths, each with 30,000 dots behind it", absent, nil, unknown},
	{"unknown paths, short", absent, nil, func(int64) *http.Request { return get("/x" + rand.Text()) }},
	{"unknown paths with dots, the store hangs", hangs, nil, unknown},
	{"clicks with 30,000 bytes of path, query and headers", up, nil, longClick},
	{"the same without cookies", up, []string{"-honour-gpc"}, func(n int64) *http.Request {
		r := longClick(n)
		r.Header.Set("Sec-GPC", "1")
		return r
	}},
	{"long clicks, the store is down", down, nil, longClick},
	{"long clicks, the store hangs", hangs, nil, longClick},
	{"long clicks, buffered, the store is down", down, []string{"-ack", "buffered"}, longClick},
	{"long clicks, journaled, the store is down", down, []string{"-ack", "journaled", "-journal", "JOURNAL"}, longClick},
	{"short clicks, the store is down", down, nil, shortClick},
	{"wrong logins in forms of 30,000 bytes", absent, nil, func(int64) *http.Request {
		return post("/api/v1_0/getLinks", url.Values{"login": {long(1_000)}, "pass": {"wrong"}, "notes": {long(30_000)}})
	}},
	{"wrong passwords in forms of 8,000 bytes", absent, nil, func(int64) *http.Request {
		return post("/protected", url.Values{"password": {long(7_900)}})
	}},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	requests := flag.Int64("requests", 200_000, "of each kind")
	only := flag.String("only", "", "kinds with this `text` in their names")
	most := flag.Int64("most", math.MaxInt64, "fail if a kind adds more than this many `MB`")
	flag.Parse()
	if err := run(ctx, *requests, *only, *most); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, requests int64, only string, most int64) (err error) {
	dir, err := os.MkdirTemp("", "linktrack-memory")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	bin, err := server.Build(ctx, dir, server.Program)
	if err != nil {
		return err
	}
	fmt.Printf("| %d requests | answers | before | after | more |\n| :-- | :-- | --: | --: | --: |\n", requests)
	for i, k := range kinds {
		if !strings.Contains(k.name, only) {
			continue
		}
		before, after, answers, err := k.measure(ctx, bin, fmt.Sprintf("%s/journal%d", dir, i), requests)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		fmt.Printf("| %s | %s | %d MB | %d MB | %d MB |\n", k.name, answers, before>>20, after>>20, (after-before)>>20)
		if (after-before)>>20 > most {
			return fmt.Errorf("%s: more than %d MB", k.name, most)
		}
	}
	return nil
}

// measure runs the program, sends it what the kind sends, and returns the
// memory before and after that.
func (k kind) measure(ctx context.Context, bin, journal string, requests int64) (before, after int64, answers string, err error) {
	var flags []string
	for _, f := range k.flags {
		flags = append(flags, strings.ReplaceAll(f, "JOURNAL", journal))
	}
	var p *proxy
	if k.mysql != absent {
		dsn, drop, err := newDatabase()
		if err != nil {
			return 0, 0, "", err
		}
		defer drop()
		if p, err = newProxy(dsn.Addr); err != nil {
			return 0, 0, "", err
		}
		defer p.close()
		dsn.Addr = p.addr()
		flags = append(flags, "-mysql", dsn.FormatDSN())
	}
	s, err := server.StartLinktrack(ctx, bin, flags...)
	if err != nil {
		return 0, 0, "", err
	}
	defer s.Stop() // fails where clicks are lost on purpose
	if err := s.MakeLinks(ctx, 1, "https://example.com/"); err != nil {
		return 0, 0, "", err
	}
	if err := s.MakeProtected(ctx, "protected"); err != nil {
		return 0, 0, "", err
	}
	if _, err := send(ctx, s.Addr, 1_000, shortClick); err != nil { // so that it has begun to work
		return 0, 0, "", err
	}
	if p != nil {
		p.set(k.mysql)
	}
	if before, err = s.RSS(); err != nil {
		return 0, 0, "", err
	}
	if answers, err = send(ctx, s.Addr, requests, k.send); err != nil {
		return 0, 0, "", err
	}
	after, err = s.RSS()
	if p != nil {
		p.set(up)
	}
	return before, after, answers, err
}

const connections = 32

// send sends requests and says how often each status was answered.
func send(ctx context.Context, addr string, n int64, request func(int64) *http.Request) (answers string, err error) {
	transport := &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}
	defer transport.CloseIdleConnections()
	var sent, failed atomic.Int64
	var statuses [600]atomic.Int64
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for i := sent.Add(1); i <= n && ctx.Err() == nil; i = sent.Add(1) {
				r := request(i).WithContext(ctx)
				r.URL.Host, r.Host = addr, addr
				res, err := transport.RoundTrip(r)
				if err != nil {
					failed.Add(1)
					continue
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				statuses[res.StatusCode].Add(1)
			}
		})
	}
	wg.Wait()
	var all []string
	for status := range statuses {
		if n := statuses[status].Load(); n > 0 {
			all = append(all, fmt.Sprintf("%d × %d", n, status))
		}
	}
	if n := failed.Load(); n > 0 {
		all = append(all, fmt.Sprintf("%d without answer", n))
	}
	return strings.Join(all, ", "), ctx.Err()
}

// newDatabase makes an empty database on the server for tests, and returns what
// drops it.
func newDatabase() (*mysql.Config, func(), error) {
	c, err := mysql.ParseDSN(os.Getenv("LINKTRACK_TEST_MYSQL_DSN"))
	if err != nil || c.Addr == "" {
		return nil, nil, errors.New("LINKTRACK_TEST_MYSQL_DSN must name a server; scripts/with-mariadb starts one")
	}
	db, err := sql.Open("mysql", c.FormatDSN())
	if err != nil {
		return nil, nil, err
	}
	c.DBName = fmt.Sprintf("lt_memory_%d", time.Now().UnixNano())
	if _, err := db.Exec("CREATE DATABASE " + c.DBName); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return c, func() {
		if _, err := db.Exec("DROP DATABASE " + c.DBName); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		db.Close()
	}, nil
}
