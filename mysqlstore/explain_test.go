package mysqlstore

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
)

func TestAServersErrorIsToldWithoutWhatItQuotesAndWithWhatToDo(t *testing.T) {
	for name, test := range map[string]struct {
		number uint16
		text   string
		want   string
	}{
		"a limit of the user": {1226, "User 's3cret' has exceeded the 'max_user_connections' resource (current value: 10)",
			"User '…' has exceeded the max_user_connections resource (current value: 10) (error 1226): raise the limits of the database user (ALTER USER … WITH …), or let each process open fewer connections (MaxConnections, -mysql-connections)"},
		"a limit of the server": {1040, "Too many connections",
			"Too many connections (error 1040): raise the server's limit, or let each process open fewer connections (MaxConnections, -mysql-connections)"},
		"a format of the binary log": {1665, "Cannot execute statement: impossible to write to binary log since BINLOG_FORMAT = STATEMENT and at least one table uses a storage engine limited to row-based logging.",
			"Cannot execute statement: impossible to write to binary log since BINLOG_FORMAT = STATEMENT and at least one table uses a storage engine limited to row-based logging (error 1665): set binlog_format to ROW or MIXED on the server"},
		"a variable": {1193, "Unknown system variable 's3cret'",
			"Unknown system variable '…' (error 1193): remove the parameter or value that the server does not know from the DSN"},
		"a duplicate": {1062, "Duplicate entry 's3cret's3cret' for key 'lt_account_login'",
			"Duplicate entry '…' for key lt_account_login (error 1062): a row with this key already exists"},
		"a column": {1406, "Data too long for column 'title' at row 1",
			"Data too long for column title at row 1 (error 1406): a value does not fit its column; make sure that this version has called Migrate"},
		"a table": {1146, "Table 'db-1.lt_link' doesn't exist",
			"Table db-1.lt_link doesn't exist (error 1146): a table is missing or has the wrong structure; make sure that this version has called Migrate"},
		"a statement with quotes in it": {1064, "You have an error in your SQL syntax; check the manual for the right syntax to use near 'VALUES ('s3cret', 'it's s3cret')' at line 1",
			"You have an error in your SQL syntax; check the manual for the right syntax to use near '…' at line 1 (error 1064): linktrack needs MySQL 8.0.22 or MariaDB 10.11, or newer"},
		"a statement that the server cut": {1064, "You have an error in your SQL syntax near 'VALUES ('a', 's3cret",
			"You have an error in your SQL syntax near '…' (error 1064): linktrack needs MySQL 8.0.22 or MariaDB 10.11, or newer"},
		"a user and an address": {1045, "Access denied for user 's3cret'@'192.0.2.7' (using password: YES)",
			"Access denied for user '…' (using password: YES) (error 1045): check the user and the password in the DSN, and whether the user must use TLS (tls=true)"},
		"a proxy's text": {1105, `target: links.0.primary: rpc error at app:s3cret@tcp(192.0.2.7:3306)/links: Sql: "select s3cret", BindVars: {v1: "type:VARCHAR value:\"s3cret\""}`,
			"target: links.0.primary: rpc error at …@tcp(…:3306)/links: Sql: '…'} (error 1105): see the server's error log and its documentation"},
		"a transport": {3159, "Connections using insecure transport are prohibited while --require_secure_transport=ON.",
			"Connections using insecure transport are prohibited while --require_secure_transport=ON (error 3159): the server wants TLS: add tls=true to the DSN"},
		"MariaDB's transport": {4999, "Connections using insecure transport are prohibited while --require_secure_transport=ON.",
			"Connections using insecure transport are prohibited while --require_secure_transport=ON (error 4999): the server wants TLS: add tls=true to the DSN"},
		"a node without a majority": {1047, "WSREP has not yet prepared node for application use",
			"WSREP has not yet prepared node for application use (error 1047): the node is not part of the cluster's majority; it works again when it is"},
		"a secondary": {1290, "The MariaDB server is running with the --read-only option so it cannot execute this statement",
			"The MariaDB server is running with the --read-only option so it cannot execute this statement (error 1290): the server is read-only: a secondary? Connect to the server that takes writes, or let this one take them (read_only)"},
		"another option": {1290, "The MySQL server is running with the --skip-grant-tables option so it cannot execute this statement",
			"The MySQL server is running with the --skip-grant-tables option so it cannot execute this statement (error 1290): an option of the server forbids it"},
		"a group": {3100, "Error on observer while running replication hook 'before_commit'.",
			"Error on observer while running replication hook '…' (error 3100): the server's group did not take the transaction; is the server still a member, and the group's majority there?"},
		"another language": {1146, "La table 'db.s3cret' n'existe pas",
			"La table '…' n'existe pas (error 1146): a table is missing or has the wrong structure; make sure that this version has called Migrate"},
		"several lines": {9999, "one\ntwo\x00three",
			"one two three (error 9999): see the server's error log and its documentation"},
	} {
		t.Run(name, func(t *testing.T) {
			err := failed("record clicks", &mysql.MySQLError{Number: test.number, Message: test.text})
			require.Equal(t, "mysqlstore: record clicks: "+test.want, err.Error())
			require.NotContains(t, err.Error(), "s3cret")
			require.True(t, errors.As(err, new(*mysql.MySQLError)))
		})
	}
	long := failed("record clicks", &mysql.MySQLError{Number: 1105, Message: strings.Repeat("é", 10000)})
	require.Less(t, len(long.Error()), 500)
}
