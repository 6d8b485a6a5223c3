//go:build unix

package sqlitestore_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/sqlitestore"
	"github.com/linktrackhq/linktrack/storetest"
)

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) linktrack.Store { return fresh(b) })
}

// Batches of 100 clicks, as visitors of a busy server make them, are appended one after the
// other. The processor time is that of the whole process.
func BenchmarkAppendClicks(b *testing.B) {
	for name, options := range map[string][]sqlitestore.Option{"flushed": nil, "relaxed": {sqlitestore.Relaxed()}} {
		b.Run(name, func(b *testing.B) {
			s := opened(b, filepath.Join(b.TempDir(), "a.db"), options...)
			l := makeBenchLinks(b, s, 1)
			const size = 100
			seq := int64(0)
			before := processorTime(b)
			for b.Loop() {
				seq++
				require.NoError(b, s.AppendClicks(b.Context(), benchBatch(seq, l, size, noon)))
			}
			clicks := float64(seq * size)
			b.ReportMetric(clicks/b.Elapsed().Seconds(), "clicks/s")
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/clicks, "cpu-µs/click")
		})
	}
}

// A day of 200,000 clicks on 1,000 links is removed, of three days.
func BenchmarkPruneADay(b *testing.B) {
	const days, perDay, size = 3, 200_000, 5000
	s := opened(b, filepath.Join(b.TempDir(), "a.db"), sqlitestore.Relaxed())
	links := makeBenchLinks(b, s, 1000)
	seq := int64(0)
	first := noon.AddDate(0, 0, -days)
	for day := range days {
		for range perDay / size {
			seq++
			require.NoError(b, s.AppendClicks(b.Context(), benchBatch(seq, links, size, first.AddDate(0, 0, day))))
		}
		_, err := s.ApplyClicks(b.Context(), nil, time.Time{})
		require.NoError(b, err)
	}
	var pages, pageSize int64
	require.NoError(b, s.Writer().Get(&pages, `PRAGMA page_count`))
	require.NoError(b, s.Writer().Get(&pageSize, `PRAGMA page_size`))
	pruned := 0
	before := processorTime(b)
	b.ResetTimer()
	for pruned < min(b.N, days) { // more days than there are would cost nothing
		pruned++
		require.NoError(b, s.PruneClicks(b.Context(), first.AddDate(0, 0, pruned)))
	}
	b.StopTimer()
	b.ReportMetric(b.Elapsed().Seconds()/float64(pruned), "s/day")
	b.ReportMetric((processorTime(b)-before).Seconds()/float64(pruned), "cpu-s/day")
	b.ReportMetric(float64(pages*pageSize)/(days*perDay), "bytes/click")
}

func makeBenchLinks(b *testing.B, s linktrack.Store, n int) []int64 {
	b.Helper()
	links := make([]linktrack.Link, n)
	for i := range links {
		links[i] = linktrack.Link{Account: 1, Host: "go.example.com", Path: fmt.Sprint("l", i), CreatedAt: noon,
			LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/"}}
	}
	made, err := s.CreateLinks(b.Context(), links)
	require.NoError(b, err)
	ids := make([]int64, n)
	for i := range made {
		ids[i] = made[i].ID
	}
	return ids
}

func benchBatch(seq int64, links []int64, size int, at time.Time) linktrack.Batch {
	b := linktrack.Batch{Source: linktrack.Source{1}, Seq: seq, Clicks: make([]linktrack.Click, size)}
	for i := range b.Clicks {
		n := int(seq)*size + i
		b.Clicks[i] = linktrack.Click{
			ID: linktrack.NewClickID(at), Link: links[n*7%len(links)], IP: netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), 0}),
			Referrer: fmt.Sprintf("https://site%d.example.com/page/%d", n%50, n%1000), ReferrerHost: fmt.Sprintf("site%d.example.com", n%50),
			UserAgent: fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", 100+n%40),
			Browser:   "Chrome", Platform: "Windows", Country: "DE", Unique: n%3 == 0, Class: linktrack.ClickClassPerson,
		}
	}
	return b
}

// processorTime returns the processor time that this process has taken.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
