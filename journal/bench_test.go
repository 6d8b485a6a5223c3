package journal_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/journal"
)

func modes(b *testing.B, f func(b *testing.B, o journal.Options)) {
	o := journal.Options{MaxBytes: 64 << 30, Logger: slog.New(slog.DiscardHandler)}
	b.Run("fsync", func(b *testing.B) { f(b, o) })
	o.OSBuffered = true
	b.Run("buffered", func(b *testing.B) { f(b, o) })
}

func rate(b *testing.B, clicks int) {
	b.ReportMetric(float64(clicks)/b.Elapsed().Seconds(), "clicks/s")
}

func BenchmarkAppend(b *testing.B) {
	modes(b, func(b *testing.B, o journal.Options) {
		for _, n := range []int{1, 10, 100} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				j := open(b, b.TempDir(), o)
				c := typical(n)
				b.ReportAllocs()
				for b.Loop() {
					if err := j.Append(c); err != nil {
						b.Fatal(err)
					}
				}
				rate(b, b.N*n)
			})
		}
	})
}

func BenchmarkAppendOfManyVisitors(b *testing.B) {
	modes(b, func(b *testing.B, o journal.Options) {
		for _, n := range []int{64, 512} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				j := open(b, b.TempDir(), o)
				c := typical(1)
				b.SetParallelism(n / 2) // times GOMAXPROCS
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := j.Append(c); err != nil {
							b.Error(err)
							return
						}
					}
				})
				rate(b, b.N)
			})
		}
	})
}

func BenchmarkDrain(b *testing.B) {
	modes(b, func(b *testing.B, o journal.Options) {
		for _, backlog := range []int{100_000, 2_000_000} {
			b.Run(fmt.Sprint(backlog), func(b *testing.B) {
				c := typical(5000)
				drained := 0
				for b.Loop() {
					b.StopTimer()
					j := open(b, b.TempDir(), o)
					for range backlog / len(c) {
						require.NoError(b, j.Append(c))
					}
					b.StartTimer()
					for {
						batch, err := j.Next(5000)
						if err != nil {
							b.Fatal(err)
						}
						if len(batch.Clicks) == 0 {
							break
						}
						drained += len(batch.Clicks)
						if err := j.Done(); err != nil {
							b.Fatal(err)
						}
					}
				}
				if drained != b.N*backlog {
					b.Fatalf("drained %d clicks of %d", drained, b.N*backlog)
				}
				rate(b, drained)
			})
		}
	})
}

// BenchmarkThrough appends and drains at the same time, beside a backlog.
func BenchmarkThrough(b *testing.B) {
	modes(b, func(b *testing.B, o journal.Options) {
		for _, backlog := range []int{0, 4_000_000} {
			b.Run(fmt.Sprint(backlog), func(b *testing.B) {
				j := open(b, b.TempDir(), o)
				// A backlog that was there and is half gone leaves many free pages.
				c := typical(5000)
				for range backlog / len(c) {
					require.NoError(b, j.Append(c))
				}
				for range backlog / len(c) / 2 {
					_, err := j.Next(5000)
					require.NoError(b, err)
					require.NoError(b, j.Done())
				}
				c = c[:100]
				for b.Loop() {
					if err := j.Append(c); err != nil {
						b.Fatal(err)
					}
					if _, err := j.Next(100); err != nil {
						b.Fatal(err)
					}
					if err := j.Done(); err != nil {
						b.Fatal(err)
					}
				}
				rate(b, b.N*len(c))
			})
		}
	})
}
