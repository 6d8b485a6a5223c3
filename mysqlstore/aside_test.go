package mysqlstore_test

import (
	"strings"
	"testing"

	"github.com/linktrackhq/linktrack"
)

func total(t *testing.T, s linktrack.Store, link int64) (people int64) {
	t.Helper()
	days, err := s.Rollups(t.Context(), link, 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range days {
		people += d.People
	}
	return people
}

func TestFactsThatCannotBeReadHoldUpNobody(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	l := makeLink(t, s, linktrack.Link{Account: 1, Path: "a"})
	for seq := range int64(20) {
		record(t, s, linktrack.Batch{Seq: seq + 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
	}
	var good []byte
	if err := db.Get(&good, `SELECT facts FROM lt_pending ORDER BY id LIMIT 1`); err != nil {
		t.Fatal(err)
	}
	// One of a newer version, one that breaks off behind a good fact, one on a
	// link that is not made yet.
	db.MustExec(`UPDATE lt_pending SET facts = x'7f' WHERE id = 3`)
	db.MustExec(`UPDATE lt_pending SET facts = ? WHERE id = 11`, append(good[:len(good):len(good)], good[1:len(good)-3]...))
	db.MustExec(`INSERT INTO lt_pending (last_link, facts) VALUES (?, x'7f')`, l.ID+1000)

	if _, err := s.CreateLink(t.Context(), linktrack.Link{Account: 1, Host: "go.example.com", Path: "b"}); err != nil {
		t.Error("a link cannot be made:", err)
	}
	links, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: linktrack.SortDay, Limit: 10, DaySince: noon})
	if err != nil || len(links) != 2 || links[0].Counts.Day != 18 {
		t.Errorf("%v, %v", links, err)
	}
	if n := total(t, s, l.ID); n != 18 {
		t.Errorf("%d clicks are rolled up, want the 18 that can be read", n)
	}
	if err := s.RollUp(t.Context(), noon); err == nil || !strings.Contains(err.Error(), "set aside") {
		t.Errorf("nobody is told: %v", err)
	}
	if err := s.RollUp(t.Context(), noon); err != nil {
		t.Errorf("they are told twice: %v", err)
	}

	// A newer version, or somebody who has mended them, goes on with Migrate.
	db.MustExec(`UPDATE lt_pending SET facts = ? WHERE id IN (-3, -11)`, good)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := total(t, s, l.ID); n != 20 {
		t.Errorf("%d clicks are rolled up, want 20", n)
	}
	var left int
	if err := db.Get(&left, `SELECT COUNT(*) FROM lt_pending`); err != nil || left != 1 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}

func TestADayThatCannotBeReadHoldsUpNoOtherLink(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	a, b := makeLink(t, s, linktrack.Link{Path: "a"}), makeLink(t, s, linktrack.Link{Path: "b"})
	record(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(a.ID, noon)}})
	if err := s.RollUp(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	var data []byte
	if err := db.Get(&data, `SELECT data FROM lt_day`); err != nil {
		t.Fatal(err)
	}
	db.MustExec(`UPDATE lt_day SET data = 'secret'`)
	record(t, s, linktrack.Batch{Seq: 2, Clicks: []linktrack.Click{click(a.ID, noon)}})
	record(t, s, linktrack.Batch{Seq: 3, Clicks: []linktrack.Click{click(b.ID, noon)}})
	if n := total(t, s, b.ID); n != 1 {
		t.Errorf("%d clicks are rolled up, want 1", n)
	}
	if err := s.RollUp(t.Context(), noon); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
	db.MustExec(`UPDATE lt_day SET data = ? WHERE link_id = ?`, data, a.ID)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := total(t, s, a.ID); n != 2 {
		t.Errorf("%d clicks are rolled up, want 2", n)
	}
}

func TestAReaderDoesNotWaitForEverForWhoRollsUp(t *testing.T) {
	s, dsn := opened(t)
	l := makeLink(t, s, linktrack.Link{Account: 1, Path: "a"})
	record(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}})
	tx := admin(t, dsn).MustBegin()
	defer tx.Rollback()
	tx.MustExec(`UPDATE lt_roll SET from_hour = from_hour + 1`) // and then its machine lost its power
	links, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: linktrack.SortDay, Limit: 10, DaySince: noon})
	if err != nil || len(links) != 1 || links[0].Counts.People != 1 {
		t.Errorf("%v, %v", links, err)
	}
}
