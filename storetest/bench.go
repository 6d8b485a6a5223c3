package storetest

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linktrackhq/linktrack"
)

// Bench measures the store that newStore returns, which must be empty at each
// call. RecordClicks reports clicks/s beside the time of a batch; the others
// run in parallel.
func Bench(b *testing.B, newStore func(b *testing.B) linktrack.Store) {
	for _, size := range []int{1, 64, 1000} {
		b.Run(fmt.Sprintf("RecordClicks/batch=%d", size), func(b *testing.B) { benchRecord(b, newStore(b), size) })
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
			_, err := s.ReserveClicks(b.Context(), made[i%len(made)].ID, 1)
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

func benchRecord(b *testing.B, s linktrack.Store, size int) {
	made := benchLinks(b, s, 1000)
	batch := linktrack.Batch{Source: newSource(), Clicks: make([]linktrack.Click, size)}
	for i := range batch.Clicks {
		batch.Clicks[i] = benchClick(made[i*7%len(made)].ID)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		batch.Seq++
		for i := range batch.Clicks {
			k := &batch.Clicks[i]
			k.ID = linktrack.FirstClickID(noon.Add(time.Duration(n) * time.Microsecond)) // not what is measured
			k.Link = made[n*7%len(made)].ID
			k.Unique, k.Bot = n%3 == 0, n%10 == 9
			n++
		}
		if err := s.RecordClicks(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "clicks/s")
}

func benchLinks(b *testing.B, s linktrack.Store, n int) []linktrack.Link {
	b.Helper()
	made := make([]linktrack.Link, n)
	for i := range made {
		l := plain(pathOf(i))
		l.Title, l.Group, l.DeactivateAt = "A title of some length", fmt.Sprintf("group %d", i%10), 1<<60
		var err error
		if made[i], err = s.CreateLink(b.Context(), l); err != nil {
			b.Fatal(err)
		}
	}
	return made
}

// benchFill records 100,000 clicks within two days.
func benchFill(b *testing.B, s linktrack.Store, made []linktrack.Link) {
	b.Helper()
	batch := linktrack.Batch{Source: newSource()}
	for i := range 100_000 {
		k := benchClick(made[i%len(made)].ID)
		k.ID = linktrack.NewClickID(noon.AddDate(0, 0, -1).Add(time.Duration(i) * 1728 * time.Millisecond))
		batch.Clicks = append(batch.Clicks, k)
		if len(batch.Clicks) == 5000 {
			batch.Seq++
			if err := s.RecordClicks(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch.Clicks = batch.Clicks[:0]
		}
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
