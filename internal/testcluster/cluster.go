// Package testcluster runs clusters of three database servers on the loopback interface,
// for tests that kill and pause their nodes. Nodes are numbered from 1.
package testcluster

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// Nodes is the number of nodes of a cluster.
const Nodes = 3

// patience is how long a node may take to start, to join the cluster, or to end.
const patience = 3 * time.Minute

// A Kind is a kind of cluster.
type Kind string

const (
	// Galera is a cluster of MariaDB servers, each of which takes writes.
	Galera Kind = "galera"
	// GroupReplication is a cluster of MySQL servers, one of which takes writes.
	GroupReplication Kind = "group"
)

// A Cluster is in a folder. Its nodes are processes of their own: they outlive the one that
// started them, and another Cluster with the same folder finds them.
type Cluster struct {
	dir   string
	port  int
	owner *syscall.Credential // the user of the servers and of the folder; nil: that of this process
	servers
}

// servers are what differs between the kinds of clusters.
type servers interface {
	// missing returns what the system lacks to run the servers; "": nothing.
	missing() string
	// install makes the data of a node that has none.
	install(c *Cluster, node int) error
	// newest returns the node that has all transactions that another node may have.
	// No node is in a cluster.
	newest(c *Cluster) (node int, err error)
	// found starts a node as the only one of a new cluster.
	found(c *Cluster, node int) error
	// join makes a node, which may run, a part of the cluster again.
	join(c *Cluster, node int) error
	// inCluster reports whether a node is a part of the cluster.
	inCluster(c *Cluster, node int) bool
}

// New returns a cluster in a folder. Each node listens on a port of its own: node 1 on
// port+1, and so on. The nodes use the ports up to port+12 in total.
func New(kind Kind, dir string, port int) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	switch kind {
	case Galera:
		return &Cluster{dir, port, galeraUser(), galera{}}, nil
	case GroupReplication:
		return &Cluster{dir, port, nil, groupReplication{program: os.Getenv(ProgramVariable)}}, nil
	}
	return nil, fmt.Errorf("there is no kind of cluster %q: it must be %s or %s", kind, Galera, GroupReplication)
}

