package mysqlstore_test

import (
	"context"
	"database/sql"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/testmysql"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// A door is an address of a server that can hang, close, and open again.
type door struct {
	listener net.Listener
	server   string

	mu     sync.Mutex
	opened chan struct{} // closed unless the door hangs
	closed bool
	conns  map[net.Conn]bool
	passed int // connections
}

// newDoor returns a door to the server of a DSN. It ends with the test.
func newDoor(t *testing.T, dsn string) *door {
	t.Helper()
	c, err := mysql.ParseDSN(dsn)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &door{listener: l, server: c.Addr, opened: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(d.opened)
	go d.serve()
	t.Cleanup(func() {
		l.Close()
		d.close()
	})
	return d
}

func (d *door) addr() string { return d.listener.Addr().String() }

func (d *door) serve() {
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		closed := d.closed
		d.mu.Unlock()
		if closed {
			conn.Close()
			continue
		}
		go d.pass(conn)
	}
}

func (d *door) pass(conn net.Conn) {
	d.keep(conn)
	defer conn.Close()
	d.wait()
	server, err := net.Dial("tcp", d.server)
	if err != nil {
		return
	}
	d.keep(server)
	defer server.Close()
	go d.copy(server, conn)
	d.copy(conn, server)
}

func (d *door) keep(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.passed++
	d.conns[conn] = true
	if d.closed {
		conn.Close()
	}
}

func (d *door) wait() {
	d.mu.Lock()
	opened := d.opened
	d.mu.Unlock()
	<-opened
}

func (d *door) copy(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		d.wait()
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

// hang keeps all connections, and lets nothing pass.
func (d *door) hang() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened = make(chan struct{})
}

// close ends all connections, and makes no others.
func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for conn := range d.conns {
		conn.Close()
	}
	clear(d.conns)
	select {
	case <-d.opened:
	default:
		close(d.opened)
	}
}

func (d *door) connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passed
}

// through returns a DSN that names the doors.
func through(t *testing.T, dsn string, doors ...*door) string {
	t.Helper()
	c, err := mysql.ParseDSN(dsn)
	require.NoError(t, err)
	var addrs []string
	for _, d := range doors {
		addrs = append(addrs, d.addr())
	}
	return strings.Replace(dsn, "tcp("+c.Addr+")", "tcp("+strings.Join(addrs, ",")+")", 1)
}

// In each case, callers use the Store without a pause while the first server fails. No call
// fails, and each batch is stored once.
func TestAStoreGoesOnWithTheNextServer(t *testing.T) {
	for name, fail := range map[string]func(*door){
		"when one ends":  (*door).close,
		"when one hangs": (*door).hang,
	} {
		t.Run(name, func(t *testing.T) {
			_, dsn := opened(t)
			a, b := newDoor(t, dsn), newDoor(t, dsn)
			s, err := mysqlstore.Open(through(t, dsn, a, b) + "?readTimeout=1h&writeTimeout=1h")
			require.NoError(t, err)
			defer s.Close()
			link := makeLink(t, s, linktrack.Link{Account: 1, Path: "l"})
			require.Zero(t, b.connections())

			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			var all, warm sync.WaitGroup
			failed := make(chan struct{})
			const callers, batches = 8, 6
			warm.Add(callers)
			for i := range callers {
				all.Go(func() {
					for n := range batches {
						if n == batches/2 {
							warm.Done()
							<-failed
						}
						_, err := s.LinkByPath(ctx, link.Host, link.Path)
						assert.NoError(t, err)
						err = s.AppendClicks(ctx, linktrack.Batch{Source: linktrack.Source{byte(i + 1)}, Seq: int64(n + 1), Clicks: []linktrack.Click{click(link.ID, time.Now())}})
						assert.NoError(t, err)
					}
				})
			}
			warm.Wait()
			fail(a)
			close(failed)
			all.Wait()
			require.NotZero(t, b.connections())
			apply(t, s)
			require.EqualValues(t, callers*batches, counts(t, s, link).People)
		})
	}
}

