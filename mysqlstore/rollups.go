package mysqlstore

import (
	"context"
	"encoding/json"

	"github.com/linktrackhq/linktrack"
)

// Rollups implements [linktrack.ClickStore]. It reads a range of the primary key.
func (s *Store) Rollups(ctx context.Context, link int64, first, last linktrack.Day) ([]linktrack.Rollup, error) {
	const op = "read roll-ups"
	done, err := s.beginReading(ctx)
	if err != nil {
		return nil, failed(op, err)
	}
	defer done()
	rows, err := s.db.QueryContext(ctx, `SELECT day, data FROM lt_day WHERE link_id = ? AND day BETWEEN ? AND ? ORDER BY day`, link, int64(first), int64(last))
	if err != nil {
		return nil, failed(op, err)
	}
	defer rows.Close()
	all := []linktrack.Rollup{}
	for rows.Next() {
		var day linktrack.Day
		var data []byte
		if err := rows.Scan(&day, &data); err != nil {
			return nil, failed(op, err)
		}
		r := linktrack.Rollup{Day: day}
		if err := json.Unmarshal(data, &r); err != nil {
			return nil, failed(op, err)
		}
		if r.Trim() {
			all = append(all, r)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, failed(op, err)
	}
	return all, nil
}
