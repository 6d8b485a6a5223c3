package testmysql

import (
	"fmt"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// LimitedDSN is DSN with a user of its own, which may have that many connections.
// The user's password is s3cret.
func LimitedDSN(t testing.TB, connections int) string {
	t.Helper()
	return UserDSN(t, fmt.Sprint("WITH MAX_USER_CONNECTIONS ", connections))
}

// UserDSN is DSN with a user of its own, made with the options of CREATE USER
// that stand behind the password, which is s3cret.
func UserDSN(t testing.TB, options string) string {
	t.Helper()
	dsn := DSN(t)
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	administrator := c.Clone()
	administrator.DBName = ""
	user := c.DBName[:20]
	for _, host := range []string{"%", "localhost"} { // either may be what a server takes the loopback for
		at := "'" + user + "'@'" + host + "'"
		admin(t, administrator, "CREATE USER "+at+" IDENTIFIED BY 's3cret' "+options)
		t.Cleanup(func() { admin(t, administrator, "DROP USER "+at) })
		admin(t, administrator, "GRANT ALL ON "+c.DBName+".* TO "+at)
	}
	c.User, c.Passwd = user, "s3cret"
	return c.FormatDSN()
}
