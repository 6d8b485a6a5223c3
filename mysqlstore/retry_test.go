package mysqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// A failingSQL makes connections whose next statements fail.
type failingSQL struct {
	driver.Connector
	left atomic.Int32 // the number of statements that fail
	err  error
	ran  bool // the statements run, and only their answers are lost

	commits atomic.Bool // only commits fail
}

func (f *failingSQL) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := f.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &failingConn{conn.(everything), f}, nil
}

// fail makes the next n statements fail.
func (f *failingSQL) fail(n int32, err error, ran bool) {
	f.err, f.ran = err, ran
	f.left.Store(n)
}

func (f *failingSQL) next(statement string) error {
	if strings.HasPrefix(statement, "SET ") || f.commits.Load() && statement != "COMMIT" || f.left.Add(-1) < 0 {
		return nil
	}
	return f.err
}

type failingConn struct {
	everything
	sql *failingSQL
}

func (c *failingConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	err := c.sql.next(statement)
	if err != nil && !c.sql.ran {
		return nil, err
	}
	res, failed := c.everything.ExecContext(ctx, statement, args)
	if err != nil {
		return nil, err
	}
	return res, failed
}

func (c *failingConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.sql.next(statement); err != nil {
		return nil, err
	}
	return c.everything.QueryContext(ctx, statement, args)
}

func (c *failingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.everything.BeginTx(ctx, o)
	return failingTx{tx, c}, err
}

func (c *failingConn) PrepareContext(ctx context.Context, statement string) (driver.Stmt, error) {
	s, err := c.everything.PrepareContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	return failingStmt{s.(fullStmt), c}, nil
}

type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
}

type failingStmt struct {
	fullStmt
	conn *failingConn
}

func (s failingStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	err := s.conn.sql.next("")
	if err != nil && !s.conn.sql.ran {
		return nil, err
	}
	res, failed := s.fullStmt.ExecContext(ctx, args)
	if err != nil {
		return nil, err
	}
	return res, failed
}

type failingTx struct {
	driver.Tx
	conn *failingConn
}

func (t failingTx) Commit() error {
	err := t.conn.sql.next("COMMIT")
	if err == nil || t.conn.sql.ran {
		if failed := t.Tx.Commit(); err == nil {
			return failed
		}
		return err
	}
	t.Tx.Rollback()
	return err
}

func serverError(n uint16) error {
	text := "…"
	if n == 1290 {
		text = "The MySQL server is running with the --super-read-only option so it cannot execute this statement"
	}
	return &mysql.MySQLError{Number: n, Message: text}
}

