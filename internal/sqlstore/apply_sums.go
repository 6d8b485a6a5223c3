package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/linktrackhq/linktrack"
)

// forgetHours subtracts the clicks of some hours from lt_rank.recent: those of from and
// later ones, up to but without hour.
func forgetHours(ctx context.Context, tx *transaction, from, hour int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO lt_rank (link_id, account_id, recent)
		SELECT d.link_id, 0, -d.clicks
		FROM (SELECT link_id, SUM(clicks) AS clicks FROM lt_hour`+tx.Index("lt_hour_hour")+` WHERE hour >= ? AND hour < ? GROUP BY link_id) d`+
		tx.Join+`lt_rank r ON r.link_id = d.link_id WHERE 1 = 1`+tx.upsert("lt_rank", "link_id", add("recent")), from, hour)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE lt_roll SET from_hour = ? WHERE id = 1`, hour)
	return err
}

// write writes the history of the clicks and their sums, except the counts.
func (w *work) write(ctx context.Context, tx *transaction, from int64) error {
	if err := w.writeHistory(ctx, tx); err != nil {
		return err
	}
	hours := slices.SortedFunc(maps.Keys(w.hours), func(x, y linkHour) int {
		return cmp.Or(cmp.Compare(x.link, y.link), cmp.Compare(x.hour, y.hour))
	})
	for part := range parts(tx.Dialect, hours) {
		var p builder
		p.add(`INSERT INTO lt_hour (link_id, hour, clicks, uniques, bots) VALUES `)
		for i, k := range part {
			n := w.hours[k]
			p.row(i, k.link, k.hour, n.People, n.Unique, n.Bots)
			if k.hour >= from {
				w.ranks[k.link].recent += n.People
			}
		}
		p.add(tx.upsert("lt_hour", "link_id, hour", add("clicks"), add("uniques"), add("bots")))
		if err := p.run(ctx, tx); err != nil {
			return err
		}
	}
	for part := range parts(tx.Dialect, slices.Sorted(maps.Keys(w.ranks))) {
		var p builder
		p.add(`INSERT INTO lt_rank (link_id, account_id, recent, total, last_click) VALUES `)
		for i, link := range part {
			r := w.ranks[link]
			p.row(i, link, 0, r.recent, r.total, r.last)
		}
		p.add(tx.upsert("lt_rank", "link_id", add("recent"), add("total"), raise("last_click")))
		if err := p.run(ctx, tx); err != nil {
			return err
		}
	}
	if err := w.writePlaces(ctx, tx); err != nil {
		return err
	}
	return w.writeDays(ctx, tx)
}

// writeDays merges the sums of days into those that are stored.
func (w *work) writeDays(ctx context.Context, tx *transaction) error {
	days := slices.SortedFunc(maps.Keys(w.days), func(x, y linkDay) int {
		return cmp.Or(cmp.Compare(x.day, y.day), cmp.Compare(x.link, y.link))
	})
	for len(days) > 0 {
		n := 1
		for n < len(days) && days[n].day == days[0].day {
			n++
		}
		for part := range parts(tx.Dialect, days[:n]) {
			if err := w.writeDay(ctx, tx, part); err != nil {
				return err
			}
		}
		days = days[n:]
	}
	return nil
}

// writeDay does this for some links on one day.
func (w *work) writeDay(ctx context.Context, tx *transaction, keys []linkDay) error {
	links := make([]int64, len(keys))
	for i, k := range keys {
		links[i] = k.link
	}
	var p builder
	p.add(`SELECT link_id, data FROM lt_day WHERE day = ? AND link_id IN `, int64(keys[0].day))
	p.inNumbers(links)
	rows, err := p.query(ctx, tx)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		kept := linktrack.Rollup{Day: keys[0].day}
		var link int64
		var data []byte
		if err := rows.Scan(&link, &data); err != nil {
			return err
		}
		if err := json.Unmarshal(data, &kept); err != nil {
			return errDay // err is left out because it may quote the data
		}
		k := linkDay{link, keys[0].day}
		kept.Merge(*w.days[k])
		w.days[k] = &kept
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for len(keys) > 0 {
		var p builder
		p.add(`INSERT INTO lt_day (link_id, day, data) VALUES `)
		n, size := 0, 0
		// A prepared statement has all rows of its part. They may have 20 KB each.
		for ; n < len(keys) && (size < statementSize || tx.prepared != nil); n++ {
			data, err := json.Marshal(w.days[keys[n]])
			if err != nil {
				return err
			}
			p.row(n, keys[n].link, int64(keys[n].day), data)
			size += len(data)
			delete(w.days, keys[n]) // with what was kept of it, it may be large
		}
		p.add(tx.upsert("lt_day", "link_id, day", replace("data")))
		if err := p.run(ctx, tx); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}
