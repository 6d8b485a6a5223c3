package mysqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A fakeServer stands for a server that works while its error is nil, and does not answer
// while it hangs.
type fakeServer struct {
	err       error
	hangs     bool
	statement error        // of each statement
	asked     atomic.Int64 // connections
}

func (f *fakeServer) Connect(ctx context.Context) (driver.Conn, error) {
	f.asked.Add(1)
	if f.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	time.Sleep(time.Millisecond)
	if f.err != nil {
		return nil, f.err
	}
	return &fakeConn{server: f}, nil
}

func (f *fakeServer) Driver() driver.Driver { return nil }

type fakeConn struct {
	session
	server *fakeServer
}

func (c *fakeConn) Close() error                       { return nil }
func (c *fakeConn) IsValid() bool                      { return true }
func (c *fakeConn) ResetSession(context.Context) error { return nil }
func (c *fakeConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), c.server.statement
}
func (c *fakeConn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) {
	return fakeTx{c}, nil
}

type fakeTx struct{ conn *fakeConn }

func (t fakeTx) Commit() error   { return t.conn.server.statement }
func (t fakeTx) Rollback() error { return nil }

// process returns the servers as a process sees them that starts now.
func process(t *testing.T, fakes ...*fakeServer) *servers {
	s := newList(&mysql.Config{Timeout: 2 * time.Second})
	t.Cleanup(func() { s.Close() })
	for i, fake := range fakes {
		one := &server{of: s, addr: string(rune('a' + i)), sessions: fake}
		if len(fakes) > 1 {
			one.silence = newSilence(one.hung)
		}
		s.all = append(s.all, one)
	}
	return s
}

// connected makes a connection as a look-up does, which has a second for it, and returns the
// server.
func connected(t *testing.T, s *servers) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	c, err := s.Connect(ctx)
	if !assert.NoError(t, err) {
		return ""
	}
	defer c.Close()
	return c.(*conn).server.addr
}

func TestTheLastGoodServerComesFirstAndThenTheOthersInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := &fakeServer{}, &fakeServer{}, &fakeServer{}
		s := process(t, a, b, c)
		require.Equal(t, "a", connected(t, s))
		require.Zero(t, b.asked.Load()+c.asked.Load())
		a.err = syscall.ECONNREFUSED
		require.Equal(t, "b", connected(t, s))
		require.Zero(t, c.asked.Load())
		before := a.asked.Load()
		a.err = nil
		require.Equal(t, "b", connected(t, s), "while it is good")
		require.Equal(t, before, a.asked.Load())
		b.err = errReadOnly
		require.Equal(t, "c", connected(t, s), "a has failed, too")
		c.err = syscall.ECONNREFUSED
		require.Equal(t, "a", connected(t, s))
	})
}

func TestAServerThatHangsLeavesTimeForTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := &fakeServer{hangs: true}, &fakeServer{hangs: true}, &fakeServer{}
		s := process(t, a, b, c)
		require.Equal(t, "c", connected(t, s))
		begin := time.Now()
		require.Equal(t, "c", connected(t, s))
		require.Less(t, time.Since(begin), 10*time.Millisecond, "those that hang are not asked again")

		c.hangs = true
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Connect(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		a.hangs = false
		require.Equal(t, "a", connected(t, s))

		// A connection for which nobody waits has no deadline.
		a.hangs, b.hangs = true, false
		begin = time.Now()
		conn, err := s.Connect(t.Context())
		require.NoError(t, err)
		require.Equal(t, "b", conn.(interface{ address() string }).address())
		require.Less(t, time.Since(begin), 3*time.Second)
	})
}

func (c *conn) address() string { return c.server.addr }

func TestACallerWithoutTimeDoesNotMakeAServerBad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &fakeServer{}, &fakeServer{}
		s := process(t, a, b)
		require.Equal(t, "a", connected(t, s))
		a.hangs, b.hangs = true, true
		for _, long := range []time.Duration{time.Nanosecond, 100 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), long)
			_, err := s.Connect(ctx)
			require.Error(t, err)
			cancel()
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		_, err := s.Connect(ctx)
		require.ErrorIs(t, err, context.Canceled)
		a.hangs, b.hangs = false, false
		require.Equal(t, "a", connected(t, s))
	})
}

