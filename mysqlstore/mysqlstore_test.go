package mysqlstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// opened returns a migrated Store on a fresh database, and the DSN.
func opened(t testing.TB) (*mysqlstore.Store, string) {
	t.Helper()
	dsn := migrated(t)
	s, err := mysqlstore.Open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dsn
}

// migrated returns the DSN of a fresh database with the schema in it.
func migrated(t testing.TB) string {
	t.Helper()
	return testmysql.MigratedDSN(t, func(dsn string) error { return migrate(t, dsn) })
}

func migrate(t testing.TB, dsn string, options ...mysqlstore.Option) error {
	s, err := mysqlstore.Open(dsn, options...)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Migrate(t.Context())
}

// withoutPartitions is opened for tables without partitions. The Store itself has not the
// option.
func withoutPartitions(t testing.TB) (*mysqlstore.Store, string) {
	t.Helper()
	dsn := testmysql.PlainDSN(t, func(dsn string) error { return migrate(t, dsn, mysqlstore.WithoutPartitions()) })
	s, err := mysqlstore.Open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dsn
}

// hostile returns a Store on a database of a DSN, over a pool with settings that
// no store would choose. Every statement is held to plain SQL.
func hostile(t testing.TB, dsn string) *mysqlstore.Store {
	t.Helper()
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	c.ClientFoundRows, c.ColumnsWithAlias, c.ParseTime, c.InterpolateParams, c.MultiStatements = true, true, false, false, false
	c.Loc = time.Local
	c.Params = map[string]string{
		"sql_mode":  "'ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES,NO_UNSIGNED_SUBTRACTION'",
		"time_zone": "'-07:00'",
	}
	if err := c.Apply(mysql.Charset("latin1", "")); err != nil {
		t.Fatal(err)
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sqlx.NewDb(sql.OpenDB(plainSQL{connector, t}), "mysql")
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(20)
	db.MapperFunc(strings.ToUpper)
	if len(t.Name())%2 == 0 { // a host's pool may be of either type
		return mysqlstore.New(db.DB)
	}
	return mysqlstore.New(db)
}

func admin(t testing.TB, dsn string) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var noon = time.Date(2026, 1, 22, 12, 0, 0, 123456000, time.UTC)

func makeLink(t testing.TB, s linktrack.Store, l linktrack.Link) linktrack.Link {
	t.Helper()
	if l.Host == "" {
		l.Host = "go.example.com"
	}
	if l.CreatedAt.IsZero() {
		l.CreatedAt = noon
	}
	l.ExternalURL = "https://example.com/" + l.Path
	l, err := trackertest.CreateLink(t.Context(), s, l)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func click(link int64, at time.Time) linktrack.Click {
	return linktrack.Click{
		ID: linktrack.NewClickID(at), Link: link, IP: netip.MustParseAddr("2001:db8::7"),
		Referrer: "https://news.example.org/a?b=c", ReferrerHost: "news.example.org",
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Browser: "Firefox", Platform: "Linux",
		Query: "utm=1", Unique: true,
	}
}

// record appends a batch and applies it.
func record(t testing.TB, s linktrack.Store, b linktrack.Batch) {
	t.Helper()
	appendBatch(t, s, b)
	apply(t, s)
}

func appendBatch(t testing.TB, s linktrack.Store, b linktrack.Batch) {
	t.Helper()
	if err := s.AppendClicks(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// apply applies the log, and returns what is left of it.
func apply(t testing.TB, s linktrack.Store) linktrack.LogSize {
	t.Helper()
	size, err := s.ApplyClicks(t.Context(), nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

func counts(t testing.TB, s linktrack.Store, l linktrack.Link) linktrack.Counts {
	t.Helper()
	l, err := s.LinkByPath(t.Context(), l.Host, l.Key())
	if err != nil {
		t.Fatal(err)
	}
	return l.Counts
}

func history(t testing.TB, s linktrack.Store, link int64) []linktrack.Click {
	t.Helper()
	clicks, err := s.Clicks(t.Context(), linktrack.ClickFilter{Link: link, Ascending: true, Limit: 100000})
	if err != nil {
		t.Fatal(err)
	}
	return clicks
}

var pools = map[string]func(t *testing.T) *mysqlstore.Store{
	"a pool of its own":     func(t *testing.T) *mysqlstore.Store { s, _ := opened(t); return s },
	"a hostile host's pool": func(t *testing.T) *mysqlstore.Store { return hostile(t, migrated(t)) },
	"without partitions":    func(t *testing.T) *mysqlstore.Store { s, _ := withoutPartitions(t); return s },
}

func TestEveryTextComesBackAsItWentIn(t *testing.T) {
	for name, open := range pools {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			const odd = "it's \"q\" \\ 100% \x00\x01 ü 日本 😀 ; -- ?"
			in := linktrack.Link{
				Account: 7, Host: "go.example.com", Path: "Spring_Sale", LinkSettings: linktrack.LinkSettings{
					ExternalURL: "https://example.com/" + odd,
					Title:       odd, Description: strings.Repeat("😀", 2000), Notes: strings.Repeat("😀", 10000), Group: "Ünïcode 😀 ",
					HasAlertEmail: true, ForwardQuery: true, HasPublicRevenue: true, AlertAt: 5,
					DeactivateAt: 1 << 40, ExpiresAt: noon.Add(time.Hour),
				}, PasswordHash: []byte{0, 255, '\''}, CreatedAt: noon,
			}
			made, err := trackertest.CreateLink(t.Context(), s, in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.LinkByPath(t.Context(), "go.example.com", "spring_sale")
			if err != nil {
				t.Fatal(err)
			}
			in.ID = made.ID
			if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", in) || fmt.Sprintf("%#v", made) != fmt.Sprintf("%#v", in) {
				t.Errorf("made %.300v\ngot %.300v\nwant %.300v", made, got, in)
			}

			c := click(made.ID, noon)
			c.Referrer, c.UserAgent, c.Query, c.Browser, c.Platform = odd, odd, strings.Repeat("é", 1024), "", "\\"
			c.IP = netip.Addr{}
			d := click(made.ID, noon.Add(time.Microsecond))
			d.IP, d.Bot, d.Unique = netip.MustParseAddr("192.0.2.1"), true, false
			record(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{d, c}})
			if got := history(t, s, made.ID); len(got) != 2 || got[0] != c || got[1] != d {
				t.Errorf("history %v\nwant %v, %v", got, c, d)
			}
			if got, want := counts(t, s, made), (linktrack.Counts{People: 1, Unique: 1, Bots: 1, LastClick: noon.Add(time.Microsecond)}); got != want {
				t.Errorf("counts %v, want %v", got, want)
			}

			for _, hosts := range [][]string{nil, {"go.example.com", "b.example"}} {
				a := linktrack.Account{Login: fmt.Sprint("login", len(hosts), hosts == nil), PassHash: []byte{0, 1, 255}, Type: "free", Email: odd, Hosts: hosts, CreatedAt: noon}
				made, err := s.CreateAccount(t.Context(), a)
				if err != nil {
					t.Fatal(err)
				}
				a.ID = made.ID
				_, got, err := s.KeyByLogin(t.Context(), a.Login)
				if err != nil || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", a) {
					t.Errorf("account %#v, %v\nwant %#v", got, err, a)
				}
				leave := func(*linktrack.Account) error { return nil }
				if got, err := s.UpdateAccount(t.Context(), a.ID, leave); err != nil || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", a) {
					t.Errorf("an update that changes nothing: %#v, %v\nwant %#v", got, err, a)
				}
				if _, err := s.UpdateAccount(t.Context(), a.ID+1000, leave); !errors.Is(err, linktrack.ErrNotFound) {
					t.Errorf("an update of no account: %v", err)
				}
			}
			if _, _, err := s.KeyByLogin(t.Context(), "LOGIN0TRUE"); !errors.Is(err, linktrack.ErrNotFound) {
				t.Errorf("login in another case: %v", err)
			}
			if _, err := s.LinkByPath(t.Context(), "go.example.com", "spring_sale "); !errors.Is(err, linktrack.ErrNotFound) {
				t.Errorf("key with a space behind it: %v", err)
			}
		})
	}
}

func TestALimitIsExactUnderConcurrency(t *testing.T) {
	for name, open := range pools {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			l := makeLink(t, s, linktrack.Link{Path: "limited", LinkSettings: linktrack.LinkSettings{DeactivateAt: 100}})
			var mu sync.Mutex
			var wg sync.WaitGroup
			total := 0
			for range 16 {
				wg.Go(func() {
					for range 10 {
						n := 1 + rand.IntN(3)
						got, err := trackertest.Reserve(t.Context(), s, l.ID, n)
						if err != nil || got < 0 || got > n {
							t.Errorf("granted %d of %d, %v", got, n, err)
						}
						mu.Lock()
						total += got
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			if total != 100 || counts(t, s, l).Used != 100 {
				t.Errorf("granted %d, used %d, want 100", total, counts(t, s, l).Used)
			}
			if _, err := trackertest.Reserve(t.Context(), s, l.ID+1, 1); !errors.Is(err, linktrack.ErrNotFound) {
				t.Errorf("no link: %v", err)
			}
			free := makeLink(t, s, linktrack.Link{Path: "free"})
			if n, err := trackertest.Reserve(t.Context(), s, free.ID, 3); n != 3 || err != nil {
				t.Errorf("without a limit: %d, %v", n, err)
			}
			// What was recorded counts as used.
			r := makeLink(t, s, linktrack.Link{Path: "recorded", LinkSettings: linktrack.LinkSettings{DeactivateAt: 3}})
			record(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(r.ID, noon), click(r.ID, noon)}})
			if n, err := trackertest.Reserve(t.Context(), s, r.ID, 5); n != 1 || err != nil {
				t.Errorf("after two of three: %d, %v", n, err)
			}
		})
	}
}

func TestABatchCountsOnceHoweverOftenItIsSent(t *testing.T) {
	for name, open := range pools {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			a, b := makeLink(t, s, linktrack.Link{Path: "a"}), makeLink(t, s, linktrack.Link{Path: "b"})
			for seq := int64(1); seq <= 5; seq++ {
				batch := linktrack.Batch{Source: linktrack.Source{1, '\'', '\\'}, Seq: seq}
				for i := range 40 {
					batch.Clicks = append(batch.Clicks, click(a.ID, noon.Add(time.Duration(i)*time.Hour)), click(b.ID, noon))
				}
				var wg sync.WaitGroup
				for range 16 {
					wg.Go(func() {
						if err := s.AppendClicks(t.Context(), batch); err != nil {
							t.Error(err)
						}
						if _, err := s.ApplyClicks(t.Context(), nil, time.Time{}); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				if seq == 4 {
					batch.Seq = 2
					record(t, s, batch)
				}
			}
			for _, l := range []linktrack.Link{a, b} {
				if c := counts(t, s, l); c.People != 200 || c.Unique != 200 || len(history(t, s, l.ID)) != 200 {
					t.Errorf("%s: %v and %d clicks, want 200", l.Path, c, len(history(t, s, l.ID)))
				}
			}
			links, err := s.Links(t.Context(), linktrack.LinkFilter{Sort: linktrack.SortDay, Limit: 10, DaySince: noon.Add(30*time.Hour + 20*time.Minute)})
			if err != nil || len(links) != 2 || links[0].Path != "a" || links[0].Counts.Day != 50 || links[1].Counts.Day != 0 {
				t.Errorf("links by day: %v, %v", links, err)
			}
		})
	}
}

func TestAClickOnALinkThatDoesNotExistFailsNothingAndCountsNowhere(t *testing.T) {
	s, _ := opened(t)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	now := time.Now()
	record(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(l.ID+1, now), click(l.ID, now), click(1<<62+1, now)}})
	if c := counts(t, s, l); c.People != 1 {
		t.Errorf("counts %v", c)
	}
	if _, err := trackertest.Reserve(t.Context(), s, l.ID+1, 1); !errors.Is(err, linktrack.ErrNotFound) {
		t.Errorf("reserve: %v", err)
	}
	next := makeLink(t, s, linktrack.Link{Path: "b"})
	links, err := s.Links(t.Context(), linktrack.LinkFilter{Sort: linktrack.SortCreated, Limit: 10, DaySince: now.Add(-time.Hour)})
	if err != nil || next.ID != l.ID+1 || len(links) != 2 || links[0].Counts != (linktrack.Counts{}) {
		t.Errorf("the next link begins with %v, %v", links, err)
	}
}

