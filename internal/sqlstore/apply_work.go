package sqlstore

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/linktrackhq/linktrack"
)

// A work holds all that a step adds to the tables.
type work struct {
	clicks []linktrack.Click // they go to the history and to deltas
	texts  []clickTexts      // of clicks, in the same order
	deltas []linktrack.Delta // the sums of clicks by link, for the counts

	// The sums of the clicks and of the facts (see fact).
	hours map[linkHour]*linktrack.Counters
	days  map[linkDay]*linktrack.Rollup
	ranks map[int64]*rank // by link

	places map[int64][]linktrack.RollupOf // what each link counts for beside itself

	replaced map[linkDay]*linktrack.Rollup // by Repair: what was stored instead of days
}

type linkHour struct{ link, hour int64 }

type linkDay struct {
	link int64
	day  linktrack.Day
}

// A rank holds what is added to a row of lt_rank.
type rank struct{ recent, total, last int64 }

func newWork() *work {
	return &work{hours: make(map[linkHour]*linktrack.Counters), days: make(map[linkDay]*linktrack.Rollup), ranks: make(map[int64]*rank),
		places: make(map[int64][]linktrack.RollupOf)}
}

func (w *work) hour(link, hour int64) *linktrack.Counters {
	k := linkHour{link, hour}
	if w.hours[k] == nil {
		w.hours[k] = &linktrack.Counters{}
	}
	return w.hours[k]
}

func (w *work) day(link int64, day linktrack.Day) *linktrack.Rollup {
	k := linkDay{link, day}
	if w.days[k] == nil {
		w.days[k] = &linktrack.Rollup{Day: day}
	}
	return w.days[k]
}

func (w *work) rank(link int64) *rank {
	if w.ranks[link] == nil {
		w.ranks[link] = &rank{}
	}
	return w.ranks[link]
}

// takeClicks decodes a batch and adds its clicks. It truncates their texts to the lengths
// of the columns.
func (w *work) takeClicks(data string) error {
	clicks, err := linktrack.DecodeClicks(data)
	if err != nil {
		return err
	}
	for i := range clicks {
		fitClick(&clicks[i])
	}
	w.clicks = append(w.clicks, clicks...)
	return nil
}

// takeFact adds a fact to the sums. A click that comes as a fact was added to the counts
// and to the history by a process of the previous version.
func (w *work) takeFact(f *fact) {
	day := w.day(f.link, f.day)
	switch {
	case f.isTakenBack:
		day.RemoveConversion(&f.conversion, f.of)
		return
	case f.isConversion:
		day.AddConversion(&f.conversion, f.of)
		return
	}
	day.AddClick(&f.click, f.of)
	hour, rank := w.hour(f.link, linktrack.HourOf(fromMicros(f.at))), w.rank(f.link)
	rank.last = max(rank.last, f.at)
	switch {
	case f.click.Bot:
		hour.Bots++
		return
	case f.click.Unique:
		hour.Unique++
	}
	hour.People++
	rank.total++
}

// sum adds the clicks to the sums. zone is the time zone of the days.
func (w *work) sum(zone *time.Location) {
	w.takeDeltas(linktrack.Deltas(w.clicks, zone))
}

// takeDeltas adds deltas to the sums. Those of days may be negative if w has no sums yet.
func (w *work) takeDeltas(deltas []linktrack.Delta) {
	w.deltas = deltas
	for i := range w.deltas {
		d := &w.deltas[i]
		for _, h := range d.Hours {
			hour := w.hour(d.Link, h.Hour)
			hour.People += h.People
			hour.Unique += h.Unique
			hour.Bots += h.Bots
		}
		for _, day := range d.Days {
			if k := (linkDay{d.Link, day.Day}); w.days[k] == nil {
				w.days[k] = &day
			} else {
				w.days[k].Merge(day)
			}
		}
		rank := w.rank(d.Link)
		rank.total += d.People
		rank.last = max(rank.last, micros(d.LastClick))
		d.Hours, d.Days = nil, nil // they are in hours and days now
	}
}

// forgetUnknown drops the clicks and sums of links that do not exist or whose purge has
// begun, and reads what the others count for.
func (w *work) forgetUnknown(ctx context.Context, tx *transaction) error {
	links := make(map[int64]bool)
	for i := range w.clicks {
		links[w.clicks[i].Link] = false
	}
	for k := range w.days {
		links[k.link] = false
	}
	for link := range w.ranks {
		links[link] = false
	}
	for part := range parts(tx.Dialect, slices.Sorted(maps.Keys(links))) {
		var p builder
		p.add(`SELECT id, account_id, group_name, tags FROM lt_link WHERE is_purging = 0 AND id IN `)
		p.inNumbers(part)
		rows, err := p.query(ctx, tx)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var link int64
			var account linktrack.AccountID
			var group string
			var tags texts
			if err := rows.Scan(&link, &account, &group, &tags); err != nil {
				return err
			}
			links[link] = true
			w.places[link] = linktrack.RollupsOf(account, group, tags)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	w.clicks = slices.DeleteFunc(w.clicks, func(c linktrack.Click) bool { return !links[c.Link] })
	maps.DeleteFunc(w.hours, func(k linkHour, _ *linktrack.Counters) bool { return !links[k.link] })
	maps.DeleteFunc(w.ranks, func(link int64, _ *rank) bool { return !links[link] })
	maps.DeleteFunc(w.days, func(k linkDay, _ *linktrack.Rollup) bool { return !links[k.link] })
	return nil
}
