package mysqlstore_test

import (
	"testing"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/storetest"
)

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) linktrack.Store { s, _ := opened(b); return s })
}

func BenchmarkReserveClicks(b *testing.B) {
	s, _ := opened(b)
	l := makeLink(b, s, linktrack.Link{Path: "l", LinkSettings: linktrack.LinkSettings{DeactivateAt: 1 << 40}})
	r := linktrack.Reservation{Link: l.ID, People: 1, Source: linktrack.Source{1}, Time: time.Now()}
	for b.Loop() {
		r.Seq++ // as a process does it
		if n, err := s.ReserveClicks(b.Context(), r); n != 1 || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
