package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/linktrackhq/linktrack"
)

// DeleteHits deletes the clicks of all days (UTC) before one from lt_hit, in transactions of
// about a thousand. It needs the index lt_hit_id. Several processes may do it at once.
func DeleteHits(ctx context.Context, s *Store, until time.Time) error {
	return s.deleteClicks(ctx, "lt_hit", until)
}

// DeleteOldClicks is DeleteHits for lt_click and its index lt_click_id.
func DeleteOldClicks(ctx context.Context, s *Store, until time.Time) error {
	return s.deleteClicks(ctx, "lt_click", until)
}

func (s *Store) deleteClicks(ctx context.Context, table string, until time.Time) error {
	// Rows that were deleted a moment ago still count when an engine chooses an index, so it
	// would read the whole table instead. Only a DELETE in this form can name one.
	id, indexed := linktrack.FirstClickID(until), table+s.d.Index(table+"_id")
	return changeInSteps[[]byte](ctx, s, rowsOf{indexed, "id < ?", "id", `DELETE ` + table + ` FROM ` + indexed}, id[:])
}

// DeleteTexts deletes the texts of all days (UTC) before one from lt_text, after the clicks
// that have them. A click of such a day that is applied meanwhile may lose its texts. It is
// too old itself, and is deleted the next time.
func DeleteTexts(ctx context.Context, s *Store, until time.Time) error {
	first := int64(0)
	for {
		var day sql.NullInt64
		err := s.readDB.QueryRowContext(ctx, `SELECT MIN(day) FROM lt_text WHERE day >= ? AND day < ?`, first, until.Unix()/86400).Scan(&day)
		if err != nil || !day.Valid {
			return err
		}
		if err := changeInSteps[[]byte](ctx, s, rowsOf{"lt_text", "day = ?", "id", deleted}, day.Int64); err != nil {
			return err
		}
		first = day.Int64 + 1
	}
}
