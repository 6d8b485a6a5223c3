package memstore_test

import (
	"testing"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) linktrack.Store { return memstore.New() })
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(*testing.B) linktrack.Store { return memstore.New() })
}
