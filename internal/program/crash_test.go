package program

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"github.com/linktrackhq/linktrack/internal/load"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/testprogram"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// A crash is a service whose processes are killed while visitors come. They run one
// after the other, on one database and one journal that outlive them.
type crash struct {
	*testing.T
	db      *sql.DB
	dsn     string // of the database that the processes use
	bin     string
	args    []string
	program *testprogram.Program
	addr    string
	paths   []string

	answered, unanswered int64 // redirects, of all loads so far
}

// newCrash starts a service on the database of dsn. If through is not "", it is the
// DSN of the processes, which leads to the same database by another address.
func newCrash(t *testing.T, dsn, through string, args ...string) *crash {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	c := &crash{T: t, db: db, dsn: dsn, bin: testprogram.Build(t, programFolder), args: args}
	if through != "" {
		c.dsn = through
	}
	c.start()
	for i := range 20 {
		r, err := http.PostForm("http://"+c.addr+"/api/v1_0/makeLink", url.Values{
			"login": {"linktrack"}, "pass": {"0123456789abcdef"}, "external_url": {"https://example.com/"},
			"vanity_link": {fmt.Sprint("link", i)},
		})
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusCreated {
			t.Fatalf("makeLink = %d", r.StatusCode)
		}
		c.paths = append(c.paths, fmt.Sprint("/link", i))
	}
	return c
}

func (c *crash) start() {
	c.Helper()
	c.program = start(c, c.bin, []string{"LINKTRACK_MYSQL=" + c.dsn, "LINKTRACK_PASS=0123456789abcdef"},
		append([]string{"-addr", "127.0.0.1:0", "-base-url", "http://go.example.com"}, c.args...)...)
	listens := c.program.Line(c, "linktrack listens on http://localhost:")
	port, _, _ := strings.Cut(listens, " ")
	c.addr = "127.0.0.1:" + port
}

// under runs a function while 16 visitors at a time come, and counts the answers.
func (c *crash) under(happens func(*load.Running)) {
	c.Helper()
	r, err := load.Start(context.Background(), load.Load{
		Addr: c.addr, Paths: c.paths, Connections: 16, Seed: uint64(c.answered), Timeout: 5 * time.Second,
		Rate: 3000, // the clicks of some seconds without a database must fit into the memory for them
	})
	if err != nil {
		c.Fatal(err)
	}
	happens(r)
	r.Stop()
	result := r.Wait()
	if len(result.Others) > 0 {
		c.Errorf("visitors got other answers than a redirect: %v", result.Others)
	}
	c.answered += result.Redirects
	c.unanswered += result.Unanswered
}

// flows waits until n more redirects are answered.
func (c *crash) flows(r *load.Running, n int64) {
	c.Helper()
	deadline := time.Now().Add(time.Minute)
	for start := r.Redirects(); r.Redirects() < start+n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			c.Fatalf("%d redirects in a minute", r.Redirects()-start)
		}
	}
}

// stop ends the process gracefully: it writes the pending clicks.
func (c *crash) stop() {
	c.Helper()
	if status := c.program.Stop(c); status != 0 {
		c.Errorf("exit status after SIGTERM = %d", status)
	}
}

// check compares the stored clicks with the answered ones, of which lost may be
// missing, and the counts with the history and the roll-ups.
func (c *crash) check(lost int64) {
	c.Helper()
	store, err := mysqlstore.Open(c.dsn)
	if err == nil {
		_, err = store.ApplyClicks(context.Background(), time.UTC, time.Time{})
		err = errors.Join(err, store.Close())
	}
	if err != nil {
		c.Fatal(err)
	}
	var total, rows, hours, apart int64
	for query, into := range map[string]*int64{
		`SELECT SUM(total) FROM lt_count`:              &total,
		`SELECT COUNT(*) FROM lt_hit WHERE is_bot = 0`: &rows,
		`SELECT COALESCE(SUM(clicks), 0) FROM lt_hour`: &hours,
		`SELECT COUNT(*) FROM lt_count c WHERE total <> (SELECT COUNT(*) FROM lt_hit h WHERE h.link_id = c.link_id AND is_bot = 0)`: &apart,
	} {
		if err := c.db.QueryRow(query).Scan(into); err != nil {
			c.Fatalf("%s: %v", query, err)
		}
	}
	c.Logf("answered %d, not answered %d, stored %d", c.answered, c.unanswered, rows)
	if rows < c.answered-lost || rows > c.answered+c.unanswered {
		c.Errorf("%d clicks are stored; %d were answered (%d of them may be lost), %d more were under way", rows, c.answered, lost, c.unanswered)
	}
	if total != rows || hours != rows || apart != 0 {
		c.Errorf("the counts say %d, the history has %d rows, the hours say %d; %d links differ", total, rows, hours, apart)
	}
}