func TestACallThatWaitsEndsWhenItsServerHangs(t *testing.T) {
	dsn := testmysql.DSN(t)
	a, b := newDoor(t, dsn), newDoor(t, dsn)
	connector, err := mysqlstore.NewConnector(through(t, dsn, a, b) + "?readTimeout=1h")
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	conn, err := db.Conn(ctx)
	require.NoError(t, err)
	defer conn.Close()
	// A statement that takes long is no reason to leave its server.
	_, err = conn.ExecContext(ctx, "DO SLEEP(1)")
	require.NoError(t, err)
	require.Zero(t, b.connections())

	a.hang()
	_, err = conn.ExecContext(ctx, "DO 1")
	require.ErrorIs(t, err, mysql.ErrInvalidConn)
	require.NoError(t, ctx.Err())
	require.NoError(t, db.PingContext(ctx))
	require.NotZero(t, b.connections())
}

func TestWithoutAnyServerTheErrorNamesEach(t *testing.T) {
	dsn := testmysql.DSN(t)
	a, b := newDoor(t, dsn), newDoor(t, dsn)
	list := strings.Replace(through(t, dsn, a, b), "root@", "root:@hu(s)h/@", 1)
	_, err := mysqlstore.Open(list)
	require.ErrorContains(t, err, "the server at "+a.addr())
	require.ErrorContains(t, err, "the server at "+b.addr())
	require.NotContains(t, err.Error(), "hu(s)h")

	s, err := mysqlstore.Open(through(t, dsn, a, b))
	require.NoError(t, err)
	defer s.Close()
	a.listener.Close()
	b.listener.Close()
	a.close()
	b.close()
	_, err = s.LinkByPath(t.Context(), "go.example.com", "x")
	require.ErrorContains(t, err, "no server answers at "+a.addr()+": connection refused; no server answers at "+b.addr())
}

func TestAServerThatTakesNoWritesIsNotUsed(t *testing.T) {
	private := testmysql.Start(t)
	dsn := private.DSN("links")
	root := admin(t, dsn)
	root.MustExec(`CREATE USER app@'%' IDENTIFIED BY 'hush'`)
	root.MustExec(`GRANT ALL ON links.* TO app@'%'`)
	user := strings.Replace(dsn, "root@", "app:hush@", 1)
	s, err := mysqlstore.Open(user)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Migrate(t.Context()))

	root.MustExec(`SET GLOBAL read_only = 1`)
	const want = "is read-only: a secondary?"
	err = s.AppendClicks(t.Context(), linktrack.Batch{Source: linktrack.Source{1}, Seq: 1, Clicks: []linktrack.Click{click(1, time.Now())}})
	require.ErrorContains(t, err, want)
	_, err = mysqlstore.Open(user)
	require.ErrorContains(t, err, "mysqlstore: the server at "+private.Addr()+" "+want)
	_, err = mysqlstore.Open(strings.Replace(user, "/links", "/mysql", 1)) // without tables
	require.Error(t, err)

	// Its reads would be old, so it is not used for them either.
	other := newDoor(t, dsn)
	_, err = mysqlstore.Open(through(t, user, other) + "?timeout=1m")
	require.ErrorContains(t, err, want)
	root.MustExec(`SET GLOBAL read_only = 0`)
	require.NoError(t, s.AppendClicks(t.Context(), linktrack.Batch{Source: linktrack.Source{1}, Seq: 1, Clicks: []linktrack.Click{click(1, time.Now())}}))
}

func TestAConnectorPreparesTheSessionsOfAHostsPool(t *testing.T) {
	connector, err := mysqlstore.NewConnector(testmysql.DSN(t))
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	defer db.Close()
	var zone, mode string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT @@time_zone, @@sql_mode`).Scan(&zone, &mode))
	require.Equal(t, "+00:00", zone)
	require.Contains(t, mode, "STRICT_TRANS_TABLES")
	s := mysqlstore.New(db)
	require.NoError(t, s.Migrate(t.Context()))
	_, err = s.LinkByPath(t.Context(), "go.example.com", "x")
	require.ErrorIs(t, err, linktrack.ErrNotFound)

	_, err = mysqlstore.NewConnector("me:hush@tcp(a,,b)/x")
	require.ErrorContains(t, err, "mysqlstore: the DSN cannot be read: server 2 of the list has no name")
}
