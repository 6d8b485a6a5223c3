package testcluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// ProgramVariable names the environment variable that holds the path of MySQL's server
// program. scripts/fetch-mysql prints it.
const ProgramVariable = "LINKTRACK_TEST_MYSQLD"

// groupReplication runs MySQL's server with a single primary.
type groupReplication struct{ program string }

func (g groupReplication) missing() string {
	if g.program == "" {
		return "the path of MySQL's server in " + ProgramVariable
	}
	if out, err := exec.Command(g.program, "--no-defaults", "--version").Output(); err != nil || strings.Contains(string(out), "MariaDB") {
		return "a MySQL server in " + ProgramVariable
	}
	return ""
}

func (g groupReplication) install(c *Cluster, node int) error {
	out, err := c.command(g.program, append(g.args(c, node), "--initialize-insecure")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", g.program, err, out)
	}
	return nil
}

func (groupReplication) args(c *Cluster, node int) []string {
	args := []string{"--no-defaults", "--datadir=" + c.file(node, "data"), "--tmpdir=" + c.file(node, "tmp")}
	if os.Getuid() == 0 {
		args = append(args, "--user=root")
	}
	return args
}

// start starts the server of a node, which is read-only and not in the group yet.
func (g groupReplication) start(c *Cluster, node int) error {
	member := func(n int) string { return "127.0.0.1:" + strconv.Itoa(c.port+Nodes+n) }
	var seeds []string
	for n := 1; n <= Nodes; n++ {
		seeds = append(seeds, member(n))
	}
	number, port := strconv.Itoa(node), strconv.Itoa(c.port+node)
	err := c.launch(node, g.program, append(g.args(c, node),
		"--socket="+c.file(node, "my.sock"), "--pid-file="+c.file(node, "my.pid"), "--log-error="+c.file(node, "err.log"),
		"--bind-address=127.0.0.1", "--port="+port, "--max-connections=500", "--mysqlx=OFF",
		"--innodb-buffer-pool-size=64M", "--innodb-redo-log-capacity=32M", "--performance-schema=ON",
		"--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", // a process that is killed loses nothing
		"--server-id="+number, "--report-host=127.0.0.1", "--report-port="+port,
		"--log-bin=binlog", "--gtid-mode=ON", "--enforce-gtid-consistency=ON",
		"--super-read-only=ON", // else a node that is not in the group would take writes
		"--plugin-load-add=group_replication.so", "--group-replication-start-on-boot=OFF",
		"--group-replication-group-name=8a94f357-aab4-11df-86ab-c80aa9429562",
		"--group-replication-local-address="+member(node), "--group-replication-group-seeds="+strings.Join(seeds, ","),
		"--group-replication-ip-allowlist=127.0.0.1", "--group-replication-recovery-get-public-key=ON",
		"--group-replication-member-expel-timeout=0",
	), func() bool { return c.value(node, "SELECT 1") == "1" })
	if err != nil {
		return err
	}
	return c.run(node,
		"SET sql_log_bin = 0",
		"SET GLOBAL super_read_only = 0",
		"CREATE USER IF NOT EXISTS 'replication'@'%' IDENTIFIED BY 'replication'",
		"GRANT REPLICATION SLAVE, BACKUP_ADMIN, GROUP_REPLICATION_STREAM, CONNECTION_ADMIN ON *.* TO 'replication'@'%'",
		"CHANGE REPLICATION SOURCE TO SOURCE_USER = 'replication', SOURCE_PASSWORD = 'replication' FOR CHANNEL 'group_replication_recovery'",
		"SET GLOBAL super_read_only = 1")
}

// newest starts all nodes, which stay outside the group, and compares what they have.
func (g groupReplication) newest(c *Cluster) (node int, err error) {
	has := make([]string, Nodes+1)
	for n := 1; n <= Nodes; n++ {
		if err := g.start(c, n); err != nil {
			return n, err
		}
		has[n] = c.value(n, "SELECT @@GLOBAL.gtid_executed")
		if node == 0 || c.value(n, fmt.Sprintf("SELECT GTID_SUBSET('%s', '%s')", has[node], has[n])) == "1" {
			node = n
		}
	}
	return node, nil
}

func (g groupReplication) found(c *Cluster, node int) error {
	if !c.Runs(node) {
		if err := g.start(c, node); err != nil {
			return err
		}
	}
	err := c.run(node, "SET GLOBAL group_replication_bootstrap_group = ON", "START GROUP_REPLICATION", "SET GLOBAL group_replication_bootstrap_group = OFF")
	if err != nil {
		return err
	}
	return wait(func() (bool, error) { return g.inCluster(c, node), nil })
}

func (g groupReplication) join(c *Cluster, node int) error {
	if !c.Runs(node) {
		if err := g.start(c, node); err != nil {
			return err
		}
	}
	deadline := time.Now().Add(patience)
	for !g.inCluster(c, node) {
		// The others may not have noticed yet that it was gone.
		if err := c.run(node, "START GROUP_REPLICATION"); err != nil && time.Now().After(deadline) {
			return errors.Join(err, errors.New(c.log(node)))
		}
		for range 20 {
			if g.inCluster(c, node) {
				return nil
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	return nil
}

func (g groupReplication) inCluster(c *Cluster, node int) bool {
	return c.value(node, "SELECT member_state FROM performance_schema.replication_group_members WHERE member_id = @@server_uuid") == "ONLINE"
}

// Primary returns the node that takes writes, or 0.
func (c *Cluster) Primary() int {
	for node := 1; node <= Nodes; node++ {
		if c.Runs(node) && c.value(node, "SELECT member_role FROM performance_schema.replication_group_members WHERE member_id = @@server_uuid AND member_state = 'ONLINE'") == "PRIMARY" {
			return node
		}
	}
	return 0
}
