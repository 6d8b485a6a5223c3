package mysqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/mysqlstore"
	"github.com/linktrackhq/linktrack/storetest"
)

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) linktrack.Store { s, _ := opened(b); return s })
}

// BenchmarkRecordClicks sends batches one after the other, so on one
// connection, for clicks on a thousand links. A host's pool pays for its round
// trips.
func BenchmarkRecordClicks(b *testing.B) {
	pools := map[string]func() linktrack.Store{
		"Open": func() linktrack.Store { s, _ := opened(b); return s },
		"New": func() linktrack.Store {
			db, err := sqlx.Open("mysql", testmysql.DSN(b))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { db.Close() })
			s := mysqlstore.New(db)
			if err := s.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			return s
		},
	}
	for _, pool := range []string{"Open", "New"} {
		for _, size := range []int{1, 64, 1000, 5000} {
			b.Run(fmt.Sprintf("%s/batch=%d", pool, size), func(b *testing.B) {
				s := pools[pool]()
				links := make([]linktrack.Link, 1000)
				for i := range links {
					links[i] = makeLink(b, s, linktrack.Link{Path: fmt.Sprint("l", i)})
				}
				now := time.Now()
				batch, n := linktrack.Batch{Source: linktrack.Source{1}, Clicks: make([]linktrack.Click, size)}, 0
				for b.Loop() {
					b.StopTimer()
					for i := range batch.Clicks {
						batch.Clicks[i] = click(links[n*7919%len(links)].ID, now.Add(time.Duration(n)*time.Microsecond))
						n++
					}
					batch.Seq++
					b.StartTimer()
					record(b, s, batch)
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "clicks/s")
			})
		}
	}
}

func BenchmarkReserveClicks(b *testing.B) {
	s, _ := opened(b)
	l := makeLink(b, s, linktrack.Link{Path: "l", LinkSettings: linktrack.LinkSettings{DeactivateAt: 1 << 40}})
	for b.Loop() {
		if n, err := s.ReserveClicks(b.Context(), l.ID, 1); n != 1 || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
