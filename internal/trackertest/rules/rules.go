// Package rules holds a [linktrack.Tracker] to its rules on a store: what
// visitors, callers of the API and hosts see must not depend on which store it
// is. Package storetest holds the store itself to its contract.
package rules

import (
	"testing"

	"github.com/linktrackhq/linktrack"
)

// Run checks a Tracker on the store that newStore returns, which must be empty at
// each call. newStore cleans up with t.Cleanup. Each rule is a subtest on a store
// of its own, and can be run alone: go test -run 'InMemory/links/a_search'.
func Run(t *testing.T, newStore func(t *testing.T) linktrack.Store) {
	for _, part := range []struct {
		name  string
		rules []rule
	}{
		{"accounts", accounts},
		{"makeLink", apiMakeLink},
		{"calls", apiCalls},
		{"links", links},
		{"visits", visits},
		{"conversions", conversions},
		{"reports", reports},
	} {
		t.Run(part.name, func(t *testing.T) {
			for _, r := range part.rules {
				t.Run(r.name, func(t *testing.T) { r.check(t, newStore(t)) })
			}
		})
	}
}

// A rule is a sentence about a Tracker, and what shows that it holds.
type rule struct {
	name  string
	check func(t *testing.T, store linktrack.Store)
}
