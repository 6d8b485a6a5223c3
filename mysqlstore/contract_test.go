package mysqlstore_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/storetest"
)

// ofHistory are the groups of rules that use the tables of the history.
var ofHistory = []string{"purges", "batches", "click_log", "history", "prunings", "erasures", "conversions", "reclassifications"}

func TestStoreHoldsTheContract(t *testing.T) {
	for name, open := range pools {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) linktrack.Store {
				if group := strings.Split(t.Name(), "/")[2]; name == "without partitions" && !slices.Contains(ofHistory, group) {
					t.Skip("it does not use the tables of the history")
				}
				return open(t)
			})
		})
	}
}
