package linktrack_test

import (
	"testing"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest/rules"
	"github.com/linktrackhq/linktrack/memstore"
)

// internal/e2e checks the same on MySQL.
func TestTheRulesHoldInMemory(t *testing.T) {
	rules.Run(t, func(*testing.T) linktrack.Store { return memstore.New() })
}