// Start starts all nodes that do not run. If none is in a cluster, the one with the most
// transactions begins a new cluster, and the others join it.
func (c *Cluster) Start() error {
	if missing := c.missing(); missing != "" {
		return fmt.Errorf("the cluster needs %s", missing)
	}
	isNew := true
	first := 0
	for node := 1; node <= Nodes; node++ {
		if _, err := os.Stat(c.file(node, "data")); err == nil {
			isNew = false
		}
		if first == 0 && c.Runs(node) && c.inCluster(c, node) {
			first = node
		}
	}
	if isNew {
		if err := c.installAll(); err != nil {
			return err
		}
	}
	if first == 0 {
		first = 1
		var err error
		if !isNew {
			first, err = c.newest(c)
		}
		if err == nil {
			err = c.found(c, first)
		}
		if err != nil {
			return fmt.Errorf("node %d: %w", first, err)
		}
	}
	for node := 1; node <= Nodes; node++ {
		if node != first {
			if err := c.Revive(node); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Cluster) installAll() error {
	failed := make(chan error, Nodes)
	for node := 1; node <= Nodes; node++ {
		go func() {
			err := c.folder(c.file(node, "tmp"))
			if err == nil {
				err = c.install(c, node)
			}
			failed <- err
		}()
	}
	var err error
	for range Nodes {
		err = errors.Join(err, <-failed)
	}
	return err
}

// Revive starts a node that was killed or stopped, and returns when it is a part of the
// cluster again.
func (c *Cluster) Revive(node int) error {
	if c.InCluster(node) {
		return nil
	}
	if err := c.join(c, node); err != nil {
		return fmt.Errorf("node %d: %w", node, err)
	}
	return nil
}

// InCluster reports whether a node runs and is a part of the cluster: one that a majority of
// the nodes is in.
func (c *Cluster) InCluster(node int) bool { return c.Runs(node) && c.inCluster(c, node) }

// Kill ends a node as kill -9 does, and returns when it is gone.
func (c *Cluster) Kill(node int) error { return c.end(node, syscall.SIGKILL) }

// Stop ends a node in good order, and returns when it is gone.
func (c *Cluster) Stop(node int) error { return c.end(node, syscall.SIGTERM) }

// Pause stops a node as a machine does that hangs: it answers nothing, and its connections
// stay open.
func (c *Cluster) Pause(node int) error { return c.signal(node, syscall.SIGSTOP) }

// Continue lets a node go on after Pause.
func (c *Cluster) Continue(node int) error { return c.signal(node, syscall.SIGCONT) }

// Remove kills all nodes and removes the folder.
func (c *Cluster) Remove() error {
	var err error
	for node := 1; node <= Nodes; node++ {
		if c.Runs(node) {
			err = errors.Join(err, c.Kill(node))
		}
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

func (c *Cluster) end(node int, s syscall.Signal) error {
	if err := c.signal(node, s); err != nil {
		return err
	}
	return wait(func() (bool, error) { return !c.Runs(node), nil })
}

func (c *Cluster) signal(node int, s syscall.Signal) error {
	pid := c.pid(node)
	if pid == 0 {
		return fmt.Errorf("node %d does not run", node)
	}
	return syscall.Kill(pid, s)
}

// Runs reports whether the process of a node is there. It may be paused.
func (c *Cluster) Runs(node int) bool { return c.pid(node) != 0 }

// pid returns the id of a node's process, or 0.
func (c *Cluster) pid(node int) int {
	b, err := os.ReadFile(c.file(node, "my.pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	// Another process may have the number by now, or it may be a zombie.
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !bytes.Contains(line, []byte("--datadir="+c.file(node, "data"))) {
		return 0
	}
	return pid
}

// file returns the path of a file or folder of a node.
func (c *Cluster) file(node int, name string) string {
	return filepath.Join(c.dir, fmt.Sprint("n", node), name)
}

// Addr returns where a node listens.
func (c *Cluster) Addr(node int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port+node))
}

// DSN returns the DSN of a database on a node. "" is none.
func (c *Cluster) DSN(node int, database string) string {
	return fmt.Sprintf("root@tcp(%s)/%s", c.Addr(node), database)
}

// DSNOfAll returns the DSN that names all nodes, beginning with the given one.
func (c *Cluster) DSNOfAll(first int, database string) string {
	var all []string
	for i := range Nodes {
		all = append(all, c.Addr((first-1+i)%Nodes+1))
	}
	return fmt.Sprintf("root@tcp(%s)/%s", strings.Join(all, ","), database)
}

// Query returns the rows of a query on a node.
func (c *Cluster) Query(ctx context.Context, node int, query string) ([][]string, error) {
	config, err := mysql.ParseDSN(c.DSN(node, ""))
	if err != nil {
		return nil, err
	}
	config.Timeout = 3 * time.Second
	config.Logger = &mysql.NopLogger{} // it may not answer yet
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all [][]string
	for rows.Next() {
		row, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		texts := make([]string, len(row))
		for i := range row {
			texts[i] = row[i].String
		}
		all = append(all, texts)
	}
	return all, rows.Err()
}

// value returns the last column of the first row of a query, or "".
func (c *Cluster) value(node int, query string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	rows, err := c.Query(ctx, node, query)
	if err != nil || len(rows) == 0 {
		return ""
	}
	return rows[0][len(rows[0])-1]
}

// run runs statements on a node.
func (c *Cluster) run(node int, statements ...string) error {
	config, err := mysql.ParseDSN(c.DSN(node, ""))
	if err != nil {
		return err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	db.SetMaxOpenConns(1) // the statements share a session
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// launch starts a node's server, which writes its messages to err.log, and returns when
// ready says so.
func (c *Cluster) launch(node int, program string, args []string, ready func() bool) error {
	os.Remove(c.file(node, "my.pid"))
	cmd := c.command(program, args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	err := wait(func() (bool, error) {
		select {
		case err := <-ended:
			return false, fmt.Errorf("%s has ended: %v", program, err)
		default:
			return ready(), nil
		}
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, c.log(node))
	}
	return nil
}

// command returns a command that runs as the owner of the folder, in a process group of its
// own: a terminal's signals do not reach it.
func (c *Cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.owner}
	return cmd
}

// folder makes a folder below c.dir that belongs to the user that the servers run as.
func (c *Cluster) folder(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	if c.owner == nil {
		return nil
	}
	for ; len(path) >= len(c.dir); path = filepath.Dir(path) {
		if err := os.Chown(path, int(c.owner.Uid), int(c.owner.Gid)); err != nil {
			return err
		}
	}
	return nil
}

// log returns the end of a node's messages.
func (c *Cluster) log(node int) string {
	b, _ := os.ReadFile(c.file(node, "err.log"))
	return string(b[max(0, len(b)-3000):])
}

// wait waits until done returns true or an error.
func wait(done func() (bool, error)) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it took longer than %v", patience)
		}
	}
}
