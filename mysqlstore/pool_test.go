package mysqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A limited server allows so many connections.
type limited struct {
	mu                           sync.Mutex
	allowed, open, most, refused int
}

func (s *limited) Connect(context.Context) (driver.Conn, error) {
	time.Sleep(time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= s.allowed {
		s.refused++
		return nil, &mysql.MySQLError{Number: errTooMany, Message: "Too many connections"}
	}
	s.open++
	s.most = max(s.most, s.open)
	return &connection{server: s}, nil
}

func (s *limited) Driver() driver.Driver { return nil }

func (s *limited) allow(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allowed, s.most, s.refused = n, 0, 0
}

type connection struct {
	session
	server *limited
}

func (c *connection) ResetSession(context.Context) error { return nil }
func (c *connection) IsValid() bool                      { return true }
func (c *connection) Close() error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.open--
	return nil
}

// use has many callers use a connection for 50 ms each, for a time.
func use(t *testing.T, db *sql.DB, long time.Duration) {
	var all sync.WaitGroup
	end := time.Now().Add(long)
	for range 100 {
		all.Go(func() {
			for time.Now().Before(end) {
				conn, err := db.Conn(t.Context())
				if !assert.NoError(t, err) {
					return
				}
				time.Sleep(50 * time.Millisecond)
				assert.NoError(t, conn.Close())
			}
		})
	}
	all.Wait()
}

func TestAPoolKeepsToWhatTheServerAllowsAndFindsOutWhenThatIsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limited{allowed: 4}
		p := poolOf(s, 32)
		use(t, p.db, time.Minute)
		require.Equal(t, 4, s.most)
		require.Less(t, s.refused, 60, "in a minute")

		s.allow(20)
		use(t, p.db, 2*time.Minute)
		require.Equal(t, 20, s.most)

		s.allow(2) // the others are closed as they grow old
		use(t, p.db, 10*time.Minute)
		require.LessOrEqual(t, s.open, 2)

		s.allow(100)
		use(t, p.db, 5*time.Minute)
		require.Equal(t, 32, s.most)
		require.Nil(t, p.grow)
		require.NoError(t, p.close())
		require.Zero(t, s.open)
		require.Zero(t, p.open)
	})
}

func TestAPoolWithoutAnyConnectionWaitsForOneAsLongAsItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limited{}
		p := poolOf(s, 32)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		require.Equal(t, uint16(errTooMany), number(p.db.PingContext(ctx)))
		time.AfterFunc(time.Minute, func() { s.allow(1) })
		use(t, p.db, 2*time.Minute)
		require.NoError(t, p.close())
		require.Zero(t, s.open)
	})
}

func TestASingleConnectionComesBesideThoseOfThePool(t *testing.T) {
	for _, allowed := range []int{1, 2, 10} {
		synctest.Test(t, func(t *testing.T) {
			s := &limited{allowed: allowed}
			p := poolOf(s, 32)
			use(t, p.db, time.Second)
			require.Equal(t, allowed, s.open)
			db := sql.OpenDB(single{s, p})
			var all sync.WaitGroup
			all.Go(func() { use(t, p.db, time.Minute) })
			time.Sleep(time.Second)
			conn, err := db.Conn(t.Context())
			require.NoError(t, err)
			time.Sleep(time.Second)
			require.NoError(t, conn.Close())
			require.NoError(t, db.Close())
			all.Wait()
			require.Equal(t, allowed, s.most)
			require.NoError(t, p.close())
		})
	}
}
