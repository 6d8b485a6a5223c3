package mysqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

func deleteLink(t testing.TB, s linktrack.Store, l linktrack.Link) {
	t.Helper()
	_, err := s.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.DeletedAt = noon; return nil })
	require.NoError(t, err)
}

func converted(l linktrack.Link, order string) linktrack.Conversion {
	return linktrack.Conversion{Click: linktrack.ClickRef{Link: l.ID, ID: linktrack.NewClickID(noon)}, OrderID: order, Time: noon}
}

// requireNoOrphans requires that no table has a row of a link that does not exist.
func requireNoOrphans(t testing.TB, db *sqlx.DB) {
	t.Helper()
	var tables []string
	require.NoError(t, db.Select(&tables, `
		SELECT TABLE_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME = 'link_id'`))
	require.Subset(t, tables, strings.Fields(`lt_hit lt_click lt_hour lt_day lt_rank lt_count lt_conversion lt_alert lt_link_tag lt_former`))
	for _, table := range tables {
		var n int
		require.NoError(t, db.Get(&n, `SELECT COUNT(*) FROM `+table+` t WHERE t.link_id > 0 AND NOT EXISTS (SELECT 1 FROM lt_link l WHERE l.id = t.link_id)`))
		require.Zero(t, n, table)
	}
}

// A link that has a row, at least, in every table.
func linkWithAll(t testing.TB, s linktrack.Store, db *sqlx.DB, path string) linktrack.Link {
	t.Helper()
	l := makeLink(t, s, linktrack.Link{Account: 1, Path: path, LinkSettings: linktrack.LinkSettings{Group: "news", Tags: []string{"a", "b"}, AlertAt: 1, ExternalID: path}})
	all := visits(l.ID, noon, 30)
	record(t, s, linktrack.Batch{Seq: 1, Source: linktrack.Source{1: byte(l.ID), 2: byte(l.ID >> 8)}, Clicks: all})
	insertOld(db, all[0])
	_, err := s.RecordConversion(t.Context(), converted(l, path), nil)
	require.NoError(t, err)
	return l
}

func TestAPurgeThatIsKilledAtAnyStatementIsFinishedByTheNext(t *testing.T) {
	plain, dsn := opened(t)
	db := admin(t, dsn)
	stays := linkWithAll(t, plain, db, "stays")
	apply(t, plain)
	want := counts(t, plain, stays)
	var killed string
	var kills []string
	at, n := -1, 0
	s := hooked(t, dsn, func(statement string, kill func()) {
		if n == at {
			killed = strings.Join(strings.Fields(statement), " ")
			kill()
		}
		n++
	})
	for at = 0; ; at++ {
		l := linkWithAll(t, plain, db, fmt.Sprint("p", at))
		_, err := plain.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.Path = "r" + l.Path; return nil })
		require.NoError(t, err)
		deleteLink(t, plain, l)
		n, killed = 0, ""
		err = s.PurgeLink(t.Context(), l.ID, false)
		db.MustExec(`UPDATE lt_roll SET lease_until = 0`) // else its lease would first have to end
		found, findErr := plain.LinkByPath(t.Context(), l.Host, l.Key())
		if err == nil {
			require.ErrorIs(t, findErr, linktrack.ErrNotFound)
		} else if findErr == nil {
			require.True(t, found.IsDeleted(), killed)
			ids, err := plain.DeletedLinks(t.Context(), noon.Add(time.Hour), 10)
			require.NoError(t, err)
			require.Equal(t, []int64{l.ID}, ids, killed)
			record(t, plain, linktrack.Batch{Seq: 2, Source: linktrack.Source{1: byte(l.ID), 2: byte(l.ID >> 8)}, Clicks: visits(l.ID, noon, 5)})
			require.NoError(t, plain.PurgeLink(t.Context(), l.ID, true), killed)
		} else {
			require.Equal(t, "COMMITTED", killed)
		}
		require.ErrorIs(t, plain.PurgeLink(t.Context(), l.ID, true), linktrack.ErrNotFound)
		apply(t, plain)
		requireNoOrphans(t, db)
		kills = append(kills, killed)
		if killed == "" {
			break
		}
	}
	all := strings.Join(kills, "\n")
	for _, statement := range []string{"UPDATE lt_link SET is_purging", "DELETE FROM lt_click", "DELETE FROM lt_hit", "DELETE FROM lt_day", "DELETE FROM lt_count", "DELETE FROM lt_link ", "COMMITTED"} {
		require.Contains(t, all, statement)
	}
	require.Equal(t, want, counts(t, plain, stays))
	require.Len(t, history(t, plain, stays.ID), 30)
	total, err := plain.CountLinks(t.Context(), linktrack.LinkFilter{Account: 1, Deleted: true})
	require.NoError(t, err)
	require.Zero(t, total)
}

