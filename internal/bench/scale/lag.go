package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/bench/server"
)

const (
	lagLinks    = 1000
	lagAccounts = 10
)

// lags measures how old the oldest click is that is not in the counts yet, while more and
// more clicks come. One process applies them, as always.
func lags(ctx context.Context, b *bench) (err error) {
	s, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	var made []linktrack.Link
	for account := range linktrack.AccountID(lagAccounts) {
		var links []linktrack.Link
		for i := range lagLinks / lagAccounts {
			links = append(links, link(account+1, "go.example.com", int(account)*lagLinks+i))
		}
		if links, err = s.CreateLinks(ctx, links); err != nil {
			return err
		}
		made = append(made, links...)
	}
	fmt.Printf("\n## The lag of the counts\n\n%d links of %d accounts, batches of a fiftieth of a second, %v for each row. The lag is the age of the oldest click that is not counted, each quarter of a second.\n\n", lagLinks, lagAccounts, b.round)
	fmt.Print("| offered clicks/s | appended/s | applied/s | lag: median ms | at most ms | at the end ms | database: CPU µs per applied click | of the process |\n" +
		"| --: | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, rate := range []int{1000, 5000, 10000, 20000, 40000, 80000} {
		if err := b.lag(ctx, s, made, rate); err != nil {
			return err
		}
	}
	return nil
}

func link(account linktrack.AccountID, host string, i int) linktrack.Link {
	return linktrack.Link{
		Account: account, Host: host, Path: fmt.Sprintf("l%07d", i), CreatedAt: time.Now(),
		LinkSettings: linktrack.LinkSettings{ExternalURL: fmt.Sprintf("https://www.example.com/%d", i)},
	}
}

// lag prints a row of the table. At the end, it empties the log.
func (b *bench) lag(ctx context.Context, s *opened, links []linktrack.Link, rate int) error {
	pid, err := b.server.PID(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var applied int64
	if err := s.db.QueryRowContext(ctx, totals).Scan(&applied); err != nil {
		return err
	}
	before, err := b.cpu(pid)
	if err != nil {
		return err
	}
	applying := make(chan error, 1)
	go func() { applying <- apply(ctx, s) }()
	lagging := make(chan []time.Duration, 1)
	watching, stop := context.WithCancel(ctx)
	go func() { lagging <- watch(watching, s.db) }()

	start := time.Now()
	appended, err := appendAt(ctx, s, links, rate, b.round)
	elapsed := time.Since(start)
	stop()
	lag := <-lagging
	if err != nil {
		return err
	}
	after, err := b.cpu(pid)
	if err != nil {
		return err
	}
	var now int64
	if err := s.db.QueryRowContext(ctx, totals).Scan(&now); err != nil {
		return err
	}
	end := lag[len(lag)-1]
	slices.Sort(lag)
	n := float64(max(1, now-applied))
	fmt.Printf("| %d | %.0f | %.0f | %d | %d | %d | %.0f | %.0f |\n", rate, float64(appended)/elapsed.Seconds(), n/elapsed.Seconds(),
		lag[len(lag)/2].Milliseconds(), lag[len(lag)-1].Milliseconds(), end.Milliseconds(),
		float64((after.database-before.database).Microseconds())/n, float64((after.process-before.process).Microseconds())/n)
	cancel()
	if err := <-applying; err != nil {
		return err
	}
	_, err = s.ApplyClicks(context.WithoutCancel(ctx), time.UTC, time.Now().Add(-24*time.Hour))
	return err
}

const totals = `SELECT COALESCE(SUM(total), 0) FROM lt_count`

type processorTimes struct{ database, process time.Duration }

func (b *bench) cpu(database int) (t processorTimes, err error) {
	if t.database, err = server.CPU(database); err == nil {
		t.process, err = server.CPU(os.Getpid())
	}
	return t, err
}

// apply applies clicks until the context ends, as often as a Tracker that has clicks.
func apply(ctx context.Context, s linktrack.ClickStore) error {
	for {
		_, err := s.ApplyClicks(ctx, time.UTC, time.Now().Add(-24*time.Hour))
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// watch returns the lag each quarter of a second, until the context ends.
func watch(ctx context.Context, db *sql.DB) (lag []time.Duration) {
	lag = []time.Duration{0} // nothing is in the log yet
	for {
		select {
		case <-ctx.Done():
			return lag
		case <-time.After(250 * time.Millisecond):
		}
		var at sql.NullInt64
		if db.QueryRowContext(ctx, `SELECT MIN(at) FROM lt_log`).Scan(&at) != nil {
			continue // the context has ended
		}
		age := time.Duration(0)
		if at.Valid {
			age = time.Since(time.UnixMicro(at.Int64))
		}
		lag = append(lag, age)
	}
}

// appendAt appends rate clicks a second, by a timetable, and returns their number.
func appendAt(ctx context.Context, s linktrack.ClickStore, links []linktrack.Link, rate int, round time.Duration) (n int, err error) {
	const perSecond = 50
	var b linktrack.Batch
	rand.Read(b.Source[:])
	for start, i := time.Now(), 0; ; i++ {
		at := start.Add(time.Duration(i) * time.Second / perSecond)
		time.Sleep(time.Until(at))
		if time.Since(start) >= round {
			return n, nil
		}
		b.Seq++
		b.Clicks = b.Clicks[:0]
		for range rate / perSecond {
			n++
			b.Clicks = append(b.Clicks, click(links[n%len(links)].ID, n))
		}
		if err := s.AppendClicks(ctx, b); err != nil {
			return n, err
		}
	}
}
