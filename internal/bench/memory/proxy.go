package main

import (
	"io"
	"net"
	"sync"
)

// A state is what a database does.
type state int

const (
	absent state = iota // there is none
	up
	down  // it takes no connections
	hangs // it takes them and does not answer
)

// A proxy stands before a database, to be in any state.
type proxy struct {
	listener net.Listener
	to       string

	mu      sync.Mutex
	state   state
	changed *sync.Cond
	conns   map[net.Conn]bool
}

func newProxy(to string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, to: to, state: up, conns: make(map[net.Conn]bool)}
	p.changed = sync.NewCond(&p.mu)
	go p.serve()
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// set changes the state. One that is down ends its connections.
func (p *proxy) set(s state) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = s
	p.changed.Broadcast()
	if s == down {
		for c := range p.conns {
			c.Close()
		}
	}
}

func (p *proxy) close() {
	p.listener.Close()
	p.set(down)
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.to)
		if err != nil || !p.add(client, server) {
			client.Close()
			continue
		}
		go p.forward(server, client)
		go p.forward(client, server)
	}
}

// add keeps the two ends of a connection, unless the database is down.
func (p *proxy) add(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == down {
		server.Close()
		return false
	}
	p.conns[client], p.conns[server] = true, true
	return true
}

func (p *proxy) forward(to io.WriteCloser, from net.Conn) {
	defer to.Close()
	defer func() {
		p.mu.Lock()
		delete(p.conns, from)
		p.mu.Unlock()
	}()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		p.mu.Lock()
		for p.state == hangs {
			p.changed.Wait()
		}
		p.mu.Unlock()
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}
