package testcluster

import (
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/linktrackhq/linktrack/internal/testtool"
)

// Start starts a new cluster for a test, on free ports. The cluster ends with the test, or
// with the process of the test if that is killed. Where the servers are not installed, the
// test is skipped, but fails where CI=true.
func Start(t testing.TB, kind Kind) *Cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "linktrack-cluster")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(kind, dir, freePorts(t))
	if err != nil {
		t.Fatal(err)
	}
	if missing := c.missing(); missing != "" {
		os.Remove(dir)
		testtool.Missing(t, missing)
	}
	done, err := watch(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Remove(); err != nil {
			t.Error(err)
		}
		done.Close()
	})
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// watch starts a process that ends the nodes of a folder and removes it, when the pipe is
// closed: when this process ends, at the latest.
func watch(dir string) (io.Closer, error) {
	const script = `cat >/dev/null
for node in "$0"/n*; do
  pid=$(cat "$node/my.pid" 2>/dev/null) && grep -qs -- "--datadir=$node/data" "/proc/$pid/cmdline" && kill -9 "$pid"
done
for try in 1 2 3 4 5; do rm -rf "$0" && exit; sleep 0.2; done`
	cmd := exec.Command("sh", "-c", script, filepath.Clean(dir))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go cmd.Wait()
	return in, nil
}

// portsOfCluster is the number of ports that a cluster uses.
const portsOfCluster = 4 * Nodes

// freePorts returns the number before as many free ports as a cluster uses. They are below
// those from which systems choose the ports of connections.
func freePorts(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20_000 + rand.IntN(10_000)
		if areFree(port) {
			return port
		}
	}
	t.Fatalf("there are no %d free ports in a row", portsOfCluster)
	return 0
}

func areFree(port int) bool {
	for n := 1; n <= portsOfCluster; n++ {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+n)))
		if err != nil {
			return false
		}
		defer l.Close()
	}
	return true
}
