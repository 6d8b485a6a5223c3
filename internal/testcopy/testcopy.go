// Package testcopy has what tests of copies between databases share: a store with some of
// everything, and the comparison of two databases by plain SQL.
package testcopy

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

// Zone is the zone of the days of Fill.
var Zone = time.FixedZone("America/Chicago", -6*3600)

// A Fill has written some of everything to a store.
type Fill struct {
	Account linktrack.Account
	Links   []linktrack.Link
	Clicks  []linktrack.Click // those that are applied
	Today   time.Time         // a time of the last clicks
}

// NewFill fills an empty store. Some of its clicks are in the log only, and one batch is
// damaged.
func NewFill(t testing.TB, s linktrack.Store) *Fill {
	ctx := t.Context()
	f := &Fill{Today: time.Now().UTC().Truncate(time.Hour).Add(-time.Hour)}
	_, err := s.Secret(ctx, []byte("a secret\x00\xff"))
	require.NoError(t, err)
	_, err = s.Zone(ctx, "America/Chicago")
	require.NoError(t, err)
	for i, login := range []string{"first", "second", "gone"} {
		a, err := s.CreateAccount(ctx, linktrack.Account{Login: login, PassHash: []byte{0, 255, byte(i), '\'', '\\'}, Type: "professional",
			Email: "ä@example.com", Hosts: []string{"go.example.com"}[:i%2], Disabled: i == 1, CreatedAt: f.Today})
		require.NoError(t, err)
		if i == 0 {
			f.Account = a
		}
		require.NoError(t, s.EndSession(ctx, a.ID, linktrack.SessionID{byte(i), 0, 7}, f.Today.AddDate(1, 0, 0), f.Today))
	}
	require.NoError(t, s.EndSessions(ctx, f.Account.ID))
	require.NoError(t, s.EraseAccount(ctx, f.Account.ID+2), "its id is not given again")
	for i := range 3 {
		k, err := s.CreateKey(ctx, linktrack.Key{Account: f.Account.ID, Login: fmt.Sprint("key", i), Name: "k", Scope: linktrack.ScopeRead, CreatedAt: f.Today})
		require.NoError(t, err)
		require.NoError(t, s.UseKey(ctx, f.Account.ID, k.ID, 20_000))
		if i == 2 {
			require.NoError(t, s.DeleteKey(ctx, f.Account.ID, k.ID))
		}
	}
	for i := range 12 {
		l := linktrack.Link{Account: f.Account.ID, Host: "go.example.com", Path: fmt.Sprintf("Path_%d", i), CreatedAt: f.Today,
			LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/'\\\x01ä" + strings.Repeat("x", 300*i), Title: "Größe 'x'", Notes: "\\n",
				Group: []string{"", "Äpfel", "b"}[i%3], Tags: []string{"one", "Zwei"}[:i%3%2+i%2], IsArchived: i == 5, AlertAt: int64(i % 3 * 2), DeactivateAt: int64(i % 4 * 20)}}
		if i%2 == 1 {
			l.ExternalID, l.PasswordHash, l.ExpiresAt = fmt.Sprint("ext-", i), []byte("\x00hash"), f.Today.AddDate(1, 0, 0)
		}
		made, err := trackertest.CreateLink(ctx, s, l)
		require.NoError(t, err)
		f.Links = append(f.Links, made)
	}
	f.Rename(t, s, 0, "renamed")
	f.Rename(t, s, 0, "renamed_again")
	for _, i := range []int{8, 11} {
		f.Delete(t, s, i)
	}
	require.NoError(t, s.PurgeLink(ctx, f.Links[11].ID, false), "its path is reserved, and its id is not given again")
	f.Click(t, s, 1, 40, 0)
	f.Apply(t, s)
	for i, l := range f.Links[:8:8] {
		if i%2 == 0 {
			_, err := trackertest.Reserve(ctx, s, l.ID, 1)
			require.NoError(t, err)
		}
	}
	for i, c := range f.Clicks[:6] {
		order := []string{"", "order'\x00"}[i%2] + strings.Repeat("n", i/2*(i%2))
		_, err := s.RecordConversion(ctx, linktrack.Conversion{Click: linktrack.ClickRef{Link: c.Link, ID: c.ID}, OrderID: order, Value: 12_300, Currency: "EUR",
			Trusted: i%3 == 0, Time: c.ID.Time().Add(time.Minute)}, Zone)
		require.NoError(t, err)
	}
	f.Apply(t, s)
	alert, err := s.LeaseAlert(ctx, f.Today, f.Today.Add(time.Minute))
	require.NoError(t, err)
	require.NoError(t, s.FinishAlert(ctx, alert.ID))
	f.Click(t, s, 2, 8, 1) // they wait in the log
	return f
}

