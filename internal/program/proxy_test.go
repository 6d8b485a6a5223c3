package program

import (
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// A deafProxy is a proxy for a database. While it loses answers, it passes on the
// data of clients but not the answer, and then closes the connection. So a client
// cannot know whether its COMMIT was executed.
type deafProxy struct {
	addr   string
	deaf   atomic.Bool
	losses atomic.Int64
}

func newDeafProxy(t *testing.T, server string) *deafProxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	p := &deafProxy{addr: listener.Addr().String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.pass(client, server)
		}
	}()
	return p
}

func (p *deafProxy) pass(client net.Conn, addr string) {
	defer client.Close()
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer server.Close()
		b := make([]byte, 64<<10)
		for {
			n, err := client.Read(b)
			if err != nil {
				return
			}
			if _, err := server.Write(b[:n]); err != nil {
				return
			}
		}
	}()
	b := make([]byte, 64<<10)
	for {
		n, err := server.Read(b)
		if err != nil {
			return
		}
		if p.deaf.Load() {
			p.losses.Add(1)
			return
		}
		if _, err := client.Write(b[:n]); err != nil {
			return
		}
	}
}

// loseAnswers loses the answers for that time.
func (p *deafProxy) loseAnswers(d time.Duration) {
	p.deaf.Store(true)
	time.Sleep(d)
	p.deaf.Store(false)
}

func (p *deafProxy) lost() int64 { return p.losses.Load() }
