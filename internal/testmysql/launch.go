package testmysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
)

// ProgramVariable names the environment variable that holds the path of the
// server's program.
const ProgramVariable = "LINKTRACK_TEST_MYSQLD"

// ErrNoProgram is the error of [Launch] where there is no server to start.
var ErrNoProgram = errors.New("there is no MySQL or MariaDB server: install MariaDB (Debian's package mariadb-server-core), name a server's program in " +
	ProgramVariable + ", or name a running server in " + Variable)

// A Process is a MySQL or MariaDB server on an empty data directory, below the
// temporary folder. It listens on a free port of the loopback interface and on a
// socket. Its user root has no password.
//
// It ends with the process that launched it, even if that is killed, and leaves
// nothing behind.
type Process struct {
	program string
	fast    bool
	dir     string
	port    int
	cmd     *exec.Cmd
	exited  chan struct{} // closed when cmd has ended
	watcher io.WriteCloser
}

// Launch starts a server and returns when it answers. Its program is the one
// that [ProgramVariable] names, or else mariadbd or mysqld. A fast server does
// not keep what it wrote if it is killed.
func Launch(fast bool) (*Process, error) {
	program := os.Getenv(ProgramVariable)
	if program == "" {
		program = find("mariadbd", "mysqld")
	}
	if program == "" {
		return nil, ErrNoProgram
	}
	// Not below a test's own folder: that path may be longer than a socket's can be.
	dir, err := os.MkdirTemp("", "linktrack-mysql")
	if err != nil {
		return nil, err
	}
	p := &Process{program: program, fast: fast, dir: dir}
	if err := errors.Join(p.watch(), os.Mkdir(filepath.Join(dir, "tmp"), 0o700)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := p.install(); err != nil {
		p.Close()
		return nil, err
	}
	for range 5 { // another process may take the port before the server does
		if p.port, err = freePort(); err == nil {
			err = p.run()
		}
		if err == nil {
			return p, nil
		}
	}
	p.Close()
	return nil, err
}

// watch starts a process that removes the folder, and ends the server that it
// was told of last, when this process has ended.
func (p *Process) watch() error {
	const script = `while read -r line; do server=$line; done
if [ -n "$server" ]; then kill -9 "$server"; fi
for try in 1 2 3 4 5; do rm -rf "$0" && exit; sleep 0.2; done`
	cmd := exec.Command("sh", "-c", script, p.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's signals go to those who can end in order
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait()
	p.watcher = in
	return nil
}

// install makes the data directory.
func (p *Process) install() error {
	program, args := p.program, append(p.options(), "--initialize-insecure")
	if install := find("mariadb-install-db"); install != "" && p.mariaDB() {
		program, args = install, append(p.options(), "--auth-root-authentication-method=normal", "--skip-test-db")
	}
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

func (p *Process) mariaDB() bool {
	out, err := exec.Command(p.program, "--no-defaults", "--version").Output()
	return err == nil && strings.Contains(string(out), "MariaDB")
}

// options are those of the server and of the program that makes its data
// directory.
func (p *Process) options() []string {
	all := []string{"--no-defaults", "--datadir=" + filepath.Join(p.dir, "data"), "--tmpdir=" + filepath.Join(p.dir, "tmp")}
	if p.fast {
		all = append(all, "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF", "--skip-log-bin")
	}
	if os.Getuid() == 0 {
		all = append(all, "--user=root")
	}
	return all
}

// run starts the server and waits until it answers.
func (p *Process) run() error {
	cmd := exec.Command(p.program, append(p.options(),
		"--socket="+p.Socket(), "--pid-file="+filepath.Join(p.dir, "my.pid"), "--log-error="+filepath.Join(p.dir, "err.log"),
		"--bind-address=127.0.0.1", "--port="+strconv.Itoa(p.port),
		"--max-connections=500", "--loose-mysqlx=OFF", "--loose-performance-schema=OFF")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		cmd.Wait()
		close(exited)
	}()
	p.cmd, p.exited = cmd, exited
	if _, err := fmt.Fprintln(p.watcher, cmd.Process.Pid); err != nil {
		p.Kill()
		return err
	}
	c, err := mysql.ParseDSN(p.DSN(""))
	if err != nil {
		return err
	}
	c.Logger = &mysql.NopLogger{} // it will not answer at once
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-exited:
			return fmt.Errorf("%s ended before it answered\n%s", p.program, p.log())
		case <-ctx.Done():
			p.Kill()
			return fmt.Errorf("%s does not answer: %w\n%s", p.program, err, p.log())
		}
	}
}

// DSN is the DSN of a database on the server, over TCP. "" is none.
func (p *Process) DSN(database string) string {
	return fmt.Sprintf("root@tcp(%s)/%s", p.Addr(), database)
}

// Addr is where the server listens, as host:port.
func (p *Process) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// Socket is the path of the server's Unix socket.
func (p *Process) Socket() string { return filepath.Join(p.dir, "my.sock") }

// Kill ends the server as kill -9 does and returns when it is gone.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	<-p.exited
}

// stop ends the server orderly, or by force if that takes too long.
func (p *Process) stop() {
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		p.Kill()
	}
}

// Close ends the server, whose data nobody needs any more, and removes its
// folder.
func (p *Process) Close() error {
	if p.cmd != nil {
		p.Kill()
	}
	err := os.RemoveAll(p.dir)
	fmt.Fprintln(p.watcher) // there is no server to end
	p.watcher.Close()
	return err
}

func (p *Process) log() string {
	b, _ := os.ReadFile(filepath.Join(p.dir, "err.log"))
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

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