// Rename renames a link and keeps its path.
func (f *Fill) Rename(t testing.TB, s linktrack.Store, link int, path string) {
	t.Helper()
	l, err := s.UpdateLink(t.Context(), f.Links[link].ID, func(l *linktrack.Link) error { l.Path = path; return nil })
	require.NoError(t, err)
	f.Links[link] = l
}

// Delete deletes a link.
func (f *Fill) Delete(t testing.TB, s linktrack.Store, link int) {
	t.Helper()
	_, err := s.UpdateLink(t.Context(), f.Links[link].ID, func(l *linktrack.Link) error { l.DeletedAt = f.Today; return nil })
	require.NoError(t, err)
}

// Click appends a batch with clicks on the first links, of the last 40 days. Seq counts from 1.
func (f *Fill) Click(t testing.TB, s linktrack.Store, seq int64, n int, daysAgo int) {
	t.Helper()
	b := linktrack.Batch{Source: linktrack.Source{7, 0, 255}, Seq: seq}
	for i := range n {
		at := f.Today.AddDate(0, 0, -daysAgo-i%5*10).Add(time.Duration(i) * time.Second)
		c := linktrack.Click{ID: linktrack.NewClickID(at), Link: f.Links[i%8].ID, UserAgent: "Mozilla/5.0 (" + strings.Repeat("agent", 20*(i%2)) + ")", Browser: "Firefox", Platform: "Linux",
			Referrer: "https://site.example/page/" + fmt.Sprint(i), ReferrerHost: "site.example", Country: "DE", Query: "q='\\", Unique: i%3 == 0, Bot: i%7 == 6,
			Class: linktrack.ClickClassPerson}
		c.IP = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		if i%2 == 1 {
			c.IP = netip.MustParseAddr("2001:db8::")
		}
		b.Clicks = append(b.Clicks, c)
	}
	f.Clicks = append(f.Clicks, b.Clicks...)
	require.NoError(t, s.AppendClicks(t.Context(), b))
}

// Apply applies the log.
func (f *Fill) Apply(t testing.TB, s linktrack.Store) {
	t.Helper()
	_, err := s.ApplyClicks(t.Context(), Zone, f.Today.Add(-24*time.Hour))
	require.NoError(t, err)
}

// process is what belongs to the processes of one database, or to no version any more.
var process = []string{"lt_migration", "lt_lease", "lt_change", "lt_reservation", "lt_click", "lt_pending", "lt_roll.lease_holder", "lt_roll.lease_until", "lt_roll.lease_steps", "lt_count.added"}

// Dump returns all rows of all tables by table, without the state of processes.
func Dump(t testing.TB, db *sql.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for table, columns := range Columns(t, db) {
		if slices.Contains(process, table) {
			continue
		}
		columns = slices.DeleteFunc(columns, func(c string) bool { return slices.Contains(process, table+"."+c) })
		slices.Sort(columns)
		all[table] = []string{}
		rows, err := db.QueryContext(t.Context(), `SELECT `+strings.Join(columns, ", ")+` FROM `+table)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			values, to := make([]any, len(columns)), make([]any, len(columns))
			for i := range to {
				to[i] = &values[i]
			}
			require.NoError(t, rows.Scan(to...))
			var b strings.Builder
			for i, c := range columns {
				switch v := values[i].(type) {
				case nil:
					b.WriteString(c + "=NULL ")
				case []byte:
					fmt.Fprintf(&b, "%s=%q ", c, v)
				default: // an integer is an int64 on SQLite, and a text on MySQL
					fmt.Fprintf(&b, `%s="%v" `, c, v)
				}
			}
			if row := b.String(); !strings.Contains(row, `name="copy_`) {
				all[table] = append(all[table], row)
			}
		}
		require.NoError(t, rows.Err())
		slices.Sort(all[table])
	}
	require.Contains(t, all, "lt_hit")
	return all
}

// Columns returns the columns of each table of linktrack.
func Columns(t testing.TB, db *sql.DB) map[string][]string {
	t.Helper()
	query := `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name LIKE 'lt!_%' ESCAPE '!'`
	if db.PingContext(t.Context()) == nil && isMySQL(t.Context(), db) {
		query = `SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'lt!_%' ESCAPE '!'`
	}
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	all := map[string][]string{}
	for rows.Next() {
		var table, column string
		require.NoError(t, rows.Scan(&table, &column))
		all[table] = append(all[table], column)
	}
	require.NoError(t, rows.Err())
	return all
}

func isMySQL(ctx context.Context, db *sql.DB) bool {
	var version string
	return db.QueryRowContext(ctx, `SELECT VERSION()`).Scan(&version) == nil
}

// SQLite opens a database without the store.
func SQLite(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}
