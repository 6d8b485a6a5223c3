package mysqlstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// Two processes call all methods at the same time: there is no deadlock, no call
// fails, and all sums agree at the end.
func TestAllThatHappensAtOnceAddsUp(t *testing.T) {
	s, dsn := opened(t)
	other, err := mysqlstore.Open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	stores := []*mysqlstore.Store{s, other}
	var links []linktrack.Link
	for i := range 40 {
		links = append(links, makeLink(t, s, linktrack.Link{Account: 1, Path: fmt.Sprint("l", i), LinkSettings: linktrack.LinkSettings{AlertAt: int64(50 + i), DeactivateAt: int64(i % 2 * 200)}}))
	}
	at := time.Now().UTC().Truncate(time.Microsecond)
	ctx := t.Context()
	var recorded, converted atomic.Int64
	var all sync.WaitGroup
	for i := range 6 {
		store, random := stores[i%2], rand.New(rand.NewPCG(1, uint64(i)))
		all.Go(func() {
			for seq := range int64(60) {
				b := linktrack.Batch{Source: linktrack.Source{byte(i)}, Seq: seq + 1}
				for range 1 + random.IntN(60) {
					b.Clicks = append(b.Clicks, click(links[random.IntN(len(links))].ID, at.Add(-time.Duration(random.IntN(40))*time.Hour)))
				}
				if err := store.AppendClicks(ctx, b); err != nil {
					t.Error("append clicks:", err)
				}
				recorded.Add(int64(len(b.Clicks)))
				c := linktrack.Conversion{Click: linktrack.ClickRef{Link: b.Clicks[0].Link, ID: b.Clicks[0].ID}, Time: at, OrderID: fmt.Sprint(random.IntN(200))}
				counted, err := store.RecordConversion(ctx, c, nil)
				if err != nil {
					t.Error("record a conversion:", err)
				}
				if counted {
					converted.Add(1)
				}
			}
		})
	}
	for i, store := range stores {
		for what, do := range map[string]func(n int) error{
			"apply": func(n int) error {
				_, err := store.ApplyClicks(ctx, nil, at.Add(time.Duration(n)*time.Hour))
				return err
			},
			"list": func(int) error {
				_, err := store.Links(ctx, linktrack.LinkFilter{Account: 1, Sort: linktrack.SortDay, Limit: 10, DaySince: at.Add(-24 * time.Hour)})
				return err
			},
			"make": func(n int) error {
				_, err := trackertest.CreateLink(ctx, store, linktrack.Link{Account: 1, Host: "go.example.com", Path: fmt.Sprint(i, "-", n), LinkSettings: linktrack.LinkSettings{Group: fmt.Sprint(n % 7)}, CreatedAt: at})
				return err
			},
			"edit": func(n int) error {
				_, err := store.UpdateLink(ctx, links[n%40].ID, func(l *linktrack.Link) error {
					l.AlertAt, l.DeactivateAt, l.Group = l.AlertAt+3, l.DeactivateAt+7, fmt.Sprint(n%9)
					return nil
				})
				return err
			},
			"move": func(n int) error {
				_, err := store.UpdateLink(ctx, links[n%3].ID, func(l *linktrack.Link) error {
					l.Account = 3 - l.Account
					return nil
				})
				return err
			},
			"reserve": func(n int) error { _, err := trackertest.Reserve(ctx, store, links[n%40].ID, 2); return err },
			"deliver": func(n int) error {
				a, err := store.LeaseAlert(ctx, at.Add(time.Duration(n)*time.Minute), at.Add(time.Duration(n+3)*time.Minute))
				if errors.Is(err, linktrack.ErrNotFound) {
					return nil
				}
				return errors.Join(err, store.FinishAlert(ctx, a.ID))
			},
		} {
			all.Go(func() {
				for n := range 20 {
					if err := do(n); err != nil {
						t.Errorf("%s: %v", what, err)
					}
				}
			})
		}
	}
	all.Go(func() {
		if err := errors.Join(s.PruneClicks(ctx, at.AddDate(0, 0, -2)), other.Migrate(ctx)); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	apply(t, s)
	var sum, rolled, conversions int64
	for _, l := range links {
		c := counts(t, s, l)
		sum, conversions = sum+c.People, conversions+c.Conversions
		rolled += total(t, s, l.ID)
	}
	if want := recorded.Load(); sum != want || rolled != want || conversions != converted.Load() {
		t.Errorf("of %d clicks %d are counted and %d rolled up; of %d conversions %d are counted", want, sum, rolled, converted.Load(), conversions)
	}
	var wrong int
	err = admin(t, dsn).Get(&wrong, `SELECT COUNT(*) FROM lt_rank r JOIN lt_roll WHERE r.recent <> (
		SELECT COALESCE(SUM(clicks), 0) FROM lt_hour h WHERE h.link_id = r.link_id AND h.hour >= from_hour)`)
	if err != nil || wrong != 0 {
		t.Errorf("%d links have the wrong sum of the last day, %v", wrong, err)
	}
	err = admin(t, dsn).Get(&wrong, `SELECT COUNT(*) FROM lt_rank r JOIN lt_count c ON c.link_id = r.link_id
		WHERE r.total <> c.total OR r.last_click <> c.last_click OR r.account_id <> c.account_id`)
	if err != nil || wrong != 0 {
		t.Errorf("%d links are ranked by other counts than they have, %v", wrong, err)
	}
}