func TestALinkWhosePurgeHasBegunCannotBeRestoredAndCountsNothing(t *testing.T) {
	plain, dsn := opened(t)
	db := admin(t, dsn)
	l, stays := linkWithAll(t, plain, db, "a"), makeLink(t, plain, linktrack.Link{Account: 1, Path: "stays"})
	deleteLink(t, plain, l)
	seen := 0
	s := hooked(t, dsn, func(statement string, _ func()) {
		for _, step := range []string{"DELETE FROM lt_click", "DELETE FROM lt_hit", "DELETE FROM lt_conversion", "DELETE FROM lt_hour", "DELETE FROM lt_day"} {
			if !strings.HasPrefix(statement, step) || strings.Contains(statement, "click_id = ?") { // of the last step, which has locks
				continue
			}
			seen++
			_, err := plain.UpdateLink(t.Context(), l.ID, func(l *linktrack.Link) error { l.DeletedAt = time.Time{}; return nil })
			require.ErrorIs(t, err, linktrack.ErrNotFound)
			record(t, plain, linktrack.Batch{Source: linktrack.Source{9}, Seq: int64(seen), Clicks: append(visits(l.ID, noon, 7), click(stays.ID, noon))})
			require.Empty(t, reclassify(t, plain, areBots(visits(l.ID, noon, 7))))
			_, err = plain.RecordConversion(t.Context(), converted(l, fmt.Sprint("late", seen)), nil)
			require.NoError(t, err, "the link is still there")
		}
	})
	require.NoError(t, s.PurgeLink(t.Context(), l.ID, true))
	require.Equal(t, 5, seen)
	apply(t, plain)
	requireNoOrphans(t, db)
	require.EqualValues(t, 5, counts(t, plain, stays).People)
}

// The conversion is inserted, and has not been counted yet when the link goes.
func TestAConversionOfALinkThatIsPurgedMeanwhileIsNotFound(t *testing.T) {
	plain, dsn := opened(t)
	l := makeLink(t, plain, linktrack.Link{Path: "a"})
	deleteLink(t, plain, l)
	inserted, purged := make(chan struct{}), make(chan struct{})
	recorder := hooked(t, dsn, func(statement string, _ func()) {
		if strings.HasPrefix(statement, "UPDATE lt_count SET conversions") {
			close(inserted)
			<-purged
		}
	})
	var done sync.WaitGroup
	s := hooked(t, dsn, func(statement string, _ func()) {
		if strings.HasPrefix(statement, "DELETE FROM lt_count") {
			done.Go(func() {
				_, err := recorder.RecordConversion(t.Context(), converted(l, "order"), nil)
				assert.ErrorIs(t, err, linktrack.ErrNotFound)
			})
			<-inserted
		}
	})
	require.NoError(t, s.PurgeLink(t.Context(), l.ID, true))
	close(purged)
	done.Wait()
	apply(t, plain)
	requireNoOrphans(t, admin(t, dsn))
}

// Both wait for what the other one has locked, until the server ends one of them.
func TestAConversionThatReplacesOneOfALinkThatIsPurgedLeavesNothing(t *testing.T) {
	plain, dsn := opened(t)
	l := makeLink(t, plain, linktrack.Link{Path: "a"})
	deleteLink(t, plain, l)
	c := converted(l, "order")
	locked := make(chan struct{})
	once := sync.OnceFunc(func() { close(locked) })
	recorder := hooked(t, dsn, func(statement string, _ func()) {
		if strings.HasPrefix(statement, "UPDATE lt_count SET conversions") {
			once()
		}
	})
	var done sync.WaitGroup
	begun := false
	s := hooked(t, dsn, func(statement string, _ func()) {
		if begun || !strings.HasPrefix(statement, "DELETE FROM lt_count") {
			return
		}
		begun = true
		_, err := plain.RecordConversion(t.Context(), c, nil)
		assert.NoError(t, err)
		done.Go(func() {
			c := c
			c.Trusted = true
			if _, err := recorder.RecordConversion(t.Context(), c, nil); !errors.Is(err, linktrack.ErrNotFound) {
				assert.NoError(t, err)
			}
		})
		<-locked
	})
	require.NoError(t, s.PurgeLink(t.Context(), l.ID, true))
	done.Wait()
	apply(t, plain)
	requireNoOrphans(t, admin(t, dsn))
}

func TestALinkOfManyClicksIsPurgedInBoundedSteps(t *testing.T) {
	plain, dsn := opened(t)
	l := makeLink(t, plain, linktrack.Link{Path: "a"})
	b := linktrack.Batch{Seq: 1}
	for i := range 3500 {
		b.Clicks = append(b.Clicks, click(l.ID, noon.Add(time.Duration(i)*time.Hour)))
	}
	record(t, plain, b)
	deleteLink(t, plain, l)
	steps := map[string]int{}
	s := hooked(t, dsn, func(statement string, _ func()) {
		if strings.HasPrefix(statement, "DELETE FROM") {
			steps[strings.Fields(statement)[2]]++
		}
	})
	require.NoError(t, s.PurgeLink(t.Context(), l.ID, true))
	require.Equal(t, 4, steps["lt_hit"])
	require.Equal(t, 4, steps["lt_hour"])
	require.Equal(t, 1, steps["lt_day"])
	requireNoOrphans(t, admin(t, dsn))
}

