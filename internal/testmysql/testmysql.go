// Package testmysql gives tests a MySQL or MariaDB database of their own.
package testmysql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Variable names the environment variable that holds the DSN of the server to
// test on, with a user that may create databases.
const Variable = "LINKTRACK_TEST_MYSQL_DSN"

// DSN returns the DSN of a fresh, empty database that is dropped when the test
// ends. It is on the server that [Variable] names. If it names none, the first
// call launches a server, which all tests of this process share and which ends
// with the process. Where there is none to launch, the test is skipped, but
// fails where CI=true: there a skipped test would look like one that passed.
func DSN(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		p, err := shared()
		need(t, err)
		server = p.DSN("")
	}
	return fresh(t, server)
}

// shared launches the server of this process. Nothing closes it: its watcher
// ends it with the process.
var shared = sync.OnceValues(func() (*Process, error) { return Launch(true) })

// need ends the test if there is no server.
func need(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrNoProgram) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func fresh(t testing.TB, server string) string {
	t.Helper()
	c, err := mysql.ParseDSN(server)
	if err != nil {
		t.Fatalf("the DSN of the test server cannot be read: %v", err)
	}
	c.DBName = ""
	name := "lt_test_" + randomHex()
	admin(t, c, "CREATE DATABASE "+name)
	t.Cleanup(func() { admin(t, c, "DROP DATABASE IF EXISTS "+name) })
	c.DBName = name
	return c.FormatDSN()
}

// admin runs one statement on a connection of its own.
func admin(t testing.TB, c *mysql.Config, stmt string) {
	t.Helper()
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := db.ExecContext(ctx, stmt); err != nil {
		t.Errorf("%s: %v", stmt, err)
	}
}

func randomHex() string {
	b := make([]byte, 6)
	rand.Read(b)
	return hex.EncodeToString(b)
}
