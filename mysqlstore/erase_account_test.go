package mysqlstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// accountWithAll returns an account that has a row, at least, in every table, except links.
func accountWithAll(t testing.TB, s linktrack.Store, db *sqlx.DB, login string) linktrack.Account {
	t.Helper()
	a, err := s.CreateAccount(t.Context(), linktrack.Account{Login: login, CreatedAt: noon})
	require.NoError(t, err)
	_, err = s.CreateKey(t.Context(), linktrack.Key{Account: a.ID, Login: "key " + login})
	require.NoError(t, err)
	require.NoError(t, s.EndSession(t.Context(), a.ID, linktrack.SessionID{1}, noon.AddDate(1, 0, 0), noon))
	moved, purged := makeLink(t, s, linktrack.Link{Account: a.ID, Path: "m" + login}), makeLink(t, s, linktrack.Link{
		Account: a.ID, Path: "p" + login, LinkSettings: linktrack.LinkSettings{Group: "news", Tags: []string{"a", "b"}}})
	record(t, s, linktrack.Batch{Seq: 1, Source: linktrack.Source{1: byte(a.ID)}, Clicks: append(visits(purged.ID, noon, 30), visits(moved.ID, noon, 30)...)})
	_, err = s.RecordConversion(t.Context(), converted(moved, "order"), nil)
	require.NoError(t, err)
	_, err = s.UpdateLink(t.Context(), moved.ID, func(l *linktrack.Link) error { l.Account = 1000; return nil })
	require.NoError(t, err)
	deleteLink(t, s, purged)
	require.NoError(t, s.PurgeLink(t.Context(), purged.ID, false))
	return a
}

// rowsOf returns the numbers of an account's rows by table, without those of conversions
// that have no order.
func rowsOf(t testing.TB, db *sqlx.DB, a linktrack.AccountID) map[string]int {
	t.Helper()
	var tables []string
	require.NoError(t, db.Select(&tables, `
		SELECT TABLE_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME = 'account_id'`))
	all := map[string]int{}
	for _, table := range append(tables, "lt_account") {
		where := " WHERE account_id = ?"
		switch table {
		case "lt_account":
			where = " WHERE id = ?"
		case "lt_conversion":
			where += " AND order_id IS NOT NULL"
		}
		var n int
		require.NoError(t, db.Get(&n, `SELECT COUNT(*) FROM `+table+where, a))
		if n > 0 {
			all[table] = n
		}
	}
	return all
}

func TestAnErasureOfAnAccountThatIsKilledAtAnyStatementIsFinishedByTheNext(t *testing.T) {
	plain, dsn := opened(t)
	db := admin(t, dsn)
	stays := accountWithAll(t, plain, db, "stays")
	want := rowsOf(t, db, stays.ID)
	for _, table := range strings.Fields(`lt_account lt_key lt_ended_session lt_group lt_tag lt_sum lt_link_number lt_conversion`) {
		require.Contains(t, want, table)
	}
	killed, at, n := "", -1, 0
	s := hooked(t, dsn, func(statement string, kill func()) {
		if n == at {
			killed = statement
			kill()
		}
		n++
	})
	for at = 0; ; at++ {
		a := accountWithAll(t, plain, db, fmt.Sprint("a", at))
		n, killed = 0, ""
		err := s.EraseAccount(t.Context(), a.ID)
		db.MustExec(`UPDATE lt_roll SET lease_until = 0`) // else its lease would first have to end
		if _, findErr := plain.AccountByID(t.Context(), a.ID); findErr == nil {
			require.Error(t, err, killed)
			require.NoError(t, plain.EraseAccount(t.Context(), a.ID), killed)
		}
		require.ErrorIs(t, plain.EraseAccount(t.Context(), a.ID), linktrack.ErrNotFound)
		require.Empty(t, rowsOf(t, db, a.ID), killed)
		if killed == "" {
			break
		}
	}
	require.Greater(t, at, 15)
	require.Equal(t, want, rowsOf(t, db, stays.ID))
}

func TestALotOfAnAccountIsErasedInBoundedSteps(t *testing.T) {
	plain, dsn := opened(t)
	db := admin(t, dsn)
	a := accountWithAll(t, plain, db, "ada")
	db.MustExec(`INSERT INTO lt_sum (account_id, kind, name_key, day, data) SELECT ?, 2, CONCAT('g', n.seq DIV 100), n.seq, '{}' FROM
		(SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n AS seq FROM `+digits("a")+`, `+digits("b")+`, `+digits("c")+`, `+digits("d")+`) n WHERE n.seq < 3000`, a.ID)
	db.MustExec(`INSERT INTO lt_conversion (link_id, click_id, account_id, order_id, value, currency, created_at) SELECT 1000000 + n.seq, REPEAT('x', 16), ?, n.seq, 0, '', 0 FROM
		(SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n AS seq FROM `+digits("a")+`, `+digits("b")+`, `+digits("c")+`, `+digits("d")+`) n WHERE n.seq < 2500`, a.ID)
	steps := map[string]int{}
	s := hooked(t, dsn, func(statement string, _ func()) {
		for _, change := range []string{"DELETE FROM lt_sum WHERE account_id = ? AND kind = 2", "UPDATE lt_conversion"} {
			if strings.HasPrefix(statement, change) {
				steps[change]++
			}
		}
	})
	require.NoError(t, s.EraseAccount(t.Context(), a.ID))
	require.Empty(t, rowsOf(t, db, a.ID))
	require.Equal(t, map[string]int{"DELETE FROM lt_sum WHERE account_id = ? AND kind = 2": 4, "UPDATE lt_conversion": 4}, steps)
}

func digits(name string) string {
	return `(SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5
		UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) ` + name
}

func TestALinkThatIsMadeDuringAnErasureKeepsItsAccount(t *testing.T) {
	plain, dsn := opened(t)
	db := admin(t, dsn)
	a := accountWithAll(t, plain, db, "ada")
	made := false
	s := hooked(t, dsn, func(statement string, _ func()) {
		if !made && strings.Contains(statement, "lease_until NOT BETWEEN") {
			made = true
			makeLink(t, plain, linktrack.Link{Account: a.ID, Path: "late", LinkSettings: linktrack.LinkSettings{Group: "news"}})
		}
	})
	require.ErrorIs(t, s.EraseAccount(t.Context(), a.ID), linktrack.ErrHasLinks)
	require.True(t, made)
	_, err := plain.AccountByID(t.Context(), a.ID)
	require.NoError(t, err)
	groups, err := plain.Groups(t.Context(), a.ID, 10)
	require.NoError(t, err)
	require.Equal(t, []string{"news"}, groups)
	ctx := t.Context()
	_, err = plain.ApplyClicks(ctx, nil, time.Time{})
	require.NoError(t, err, "the lease is free")
}
