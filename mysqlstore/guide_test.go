package mysqlstore_test

import (
	"errors"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// The statement that joins the history with its texts returns what the store returns.
func TestTheStatementsOfTheGuideRun(t *testing.T) {
	text, err := os.ReadFile("../docs/operating.md")
	require.NoError(t, err)
	s, dsn := opened(t)
	db := admin(t, dsn)
	db.SetMaxOpenConns(1) // a block may set the time zone of its session
	l := makeLink(t, s, linktrack.Link{Host: "go.example.com", Path: "spring_sale"})
	day := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	all := visits(l.ID, day, 60)
	for i := range all {
		all[i].IP = netip.MustParseAddr([]string{"203.0.113.0", "2001:db8::"}[i%2])
	}
	all[7].UserAgent, all[7].Browser, all[7].Platform = "A rare agent", "Rare", "Rare OS"
	all[8].Referrer, all[8].ReferrerHost = "https://rare.example/page", "rare.example"
	all[9].Referrer, all[9].ReferrerHost = "", ""
	record(t, s, linktrack.Batch{Seq: 1, Clicks: append(visits(l.ID, day.AddDate(0, 0, -1), 60), append(all, visits(l.ID, day.AddDate(0, 0, 1), 60)...)...)})

	var join string
	var others []string
	for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for stmt := range strings.SplitSeq(block[1], ";") {
			switch stmt = strings.TrimSpace(stmt); {
			case strings.Contains(stmt, "JOIN lt_text"):
				require.Empty(t, join)
				join = stmt
			case stmt != "":
				others = append(others, stmt)
			}
		}
	}
	rows, err := db.Query(join)
	require.NoError(t, err)
	defer rows.Close()
	var got []linktrack.Click
	for rows.Next() {
		var at, ip string
		c := linktrack.Click{Link: l.ID}
		require.NoError(t, rows.Scan(&at, &ip, &c.Referrer, &c.ReferrerHost, &c.UserAgent, &c.Browser, &c.Platform, &c.Country, &c.Query, &c.Unique, &c.Bot))
		c.ID, c.IP = all[len(got)].ID, netip.MustParseAddr(ip)
		require.Contains(t, at, c.ID.Time().Format(":04:05"))
		got = append(got, c)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, all, got)

	require.Greater(t, len(others), 5)
	plain := false
	for _, stmt := range others {
		if strings.Contains(stmt, "PARTITION BY") && !plain { // the way back from tables without partitions
			plain = true
			without, err := mysqlstore.Open(dsn, mysqlstore.WithoutPartitions())
			require.NoError(t, err)
			require.NoError(t, errors.Join(without.Migrate(t.Context()), without.Close()))
		}
		_, err := db.Exec(stmt)
		require.NoError(t, err, stmt)
	}
	for _, c := range history(t, s, l.ID)[60:120] {
		if c.IP.IsValid() {
			require.True(t, c.IP.Is6(), "it is another visitor's")
			continue
		}
		require.Equal(t, linktrack.Click{ID: c.ID, Link: l.ID, Unique: true}, c, "the statement erases all")
	}
}