func TestATextThatIsTooLongIsCutAndTheClickKept(t *testing.T) {
	s, _ := opened(t)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	c := click(l.ID, noon)
	c.Referrer, c.Browser = "x"+strings.Repeat("é", 9000), strings.Repeat("b", 5000)
	record(t, s, linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{c}})
	got := history(t, s, l.ID)
	if len(got) != 1 || got[0].Referrer != c.Referrer[:8191] || got[0].Browser != c.Browser[:1020] {
		t.Errorf("kept %d clicks", len(got))
	}
}

func TestAStepThatFailsHalfwayChangesNothing(t *testing.T) {
	s, dsn := opened(t)
	l := makeLink(t, s, linktrack.Link{Path: "a", LinkSettings: linktrack.LinkSettings{AlertAt: 1}})
	db := admin(t, dsn)
	db.MustExec(`RENAME TABLE lt_alert TO lt_alert_away`)
	batch := linktrack.Batch{Seq: 1, Clicks: []linktrack.Click{click(l.ID, noon)}}
	for range 40 { // more than the pool has connections
		appendBatch(t, s, batch)
		if _, err := s.ApplyClicks(t.Context(), nil, time.Time{}); err == nil {
			t.Fatal("no error")
		}
	}
	if c := counts(t, s, l); c.People != 0 || len(history(t, s, l.ID)) != 0 {
		t.Errorf("counts %v", c)
	}
	db.MustExec(`RENAME TABLE lt_alert_away TO lt_alert`)
	apply(t, s)
	if c := counts(t, s, l); c.People != 1 || len(history(t, s, l.ID)) != 1 {
		t.Errorf("counts %v after the log was applied again", c)
	}
	var open int
	err := db.Get(&open, `
		SELECT COUNT(*) FROM information_schema.INNODB_TRX JOIN information_schema.PROCESSLIST ON ID = trx_mysql_thread_id
		WHERE DB = DATABASE()`)
	if err != nil || open > 0 {
		t.Errorf("%d transactions left open, %v", open, err)
	}
}