// The server may keep deleted rows for some time, so the second half of the rows must not
// cost more than the first.
func TestAStepOfAPurgeReadsOnlyItsOwnRows(t *testing.T) {
	s, dsn := opened(t)
	l := makeLink(t, s, linktrack.Link{Path: "a"})
	b := linktrack.Batch{Seq: 1}
	const clicks = 10_000
	for i := range clicks {
		b.Clicks = append(b.Clicks, click(l.ID, noon.Add(time.Duration(i)*time.Minute)))
	}
	record(t, s, b)
	deleteLink(t, s, l)
	n := reads(t, dsn, func(s linktrack.Store) { require.NoError(t, s.PurgeLink(t.Context(), l.ID, true)) })
	require.Less(t, n, 3*clicks, "each is read twice: to find the end of a step, and to be deleted")
}

func TestALinkThatAnOlderVersionMadeIsPurgedFromTheNumbers(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	l := linkWithAll(t, s, db, "a")
	deleteLink(t, s, l)
	db.MustExec(`UPDATE lt_link SET uncounted = 1`)
	db.MustExec(`DELETE FROM lt_link_number`)
	require.NoError(t, s.PurgeLink(t.Context(), l.ID, true))
	n, err := s.CountLinks(t.Context(), linktrack.LinkFilter{Account: 1, Deleted: true})
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestDeletedLinksAreReadByAnIndex(t *testing.T) {
	s, dsn := opened(t)
	db := admin(t, dsn)
	for account := range linktrack.AccountID(2) {
		fill(t, s, db, account, 11)
	}
	db.MustExec(`UPDATE lt_link SET deleted_at = id WHERE id % 100 = 0`)
	db.MustExec(`ANALYZE TABLE lt_link`)
	n := reads(t, dsn, func(s linktrack.Store) {
		ids, err := s.DeletedLinks(t.Context(), noon, 7)
		require.NoError(t, err)
		require.Len(t, ids, 7)
	})
	require.Less(t, n, 20, "4,096 links")
}

// Two processes count what comes in while both of them purge the same links.
func TestNothingOfAPurgedLinkIsLeftWhateverComesInMeanwhile(t *testing.T) {
	s, dsn := opened(t)
	other, err := mysqlstore.Open(dsn)
	require.NoError(t, err)
	defer other.Close()
	db := admin(t, dsn)
	stores := []*mysqlstore.Store{s, other}
	const links, purged = 12, 8
	made := make([]linktrack.Link, links)
	for i := range made {
		made[i] = linkWithAll(t, s, db, fmt.Sprint("p", i))
		if i < purged {
			deleteLink(t, s, made[i])
		}
	}
	at := noon.Add(time.Hour)
	var all sync.WaitGroup
	for i, store := range stores {
		for j := range 2 {
			all.Go(func() {
				for seq := range int64(25) {
					b := linktrack.Batch{Source: linktrack.Source{15: byte(1 + 2*i + j)}, Seq: seq + 1}
					for _, l := range made {
						b.Clicks = append(b.Clicks, click(l.ID, at), click(l.ID, at.Add(time.Duration(seq)*24*time.Hour)))
					}
					assert.NoError(t, store.AppendClicks(t.Context(), b))
					for _, l := range made {
						c := converted(l, fmt.Sprint(i, j, seq%5))
						c.Trusted = seq%2 == 0
						if _, err := store.RecordConversion(t.Context(), c, nil); !errors.Is(err, linktrack.ErrNotFound) {
							assert.NoError(t, err)
						}
					}
				}
			})
		}
		all.Go(func() {
			for range 40 {
				_, err := store.ApplyClicks(t.Context(), nil, at)
				assert.NoError(t, err)
			}
		})
		all.Go(func() {
			for n := range purged {
				if err := store.PurgeLink(t.Context(), made[n].ID, true); !errors.Is(err, linktrack.ErrNotFound) {
					assert.NoError(t, err)
				}
			}
		})
	}
	all.Wait()
	apply(t, s)
	requireNoOrphans(t, db)
	for _, l := range made[purged:] {
		require.EqualValues(t, 30+2*2*25*2, counts(t, s, l).People)
		require.Len(t, history(t, s, l.ID), 30+2*2*25*2)
		require.EqualValues(t, 30+2*2*25*2, total(t, s, l.ID))
	}
	var wrong int
	require.NoError(t, db.Get(&wrong, `SELECT COUNT(*) FROM lt_rank r JOIN lt_count c ON c.link_id = r.link_id WHERE r.total <> c.total`))
	require.Zero(t, wrong)
	require.NoError(t, db.Get(&wrong, `SELECT COUNT(*) FROM lt_link`))
	require.Equal(t, links-purged, wrong)
	require.NoError(t, db.Get(&wrong, `
		SELECT COUNT(*) FROM lt_count c WHERE conversions <> (SELECT COUNT(*) FROM lt_conversion k WHERE k.link_id = c.link_id)`))
	require.Zero(t, wrong)
}
