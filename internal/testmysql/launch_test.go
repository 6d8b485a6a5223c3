package testmysql_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testmysql"
)

// asChild makes the test binary a process that launches a server, prints where
// it is, and waits.
const asChild = "LINKTRACK_TEST_MYSQL_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) == "" {
		os.Exit(m.Run())
	}
	p, err := testmysql.Launch(true)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(p.Addr(), p.Socket())
	bufio.NewReader(os.Stdin).ReadByte()
	// Not closed: it must end with the process all the same.
}

// gone waits until nobody listens at the address and the folder is no more.
func gone(t *testing.T, addr, dir string) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return false
		}
		_, err = os.Stat(dir)
		return os.IsNotExist(err)
	}, time.Minute, 20*time.Millisecond, "%s and %s stay", addr, dir)
}

func TestAServerEndsWithTheProcessThatLaunchedIt(t *testing.T) {
	testmysql.Start(t) // skips the test where there is none
	for name, end := range map[string]func(*exec.Cmd, func() error){
		"when it is done":   func(_ *exec.Cmd, done func() error) { done() },
		"when it is killed": func(cmd *exec.Cmd, _ func() error) { cmd.Process.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), asChild+"=1")
			in, err := cmd.StdinPipe()
			require.NoError(t, err)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err, line)
			addr, socket, _ := strings.Cut(strings.TrimSpace(line), " ")
			require.FileExists(t, socket)
			end(cmd, in.Close)
			cmd.Wait()
			gone(t, addr, filepath.Dir(socket))
		})
	}
}

func TestTheTestsOfAProcessShareAServer(t *testing.T) {
	t.Setenv(testmysql.Variable, "")
	one, err := mysql.ParseDSN(testmysql.DSN(t))
	require.NoError(t, err)
	other, err := mysql.ParseDSN(testmysql.DSN(t))
	require.NoError(t, err)
	require.Equal(t, one.Addr, other.Addr)
	require.NotEqual(t, one.DBName, other.DBName)
	db, err := sql.Open("mysql", one.FormatDSN())
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.Ping())
}

func TestACommandRunsOnAServerThatEndsWithIt(t *testing.T) {
	testmysql.Start(t) // skips the test where there is none
	with := filepath.Join(t.TempDir(), "with")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", with, "./with").CombinedOutput()
	require.NoError(t, err, "%s", out)
	start := func(given, script string) (cmd *exec.Cmd, line string) {
		cmd = exec.Command(with, "--fast", "sh", "-c", script)
		cmd.Env = append(os.Environ(), testmysql.Variable+"="+given)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line, _ = bufio.NewReader(out).ReadString('\n')
		return cmd, strings.TrimSpace(line)
	}
	const print = `echo "$` + testmysql.Variable + `"; `
	for name, test := range map[string]struct {
		script string
		signal syscall.Signal
		status int
	}{
		"that is done":         {print, 0, 0},
		"that fails":           {print + "exit 7", 0, 7},
		"that gets a signal":   {print + "sleep 600", syscall.SIGTERM, 143},
		"that is interrupted":  {print + "sleep 600", syscall.SIGINT, 130},
		"whose parent is shot": {print + "sleep 2", syscall.SIGKILL, -1},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, line := start("", test.script)
			c, err := mysql.ParseDSN(line)
			require.NoError(t, err)
			if test.signal != 0 {
				require.NoError(t, cmd.Process.Signal(test.signal))
			}
			cmd.Wait()
			require.Equal(t, test.status, cmd.ProcessState.ExitCode())
			gone(t, c.Addr, "")
		})
	}
	t.Run("unless it has one", func(t *testing.T) {
		cmd, line := start("root@tcp(127.0.0.1:1)/", print)
		require.Equal(t, "root@tcp(127.0.0.1:1)/", line)
		require.NoError(t, cmd.Wait())
	})
}
