package mysqlstore_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// The day moves on, for some processes a little before it does for others.
func TestTheSortByDayIsRightAtEveryHour(t *testing.T) {
	s, _ := opened(t)
	random := rand.New(rand.NewPCG(3, 4))
	var links []linktrack.Link
	for i := range 12 {
		links = append(links, makeLink(t, s, linktrack.Link{Account: 1, Path: fmt.Sprint("l", i)}))
	}
	clicks := make(map[int64][]time.Time)
	b := linktrack.Batch{}
	for hour := range 40 {
		b.Seq++
		b.Clicks = nil
		for range 30 {
			link := links[random.IntN(len(links)-2)].ID // two are never clicked
			at := noon.Add(time.Duration(hour)*time.Hour - time.Duration(random.IntN(7200))*time.Second)
			b.Clicks = append(b.Clicks, click(link, at))
			clicks[link] = append(clicks[link], at)
		}
		record(t, s, b)
		behind := time.Duration(random.IntN(3)) * time.Hour
		since := noon.Add(time.Duration(hour-24)*time.Hour - behind)
		want := slices.Clone(links)
		for i := range want {
			for _, at := range clicks[want[i].ID] {
				if !at.Before(since.Truncate(time.Hour)) {
					want[i].Counts.Day++
				}
			}
		}
		if _, err := s.ApplyClicks(t.Context(), nil, since); err != nil {
			t.Fatal(err)
		}
		for _, ascending := range []bool{true, false} {
			slices.SortFunc(want, func(x, y linktrack.Link) int {
				c := cmp.Or(cmp.Compare(x.Counts.Day, y.Counts.Day), cmp.Compare(x.ID, y.ID))
				if !ascending {
					c = -c
				}
				return c
			})
			got, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: linktrack.SortDay, Ascending: ascending, Limit: 7, DaySince: since})
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if len(got) != 7 || got[i].ID != want[i].ID || got[i].Counts.Day != want[i].Counts.Day {
					t.Fatalf("hour %d, %v behind, ascending %v: link %d of %d is %d with %d, want %d with %d", hour, behind, ascending,
						i, len(got), got[i].ID, got[i].Counts.Day, want[i].ID, want[i].Counts.Day)
				}
			}
		}
	}
}

func TestManyApplyAtOnceAndNothingIsSummedTwice(t *testing.T) {
	s, dsn := opened(t)
	other, err := mysqlstore.Open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	const senders, batches, each = 4, 20, 7
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for seq := range batches {
				b := linktrack.Batch{Source: linktrack.Source{byte(i)}, Seq: int64(seq + 1)}
				for j := range each {
					b.Clicks = append(b.Clicks, click(l.ID, noon.Add(time.Duration(seq*each+j)*time.Minute)))
				}
				if err := s.AppendClicks(t.Context(), b); err != nil {
					t.Error(err)
				}
				if _, err := []*mysqlstore.Store{s, other}[i%2].ApplyClicks(t.Context(), nil, noon); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var sum int64
	days, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: l.ID}, 0, 1<<30)
	for _, d := range days {
		sum += d.People
	}
	if want := int64(senders * batches * each); err != nil || sum != want || counts(t, s, l).People != want {
		t.Errorf("%d clicks in the roll-ups, %d in the counts, want %d, %v", sum, counts(t, s, l).People, want, err)
	}
}

func TestManyLargeBatchesAreAppliedInSteps(t *testing.T) {
	s, dsn := opened(t)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	b := linktrack.Batch{}
	for range 6 {
		b.Seq++
		b.Clicks = nil
		for i := range 3000 {
			c := click(l.ID, noon.Add(time.Duration(i)*time.Millisecond))
			c.ReferrerHost = fmt.Sprintf("%0200d.example.com", i%300)
			b.Clicks = append(b.Clicks, c)
		}
		appendBatch(t, s, b)
	}
	apply(t, s)
	days, err := s.Rollups(t.Context(), linktrack.RollupOf{Link: l.ID}, 0, 1<<30)
	if err != nil || len(days) != 1 || days[0].People != 18000 || len(days[0].Referrers.Top) != 100 {
		t.Fatalf("%d days, %v", len(days), err)
	}
	sum := days[0].Referrers.Other
	for _, n := range days[0].Referrers.Top {
		sum += n
	}
	var left int
	if err := admin(t, dsn).Get(&left, `SELECT COUNT(*) FROM lt_log`); err != nil || sum != 18000 || left != 0 {
		t.Errorf("the referrers add up to %d, %d rows are left in the log, %v", sum, left, err)
	}
}
