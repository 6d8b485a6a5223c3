// Package e2e tests the whole as it is used: by a browser, by PHP, over sockets,
// and on MySQL. The tests of the root package need none of these, so that they
// take seconds.
package e2e

import (
	"testing"

	"github.com/linktrackhq/linktrack/internal/trackertest/rules"
	"github.com/linktrackhq/linktrack/internal/trackertest/stores"
)

// The root's tests check the same in memory.
func TestTheRulesHoldOnMySQL(t *testing.T) { rules.Run(t, stores.MySQL) }
