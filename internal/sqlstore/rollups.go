package sqlstore

import (
	"context"
	"encoding/json"

	"github.com/linktrackhq/linktrack"
)

// Rollups implements [linktrack.ClickStore]. It reads a range of the primary key.
func (s *Store) Rollups(ctx context.Context, of linktrack.RollupOf, first, last linktrack.Day) ([]linktrack.Rollup, error) {
	const op = "read roll-ups"
	done, err := s.beginReading(ctx)
	if err != nil {
		return nil, s.failed(op, err)
	}
	defer done()
	var p builder
	if of.Link != 0 {
		p.add(`SELECT day, data FROM lt_day WHERE link_id = ?`, of.Link)
	} else {
		kind, name := sumKind(of)
		p.add(`SELECT day, data FROM lt_sum WHERE account_id = ? AND kind = ? AND name_key = ?`, int64(of.Account), kind, []byte(linktrack.GroupKey(name)))
	}
	p.add(` AND day BETWEEN ? AND ? ORDER BY day`, int64(first), int64(last))
	rows, err := s.readDB.QueryContext(ctx, p.sql.String(), p.args...)
	if err != nil {
		return nil, s.failed(op, err)
	}
	defer rows.Close()
	all := []linktrack.Rollup{}
	for rows.Next() {
		var day linktrack.Day
		var data []byte
		if err := rows.Scan(&day, &data); err != nil {
			return nil, s.failed(op, err)
		}
		r := linktrack.Rollup{Day: day}
		if err := json.Unmarshal(data, &r); err != nil {
			return nil, s.failed(op, err)
		}
		if r.Trim() {
			all = append(all, r)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, s.failed(op, err)
	}
	return all, nil
}
