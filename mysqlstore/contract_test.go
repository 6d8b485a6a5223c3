package mysqlstore_test

import (
	"testing"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/storetest"
)

func TestStoreHoldsTheContract(t *testing.T) {
	for name, open := range pools {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) linktrack.Store { return open(t) })
		})
	}
}