func TestOverlappingBatchesOfManySourcesDoNotDeadlock(t *testing.T) {
	s, dsn := opened(t)
	other, err := mysqlstore.Open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var links []linktrack.Link
	for i := range 50 {
		links = append(links, makeLink(t, s, linktrack.Link{Path: fmt.Sprint("l", i), LinkSettings: linktrack.LinkSettings{DeactivateAt: 1 << 30}}))
	}
	var wg sync.WaitGroup
	for source := range 8 {
		store := []*mysqlstore.Store{s, other}[source%2]
		wg.Go(func() {
			for seq := range 20 {
				b := linktrack.Batch{Source: linktrack.Source{byte(source + 1)}, Seq: int64(seq + 1)}
				for range 200 {
					b.Clicks = append(b.Clicks, click(links[rand.IntN(50)].ID, noon.Add(time.Duration(rand.IntN(72))*time.Hour)))
				}
				if err := store.AppendClicks(t.Context(), b); err != nil {
					t.Error(err)
				}
				if _, err := store.ApplyClicks(t.Context(), nil, time.Time{}); err != nil {
					t.Error(err)
				}
				l := links[rand.IntN(50)]
				if _, err := trackertest.Reserve(t.Context(), store, l.ID, 1); err != nil {
					t.Error(err)
				}
				_, err := store.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error {
					l.DeactivateAt++
					l.Group = fmt.Sprint("group ", rand.IntN(20))
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var sum int64
	for _, l := range links {
		sum += counts(t, s, l).People
	}
	if sum != 8*20*200 {
		t.Errorf("%d clicks counted, want %d", sum, 8*20*200)
	}
}

func TestAGroupIsMadeOnceHoweverManyWantIt(t *testing.T) {
	s, _ := opened(t)
	var wg sync.WaitGroup
	names := make([]string, 32)
	for i := range names {
		wg.Go(func() {
			group := "News"
			if i%2 == 0 {
				group = "NEWS"
			}
			l, err := trackertest.CreateLink(t.Context(), s, linktrack.Link{Account: 1, Host: "h", Path: fmt.Sprint("p", i), LinkSettings: linktrack.LinkSettings{Group: group}})
			if err != nil {
				t.Error(err)
			}
			names[i] = l.Group
			_, err = trackertest.CreateLink(t.Context(), s, linktrack.Link{Account: 1, Host: "h", Path: "same", LinkSettings: linktrack.LinkSettings{Group: "other"}})
			if err != nil && !errors.Is(err, linktrack.ErrTaken) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, n := range names {
		if n != names[0] {
			t.Fatalf("groups %q", names)
		}
	}
	links, err := s.Links(t.Context(), linktrack.LinkFilter{Account: 1, Groups: []string{"nEwS", "nobody's"}, Sort: linktrack.SortGroup, Limit: 100})
	if err != nil || len(links) != 32 {
		t.Errorf("%d links in the group, %v", len(links), err)
	}
}
