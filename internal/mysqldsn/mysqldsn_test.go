package mysqldsn_test

import (
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/mysqldsn"
)

func TestADSNMayNameSeveralServers(t *testing.T) {
	for dsn, want := range map[string][]string{
		"me:p@tcp(a:3307,b:3308,c:3309)/lt":         {"a:3307", "b:3308", "c:3309"},
		"me:p@tcp(a,b)/lt":                          {"a:3306", "b:3306"},
		"me:p@tcp(a:3307,b)/lt":                     {"a:3307", "b:3306"},
		"me:p@tcp(a,b:3307)/lt":                     {"a:3306", "b:3307"},
		"me:p@tcp(a,b,c:3306)/lt":                   {"a:3306", "b:3306", "c:3306"},
		"me:p@tcp(b,a,b:3306)/lt":                   {"b:3306", "a:3306"},
		"me:p@tcp([::1]:3306,[::2]:3306)/lt":        {"[::1]:3306", "[::2]:3306"},
		"me:p@tcp([::1],[fe80::2%eth0])/lt":         {"[::1]:3306", "[fe80::2%eth0]:3306"},
		"me:p@tcp(a,[::1])/lt":                      {"a:3306", "[::1]:3306"},
		"me:p@tcp([::1],a)/lt":                      {"[::1]:3306", "a:3306"},
		"me:p@tcp([::1]:1,127.0.0.1:2,[::2])/lt":    {"[::1]:1", "127.0.0.1:2", "[::2]:3306"},
		"me:p@tcp([::1]:3306,10.0.0.1,[::2]:3306)/": {"[::1]:3306", "10.0.0.1:3306", "[::2]:3306"},
		"me:a,b@(c,d:1/@tcp(a,b)/lt":                {"a:3306", "b:3306"},
		"me:p@tcp(a)/lt":                            {"a:3306"},
		"me:p@tcp([::1])/lt":                        {"[::1]:3306"},
		"me:p@/lt":                                  {"127.0.0.1:3306"},
		"me:p@unix(/run/a,b.sock)/lt":               {"/run/a,b.sock"},
	} {
		c, servers, err := mysqldsn.Parse(dsn)
		require.NoError(t, err, dsn)
		require.Equal(t, want, servers, dsn)
		again, servers, err := mysqldsn.Parse(c.FormatDSN())
		require.NoError(t, err, dsn)
		require.Equal(t, want, servers, dsn)
		require.Equal(t, c.Passwd, again.Passwd, dsn)
	}
	for dsn, want := range map[string]string{
		"me:hush@tcp(a,,b)/lt":     "has no name",
		"me:hush@tcp(a,)/lt":       "has no name",
		"me:hush@tcp(,a:3306)/lt":  "has no name",
		"me:hush@tcp(a,:3306)/lt":  "has no name",
		"me:hush@tcp(a:1,b:x)/lt":  "server 2 of the list must have a port",
		"me:hush@tcp(a:0,b)/lt":    "server 1 of the list must have a port",
		"me:hush@tcp(a, b)/lt":     "server 2 of the list must be host:port",
		"me:hush@tcp(a:1:2,b)/lt":  "server 1 of the list must be host:port",
		"me:hush@tcp(::1,[::2])/l": "", // an address without a port needs no brackets
	} {
		_, _, err := mysqldsn.Parse(dsn)
		if want == "" {
			require.NoError(t, err, dsn)
			continue
		}
		require.ErrorContains(t, err, want, dsn)
		require.NotContains(t, err.Error(), "hush")
		require.ErrorAs(t, err, new(*mysqldsn.AddressError), dsn)
	}
}

func TestEachServerIsAskedForItsOwnCertificate(t *testing.T) {
	c, servers, err := mysqldsn.Parse("me:p@tcp(a.example.com,b.example.com)/lt?tls=true")
	require.NoError(t, err)
	for i, want := range []string{"a.example.com", "b.example.com"} {
		parsed, err := mysql.ParseDSN(mysqldsn.For(c, servers[i]).FormatDSN())
		require.NoError(t, err)
		require.Equal(t, want, parsed.TLS.ServerName)
		require.Nil(t, mysqldsn.For(c, servers[i]).TLS)
	}
}
