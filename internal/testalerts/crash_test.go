package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/load"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/testprogram"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// A receiver takes alerts, each only when it comes for the second time, and
// takes its time.
type receiver struct {
	t     *testing.T
	mu    sync.Mutex
	came  map[string]int // by id
	taken map[string]int
}

type alert struct {
	ID    string
	Kind  linktrack.AlertKind
	Link  string
	Count int64
	Total int64
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var a alert
	if err := json.NewDecoder(request.Body).Decode(&a); err != nil {
		return // the sender died
	}
	if a.Total < a.Count || a.Kind != linktrack.AlertAt {
		r.t.Errorf("an alert that should not be: %+v", a)
	}
	time.Sleep(rand.N(150 * time.Millisecond))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.came[a.ID]++; r.came[a.ID] == 1 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.taken[a.ID]++
}

// A place is where one process runs, and after it is killed the next.
type place struct {
	program *testprogram.Program
	load    *load.Running
}

func TestAlertsComeAtLeastOnceHoweverOftenProcessesDie(t *testing.T) {
	dsn := testmysql.DSN(t)
	store, err := mysqlstore.Open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	var paths []string
	makeLink := func(alertAt int64) linktrack.Link {
		t.Helper()
		l, err := trackertest.CreateLink(t.Context(), store, linktrack.Link{
			Host: "go.example.com", Path: fmt.Sprint("link", len(paths)), LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/", AlertAt: alertAt},
		})
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, "/"+l.Path)
		return l
	}
	want := map[string]linktrack.Link{}
	for i := range int64(8) {
		l := makeLink(1 + 25*i)
		want[linktrack.AlertID{Link: l.ID, Kind: linktrack.AlertAt, Count: l.AlertAt}.String()] = l
	}
	for range 3 {
		makeLink(0)
		makeLink(1 << 40)
	}
	late := makeLink(0) // is given a number that it has passed

	r := &receiver{t: t, came: map[string]int{}, taken: map[string]int{}}
	server := httptest.NewServer(r)
	defer server.Close()
	bin := testprogram.Build(t, ".")
	start := func(p *place) {
		t.Helper()
		p.program = testprogram.Start(t, bin, []string{"MYSQL=" + dsn, "RECEIVER=" + server.URL})
		p.load, err = load.Start(context.Background(), load.Load{
			Addr: p.program.Line(t, "listens on "), Paths: paths, Connections: 8, Rate: 300, Seed: rand.Uint64(), Timeout: 5 * time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	kill := func(p *place) {
		p.program.Kill()
		p.load.Stop()
		p.load.Wait()
	}
	places := [2]place{}
	for i := range places {
		start(&places[i])
	}
	kills := 50
	if testing.Short() {
		kills = 8
	}
	for n := range kills {
		p := &places[rand.N(len(places))]
		for p.load.Redirects() == 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(rand.N(1500 * time.Millisecond)) // they apply clicks about every second
		kill(p)
		endLeases(t, db)
		start(p)
		if n == kills/2 {
			if _, err := store.ApplyClicks(t.Context(), time.UTC, time.Time{}); err != nil {
				t.Fatal(err)
			}
			_, err := store.UpdateLink(t.Context(), late.ID, func(l *linktrack.Link) error {
				if l.Counts.People < 2 {
					return fmt.Errorf("%d people have clicked on %s: nothing would be tested", l.Counts.People, l.Path)
				}
				l.AlertAt = l.Counts.People / 2
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}

	deadline := time.Now().Add(time.Minute)
	for id, l := range want {
		for taken := 0; taken == 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				found, err := store.LinkByPath(t.Context(), l.Host, l.Key())
				t.Fatalf("the alert %s has not come; %d people have clicked (%v)", id, found.Counts.People, err)
			}
			endLeases(t, db)
			r.mu.Lock()
			taken = r.taken[id]
			r.mu.Unlock()
		}
	}
	for i := range places {
		kill(&places[i])
	}
	var open, total int64
	err = db.QueryRow(`SELECT (SELECT COUNT(*) FROM lt_alert), (SELECT SUM(total) FROM lt_count)`).Scan(&open, &total)
	if err != nil || open != int64(len(want)) {
		t.Errorf("%d alerts were made, %v", open, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Logf("%d kills, %d clicks; alerts came %v, and were taken %v", kills, total, r.came, r.taken)
	for id := range r.came {
		if _, ok := want[id]; !ok {
			t.Errorf("the alert %s came, of a link that did not reach a number", id)
		}
	}
}

// endLeases makes the time come for all alerts that wait for it: those that a
// dead process left to its lease, and those that failed.
func endLeases(t *testing.T, db *sql.DB) {
	t.Helper()
	if _, err := db.Exec(`UPDATE lt_alert SET due = 1 WHERE due > 1 AND due < ?`, int64(math.MaxInt64)); err != nil {
		t.Fatal(err)
	}
	// It may be that of a process that was killed while it applied clicks.
	if _, err := db.Exec(`UPDATE lt_roll SET lease_until = 0 WHERE id = 1`); err != nil {
		t.Fatal(err)
	}
}
