package mysqlstore

import (
	"context"

	"github.com/linktrackhq/linktrack"
)

// RollUp implements [linktrack.ClickStore].
func (s *Store) RollUp(ctx context.Context) error { return nil }

// Rollups implements [linktrack.ClickStore].
func (s *Store) Rollups(ctx context.Context, link int64, first, last linktrack.Day) ([]linktrack.Rollup, error) {
	return nil, nil
}
