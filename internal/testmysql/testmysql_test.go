package testmysql_test

import (
	"database/sql"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"github.com/linktrackhq/linktrack/internal/testmysql"
)

func TestAServerKeepsWhatWasCommittedWhenItIsKilled(t *testing.T) {
	s := testmysql.Start(t)
	db, err := sql.Open("mysql", s.DSN("links"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, stmt := range []string{`CREATE TABLE t (n INT PRIMARY KEY)`, `INSERT INTO t VALUES (42)`} {
		if _, err := db.Exec(stmt); err != nil {
			t.Fatal(err)
		}
	}
	s.Kill()
	if err := db.Ping(); err == nil {
		t.Error("a server that was killed answers")
	}
	for range 2 { // after Kill, and while it runs
		s.Restart()
		var n int
		if err := db.QueryRow(`SELECT n FROM t`).Scan(&n); err != nil || n != 42 {
			t.Errorf("read %d, %v after a restart", n, err)
		}
	}
	other := testmysql.Start(t)
	if other.Addr() == s.Addr() || other.Socket() == s.Socket() {
		t.Error("two servers share an address")
	}
}
