package testmysql

import (
	"testing"

	"github.com/go-sql-driver/mysql"
)

// A Server is a MySQL or MariaDB server that belongs to one test, which may kill
// it.
type Server struct {
	*Process
	t testing.TB
}

// Start launches a server for the test, and ends it with the test. Without a
// program to start, the test is skipped, but fails where CI=true.
func Start(t testing.TB) *Server {
	t.Helper()
	p, err := Launch(false)
	need(t, err)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Server{p, t}
}

// DSN returns the DSN of a database on the server, over TCP, and makes the
// database if there is none of that name.
func (s *Server) DSN(database string) string {
	s.t.Helper()
	c, err := mysql.ParseDSN(s.Process.DSN(""))
	if err != nil {
		s.t.Fatal(err)
	}
	admin(s.t, c, "CREATE DATABASE IF NOT EXISTS `"+database+"`")
	return s.Process.DSN(database)
}

// Restart starts the server again on the same data and address, after Kill or
// while it runs. It returns when the server answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.stop()
	if err := s.run(); err != nil {
		s.t.Fatal(err)
	}
}