// rounds is the number of times that a process is killed.
func rounds() int {
	if testing.Short() {
		return 3
	}
	return 20
}

func TestKillOfTheProcess(t *testing.T) {
	for _, ack := range []string{"stored", "journaled", "buffered"} {
		t.Run(ack, func(t *testing.T) {
			c := newCrash(t, testmysql.DSN(t), "", "-ack", ack, "-journal", filepath.Join(t.TempDir(), "journal"))
			lost := int64(0)
			for i := range rounds() {
				if i > 0 {
					c.start()
				}
				c.under(func(r *load.Running) {
					c.flows(r, 200)
					// A buffered click is written after 200 ms, and the write also takes time.
					before := r.Redirects()
					time.Sleep(time.Duration(300+i*7) * time.Millisecond)
					c.program.Kill()
					if ack == "buffered" {
						lost += r.Redirects() - before
					}
				})
			}
			c.start()
			c.stop()
			c.check(lost)
		})
	}
}

func TestKillOfTheDatabase(t *testing.T) {
	for _, ack := range []string{"stored", "journaled", "buffered"} {
		t.Run(ack, func(t *testing.T) {
			server := testmysql.Start(t)
			c := newCrash(t, server.DSN("crash"), "", "-ack", ack, "-journal", filepath.Join(t.TempDir(), "journal"))
			c.under(func(r *load.Running) {
				c.flows(r, 500)
				server.Kill()
				time.Sleep(5 * time.Second)
				server.Restart()
				c.flows(r, 500)
			})
			c.stop()
			c.check(0)
		})
	}
}

func TestKillOfBoth(t *testing.T) {
	t.Run("journaled: the database a second before the process", func(t *testing.T) {
		server := testmysql.Start(t)
		c := newCrash(t, server.DSN("crash"), "", "-ack", "journaled", "-journal", filepath.Join(t.TempDir(), "journal"))
		c.under(func(r *load.Running) {
			c.flows(r, 500)
			server.Kill()
			time.Sleep(time.Second)
			c.program.Kill()
		})
		server.Restart()
		c.start()
		c.stop()
		c.check(0)
	})
	t.Run("stored: both at once", func(t *testing.T) {
		server := testmysql.Start(t)
		c := newCrash(t, server.DSN("crash"), "", "-ack", "stored")
		c.under(func(r *load.Running) {
			c.flows(r, 500)
			c.program.Kill()
			server.Kill()
		})
		server.Restart()
		c.start()
		c.stop()
		c.check(0)
	})
}

func TestSIGTERMUnderLoad(t *testing.T) {
	for _, ack := range []string{"stored", "journaled", "buffered"} {
		t.Run(ack, func(t *testing.T) {
			c := newCrash(t, testmysql.DSN(t), "", "-ack", ack, "-journal", filepath.Join(t.TempDir(), "journal"))
			c.under(func(r *load.Running) {
				c.flows(r, 500)
				c.stop()
			})
			c.check(0)
		})
	}
}

func TestAnswersOfTheDatabaseThatAreLostAfterItsCommit(t *testing.T) {
	for _, ack := range []string{"stored", "journaled"} {
		t.Run(ack, func(t *testing.T) {
			server := testmysql.Start(t)
			proxy := newDeafProxy(t, server.Addr())
			dsn := server.DSN("crash")
			c := newCrash(t, dsn, strings.Replace(dsn, server.Addr(), proxy.addr, 1), "-ack", ack, "-journal", filepath.Join(t.TempDir(), "journal"))
			c.under(func(r *load.Running) {
				for range 20 {
					c.flows(r, 50)
					proxy.loseAnswers(200 * time.Millisecond)
				}
				c.flows(r, 500)
			})
			c.stop()
			if proxy.lost() == 0 {
				t.Error("no answer was lost: nothing was tested")
			}
			c.check(0)
		})
	}
}

func TestADiskThatIsFullForTheJournal(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "journal")
	c := newCrash(t, testmysql.DSN(t), "", "-ack", "journaled", "-journal", journal)
	c.program.Kill()
	// The limit of the shell also applies to its child.
	wrapper := filepath.Join(t.TempDir(), "limited")
	script := fmt.Sprintf("#!/bin/sh\nulimit -f 64\nexec %s \"$@\"\n", c.bin)
	if err := os.WriteFile(wrapper, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	roomy := c.bin
	c.bin = wrapper
	c.start()
	c.under(func(r *load.Running) { c.flows(r, 3000) })
	c.stop()
	if !strings.Contains(c.program.Stderr(), "clicks cannot be written to the journal") {
		t.Error("the journal never ran out of room: nothing was tested")
	}
	c.bin = roomy // the clicks that it accepted before wait in the journal
	c.start()
	c.stop()
	c.check(0)
}
