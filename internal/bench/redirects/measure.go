package main

import (
	"context"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack/internal/bench/server"
	"github.com/linktrackhq/linktrack/internal/load"
)

// rateRow are redirects per second, round by round.
type rateRow struct {
	name      string
	goal      float64 // 0: none
	bare, own []float64

	// processor time per redirect, in seconds, until all clicks are counted
	bareCPU, serverCPU, databaseCPU []float64
}

// ratios are those of each round to the bare server's just before.
func (r rateRow) ratios() []float64 {
	all := make([]float64, len(r.own))
	for i := range r.own {
		all[i] = r.own[i] / r.bare[i]
	}
	return all
}

// rates measures as much as the connections get, in turns.
func (b *bench) rates(ctx context.Context, s *subject, conns, rounds int) (rateRow, error) {
	row := rateRow{name: s.name, goal: s.goals[conns]}
	for i := range rounds + 1 {
		l := load.Load{Connections: conns, Duration: b.round, Seed: uint64(i)}
		if i == 0 {
			l.Duration /= 2 // for warming up; it does not count
		}
		before, err := b.times(s)
		if err != nil {
			return row, err
		}
		bare, err := b.send(ctx, b.bare.Addr, l)
		if err != nil {
			return row, err
		}
		own, err := b.visit(ctx, s, l)
		if err != nil {
			return row, err
		}
		after, err := b.times(s)
		if err != nil {
			return row, err
		}
		if i > 0 {
			row.bare = append(row.bare, bare.PerSecond())
			row.own = append(row.own, own.PerSecond())
			row.bareCPU = append(row.bareCPU, (after.bare-before.bare).Seconds()/float64(bare.Redirects))
			row.serverCPU = append(row.serverCPU, (after.server-before.server).Seconds()/float64(own.Redirects))
			row.databaseCPU = append(row.databaseCPU, (after.database-before.database).Seconds()/float64(own.Redirects))
			progress("  %d of %d: bare %.0f/s, own %.0f/s", i, rounds, bare.PerSecond(), own.PerSecond())
		}
	}
	return row, nil
}

// times are the processor times that the servers have taken since their start.
type times struct{ bare, server, database time.Duration }

func (b *bench) times(s *subject) (t times, err error) {
	if t.bare, err = b.bare.CPU(); err != nil {
		return t, err
	}
	if t.server, err = s.cpu(); err != nil || !s.mysql {
		return t, err
	}
	t.database, err = server.CPU(b.databasePID)
	return t, err
}

// latencyRow are quantiles, round by round, in seconds.
type latencyRow struct {
	name               string
	rate               float64
	bare50, own50      []float64
	bare99, own99      []float64
	bareWorst, ownMost float64
}

// latency measures both servers at the same rate, by a timetable.
func (b *bench) latency(ctx context.Context, s *subject, conns int, rate float64) (latencyRow, error) {
	row := latencyRow{name: s.name, rate: rate}
	for i := range b.rounds {
		l := load.Load{Connections: conns, Duration: b.round, Seed: uint64(i), Rate: rate}
		bare, err := b.send(ctx, b.bare.Addr, l)
		if err != nil {
			return row, err
		}
		own, err := b.visit(ctx, s, l)
		if err != nil {
			return row, err
		}
		row.bare50 = append(row.bare50, bare.Latency.Quantile(0.5).Seconds())
		row.bare99 = append(row.bare99, bare.Latency.Quantile(0.99).Seconds())
		row.own50 = append(row.own50, own.Latency.Quantile(0.5).Seconds())
		row.own99 = append(row.own99, own.Latency.Quantile(0.99).Seconds())
		row.bareWorst = max(row.bareWorst, bare.Latency.Max().Seconds())
		row.ownMost = max(row.ownMost, own.Latency.Max().Seconds())
	}
	return row, nil
}

// sustainedRow is one long load.
type sustainedRow struct {
	name    string
	offered float64 // 0: as much as the connections get
	bare    float64 // the mean of before and after
	own     load.Result
	backlog [3]int64 // at the start, in the middle, at the end
}

// grows reports whether the clicks fell behind by more than half a second's
// worth from the middle to the end.
func (r sustainedRow) grows() bool {
	return r.backlog[2]-r.backlog[1] > int64(r.own.PerSecond()/2)
}

// sustained measures whether the clicks keep up.
func (b *bench) sustained(ctx context.Context, s *subject, conns int, rate float64) (sustainedRow, error) {
	row := sustainedRow{name: s.name, offered: rate}
	short := load.Load{Connections: conns, Duration: b.round}
	before, err := b.send(ctx, b.bare.Addr, short)
	if err != nil {
		return row, err
	}
	running, err := load.Start(ctx, load.Load{Addr: s.addr, Paths: b.paths, Connections: conns, Duration: b.sustain, Rate: rate})
	if err != nil {
		return row, err
	}
	begin := time.Now()
	for i, share := range []float64{0.05, 0.5, 0.97} {
		if err = sleep(ctx, time.Until(begin.Add(time.Duration(share*float64(b.sustain))))); err != nil {
			break
		}
		var counted int64
		if counted, err = s.counted(ctx); err != nil {
			break
		}
		// The answers of the time that counting takes are in it, too.
		row.backlog[i] = s.answered + running.Redirects() - counted
	}
	if err != nil {
		running.Stop()
	}
	row.own = running.Wait()
	if err == nil {
		err = flawless(ctx, row.own)
	}
	if err != nil {
		return row, err
	}
	if err := b.drain(ctx, s, row.own); err != nil {
		return row, err
	}
	after, err := b.send(ctx, b.bare.Addr, short)
	row.bare = (before.PerSecond() + after.PerSecond()) / 2
	progress("  sustained: bare %.0f/s, own %.0f/s, backlog %v", row.bare, row.own.PerSecond(), row.backlog)
	return row, err
}

// hotRow are redirects per second on one link and on all.
type hotRow struct {
	name     string
	all, one []float64
}

func (b *bench) hot(ctx context.Context, s *subject, conns int) (hotRow, error) {
	row := hotRow{name: s.name}
	for i := range b.rounds {
		l := load.Load{Connections: conns, Duration: b.round, Seed: uint64(i)}
		all, err := b.visit(ctx, s, l)
		if err != nil {
			return row, err
		}
		l.Paths = b.paths[:1]
		one, err := b.visit(ctx, s, l)
		if err != nil {
			return row, err
		}
		row.all = append(row.all, all.PerSecond())
		row.one = append(row.one, one.PerSecond())
	}
	return row, nil
}

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	if n == 0 {
		return 0
	}
	return (v[(n-1)/2] + v[n/2]) / 2
}
