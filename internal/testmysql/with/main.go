// Command with runs a command on a MySQL or MariaDB server of its own:
// scripts/with-mariadb builds it and says how to use it.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/linktrackhq/linktrack/internal/testmysql"
)

func main() {
	status, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "with-mariadb:", err)
	}
	os.Exit(status)
}

// run returns the status of the command, or 128 and the number of the signal
// that ended this program.
func run(args []string) (status int, err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	fast := len(args) > 0 && args[0] == "--fast"
	if fast {
		args = args[1:]
	}
	if len(args) == 0 {
		return 2, errors.New("there is no command to run")
	}
	if os.Getenv(testmysql.Variable) == "" {
		server, err := testmysql.Launch(fast)
		switch {
		case errors.Is(err, testmysql.ErrNoProgram) && os.Getenv("SKIP_MISSING") == "1" && os.Getenv("CI") != "true":
		case err != nil:
			return 1, err
		default:
			defer server.Close()
			os.Setenv(testmysql.Variable, server.DSN(""))
		}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that a signal ends all of it
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case s := <-signals:
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		<-ended
		return 128 + int(s.(syscall.Signal)), nil
	case err := <-ended:
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			return max(exit.ExitCode(), 1), nil
		}
		return 0, err
	}
}
