package testcluster

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

const galeraLibrary = "/usr/lib/galera/libgalera_smm.so"

// galera runs mariadbd as Debian packages it, with galera-4 and rsync.
type galera struct{}

func (galera) missing() string {
	for _, program := range []string{mariadbd(), "mariadb-install-db", "wsrep_sst_rsync", "rsync"} {
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	if _, err := os.Stat(galeraLibrary); err != nil {
		return galeraLibrary
	}
	if os.Getuid() == 0 && galeraUser() == nil {
		return "a user mysql"
	}
	return ""
}

func mariadbd() string {
	if path, err := exec.LookPath("/usr/sbin/mariadbd"); err == nil {
		return path
	}
	return "mariadbd"
}

// galeraUser returns the user mysql if this process is root's: the servers would not transfer
// their data to each other as root.
func galeraUser() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("mysql")
	if err != nil {
		return nil
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil || err2 != nil {
		return nil
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (galera) install(c *Cluster, node int) error {
	cmd := c.command("mariadb-install-db", "--no-defaults", "--datadir="+c.file(node, "data"), "--tmpdir="+c.file(node, "tmp"),
		"--innodb-log-file-size=24M", "--auth-root-authentication-method=normal", "--skip-test-db")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	return nil
}

// args are those of a node's server. Without shorter periods (evs), all nodes would refuse
// writes for six seconds after the death of one.
func (galera) args(c *Cluster, node int) []string {
	listen := func(use, of int) string { return "127.0.0.1:" + strconv.Itoa(c.port+use*Nodes+of) }
	const group, increments, whole = 1, 2, 3 // what a port is for
	var all []string
	for n := 1; n <= Nodes; n++ {
		all = append(all, listen(group, n))
	}
	return []string{
		"--no-defaults", "--datadir=" + c.file(node, "data"), "--tmpdir=" + c.file(node, "tmp"),
		"--socket=" + c.file(node, "my.sock"), "--pid-file=" + c.file(node, "my.pid"), "--log-error=" + c.file(node, "err.log"),
		"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(c.port+node), "--max-connections=500",
		"--innodb-buffer-pool-size=64M", "--innodb-log-file-size=24M", "--innodb-flush-log-at-trx-commit=2", // a process that is killed loses nothing
		"--innodb-autoinc-lock-mode=2", "--binlog-format=ROW",
		"--wsrep-on=ON", "--wsrep-provider=" + galeraLibrary, "--wsrep-cluster-name=linktrack",
		"--wsrep-cluster-address=gcomm://" + strings.Join(all, ","),
		"--wsrep-node-name=n" + strconv.Itoa(node), "--wsrep-node-address=" + listen(group, node),
		"--wsrep-sst-method=rsync", "--wsrep-sst-receive-address=" + listen(whole, node), "--wsrep-slave-threads=4",
		"--wsrep-provider-options=gmcast.listen_addr=tcp://" + listen(group, node) + ";ist.recv_addr=" + listen(increments, node) +
			";gcache.size=64M;gcache.recover=yes;base_dir=" + c.file(node, "data") +
			";evs.keepalive_period=PT0.3S;evs.inactive_check_period=PT0.3S;evs.suspect_timeout=PT1S;evs.inactive_timeout=PT3S",
	}
}

// A position is the last transaction that a node has: the id of the cluster, and a number.
type position struct {
	text   string
	number int64
}

var recovered = regexp.MustCompile(`Recovered position:\s*(\S+:(-?\d+))`)

// recover reads the position of a node that does not run from its data.
func (g galera) recover(c *Cluster, node int) (position, error) {
	args := []string{"--skip-networking", "--wsrep-recover", "--log-error=" + c.file(node, "recover.log"), "--pid-file=" + c.file(node, "recover.pid")}
	os.Remove(c.file(node, "recover.log"))
	out, err := c.command(mariadbd(), append(g.args(c, node), args...)...).CombinedOutput()
	b, _ := os.ReadFile(c.file(node, "recover.log"))
	found := recovered.FindSubmatch(append(out, b...))
	if found == nil {
		return position{}, fmt.Errorf("the position of its data is not known: %v\n%s%s", err, out, b)
	}
	number, err := strconv.ParseInt(string(found[2]), 10, 64)
	return position{string(found[1]), number}, err
}

func (g galera) newest(c *Cluster) (node int, err error) {
	highest := int64(-1 << 62)
	for n := 1; n <= Nodes; n++ {
		at, err := g.recover(c, n)
		if err != nil {
			return n, err
		}
		if at.number > highest {
			node, highest = n, at.number
		}
	}
	return node, nil
}

func (g galera) found(c *Cluster, node int) error {
	state := c.file(node, "data/grastate.dat")
	switch b, err := os.ReadFile(state); {
	case err == nil: // a node that was killed says that it may not be the first one
		b = bytes.Replace(b, []byte("safe_to_bootstrap: 0"), []byte("safe_to_bootstrap: 1"), 1)
		if err := os.WriteFile(state, b, 0o660); err != nil {
			return err
		}
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	return g.start(c, node, "--wsrep-new-cluster")
}

func (g galera) join(c *Cluster, node int) error {
	if !c.Runs(node) {
		return g.start(c, node)
	}
	return wait(func() (bool, error) { return g.inCluster(c, node), nil })
}

func (g galera) start(c *Cluster, node int, more ...string) error {
	at, err := g.recover(c, node)
	if err != nil {
		return err
	}
	if at.number >= 0 {
		more = append(more, "--wsrep-start-position="+at.text)
	}
	return c.launch(node, mariadbd(), append(g.args(c, node), more...), func() bool { return g.inCluster(c, node) })
}

func (galera) inCluster(c *Cluster, node int) bool {
	return c.value(node, "SHOW STATUS LIKE 'wsrep_ready'") == "ON" && c.value(node, "SHOW STATUS LIKE 'wsrep_local_state_comment'") == "Synced"
}
