package mysqlstore_test

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// visits returns clicks on a link, a minute apart, with few user agents and sites.
func visits(link int64, from time.Time, n int) []linktrack.Click {
	var all []linktrack.Click
	for i := range n {
		c := click(link, from.Add(time.Duration(i)*time.Minute))
		c.UserAgent = fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0", i%3, i%3)
		c.ReferrerHost = fmt.Sprintf("site%d.example.org", i%2)
		c.Referrer = fmt.Sprintf("https://%s/posts/%d", c.ReferrerHost, i)
		all = append(all, c)
	}
	return all
}

type textRow struct {
	Day            int64
	Text, Browser  string
	Host, Platform string
}

func textRows(t testing.TB, db *sqlx.DB) (all []textRow) {
	t.Helper()
	require.NoError(t, db.Select(&all, `SELECT day, text, host, browser, platform FROM lt_text ORDER BY day, text`))
	return all
}

func TestATextIsStoredOncePerDay(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	other, err := mysqlstore.Open(dsn)
	require.NoError(t, err)
	defer other.Close()
	a, b := makeLink(t, s, linktrack.Link{Path: "a"}), makeLink(t, s, linktrack.Link{Path: "b"})
	today := time.Now().UTC().Truncate(24 * time.Hour)
	day := today.Unix() / 86400
	want := make(map[int64][]linktrack.Click)
	seq := int64(0)
	for range 3 {
		for _, store := range []linktrack.Store{s, other} {
			for _, l := range []linktrack.Link{a, b} {
				for d := range 2 { // a click of yesterday comes late, and has its own day's texts
					clicks := visits(l.ID, today.AddDate(0, 0, -d), 30)
					want[l.ID] = append(want[l.ID], clicks...)
					seq++
					record(t, store, linktrack.Batch{Seq: seq, Clicks: clicks})
				}
			}
		}
	}
	for _, l := range []linktrack.Link{a, b} {
		require.ElementsMatch(t, want[l.ID], history(t, s, l.ID))
	}
	var rows []textRow
	for _, d := range []int64{day - 1, day} {
		for i := range 3 {
			rows = append(rows, textRow{Day: d, Text: visits(1, today, 3)[i].UserAgent, Browser: "Firefox", Platform: "Linux"})
		}
		for i := range 2 {
			rows = append(rows, textRow{Day: d, Text: fmt.Sprintf("https://site%d.example.org/", i), Host: fmt.Sprintf("site%d.example.org", i)})
		}
	}
	require.Equal(t, rows, textRows(t, db))
	var inline int
	require.NoError(t, db.Get(&inline, `SELECT COUNT(*) FROM lt_hit WHERE user_agent <> '' OR browser <> '' OR platform <> '' OR referrer_host <> '' OR referrer LIKE 'https:%'`))
	require.Zero(t, inline, "clicks have texts of their own beside the shared ones")
}

func TestAReferrerIsSharedWholeOnlyIfManyClicksHaveIt(t *testing.T) {
	s, dsn := opened(t)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	b := linktrack.Batch{Seq: 1}
	for i := range 50 {
		often, once := click(l.ID, noon), click(l.ID, noon)
		often.Referrer = "https://news.example.org/the/most/popular/article?of=all"
		once.Referrer = fmt.Sprintf("https://news.example.org/articles/%d?from=list", i)
		b.Clicks = append(b.Clicks, often, once)
	}
	record(t, s, b)
	require.ElementsMatch(t, b.Clicks, history(t, s, l.ID))
	var referrers []string
	require.NoError(t, admin(t, dsn).Select(&referrers, `SELECT text FROM lt_text WHERE host <> '' ORDER BY text`))
	require.Equal(t, []string{"https://news.example.org/", "https://news.example.org/the/most/popular/article?of=all"}, referrers)
}

// Texts that a stranger sends once take no room but their own, and do not displace those
// that many people send.
func TestTextsThatAStrangerMakesUpTakeNoMoreThanTheirRoom(t *testing.T) {
	s, dsn := opened(t)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	var all []linktrack.Click
	const each = 10_000
	for seq := range 4 {
		var clicks []linktrack.Click
		for i := range each {
			c := click(l.ID, noon.Add(time.Duration(seq*each+i)*time.Millisecond))
			if i%100 > 0 {
				c.UserAgent, c.Browser, c.Platform = rand.Text()+rand.Text()+rand.Text(), rand.Text(), rand.Text()
				c.ReferrerHost = rand.Text() + ".example"
				c.Referrer = "https://" + c.ReferrerHost + "/" + rand.Text()
				c.Query = rand.Text()
			}
			clicks = append(clicks, c)
		}
		record(t, s, linktrack.Batch{Seq: int64(seq + 1), Clicks: clicks})
		all = append(all, clicks...)
	}
	require.Len(t, textRows(t, admin(t, dsn)), 3, "of the user agent, the site and the page that many have")
	q := linktrack.ClickFilter{Link: l.ID, Ascending: true, Limit: len(all)}
	got, err := s.Clicks(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, all, got)
	var inline int
	require.NoError(t, admin(t, dsn).Get(&inline, `SELECT COUNT(*) FROM lt_hit WHERE agent_id = '' AND user_agent = ?`, []byte(all[0].UserAgent)))
	require.Zero(t, inline)
}

