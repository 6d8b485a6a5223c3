package mysqlstore_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/linktrackhq/linktrack"
)

func TestLinksFromBeforeThereWereAlertsHaveTheirs(t *testing.T) {
	s, dsn := opened(t)
	old := makeLink(t, s, linktrack.Link{Path: "old", LinkSettings: linktrack.LinkSettings{AlertAt: 2}})
	db := admin(t, dsn)
	// As if the first process to migrate had died behind its last statement.
	db.MustExec(`UPDATE lt_count SET alert_at = 0`)
	db.MustExec(`DELETE FROM lt_migration`)
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	record(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(old.ID, noon), click(old.ID, noon)}})
	a, err := s.LeaseAlert(t.Context(), noon, noon.Add(time.Minute))
	if want := (linktrack.AlertID{Link: old.ID, Kind: linktrack.AlertAt, Count: 2}); err != nil || a.ID != want {
		t.Errorf("%v, %v, want %v", a.ID, err, want)
	}
}

func TestToLookForAnAlertCostsLittleHoweverManyWereDelivered(t *testing.T) {
	s, dsn := opened(t)
	l := makeLink(t, s, linktrack.Link{Path: "a", LinkSettings: linktrack.LinkSettings{AlertAt: 1}})
	record(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
	db := admin(t, dsn)
	for i := range 12 { // 4096 of them
		db.MustExec(`INSERT INTO lt_alert (link_id, kind, number, reached, due) SELECT link_id, kind, number + ?, reached, ? FROM lt_alert`,
			1<<i, int64(math.MaxInt64))
	}
	db.MustExec(`ANALYZE TABLE lt_alert`)
	for _, want := range []error{nil, linktrack.ErrNotFound} {
		n := reads(t, dsn, func(s linktrack.Store) {
			if _, err := s.LeaseAlert(t.Context(), noon, noon.Add(time.Minute)); !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
		})
		if n > 10 {
			t.Errorf("%d reads, error %v", n, want)
		}
	}
}

func TestABatchOfMoreLinksThanAStatementNamesAlertsForAll(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	fill(t, s, db, 1, 14)
	// Long numbers make a list of links long.
	db.MustExec(`UPDATE lt_link SET id = id + 1000000000000000 ORDER BY id DESC`)
	db.MustExec(`UPDATE lt_count SET link_id = link_id + 1000000000000000, total = 0, alert_at = 1 ORDER BY link_id DESC`)
	db.MustExec(`UPDATE lt_rank SET link_id = link_id + 1000000000000000 ORDER BY link_id DESC`)
	var ids []int64
	if err := db.Select(&ids, `SELECT id FROM lt_link`); err != nil {
		t.Fatal(err)
	}
	b := linktrack.Batch{Seq: 1}
	for _, id := range ids {
		c := click(id, noon)
		c.Referrer, c.UserAgent = "", ""
		b.Clicks = append(b.Clicks, c)
	}
	record(t, s, b)
	var made int
	if err := db.Get(&made, `SELECT COUNT(*) FROM lt_alert`); err != nil || made != len(ids) || made < 1<<14 {
		t.Error(fmt.Sprint(made, " alerts were made, for ", len(ids), " links: "), err)
	}
}
