package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack/internal/bench/server"
	"github.com/linktrackhq/linktrack/internal/load"
)

// mostPaths is more links than the Tracker's cache holds.
const mostPaths = 200_000

// memory prints how much memory the program linktrack takes while it serves
// a load as fast as it can, and checks that all of it was counted.
func memory(ctx context.Context, at place, redirects int64) (err error) {
	dir, err := os.MkdirTemp("", "linktrack-size")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	bin, err := server.Build(ctx, dir, server.Program)
	if err != nil {
		return err
	}
	db, err := at.sql()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var links int
	var before, after int64
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*), SUM(total) FROM lt_count`).Scan(&links, &before); err != nil {
		return err
	}
	paths := make([]string, 0, mostPaths)
	for i := 0; i < links && len(paths) < mostPaths; i += max(1, links/mostPaths) {
		paths = append(paths, "/"+pathOf(i))
	}
	s, err := server.StartLinktrack(ctx, bin, append([]string{"-base-url", "http://" + host}, at.flag()...)...)
	if err != nil {
		return err
	}
	result, samples, err := watch(ctx, s.Server, load.Load{Addr: s.Addr, Paths: paths, Hot: 0.2, Connections: 64, Count: redirects})
	if err = errors.Join(err, s.Stop()); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, `SELECT SUM(total) FROM lt_count`).Scan(&after); err != nil {
		return err
	}
	if after-before != result.Redirects {
		return fmt.Errorf("%d redirects, %d counted, other answers %v, errors %v", result.Redirects, after-before, result.Others, result.Errors)
	}
	fmt.Printf("\n### Memory of the process\n\n`scripts/bench-size %s`\n\n%d redirects on %d links, one of which has a fifth of them, in %v: %.0f per second, 64 connections, AckStored. All of them counted.\n\n",
		strings.Join(os.Args[1:], " "), result.Redirects, len(paths), result.Elapsed.Round(time.Second), result.PerSecond())
	fmt.Print("| redirects | RSS |\n| --: | --: |\n")
	for _, s := range samples {
		fmt.Printf("| %d | %d MB |\n", s.redirects, s.rss>>20)
	}
	return nil
}

type sample struct{ redirects, rss int64 }

// watch sends a load and looks at the memory before it and at each tenth.
func watch(ctx context.Context, s *server.Server, l load.Load) (load.Result, []sample, error) {
	rss, err := s.RSS()
	if err != nil {
		return load.Result{}, nil, err
	}
	samples := []sample{{0, rss}}
	running, err := load.Start(ctx, l)
	if err != nil {
		return load.Result{}, nil, err
	}
	b := startBar(os.Stderr, "memory", l.Count)
	ended := make(chan load.Result, 1)
	go func() { ended <- running.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		n := running.Redirects()
		b.done.Store(n)
		if n < l.Count && n >= int64(len(samples))*l.Count/10 {
			rss, err := s.RSS()
			if err != nil {
				running.Stop()
				return <-ended, samples, err
			}
			samples = append(samples, sample{n, rss})
		}
		select {
		case result := <-ended:
			rss, err := s.RSS()
			b.end()
			return result, append(samples, sample{result.Redirects, rss}), err
		case <-tick.C:
		}
	}
}
