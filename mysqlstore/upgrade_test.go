package mysqlstore_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// A database of version 1, with links and clicks in it, comes up to date: all
// reads are right, and what was counted goes on to count.
func TestADatabaseOfVersionOneKeepsWhatItCounted(t *testing.T) {
	dsn := testmysql.DSN(t)
	db := admin(t, dsn)
	script, err := os.ReadFile("migrations/0001_init.sql")
	if err != nil {
		t.Fatal(err)
	}
	for stmt := range strings.SplitSeq(strings.TrimSpace(string(script)), ";\n") {
		db.MustExec(strings.TrimSuffix(stmt, ";"))
	}
	db.MustExec(`CREATE TABLE lt_migration (version INT NOT NULL, name VARBINARY(255) NOT NULL, PRIMARY KEY (version))`)
	db.MustExec(`INSERT INTO lt_migration VALUES (1, '0001_init.sql')`)

	now := time.Now().UTC().Truncate(time.Microsecond)
	hour := now.Unix() / 3600
	type link struct {
		path                   string
		alertAt, deactivateAt  int64
		today, long            int64 // clicks of the last hour, and of a year ago
		uniques, bots, granted int64
	}
	links := []link{
		{path: "quiet"},
		{path: "old", long: 900, uniques: 100, bots: 3},
		{path: "busy", today: 7, long: 20, uniques: 5, alertAt: 28},
		{path: "limited", today: 4, uniques: 4, deactivateAt: 5, granted: 4},
	}
	for i, l := range links {
		id := i + 1
		db.MustExec(`INSERT INTO lt_link (id, account_id, host, path_key, path, external_url, url_head, title, description, notes, group_name,
			is_active, is_public, has_plus_tracking, has_public_tracking, has_conversion_tracking, has_alert_email, forward_query, alert_at, expires_at, created_at)
			VALUES (?, 1, 'go.example.com', ?, ?, 'https://example.com/', 'https://example.com/', '', '', '', '', 1, 0, 0, 0, 0, 0, 0, ?, 0, ?)`,
			id, []byte(l.path), []byte(l.path), l.alertAt, now.UnixMicro()-1e9+int64(i))
		db.MustExec(`INSERT INTO lt_count (link_id, account_id, total, uniques, bots, used, deactivate_at, last_click) VALUES (?, 1, ?, ?, ?, ?, ?, ?)`,
			id, l.today+l.long, l.uniques, l.bots, l.granted, l.deactivateAt, (l.today+l.long)*1e6)
		if l.today > 0 {
			db.MustExec(`INSERT INTO lt_hour VALUES (?, ?, ?, 0, 0)`, id, hour, l.today)
		}
		if l.long > 0 {
			db.MustExec(`INSERT INTO lt_hour VALUES (?, ?, ?, ?, ?)`, id, hour-24*365, l.long, l.uniques, l.bots)
		}
	}
	id := linktrack.NewClickID(now.Add(-time.Hour))
	db.MustExec(`INSERT INTO lt_click VALUES (3, ?, '', '', '', '', 'Firefox', 'Linux', '', 1, 0)`, id[:])

	s, err := mysqlstore.Open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if zone, err := s.Zone(t.Context(), ""); err != nil || zone != "America/Chicago" {
		t.Errorf("the zone of what was counted is %q, %v", zone, err)
	}
	var from int64
	if err := db.Get(&from, `SELECT from_hour FROM lt_roll`); err != nil || from < hour-25 {
		t.Errorf("the last day begins %d hours ago, %v: the first reader would have to take a year out of it", hour-from, err)
	}
	order := func(sort linktrack.Sort) (paths []string, all []linktrack.Link) {
		t.Helper()
		all, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Sort: sort, Limit: 10, DaySince: now.Add(-24 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range all {
			paths = append(paths, l.Path)
		}
		return paths, all
	}
	for sort, want := range map[linktrack.Sort][]string{
		linktrack.SortDay:       {"busy", "limited", "old", "quiet"},
		linktrack.SortTotal:     {"old", "busy", "limited", "quiet"},
		linktrack.SortLastClick: {"old", "busy", "limited", "quiet"},
		linktrack.SortCreated:   {"limited", "busy", "old", "quiet"},
	} {
		got, all := order(sort)
		if !slices.Equal(got, want) {
			t.Errorf("by %s: %v, want %v", sort, got, want)
		}
		for _, l := range all {
			was := links[l.ID-1]
			if l.Counts.Day != was.today || l.Counts.People != was.today+was.long || l.Counts.Unique != was.uniques || l.Counts.Bots != was.bots || l.AlertAt != was.alertAt || l.DeactivateAt != was.deactivateAt {
				t.Errorf("%s: %+v", l.Path, l)
			}
		}
	}
	if got := history(t, s, 3); len(got) != 1 || got[0].ID != id || got[0].Browser != "Firefox" || got[0].Country != "" {
		t.Errorf("the history is %v", got)
	}

	// The 28th click of one and the 5th of another bring their alerts about.
	b := linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(3, now), click(4, now)}}
	for range 9 {
		b.Clicks = append(b.Clicks, click(1, now))
	}
	record(t, s, b)
	if got, _ := order(linktrack.SortDay); !slices.Equal(got, []string{"quiet", "busy", "limited", "old"}) {
		t.Errorf("by day after ten clicks more: %v", got)
	}
	alerts := map[string]bool{}
	for {
		a, err := s.LeaseAlert(t.Context(), now, now.Add(time.Hour))
		if err != nil {
			break
		}
		alerts[a.ID.String()] = true
	}
	if len(alerts) != 2 || !alerts["3-alert_at-28"] || !alerts["4-deactivate_at-5"] {
		t.Errorf("alerts %v", alerts)
	}
	if n, err := trackertest.Reserve(t.Context(), s, 4, 3); n != 0 || err != nil {
		t.Errorf("%d more may pass, %v", n, err)
	}
	if next := makeLink(t, s, linktrack.Link{Account: 1, Path: "next"}); next.ID != 5 {
		t.Errorf("the next link has ID %d", next.ID)
	}
}