func TestAllProcessesMeetAtTheFirstGoodServerAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &fakeServer{}, &fakeServer{}
		old := process(t, a, b)
		require.Equal(t, "a", connected(t, old))
		a.err = syscall.ECONNREFUSED
		require.Equal(t, "b", connected(t, old))
		first, err := old.Connect(t.Context())
		require.NoError(t, err)
		a.err = nil
		fresh := process(t, a, b)
		require.Equal(t, "a", connected(t, fresh))

		for range 4 {
			time.Sleep(time.Minute)
			require.Equal(t, "b", connected(t, old), "before five minutes have passed")
		}
		require.True(t, first.(*conn).IsValid())
		time.Sleep(time.Minute)
		require.Equal(t, "b", connected(t, old), "nobody waits for the look at the other server")
		time.Sleep(time.Second)
		require.Equal(t, "a", connected(t, old))
		require.False(t, first.(*conn).IsValid(), "the pool closes it when it is idle")
		require.ErrorIs(t, first.(*conn).ResetSession(t.Context()), driver.ErrBadConn)

		// One that comes and goes is asked once in five minutes.
		a.err = errReadOnly
		require.Equal(t, "b", connected(t, old))
		before := a.asked.Load()
		for range 60 {
			time.Sleep(time.Minute)
			require.Equal(t, "b", connected(t, old))
		}
		time.Sleep(time.Second)
		require.InDelta(t, 12, a.asked.Load()-before, 2)
	})
}

func TestTooManyConnectionsAreNoReasonToWriteElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &fakeServer{}, &fakeServer{}
		s := process(t, a, b)
		require.Equal(t, "a", connected(t, s))
		a.err = &mysql.MySQLError{Number: errTooMany}
		_, err := s.Connect(t.Context())
		require.True(t, tooMany(err))
		require.Zero(t, b.asked.Load())
	})
}

func TestAServerThatRefusesToWorkIsLeft(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		left   bool // the server
		repeat bool // database/sql may run the statement on another connection
	}{
		"read-only":            {&mysql.MySQLError{Number: 1290, Message: "The MariaDB server is running with the --read-only option so it cannot execute this statement"}, true, true},
		"super-read-only":      {&mysql.MySQLError{Number: 1290, Message: "The MySQL server is running with the --super-read-only option so it cannot execute this statement"}, true, true},
		"a mode":               {&mysql.MySQLError{Number: 1836, Message: "Running in read-only mode"}, true, true},
		"a session":            {&mysql.MySQLError{Number: 1792, Message: "Cannot execute statement in a READ ONLY transaction"}, true, true},
		"no majority":          {&mysql.MySQLError{Number: 1047, Message: "WSREP has not yet prepared node for application use"}, true, true},
		"a hook of the group":  {&mysql.MySQLError{Number: 3100, Message: "Error on observer while running replication hook 'before_commit'."}, true, false},
		"another option":       {&mysql.MySQLError{Number: 1290, Message: "The MySQL server is running with the --secure-file-priv option so it cannot execute this statement"}, false, false},
		"a conflict":           {&mysql.MySQLError{Number: 1213, Message: "Deadlock found"}, false, false},
		"a lost connection":    {mysql.ErrInvalidConn, false, false},
		"a statement that ran": {nil, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, several := range []bool{true, false} {
				a, b := &fakeServer{}, &fakeServer{}
				s := process(t, a)
				if several {
					s = process(t, a, b)
				}
				made := func() *conn {
					c, err := s.Connect(t.Context())
					require.NoError(t, err)
					return c.(*conn)
				}
				c, idle := made(), made()
				tx, err := c.BeginTx(t.Context(), driver.TxOptions{})
				require.NoError(t, err)
				a.statement = test.err
				_, one := idle.ExecContext(t.Context(), "", nil)
				other := tx.Commit()
				for _, err := range []error{one, other} {
					require.ErrorIs(t, err, test.err)
					require.Equal(t, test.repeat, errors.Is(err, driver.ErrBadConn))
				}
				require.NotEqual(t, test.left, c.IsValid())
				require.NotEqual(t, test.left, idle.IsValid())
				want := "a"
				if test.left && several {
					want = "b"
				}
				require.Equal(t, want, made().address())
			}
		})
	}
}

func TestCallersAtTheSameTimeChooseOneServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := &fakeServer{err: syscall.ECONNREFUSED}, &fakeServer{}, &fakeServer{}
		s := process(t, a, b, c)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { assert.Equal(t, "b", connected(t, s)) })
		}
		all.Wait()
	})
}
