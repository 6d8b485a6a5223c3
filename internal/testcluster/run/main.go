// Command run starts, kills, and pauses the nodes of a cluster: scripts/cluster builds it
// and says how to use it.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/linktrackhq/linktrack/internal/testcluster"
)

const usage = `usage: scripts/cluster galera|group DIR COMMAND [NODE...]
commands: start, status, dsn, kill, pause, continue, revive, stop, remove`

// The nodes listen on these ports and 1, 2, and 3 more.
var ports = map[testcluster.Kind]int{testcluster.Galera: 34300, testcluster.GroupReplication: 34980}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New(usage)
	}
	kind := testcluster.Kind(args[0])
	port := ports[kind]
	if given := os.Getenv("LINKTRACK_CLUSTER_PORT"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil {
			return fmt.Errorf("LINKTRACK_CLUSTER_PORT is %q: it must be a number", given)
		}
		port = n
	}
	c, err := testcluster.New(kind, args[1], port)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, usage)
	}
	nodes, err := nodesOf(args[3:])
	if err != nil {
		return err
	}
	each := func(do func(node int) error) (err error) {
		for _, node := range nodes {
			err = errors.Join(err, do(node))
		}
		return err
	}
	switch args[2] {
	case "start":
		err = c.Start()
	case "kill":
		return each(c.Kill)
	case "pause":
		return each(c.Pause)
	case "continue":
		return each(c.Continue)
	case "stop":
		return each(c.Stop)
	case "revive":
		err = each(c.Revive)
	case "remove":
		return c.Remove()
	case "dsn":
		fmt.Println(c.DSNOfAll(1, ""))
		return nil
	case "status":
	default:
		return fmt.Errorf("there is no command %q\n%s", args[2], usage)
	}
	for node := 1; node <= testcluster.Nodes; node++ {
		fmt.Printf("node %d %s %s\n", node, c.Addr(node), state(c, node))
	}
	return err
}

func state(c *testcluster.Cluster, node int) string {
	switch {
	case !c.Runs(node):
		return "does not run"
	case c.InCluster(node):
		return "in the cluster"
	}
	return "runs, but is not in the cluster or does not answer"
}

// nodesOf returns the numbers of nodes; all if none is given.
func nodesOf(args []string) (nodes []int, err error) {
	for _, arg := range args {
		n, err := strconv.Atoi(arg)
		if err != nil || n < 1 || n > testcluster.Nodes {
			return nil, fmt.Errorf("%q is not a node: it must be from 1 to %d", arg, testcluster.Nodes)
		}
		nodes = append(nodes, n)
	}
	for n := 1; n <= testcluster.Nodes && len(args) == 0; n++ {
		nodes = append(nodes, n)
	}
	return nodes, nil
}
