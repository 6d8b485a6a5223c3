package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/linktrackhq/linktrack/internal/bench/server"
	"github.com/linktrackhq/linktrack/internal/load"
)

// A contender is a server that is measured beside the bare one, and what is
// measured.
type contender struct {
	name    string
	naive   bool
	mysql   bool
	file    bool // an SQLite database of its own, whose processor time is the server's
	journal bool
	flags   []string // of the program

	goals     map[int]float64 // of the ratio to the bare server, by connections
	latency   bool
	sustained bool
	hot       bool
}

var contenders = []contender{
	{name: "memory", goals: map[int]float64{64: 0.85, 512: 0.85}, latency: true, hot: true},
	{name: "MySQL, AckStored", mysql: true, goals: map[int]float64{64: 0.42, 512: 0.55}, latency: true, hot: true},
	{name: "MySQL, AckBuffered", mysql: true, flags: []string{"-ack", "buffered"},
		goals: map[int]float64{64: 0.65, 512: 0.70}, latency: true, sustained: true},
	{name: "MySQL, AckJournaled", mysql: true, journal: true, flags: []string{"-ack", "journaled"},
		goals: map[int]float64{64: 0.60, 512: 0.65}, latency: true, sustained: true},
	{name: "SQLite, AckStored", file: true, goals: map[int]float64{64: 0.35, 512: 0.42}, latency: true, hot: true},
	{name: "SQLite, AckBuffered", file: true, flags: []string{"-ack", "buffered"}, latency: true, sustained: true},
	{name: "MySQL, the naive way", naive: true, mysql: true},
}

// sustainedGoal is the ratio to the bare server's rate that is offered for a minute.
const sustainedGoal = 0.60

// A subject is a contender that runs.
type subject struct {
	contender
	addr     string
	answered int64 // redirects since its start
	counted  func(context.Context) (int64, error)
	cpu      func() (time.Duration, error)
	stop     func() error
}

// start starts a contender on an empty database, with its links.
func (b *bench) start(ctx context.Context, c contender) (*subject, error) {
	s := &subject{contender: c}
	var closers []func() error
	s.stop = func() (err error) {
		for _, c := range slices.Backward(closers) {
			err = errors.Join(err, c())
		}
		return err
	}
	err := func() error {
		flags, dsn := c.flags, ""
		if c.mysql {
			const name = "linktrack_bench"
			var err error
			if dsn, err = b.server.Create(ctx, name); err != nil {
				return err
			}
			closers = append(closers, func() error { return b.server.Drop(ctx, name) })
			flags = append([]string{"-mysql", dsn}, flags...)
		}
		if c.naive {
			n, err := server.Start(ctx, b.baseline, "-mysql", dsn, "-links", strconv.Itoa(len(b.paths)), "-to", destination)
			if err != nil {
				return err
			}
			closers = append(closers, n.Stop)
			db, err := sql.Open("mysql", dsn)
			if err != nil {
				return err
			}
			closers = append(closers, db.Close)
			s.addr, s.cpu = n.Addr, n.CPU
			s.counted = func(ctx context.Context) (sum int64, err error) {
				err = db.QueryRowContext(ctx, `SELECT SUM(clicks) FROM links`).Scan(&sum)
				return sum, err
			}
			return nil
		}
		if c.file {
			dir, err := os.MkdirTemp(b.dir, "sqlite")
			if err != nil {
				return err
			}
			closers = append(closers, func() error { return os.RemoveAll(dir) })
			flags = append([]string{"-db", filepath.Join(dir, "linktrack.db")}, flags...)
		}
		if c.journal {
			dir := filepath.Join(b.dir, "journal")
			closers = append(closers, func() error { return os.RemoveAll(dir) })
			flags = append(flags, "-journal", dir)
		}
		l, err := server.StartLinktrack(ctx, b.program, flags...)
		if err != nil {
			return err
		}
		closers = append(closers, l.Stop)
		s.addr, s.counted, s.cpu = l.Addr, l.Counted, l.CPU
		return l.MakeLinks(ctx, len(b.paths), destination)
	}()
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// send sends a load to the bare server. All of it must be redirected.
func (b *bench) send(ctx context.Context, addr string, l load.Load) (load.Result, error) {
	l.Addr = addr
	if l.Paths == nil {
		l.Paths = b.paths
	}
	r, err := load.Run(ctx, l)
	return r, errors.Join(err, flawless(ctx, r))
}

// visit sends a load to a subject, and returns when all clicks are counted and
// the machine has been left alone for a while: so the work that is left does
// not slow down whatever is measured next.
func (b *bench) visit(ctx context.Context, s *subject, l load.Load) (load.Result, error) {
	r, err := b.send(ctx, s.addr, l)
	if err != nil {
		return r, err
	}
	return r, b.drain(ctx, s, r)
}

// drain waits until all that was answered is counted, and not one more.
func (b *bench) drain(ctx context.Context, s *subject, r load.Result) error {
	s.answered += r.Redirects
	last, since := int64(-1), time.Now()
	for {
		n, err := s.counted(ctx)
		switch {
		case err != nil:
			return err
		case n == s.answered:
			return sleep(ctx, b.settle)
		case n > s.answered:
			return fmt.Errorf("%d clicks are counted, %d were answered", n, s.answered)
		case n != last:
			last, since = n, time.Now()
		case time.Since(since) > 20*time.Second:
			return fmt.Errorf("%d of %d clicks were answered and are not counted", s.answered-n, s.answered)
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// flawless says what was not as it should be.
func flawless(ctx context.Context, r load.Result) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case r.Redirects == 0, len(r.Others) > 0, r.Unanswered > 0, r.Refused > 0:
		return fmt.Errorf("%d redirects, other answers %v, errors %v", r.Redirects, r.Others, r.Errors)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
