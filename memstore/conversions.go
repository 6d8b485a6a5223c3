package memstore

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack"
)

// conversions are those that were counted, for ever.
type conversions struct {
	mu     sync.Mutex
	clicks map[linktrack.ClickRef]bool
	orders map[order]bool
}

// An order is one by its account and the account's name for it.
type order struct {
	account linktrack.AccountID
	id      string
}

// LinkByClick implements [linktrack.ConversionStore].
func (s *Store) LinkByClick(ctx context.Context, click linktrack.ClickRef) (linktrack.Link, error) {
	if err := ctx.Err(); err != nil {
		return linktrack.Link{}, err
	}
	l := s.link(click.Link)
	if l == nil || !l.has(click.ID) {
		return linktrack.Link{}, linktrack.ErrNotFound
	}
	return l.snapshot(), nil
}

func (l *link) has(id linktrack.ClickID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.history.seek(id)
	return p.chunk < len(l.history.chunks) && l.history.chunks[p.chunk][p.row].id == id
}

// RecordConversion implements [linktrack.ConversionStore].
func (s *Store) RecordConversion(ctx context.Context, c linktrack.Conversion, zone *time.Location) (counted bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	l := s.link(c.Click.Link)
	if l == nil {
		return false, linktrack.ErrNotFound
	}
	if zone == nil {
		zone = time.UTC
	}
	all, o := &s.conversions, order{l.def.Load().Account, strings.Clone(c.OrderID)}
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.clicks[c.Click] || all.orders[o] {
		return false, nil
	}
	all.clicks[c.Click] = true
	if c.OrderID != "" {
		all.orders[o] = true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.conversion.Add(1)
	day, hour := linktrack.DayAndHour(c.Time, zone)
	l.days.of(day).AddConversion(&c, hour)
	return true, nil
}