func TestWhatMayRunAgainIsRunAgainUntilItSucceeds(t *testing.T) {
	dsn := migrated(t)
	c, err := mysql.ParseDSN(dsn + "?interpolateParams=true")
	require.NoError(t, err)
	connector, err := mysql.NewConnector(c)
	require.NoError(t, err)
	f := &failingSQL{Connector: connector}
	db := sql.OpenDB(f)
	defer db.Close()
	s := mysqlstore.New(db)
	ctx := t.Context()
	account, err := s.CreateAccount(ctx, linktrack.Account{Login: "me", Type: "professional"})
	require.NoError(t, err)
	link := makeLink(t, s, linktrack.Link{Account: account.ID, Path: "l", LinkSettings: linktrack.LinkSettings{DeactivateAt: 10000}})
	at := time.Now()
	batch, appended, reservations, granted := int64(0), int64(0), int64(0), 0
	edits := 0
	reads := map[string]func() error{
		"look up a link": func() error { _, err := s.LinkByPath(ctx, link.Host, link.Path); return err },
		"look up links": func() error {
			_, err := s.LinksByPath(ctx, []linktrack.LinkName{{Host: link.Host, Key: "l"}})
			return err
		},
		"look up a session": func() error { _, _, err := s.Session(ctx, account.ID, linktrack.SessionID{1}); return err },
		"list links": func() error {
			_, err := s.Links(ctx, linktrack.LinkFilter{Account: account.ID, Sort: linktrack.SortCreated, Limit: 10})
			return err
		},
		"reserve clicks": func() error {
			reservations++
			n, err := s.ReserveClicks(ctx, linktrack.Reservation{Source: linktrack.Source{1}, Seq: reservations, Link: link.ID, People: 2, Time: at})
			granted += n
			return err
		},
		"append clicks": func() error {
			batch++
			appended++
			return s.AppendClicks(ctx, linktrack.Batch{Source: linktrack.Source{1}, Seq: batch, Clicks: []linktrack.Click{click(link.ID, at)}})
		},
	}
	writes := map[string]func() error{
		"end a session": func() error { return s.EndSession(ctx, account.ID, linktrack.SessionID{2}, at.Add(time.Hour), at) },
		"end sessions":  func() error { return s.EndSessions(ctx, account.ID) },
		"note a key":    func() error { return s.UseKey(ctx, account.ID, 1, linktrack.Day(20000+batch)) },
		"make a link": func() error {
			batch++
			makeLink(t, s, linktrack.Link{Account: account.ID, Path: fmt.Sprint("p", batch)})
			return nil
		},
		"record a conversion": func() error {
			_, err := s.RecordConversion(ctx, linktrack.Conversion{Click: linktrack.ClickRef{Link: link.ID, ID: linktrack.NewClickID(at)}, Time: at}, nil)
			return err
		},
		"edit a link": func() error {
			edits++
			_, err := s.UpdateLink(ctx, link.ID, func(l *linktrack.Link) error {
				l.AlertAt++
				return nil
			})
			return err
		},
	}
	for _, n := range []uint16{1213, 1205, 3101, 1047, 1290, 1836} {
		for _, calls := range []map[string]func() error{reads, writes} {
			for name, call := range calls {
				times := int32(4) // more than database/sql repeats
				if n == 1213 {
					times = 15
				}
				f.fail(times, serverError(n), false)
				require.NoError(t, call(), "%s after %d", name, n)
				require.Negative(t, f.left.Load(), "%s did not fail with %d", name, n)
			}
		}
	}
	// Here it is not known whether the statement has run.
	for _, err := range []error{serverError(1180), serverError(3100), mysql.ErrInvalidConn} {
		for _, ran := range []bool{true, false} {
			for name, call := range reads {
				f.fail(3, err, ran)
				require.NoError(t, call(), "%s after %v", name, err)
			}
		}
	}
	f.fail(0, nil, false)
	apply(t, s)
	l, err := s.LinkByPath(ctx, link.Host, link.Path)
	require.NoError(t, err)
	require.EqualValues(t, appended, l.Counts.People)
	require.EqualValues(t, edits, l.AlertAt)
	require.EqualValues(t, 2*reservations, granted)
	var used int64
	require.NoError(t, admin(t, dsn).Get(&used, `SELECT used FROM lt_count WHERE link_id = ?`, link.ID))
	require.EqualValues(t, granted, used, "nothing is taken twice")

	// An edit whose commit may have happened is not run again, and one before its commit is.
	for _, err := range []error{serverError(1180), serverError(3100), mysql.ErrInvalidConn} {
		for _, ran := range []bool{true, false} {
			f.commits.Store(true)
			f.fail(1, err, ran)
			require.ErrorIs(t, writes["edit a link"](), err)
			f.commits.Store(false)
			if !ran {
				edits--
			}
		}
		f.fail(1, err, false)
		require.NoError(t, writes["edit a link"]())
	}
	l, err = s.LinkByPath(ctx, link.Host, link.Path)
	require.NoError(t, err)
	require.EqualValues(t, edits, l.AlertAt)
}

func TestAConflictThatStaysIsToldWhenTheTimeIsUp(t *testing.T) {
	connector, err := mysql.NewConnector(must(mysql.ParseDSN(migrated(t))))
	require.NoError(t, err)
	f := &failingSQL{Connector: connector}
	db := sql.OpenDB(f)
	defer db.Close()
	s := mysqlstore.New(db)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	f.fail(1<<30, serverError(1213), false)
	_, err = s.LinkByPath(ctx, "go.example.com", "x")
	require.ErrorContains(t, err, "other transactions interfered")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
