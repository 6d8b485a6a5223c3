package sqlstore

import (
	"context"
	"errors"

	"github.com/linktrackhq/linktrack"
)

// writeCounts adds the clicks to the counts of their links, and creates the alerts that
// are due because of them. It locks the rows of lt_count in the order of their keys, as
// every other transaction does, so that no deadlock arises.
func (w *work) writeCounts(ctx context.Context, tx *transaction) error {
	for part := range parts(tx.Dialect, w.deltas) {
		limits, err := lockCounts(ctx, tx, part)
		if err != nil {
			return err
		}
		var counts, alerts builder
		counts.add(`INSERT INTO lt_count (link_id, account_id, total, uniques, bots, last_click) VALUES `)
		alerts.add(`INSERT INTO lt_alert (link_id, kind, number, reached) VALUES `)
		made, n := 0, 0
		for i := range part {
			d := &part[i]
			l, ok := limits[d.Link]
			if !ok {
				continue
			}
			counts.row(n, d.Link, 0, d.People, d.Unique, d.Bots, micros(d.LastClick))
			n++
			for _, id := range d.Alerts(l.alertAt, l.deactivateAt, l.total) {
				alerts.row(made, id.Link, []byte(id.Kind), id.Count, micros(d.LastPerson))
				made++
			}
		}
		if n > 0 {
			counts.add(tx.upsert("lt_count", "link_id", add("total"), add("uniques"), add("bots"), raise("last_click")))
			if err := counts.run(ctx, tx); err != nil {
				return err
			}
		}
		if made > 0 {
			alerts.add(tx.upsert("lt_alert", "link_id, kind, number", replace("number")))
			if err := alerts.exec(ctx, tx); err != nil {
				return err
			}
		}
	}
	return nil
}

// limits are the count of a link and the numbers that it is compared with to find out
// whether an alert is due.
type limits struct{ total, alertAt, deactivateAt int64 }

func lockCounts(ctx context.Context, tx *transaction, deltas []linktrack.Delta) (map[int64]limits, error) {
	links := make([]int64, len(deltas))
	for i := range deltas {
		links[i] = deltas[i].Link
	}
	var p builder
	p.add(`SELECT link_id, total, alert_at, deactivate_at FROM lt_count WHERE link_id IN `)
	p.inNumbers(links)
	p.add(` ORDER BY link_id` + tx.ForUpdate)
	rows, err := p.query(ctx, tx)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := make(map[int64]limits, len(deltas))
	for rows.Next() {
		var link int64
		var l limits
		if err := rows.Scan(&link, &l.total, &l.alertAt, &l.deactivateAt); err != nil {
			return nil, err
		}
		all[link] = l
	}
	return all, errors.Join(rows.Err(), rows.Close())
}
