package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/bench/server"
	"github.com/linktrackhq/linktrack/internal/load"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// appends measures how many clicks a number of processes bring to the log of one server, if
// each of them has one batch under way all the time. A Store with a pool of its own stands for
// a process. Nothing is applied meanwhile.
func appends(ctx context.Context, b *bench) error {
	fmt.Print("\n## Appends to one log\n\n" +
		"| processes | clicks per batch | batches/s | clicks/s | p50 ms | p99 ms | database: CPU µs per batch | CPU µs per click |\n" +
		"| --: | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, clicks := range []int{1, 10, 100, 1000} {
		for _, processes := range []int{1, 4, 32} {
			if err := b.appendFrom(ctx, processes, clicks); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) appendFrom(ctx context.Context, processes, clicks int) (err error) {
	dsn, err := b.server.Create(ctx, name)
	if err != nil {
		return err
	}
	var stores []*mysqlstore.Store
	defer func() {
		for _, s := range stores {
			err = errors.Join(err, s.Close())
		}
	}()
	for range processes {
		s, err := mysqlstore.Open(dsn, mysqlstore.MaxConnections(2))
		if err != nil {
			return err
		}
		stores = append(stores, s)
	}
	if err := stores[0].Migrate(ctx); err != nil {
		return err
	}
	pid, err := b.server.PID(ctx)
	if err != nil {
		return err
	}
	before, err := server.CPU(pid)
	if err != nil {
		return err
	}
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		took  load.Histogram
		fails error
	)
	start := time.Now()
	for _, s := range stores {
		all.Go(func() {
			var h load.Histogram
			err := appendUntil(ctx, s, start.Add(b.round), clicks, &h)
			mu.Lock()
			defer mu.Unlock()
			took.Add(&h)
			fails = errors.Join(fails, err)
		})
	}
	all.Wait()
	elapsed := time.Since(start)
	after, err := server.CPU(pid)
	if err := errors.Join(fails, err); err != nil {
		return err
	}
	n := float64(took.Count())
	cpu := float64((after - before).Microseconds()) / n
	fmt.Printf("| %d | %d | %.0f | %.0f | %.1f | %.1f | %.0f | %.1f |\n", processes, clicks,
		n/elapsed.Seconds(), n*float64(clicks)/elapsed.Seconds(), millis(took.Quantile(0.5)), millis(took.Quantile(0.99)), cpu, cpu/float64(clicks))
	return nil
}

func appendUntil(ctx context.Context, s linktrack.ClickStore, end time.Time, clicks int, took *load.Histogram) error {
	var b linktrack.Batch
	rand.Read(b.Source[:])
	for time.Now().Before(end) {
		b.Seq++
		b.Clicks = b.Clicks[:0]
		for i := range clicks {
			b.Clicks = append(b.Clicks, click(int64(i)%1000+1, i))
		}
		start := time.Now()
		if err := s.AppendClicks(ctx, b); err != nil {
			return err
		}
		took.Record(time.Since(start))
	}
	return nil
}

// click returns a click as a browser makes it.
func click(link int64, visitor int) linktrack.Click {
	return linktrack.Click{
		ID: linktrack.NewClickID(time.Now()), Link: link,
		IP: netip.AddrFrom4([4]byte{198, 18, byte(visitor >> 8), byte(visitor)}), Referrer: "https://www.example.com/articles/a-page", ReferrerHost: "www.example.com", Browser: "Chrome", Platform: "Windows",
		UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
	}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
