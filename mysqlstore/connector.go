package mysqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/linktrackhq/linktrack/internal/mysqldsn"
)

// NewConnector returns a connector for the servers of a DSN, for hosts that have a pool of
// their own:
//
//	connector, err := mysqlstore.NewConnector("user:password@tcp(a:3306,b:3306,c:3306)/links")
//	if err != nil { … }
//	db := sql.OpenDB(connector)
//	db.SetConnMaxLifetime(5 * time.Minute)
//	store := mysqlstore.New(db)
//
// It reads the DSN, prepares sessions, and chooses servers as [Open] does, but it does not
// connect. One connector can serve several pools. It returns to an earlier server of the DSN
// only when a pool makes a connection, so give the pool a maximum lifetime. The errors of
// Connect are sentences, or errors of the driver, without the password.
//
// The error of NewConnector is that of [Open] for a DSN that cannot be read.
func NewConnector(dsn string) (driver.Connector, error) { return newServers(dsn) }

// servers make connections to one server of a list:
//
//   - They connect to the present server, which is the one of the last connection. If that
//     fails, they try the others in the order of the DSN, and the first that takes writes
//     becomes the present one. Connections to other servers are closed when they are idle.
//   - A server that failed is not used again while another one is good, until returnAfter
//     has passed. Then a server that stands before the present one becomes the present one
//     if it takes writes. So all processes with the same list meet at its first good server,
//     and a server that comes and goes makes them move once in returnAfter.
type servers struct {
	config *mysql.Config
	all    []*server // in the order of the DSN

	present atomic.Pointer[server] // nil: none yet
	mu      sync.Mutex             // guards changes of present, and the fields of a server that say so
	looking bool                   // whether a call of lookBack is under way
	end     context.Context        // of lookBack; ended by Close
	close   context.CancelFunc
}

// A server is one of servers.
type server struct {
	of       *servers
	addr     string
	sessions driver.Connector // makes sessions that the Store can use
	patient  driver.Connector // the same, without a read timeout
	silence  *silence         // nil if there is no other server to go to

	// epoch grows when the server refuses to work. Older connections are then closed.
	epoch  atomic.Int64
	bad    bool      // the last use failed; guarded by servers.mu
	failed time.Time // when that was; guarded by servers.mu
}

const (
	returnAfter = 5 * time.Minute
	lookTimeout = 5 * time.Second        // of one connection
	enough      = 100 * time.Millisecond // for a server to greet
)

// newServers reads the DSN and returns its servers. It does not connect.
func newServers(dsn string) (*servers, error) {
	c, addrs, err := configOf(dsn)
	if err != nil {
		return nil, err
	}
	all := newList(c)
	for _, addr := range addrs {
		one := &server{of: all, addr: addr}
		all.all = append(all.all, one)
		own := mysqldsn.For(c, addr)
		if len(addrs) > 1 {
			one.silence = newSilence(one.hung)
			own.DialFunc = one.silence.dial
		}
		first, err := mysql.NewConnector(own)
		if err == nil {
			own.ReadTimeout = 0
			one.patient, err = mysql.NewConnector(own)
		}
		if err != nil {
			return nil, errors.New("mysqlstore: the DSN cannot be used: a parameter has a value that the driver does not accept")
		}
		if one.silence != nil {
			one.silence.probe = first
		}
		one.sessions, one.patient = sessions{first}, sessions{one.patient}
	}
	return all, nil
}

func newList(c *mysql.Config) *servers {
	s := &servers{config: c}
	s.end, s.close = context.WithCancel(context.Background())
	return s
}

// Connect implements driver.Connector.
func (s *servers) Connect(ctx context.Context) (driver.Conn, error) {
	return s.connect(ctx, func(one *server) driver.Connector { return one.sessions })
}

// Driver implements driver.Connector.
func (s *servers) Driver() driver.Driver { return &mysql.MySQLDriver{} }

// Close ends what runs in the background. database/sql calls it when a pool is closed.
func (s *servers) Close() error {
	s.close()
	return nil
}

// patient makes connections without a read timeout: only contexts bound how long they wait
// for an answer.
type patient struct{ *servers }

func (p patient) Connect(ctx context.Context) (driver.Conn, error) {
	return p.connect(ctx, func(one *server) driver.Connector { return one.patient })
}

