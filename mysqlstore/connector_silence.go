package mysqlstore

import (
	"context"
	"database/sql/driver"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A silence finds out that a server has stopped to answer, without an end of its
// connections: its machine is paused, or its packets are lost. It watches the connections
// while one of them waits for an answer. When none of them has had a byte for longest, it
// asks for a new connection. If the server does not even greet, the silence closes all its
// connections, so that their calls end at once, and calls over.
//
// A single statement that takes long is no silence, because the server greets meanwhile.
type silence struct {
	probe driver.Connector // dials by dial
	over  func()

	begin    time.Time
	heard    atomic.Int64 // when a byte came last
	watching atomic.Bool  // whether look is called in lookEvery

	mu    sync.Mutex
	wires map[*wire]struct{}
}

const (
	longest      = 250 * time.Millisecond
	lookEvery    = 50 * time.Millisecond
	probeTimeout = 400 * time.Millisecond
)

func newSilence(over func()) *silence {
	return &silence{begin: time.Now(), over: over, wires: make(map[*wire]struct{})}
}

// now returns the time as heard holds it, which is never 0 except for a nil *silence.
func (s *silence) now() int64 {
	if s == nil {
		return 0
	}
	return int64(time.Since(s.begin)) + 1
}

// A wire is the network connection below one of the driver's. It has the methods of a TCP
// connection by which the driver finds out that its other end is closed.
type wire struct {
	*net.TCPConn
	silence *silence
	asked   atomic.Int64 // when it began to wait for an answer; 0: it does not wait
}

// dial is a DialFunc of the driver.
func (s *silence) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w := &wire{TCPConn: c.(*net.TCPConn), silence: s}
	s.mu.Lock()
	s.wires[w] = struct{}{}
	s.mu.Unlock()
	w.waits() // for the greeting
	return w, nil
}

func (w *wire) waits() {
	w.asked.Store(w.silence.now())
	w.silence.watch()
}

func (w *wire) Write(b []byte) (int, error) {
	w.waits()
	return w.TCPConn.Write(b)
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.TCPConn.Read(b)
	if n > 0 {
		w.silence.heard.Store(w.silence.now())
		w.asked.Store(0)
	}
	return n, err
}

func (w *wire) Close() error {
	w.silence.mu.Lock()
	delete(w.silence.wires, w)
	w.silence.mu.Unlock()
	return w.TCPConn.Close()
}

func (s *silence) watch() {
	if s.watching.CompareAndSwap(false, true) {
		time.AfterFunc(lookEvery, s.look)
	}
}

// waiting returns since when a connection has waited for an answer; 0: none waits.
func (s *silence) waiting() (since int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.wires {
		if asked := w.asked.Load(); asked != 0 && (since == 0 || asked < since) {
			since = asked
		}
	}
	return since
}

func (s *silence) look() {
	since := s.waiting()
	if since == 0 {
		s.watching.Store(false)
		if s.waiting() != 0 { // it has begun meanwhile
			s.watch()
		}
		return
	}
	if s.now()-max(since, s.heard.Load()) >= int64(longest) {
		s.ask()
	}
	time.AfterFunc(lookEvery, s.look)
}

// ask asks for a new connection.
func (s *silence) ask() {
	begin := s.now()
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	if conn, err := s.probe.Connect(ctx); err == nil {
		conn.Close()
	}
	s.lasted(begin)
}

// lasted is called when an attempt to connect has failed. It closes all connections if the
// server has been silent since the attempt began. It does nothing for a nil *silence.
func (s *silence) lasted(begin int64) {
	if s == nil || s.heard.Load() >= begin {
		return
	}
	s.over()
	s.mu.Lock()
	all := make([]*wire, 0, len(s.wires))
	for w := range s.wires {
		all = append(all, w)
	}
	s.mu.Unlock()
	for _, w := range all {
		w.Close()
	}
}
