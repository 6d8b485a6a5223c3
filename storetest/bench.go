package storetest

import (
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linktrackhq/linktrack"
)

// Bench measures the store that newStore returns, which must be empty at each
// call. AppendClicks appends batches of that size, one after the other, and
// ApplyClicks applies 10,000 clicks that came in such batches; both report
// clicks/s. The others run in parallel.
func Bench(b *testing.B, newStore func(b *testing.B) linktrack.Store) {
	sizes := []int{1, 10, 100, 1000}
	for _, size := range sizes {
		b.Run(fmt.Sprintf("AppendClicks/batch=%d", size), func(b *testing.B) { benchAppend(b, newStore(b), size) })
	}
	for _, size := range sizes {
		b.Run(fmt.Sprintf("ApplyClicks/batch=%d", size), func(b *testing.B) { benchApply(b, newStore(b), size) })
	}
	b.Run("LinkByPath", func(b *testing.B) {
		s := newStore(b)
		made := benchLinks(b, s, 1000)
		inParallel(b, func(i int) error {
			l := &made[i%len(made)]
			_, err := s.LinkByPath(b.Context(), l.Host, l.Path)
			return err
		})
	})
	b.Run("ReserveClicks", func(b *testing.B) {
		s := newStore(b)
		made := benchLinks(b, s, 1000)
		inParallel(b, func(i int) error {
			_, err := reserveFor(b.Context(), s, made[i%len(made)].ID, 1)
			return err
		})
	})
	b.Run("Links", func(b *testing.B) {
		s := newStore(b)
		made := benchLinks(b, s, 1000)
		benchFill(b, s, made)
		inParallel(b, func(int) error {
			_, err := s.Links(b.Context(), linktrack.LinkFilter{
				Account: owner, Sort: linktrack.SortDay, Limit: 100, DaySince: noon.AddDate(0, 0, -1),
			})
			return err
		})
	})
	b.Run("Clicks", func(b *testing.B) {
		s := newStore(b)
		made := benchLinks(b, s, 10)
		benchFill(b, s, made)
		inParallel(b, func(i int) error {
			_, err := s.Clicks(b.Context(), linktrack.ClickFilter{Link: made[i%len(made)].ID, From: noon, Limit: 100})
			return err
		})
	})
}

func benchAppend(b *testing.B, s linktrack.Store, size int) {
	batches := newBenchBatches(b, s, size)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.AppendClicks(b.Context(), batches.next()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(batches.clicks)/b.Elapsed().Seconds(), "clicks/s")
}

func benchApply(b *testing.B, s linktrack.Store, size int) {
	batches := newBenchBatches(b, s, size)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for range 10_000 / size {
			if err := s.AppendClicks(b.Context(), batches.next()); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		if _, err := s.ApplyClicks(b.Context(), nil, noon); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(batches.clicks)/b.Elapsed().Seconds(), "clicks/s")
}

// benchBatches are batches of clicks on a thousand links.
type benchBatches struct {
	links  []linktrack.Link
	batch  linktrack.Batch
	clicks int // in all batches
}

func newBenchBatches(b *testing.B, s linktrack.Store, size int) *benchBatches {
	return &benchBatches{
		links: benchLinks(b, s, 1000),
		batch: linktrack.Batch{Source: newSource(), Clicks: slices.Repeat([]linktrack.Click{benchClick(0)}, size)},
	}
}

// next returns the next batch, which is valid until the next call.
func (s *benchBatches) next() linktrack.Batch {
	s.batch.Seq++
	for i := range s.batch.Clicks {
		k := &s.batch.Clicks[i]
		k.ID = linktrack.FirstClickID(noon.Add(time.Duration(s.clicks) * time.Microsecond)) // not what is measured
		k.Link = s.links[s.clicks*7%len(s.links)].ID
		k.Unique, k.Bot = s.clicks%3 == 0, s.clicks%10 == 9
		s.clicks++
	}
	return s.batch
}

func benchLinks(b *testing.B, s linktrack.Store, n int) []linktrack.Link {
	b.Helper()
	made := make([]linktrack.Link, n)
	for i := range made {
		l := plain(pathOf(i))
		l.Title, l.Group, l.DeactivateAt = "A title of some length", fmt.Sprintf("group %d", i%10), 1<<60
		var err error
		if made[i], err = createOne(b.Context(), s, l); err != nil {
			b.Fatal(err)
		}
	}
	return made
}

// benchFill appends 100,000 clicks within two days, and applies them.
func benchFill(b *testing.B, s linktrack.Store, made []linktrack.Link) {
	b.Helper()
	batch := linktrack.Batch{Source: newSource()}
	for i := range 100_000 {
		k := benchClick(made[i%len(made)].ID)
		k.ID = linktrack.NewClickID(noon.AddDate(0, 0, -1).Add(time.Duration(i) * 1728 * time.Millisecond))
		batch.Clicks = append(batch.Clicks, k)
		if len(batch.Clicks) == 5000 {
			batch.Seq++
			if err := s.AppendClicks(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch.Clicks = batch.Clicks[:0]
		}
	}
	if _, err := s.ApplyClicks(b.Context(), nil, noon.AddDate(0, 0, -1)); err != nil {
		b.Fatal(err)
	}
}

// benchClick returns a click as browsers make them.
func benchClick(link int64) linktrack.Click {
	return linktrack.Click{
		Link:         link,
		IP:           netip.MustParseAddr("2001:db8::ff00:42:8329"),
		Referrer:     "https://www.example.com/newsletter/2024/november?from=mail",
		ReferrerHost: "www.example.com",
		UserAgent:    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
		Browser:      "Chrome",
		Platform:     "Windows",
		Query:        "utm_source=newsletter&utm_medium=mail",
	}
}

func inParallel(b *testing.B, call func(i int) error) {
	b.ReportAllocs()
	b.ResetTimer()
	var runners atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for i := int(runners.Add(1)) * 7919; pb.Next(); i++ {
			if err := call(i); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
