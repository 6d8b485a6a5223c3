package promstats_test

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
	"github.com/linktrackhq/linktrack/promstats"
)

// A program registers the collector in its registry, and serves that with promhttp.
func ExampleNew() {
	t, err := linktrack.New(memstore.New(), linktrack.Options{})
	if err != nil {
		panic(err)
	}
	defer t.Close(context.Background())
	registry := prometheus.NewRegistry()
	registry.MustRegister(promstats.New(t))

	metrics, err := registry.Gather()
	if err != nil {
		panic(err)
	}
	fmt.Println(metrics[0].GetName(), metrics[0].GetMetric()[0].GetCounter().GetValue())
	// Output: linktrack_batches_total 0
}