func TestPruningADayRemovesItsTexts(t *testing.T) {
	s, dsn := opened(t)
	require.NoError(t, s.Migrate(t.Context())) // the days
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	today := time.Now().UTC().Truncate(24 * time.Hour)
	day := today.Unix() / 86400
	b := linktrack.Batch{Seq: 1}
	for d := -5; d <= 40; d++ {
		b.Clicks = append(b.Clicks, visits(l.ID, today.AddDate(0, 0, d), 10)...)
	}
	record(t, s, b)
	db := admin(t, dsn)
	for _, before := range []time.Time{today.AddDate(0, 0, -3), today.AddDate(0, 0, 1), today.AddDate(0, 0, 38)} {
		require.NoError(t, s.PruneClicks(t.Context(), before))
		days := make(map[int64]int)
		for _, r := range textRows(t, db) {
			days[r.Day]++
		}
		for d := int64(-5); d <= 40; d++ {
			want := 5
			if d < before.Unix()/86400-day {
				want = 0
			}
			require.Equal(t, want, days[day+d], "day %+d, pruned before %v", d, before)
		}
		left := slices.DeleteFunc(slices.Clone(b.Clicks), func(c linktrack.Click) bool { return c.ID.Time().Before(before) })
		require.Equal(t, left, history(t, s, l.ID))
	}

	// What comes late for a day that was pruned has its texts, although this process has
	// stored them before.
	late := visits(l.ID, today, 10)
	record(t, s, linktrack.Batch{Seq: 2, Clicks: late})
	require.Equal(t, late, history(t, s, l.ID)[:len(late)])
	require.NoError(t, s.PruneClicks(t.Context(), today.AddDate(0, 0, 1)))
	require.Equal(t, today.AddDate(0, 0, 38), history(t, s, l.ID)[0].ID.Time())
}

func TestAClickWhoseTextsAreLostIsShownWithoutThem(t *testing.T) {
	s, dsn := opened(t)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	b := linktrack.Batch{Seq: 1, Clicks: visits(l.ID, noon, 40)}
	record(t, s, b)
	admin(t, dsn).MustExec(`DELETE FROM lt_text`)
	for i := range b.Clicks {
		c := &b.Clicks[i]
		c.UserAgent, c.Browser, c.Platform, c.Referrer, c.ReferrerHost = "", "", "", "", ""
	}
	require.Equal(t, b.Clicks, history(t, s, l.ID))
	_, err := s.LinkByClick(t.Context(), linktrack.ClickRef{Link: l.ID, ID: b.Clicks[0].ID})
	require.NoError(t, err)
}

// Two databases give different ids to the same text, and a process that starts anew the
// same.
func TestTheIDOfATextDependsOnASecretOfTheDatabase(t *testing.T) {
	ids := func(s linktrack.Store, dsn string) (ids []string) {
		l := makeLink(t, s, linktrack.Link{Path: rand.Text()})
		record(t, s, linktrack.Batch{Source: linktrack.Source([]byte(rand.Text())[:16]), Seq: 1, Clicks: visits(l.ID, noon, 40)})
		require.NoError(t, admin(t, dsn).Select(&ids, `SELECT HEX(id) FROM lt_text ORDER BY text`))
		return ids
	}
	s, dsn := opened(t)
	first := ids(s, dsn)
	require.Len(t, first, 5)
	again, err := mysqlstore.Open(dsn)
	require.NoError(t, err)
	defer again.Close()
	require.Equal(t, first, ids(again, dsn))
	s, dsn = opened(t)
	for _, id := range ids(s, dsn) {
		require.NotContains(t, first, id)
	}
}

