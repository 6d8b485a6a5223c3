package storetest_test

import (
	"testing"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/storetest"
)

// The whole test of a store. Here it is memstore; the function returns an empty
// store at each call.
func ExampleRun() {
	TestStore := func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) linktrack.Store { return memstore.New() })
	}
	_ = TestStore // go test calls it
}

// Its benchmark: clicks per second, and the calls that visitors wait for.
func ExampleBench() {
	BenchmarkStore := func(b *testing.B) {
		storetest.Bench(b, func(b *testing.B) linktrack.Store { return memstore.New() })
	}
	_ = BenchmarkStore
}