// connect connects to one server. Each gets an equal share of the time that is left, so that
// one that does not answer leaves time for the others.
func (s *servers) connect(ctx context.Context, by func(*server) driver.Connector) (driver.Conn, error) {
	order := s.order()
	failures := &unavailable{config: s.config}
	for i, one := range order {
		conn, err := one.connect(ctx, by(one), len(order)-i)
		if err == nil {
			s.use(one)
			return conn, nil
		}
		// Too many connections are no reason to write elsewhere.
		if tooMany(err) && (len(order) == 1 || one == s.present.Load()) {
			return nil, err
		}
		failures.all = append(failures.all, failedServer{one.addr, err})
		if ctx.Err() != nil {
			break
		}
	}
	return nil, failures
}

// order returns the servers in the order in which to try them.
func (s *servers) order() []*server {
	s.mu.Lock()
	defer s.mu.Unlock()
	present := s.present.Load()
	order := make([]*server, 0, len(s.all))
	if present != nil && !present.bad {
		order = append(order, present)
	}
	for _, bad := range []bool{false, true} {
		for _, one := range s.all {
			if one.bad == bad && (one != present || bad) {
				order = append(order, one)
			}
		}
	}
	return order
}

// use notes that a connection to a server was made.
func (s *servers) use(one *server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.bad = false
	if present := s.present.Load(); present == nil || present.bad {
		s.present.Store(one)
	}
	if !s.looking && len(s.toLookAt()) > 0 {
		s.looking = true
		go s.lookBack()
	}
}

// fail notes that a server cannot be used.
func (s *servers) fail(one *server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.bad, one.failed = true, time.Now()
}

// toLookAt returns the servers before the present one that have not failed since
// returnAfter. mu must be held.
func (s *servers) toLookAt() (all []*server) {
	for _, one := range s.all {
		if one == s.present.Load() {
			return all
		}
		if time.Since(one.failed) >= returnAfter {
			all = append(all, one)
		}
	}
	return all
}

// lookBack makes the first server that takes writes again the present one.
func (s *servers) lookBack() {
	s.mu.Lock()
	candidates := s.toLookAt()
	s.mu.Unlock()
	for _, one := range candidates {
		ctx, cancel := context.WithTimeout(s.end, lookTimeout)
		conn, err := one.connect(ctx, one.sessions, 1)
		cancel()
		if err == nil {
			conn.Close()
			s.mu.Lock()
			one.bad = false
			s.present.Store(one)
			s.mu.Unlock()
			break
		}
		s.fail(one)
	}
	s.mu.Lock()
	s.looking = false
	s.mu.Unlock()
}

// connect connects to the server within the time of the context, divided by share. It notes
// that the server has failed, unless the caller leaves no time to know.
func (one *server) connect(ctx context.Context, by driver.Connector, share int) (driver.Conn, error) {
	long := one.of.config.Timeout
	if end, ok := ctx.Deadline(); ok {
		long = min(long, time.Until(end)/time.Duration(share))
	}
	try, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	begin, epoch := one.silence.now(), one.epoch.Load()
	c, err := by.Connect(try)
	switch {
	case err == nil:
		return &conn{session: c.(session), server: one, epoch: epoch}, nil
	case try.Err() == nil:
		one.of.fail(one)
	case errors.Is(try.Err(), context.DeadlineExceeded) && long >= enough:
		one.silence.lasted(begin)
	}
	return nil, err
}

// leave closes the connections of an epoch when they are idle, because the server refused to
// work for one of them. The next connection is made to another server if one takes writes.
func (one *server) leave(epoch int64) {
	if one.epoch.CompareAndSwap(epoch, epoch+1) {
		one.of.fail(one)
	}
}

// hung is called when the server has been silent. The silence has closed its connections.
func (one *server) hung() { one.leave(one.epoch.Load()) }

// unavailable is the error when none of several servers can be used.
type unavailable struct {
	config *mysql.Config
	all    []failedServer
}

type failedServer struct {
	addr string
	err  error
}

func (u *unavailable) Error() string {
	causes := make([]string, len(u.all))
	for i, one := range u.all {
		causes[i] = cause(u.config, one.addr, one.err)
	}
	return strings.Join(causes, "; ")
}

func (u *unavailable) Unwrap() []error {
	all := make([]error, len(u.all))
	for i, one := range u.all {
		all[i] = one.err
	}
	return all
}
