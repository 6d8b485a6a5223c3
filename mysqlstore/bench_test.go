package mysqlstore_test

import (
	"testing"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/storetest"
)

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) linktrack.Store { s, _ := opened(b); return s })
}

func BenchmarkReserveClicks(b *testing.B) {
	s, _ := opened(b)
	l := makeLink(b, s, linktrack.Link{Path: "l", LinkSettings: linktrack.LinkSettings{DeactivateAt: 1 << 40}})
	for b.Loop() {
		if n, err := trackertest.Reserve(b.Context(), s, l.ID, 1); n != 1 || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
