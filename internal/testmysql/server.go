package testmysql

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// ProgramVariable names the environment variable that holds the path of the
// server's program.
const ProgramVariable = "LINKTRACK_TEST_MYSQLD"

// A Server is a MySQL or MariaDB server that belongs to one test.
type Server struct {
	t      testing.TB
	dir    string
	port   int
	binary string
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
}

// Start starts a server with an empty data directory, on a free port of the
// loopback and on a socket, and stops it when the test ends. The server is the
// program that ProgramVariable names, or else mariadbd or mysqld; where there is
// neither, the test is skipped, but fails where CI=true.
func Start(t testing.TB) *Server {
	t.Helper()
	binary := os.Getenv(ProgramVariable)
	if binary == "" {
		binary = find("mariadbd", "mysqld")
	}
	if binary == "" {
		const sentence = "this test starts a server of its own and needs mariadbd or mysqld on the machine"
		if os.Getenv("CI") == "true" {
			t.Fatal(sentence)
		}
		t.Skip(sentence)
	}
	// Not t.TempDir: its path may be longer than a socket's can be.
	dir, err := os.MkdirTemp("", "ltmysql")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, dir: dir, binary: binary, port: freePort(t)}
	t.Cleanup(func() {
		s.stop()
		os.RemoveAll(dir)
	})
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.install()
	s.run()
	return s
}

// install makes the data directory.
func (s *Server) install() {
	s.t.Helper()
	args := append(s.common(), "--initialize-insecure")
	program := s.binary
	if install := find("mariadb-install-db"); install != "" && s.mariaDB() {
		program = install
		args = append(s.common(), "--auth-root-authentication-method=normal", "--skip-test-db")
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

func (s *Server) mariaDB() bool {
	out, err := exec.Command(s.binary, "--no-defaults", "--version").Output()
	return err == nil && strings.Contains(string(out), "MariaDB")
}

// common are the options of the server and of the program that installs it.
func (s *Server) common() []string {
	args := []string{"--no-defaults", "--datadir=" + filepath.Join(s.dir, "data"), "--tmpdir=" + filepath.Join(s.dir, "tmp")}
	if u, err := user.Current(); err == nil && u.Uid == "0" {
		args = append(args, "--user=root")
	}
	return args
}

// run starts the server and waits until it answers.
func (s *Server) run() {
	s.t.Helper()
	args := append(s.common(),
		"--socket="+s.Socket(), "--pid-file="+filepath.Join(s.dir, "my.pid"),
		"--bind-address=127.0.0.1", "--port="+strconv.Itoa(s.port),
		"--log-error="+filepath.Join(s.dir, "err.log"))
	if !s.mariaDB() {
		args = append(args, "--mysqlx=OFF", "--performance-schema=OFF")
	}
	cmd := exec.Command(s.binary, args...)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		cmd.Wait()
		close(exited)
	}()
	s.cmd, s.exited = cmd, exited
	c, err := mysql.ParseDSN(s.dsn(""))
	if err != nil {
		s.t.Fatal(err)
	}
	c.Logger = &mysql.NopLogger{} // it will not answer at once
	connector, err := mysql.NewConnector(c)
	if err != nil {
		s.t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-exited:
			s.t.Fatalf("the server ended before it answered\n%s", s.log())
		case <-ctx.Done():
			s.t.Fatalf("the server does not answer: %v\n%s", err, s.log())
		}
	}
}

// DSN returns the DSN of a database on the server, over TCP, and makes the
// database if there is none of that name.
func (s *Server) DSN(database string) string {
	s.t.Helper()
	c, err := mysql.ParseDSN(s.dsn(""))
	if err != nil {
		s.t.Fatal(err)
	}
	admin(s.t, c, "CREATE DATABASE IF NOT EXISTS `"+database+"`")
	return s.dsn(database)
}

func (s *Server) dsn(database string) string {
	return fmt.Sprintf("root@tcp(%s)/%s", s.Addr(), database)
}

// Addr is where the server listens, as host:port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Socket is the path of the server's Unix socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, "my.sock") }

// Kill ends the server as kill -9 does and returns when it is gone.
func (s *Server) Kill() {
	s.cmd.Process.Kill()
	<-s.exited
}

// Restart starts the server again on the same data and address, after Kill or
// while it runs. It returns when the server answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.stop()
	s.run()
}

// stop ends the server orderly, or by force if that takes too long.
func (s *Server) stop() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(30 * time.Second):
		s.Kill()
	}
}

func (s *Server) log() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "err.log"))
	return string(b)
}

// find looks in the places of servers too, which are not in everyone's PATH.
func find(names ...string) string {
	for _, name := range names {
		for _, path := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name, "/usr/libexec/" + name} {
			if p, err := exec.LookPath(path); err == nil {
				return p
			}
		}
	}
	return ""
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
