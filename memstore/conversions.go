package memstore

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/linktrackhq/linktrack"
)

// conversions has the conversions that were counted. A replaced one is removed, and so are
// those of a purged link.
type conversions struct {
	mu     sync.Mutex
	clicks map[linktrack.ClickRef]*conversion
	orders map[order]*conversion
}

// A conversion is a conversion that was counted, with the day and hour in which it counts.
type conversion struct {
	linktrack.Conversion
	link  *link
	order order
	day   linktrack.Day
	hour  int
}

// An order identifies an order by its account and its id within the account.
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
	if zone == nil {
		zone = time.UTC
	}
	all := &s.conversions
	all.mu.Lock()
	defer all.mu.Unlock()
	l := s.link(c.Click.Link)
	if l == nil {
		return false, linktrack.ErrNotFound
	}
	c.OrderID, c.Currency = strings.Clone(c.OrderID), strings.Clone(c.Currency)
	k := &conversion{Conversion: c, link: l, order: order{l.def.Load().Account, c.OrderID}}
	k.day, k.hour = linktrack.DayAndHour(c.Time, zone)
	before := []*conversion{all.clicks[c.Click], all.orders[k.order]}
	for _, b := range before {
		if b != nil && (b.Trusted || !c.Trusted) {
			return false, nil
		}
	}
	for _, b := range before {
		if b != nil && all.clicks[b.Click] == b { // else it is both
			all.remove(b)
			s.sums.of(b.link.def.Load(), b.day, func(r *linktrack.Rollup) { r.RemoveConversion(&b.Conversion, b.hour) })
		}
	}
	all.add(k)
	s.sums.of(l.def.Load(), k.day, func(r *linktrack.Rollup) { r.AddConversion(&k.Conversion, k.hour) })
	return true, nil
}

func (all *conversions) add(k *conversion) {
	all.clicks[k.Click] = k
	if k.OrderID != "" {
		all.orders[k.order] = k
	}
	k.link.mu.Lock()
	defer k.link.mu.Unlock()
	k.link.counts.conversion.Add(1)
	k.link.days.of(k.day).AddConversion(&k.Conversion, k.hour)
}

func (all *conversions) remove(k *conversion) {
	delete(all.clicks, k.Click)
	if k.OrderID != "" {
		delete(all.orders, k.order)
	}
	k.link.mu.Lock()
	defer k.link.mu.Unlock()
	k.link.counts.conversion.Add(-1)
	k.link.days.of(k.day).RemoveConversion(&k.Conversion, k.hour)
}
