package main

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
)

const day = 24 * time.Hour

// A lapsedStore has a clock of its own, which only clicks move: each takes the same time.
// The clicks get the times of that clock, and what the Tracker asks for is shifted to it.
type lapsedStore struct {
	*sqlitestore.Store
	begin    time.Time // midnight (UTC)
	perClick time.Duration
	last     int64        // the number of the last click
	clicks   atomic.Int64 // so far
	begun    chan int     // the days that have begun, from 1 on; it has room for all
}

func newLapsedStore(s *sqlitestore.Store, p plan, begin time.Time) *lapsedStore {
	return &lapsedStore{Store: s, begin: begin, last: p.clicks - 1, perClick: time.Duration(p.days) * day / time.Duration(p.clicks), begun: make(chan int, p.days)}
}

// since returns how long after begin a click is made, by its number from 0. A batch that is
// sent twice moves the clock twice, so there may be numbers above that of the last click.
func (s *lapsedStore) since(click int64) time.Duration {
	return time.Duration(min(max(click, 0), s.last)) * s.perClick
}

// AppendClicks stores the batch with clicks of the present time.
func (s *lapsedStore) AppendClicks(ctx context.Context, b linktrack.Batch) error {
	b.Clicks = slices.Clone(b.Clicks)
	end := s.clicks.Add(int64(len(b.Clicks)))
	first := end - int64(len(b.Clicks))
	for i := range b.Clicks {
		id := linktrack.FirstClickID(s.begin.Add(s.since(first + int64(i))))
		copy(id[8:], b.Clicks[i].ID[8:])
		b.Clicks[i].ID = id
	}
	for d := s.dayOf(first-1) + 1; d <= s.dayOf(end-1); d++ {
		s.begun <- d
	}
	return s.Store.AppendClicks(ctx, b)
}

// dayOf returns the number of the day of a click, 0 for the first one.
func (s *lapsedStore) dayOf(click int64) int {
	return int(s.since(click) / day)
}

// ApplyClicks applies the log as of the present time.
func (s *lapsedStore) ApplyClicks(ctx context.Context, zone *time.Location, since time.Time) (linktrack.LogSize, error) {
	size, err := s.Store.ApplyClicks(ctx, zone, since.Add(time.Until(s.begin.Add(s.since(s.clicks.Load())))))
	if !size.Oldest.IsZero() {
		size.Oldest = time.Now() // else the Tracker would log that the clicks wait since long
	}
	return size, err
}