// insertOld adds a click to the history as a process of the version before does.
func insertOld(db *sqlx.DB, c linktrack.Click) {
	db.MustExec(`INSERT INTO lt_click (link_id, id, ip, referrer, referrer_host, user_agent, browser, platform, country, query, is_unique, is_bot)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, c.Link, c.ID[:], c.IP.AsSlice(), []byte(c.Referrer), []byte(c.ReferrerHost), []byte(c.UserAgent),
		[]byte(c.Browser), []byte(c.Platform), []byte(c.Country), []byte(c.Query), c.Unique, c.Bot)
}

// Processes of the version before write to lt_click, also while this one runs.
func TestAHistoryInBothTablesIsReadAsOne(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	l, other := makeLink(t, s, linktrack.Link{Path: "a"}), makeLink(t, s, linktrack.Link{Path: "b"})
	all := visits(l.ID, noon, 100)
	var new []linktrack.Click
	for i, c := range all {
		c.Country, c.Query, c.IP = "FR", fmt.Sprint("q=", i), netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
		all[i] = c
		switch {
		case i < 20, i >= 40 && i%3 == 0:
			insertOld(db, c)
		case i == 50: // both have it
			insertOld(db, c)
			new = append(new, c)
		default:
			new = append(new, c)
		}
	}
	insertOld(db, click(other.ID, noon))
	record(t, s, linktrack.Batch{Seq: 1, Clicks: new})
	for _, limit := range []int{1, 2, 3, 7, 50, 99, 100, 1000} {
		for from := 0; from < len(all); from += 9 {
			q := linktrack.ClickFilter{Link: l.ID, From: all[from].ID.Time(), Ascending: true, Limit: limit}
			got, err := s.Clicks(t.Context(), q)
			require.NoError(t, err)
			require.Equal(t, all[from:min(from+limit, len(all))], got, "from %d, limit %d", from, limit)

			q = linktrack.ClickFilter{Link: l.ID, To: all[from].ID.Time(), Limit: limit}
			got, err = s.Clicks(t.Context(), q)
			require.NoError(t, err)
			slices.Reverse(got)
			require.Equal(t, all[max(0, from-limit):from], append([]linktrack.Click{}, got...), "until %d, limit %d", from, limit)
		}
	}
	for _, c := range all {
		got, err := s.LinkByClick(t.Context(), linktrack.ClickRef{Link: l.ID, ID: c.ID})
		require.NoError(t, err)
		require.Equal(t, l.ID, got.ID)
	}
	_, err := s.LinkByClick(t.Context(), linktrack.ClickRef{Link: other.ID, ID: all[0].ID})
	require.ErrorIs(t, err, linktrack.ErrNotFound)

	require.NoError(t, s.PruneClicks(t.Context(), noon.AddDate(0, 0, 2)))
	require.Empty(t, history(t, s, l.ID))
	var left int
	require.NoError(t, db.Get(&left, `SELECT (SELECT COUNT(*) FROM lt_click) + (SELECT COUNT(*) FROM lt_hit) + (SELECT COUNT(*) FROM lt_text)`))
	require.Zero(t, left)
	require.EqualValues(t, len(new), counts(t, s, l).People)
}

func TestTextsOfAnyBytesComeBack(t *testing.T) {
	s, _ := opened(t)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	b := linktrack.Batch{Seq: 1}
	for i, odd := range []string{"'", `\`, "\x00", "\xff\xfe", "é", "a'b\"c\\d`e%_?", strings.Repeat("ü", 2000)} {
		for range 30 {
			c := click(l.ID, noon.Add(time.Duration(i)*time.Second))
			c.UserAgent, c.Browser, c.Platform = "an agent of some length "+odd, "a browser"+odd, odd
			c.Referrer, c.ReferrerHost = "https://a.example.org/"+odd+"/b", "a.example.org"
			b.Clicks = append(b.Clicks, c)
			c.ID = linktrack.NewClickID(c.ID.Time())
			c.Referrer, c.ReferrerHost = "", "only.the.host.example.org"
			b.Clicks = append(b.Clicks, c)
		}
	}
	record(t, s, b)
	for i := range b.Clicks { // 1,020 bytes fit
		c := &b.Clicks[i]
		if len(c.Browser) > 1020 {
			c.Browser, c.Platform = c.Browser[:1019], c.Platform[:1020]
		}
		c.UserAgent = c.UserAgent[:min(len(c.UserAgent), 4096)]
	}
	require.ElementsMatch(t, b.Clicks, history(t, s, l.ID))
}

func TestAPageOfHistoryIsOneStatementOnceItsTextsAreKnown(t *testing.T) {
	dsn := migrated(t)
	var selects []string
	s := hooked(t, dsn, func(statement string, _ func()) {
		if strings.Contains(statement, "FROM lt_hit") || strings.Contains(statement, "FROM lt_text") {
			selects = append(selects, statement)
		}
	})
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	clicks := visits(l.ID, noon, 90)
	record(t, s, linktrack.Batch{Seq: 1, Clicks: clicks})
	for _, statements := range []int{2, 1} {
		selects = nil
		require.ElementsMatch(t, clicks, history(t, s, l.ID))
		require.Len(t, selects, statements)
	}
	_, err := s.EraseVisitor(t.Context(), l.Account, netip.PrefixFrom(clicks[0].IP, clicks[0].IP.BitLen()))
	require.NoError(t, err)
	for _, c := range history(t, s, l.ID) {
		require.Empty(t, c.UserAgent+c.Browser+c.Referrer+c.ReferrerHost, "what is known of an erased visitor is not shown either")
	}
}
