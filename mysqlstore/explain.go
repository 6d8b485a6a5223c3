package mysqlstore

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"
	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

// explain returns the text of an error. That of the server comes without the parts that it
// quotes: these may be private data, and errors end up in logs.
func explain(err error) string {
	var all *unavailable
	var e *mysql.MySQLError
	switch {
	case errors.As(err, &all):
		return all.Error()
	case errors.As(err, &e):
		return describe(e)
	case errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, driver.ErrBadConn):
		return "the connection to the server was lost"
	}
	return err.Error()
}

// userOf names the user of a DSN. If the DSN has no password, its user is not shown, because
// a password may stand in that place by mistake.
func userOf(c *mysql.Config) string {
	if c.Passwd == "" {
		return "the user of the DSN"
	}
	return fmt.Sprintf("user %q", c.User)
}

// login names what a server did not accept.
func login(c *mysql.Config) string {
	if c.Passwd == "" {
		return userOf(c) + " without a password: the DSN must look like user:password@tcp(host:3306)/database"
	}
	return userOf(c) + " with this password"
}

// describe describes a server error: its text without the parts that it quotes, its number,
// and advice.
func describe(e *mysql.MySQLError) string {
	text := strings.TrimRight(redact(e.Message), ". ")
	return fmt.Sprintf("%s (error %d): %s", text, e.Number, advice(e))
}

// advice returns a remedy for an error. It has none for numbers that MySQL and MariaDB use
// for different errors.
func advice(e *mysql.MySQLError) string {
	switch e.Number {
	case errTooMany, errTooManyOfUser:
		return "raise the server's limit, or let each process open fewer connections (MaxConnections, -mysql-connections)"
	case errUserLimit:
		return "raise the limits of the database user (ALTER USER … WITH …), or let each process open fewer connections (MaxConnections, -mysql-connections)"
	case errDBAccessDenied, errTableDenied, 1143, errSpecificDenied, 1370:
		return "grant the database user SELECT, INSERT, UPDATE, and DELETE on the database, and CREATE, ALTER, DROP, and INDEX for Migrate and PruneClicks"
	case errAccessDenied, errDeniedNoPass:
		return "check the user and the password in the DSN, and whether the user must use TLS (tls=true)"
	case 3159: // insecure transport (MySQL)
		return useTLS
	case 1046:
		return "name the database in the DSN, after the slash"
	case errUnknownDB:
		return "create the database, or name another one in the DSN"
	case 1115, 1193, 1231, 1232, 1238, 1273, 1298: // character sets, variables, their values, time zones
		return "remove the parameter or value that the server does not know from the DSN"
	case 1129:
		return "run mariadb-admin flush-hosts or TRUNCATE performance_schema.host_cache on the server"
	case 1130:
		return "let the database user connect from this machine (CREATE USER 'name'@'host')"
	case 1251, 1524:
		return "give the database user an authentication plugin that the server has loaded, such as caching_sha2_password or mysql_native_password"
	case 1275, 1820, 1862:
		return "give the database user a new password (ALTER USER … IDENTIFIED BY …)"
	case 3118, 3955, 4151: // MySQL, MySQL, MariaDB
		return "unlock the database user (ALTER USER … ACCOUNT UNLOCK)"
	case errNoSuchTable, 1051, 1054, errDuplicateColumn, errDuplicateKey, errNoSuchColumn, 1136, 1176, 1364, 1526:
		return "a table is missing or has the wrong structure; make sure that this version has called Migrate"
	case 1048, 1264, 1265, 1292, 1366, 1406, errOutOfRange:
		return "a value does not fit its column; make sure that this version has called Migrate"
	case errDuplicate:
		return "a row with this key already exists"
	case 1064, 1235, 1305:
		return "linktrack needs MySQL 8.0.22 or MariaDB 10.11, or newer"
	case 1071, 1118, 1286:
		return "the tables need InnoDB, with ROW_FORMAT=DYNAMIC and pages of 16 kB"
	case 3098, 3750:
		return "the server requires something that the tables lack, such as a primary key; switch that requirement off, or report this error"
	case 1153, 1156, 1301:
		return "raise the server's max_allowed_packet to at least 16M"
	case 1436:
		return "raise the server's thread_stack"
	case 1969: // MariaDB
		return "raise the server's max_statement_time"
	case 3024: // MySQL
		return "raise the server's max_execution_time"
	case 1598, 1665, 1785:
		return "set binlog_format to ROW or MIXED on the server"
	case errReadOnlyTransaction, errReadOnlyMode:
		return "the server is read-only: a secondary? " + useWriter
	case errOption:
		if !isReadOnly(e) {
			return "an option of the server forbids it"
		}
		return "the server is read-only: a secondary? " + useWriter
	case errNotReady:
		return noMajority
	case errGroupHook:
		return "the server's group did not take the transaction; is the server still a member, and the group's majority there?"
	case errDuringCommit:
		return "the commit failed; is the server's disk full, or has it lost its cluster?"
	case errLockTimeout, 1206, errDeadlock, 1637, errGroupConflict:
		return "other transactions interfered; try again"
	case 1053, 1077, 1079, 1080, 1158, 1159, 1160, 1161, 1317, 1927, 3169:
		return "this works again when the server is ready"
	case 3, 1021, 1114:
		return "free space on the server's disk"
	case 1034, 1035, 1194, 1195, 1712, 1932:
		return "see the server's error log, and repair or restore the table"
	}
	if strings.Contains(e.Message, "insecure transport") { // MariaDB
		return useTLS
	}
	return "see the server's error log and its documentation"
}

const (
	useTLS     = "the server wants TLS: add tls=true to the DSN"
	useWriter  = "Connect to the server that takes writes, or let this one take them (read_only)"
	noMajority = "the node is not part of the cluster's majority; it works again when it is"
)

// ourNames matches quoted texts that are not private: the names of linktrack's tables,
// keys, columns, and partitions, and of the limits of users.
var ourNames = regexp.MustCompile(`'((?:[\w$-]+\.)?lt_[a-z_]+(?:\.\w+)?|max_[a-z_]+|(?:field|where|order) (?:list|clause))'|\b[Cc]olumn '([a-z_]{1,30})'`)

var (
	dsnPart = regexp.MustCompile(`[^\s@/'"]+:[^\s@]*@`) // user:password@, in a DSN or a URL
	address = regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}\b`)
)

const maxServerText = 300 // bytes

// redact removes from a server's text the parts that it quotes, and all that looks like
// credentials or an address. What is quoted can be data of a visitor, a password, or a
// part of a statement.
func redact(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	text = ourNames.ReplaceAllStringFunc(text, func(name string) string { return strings.ReplaceAll(name, "'", "") })
	text = maskQuoted(text)
	text = dsnPart.ReplaceAllString(text, "…@")
	text = address.ReplaceAllString(text, "…")
	return sqlstore.Truncate(text, maxServerText)
}

// maskQuoted replaces everything from the first opening quote to the last closing one,
// because the quoted text may contain quotes itself, so they cannot be paired. If another
// quote opens behind that and is never closed, because the server has truncated its text,
// the rest is replaced, too.
func maskQuoted(text string) string {
	first, last, open := -1, -1, -1
	before := ' '
	for i, r := range text {
		after, _ := utf8.DecodeRuneInString(text[i+utf8.RuneLen(r):])
		if strings.ContainsRune(quotes, r) {
			opens, closes := !isWord(before), !isWord(after)
			if opens && first < 0 {
				first = i
				before = r
				continue
			}
			if first >= 0 && closes {
				last, open = i+utf8.RuneLen(r), -1
			} else if first >= 0 && opens {
				open = i
			}
		}
		before = r
	}
	switch {
	case first < 0:
		return text
	case last < 0 || open > last:
		return text[:first] + "'…'"
	}
	return text[:first] + "'…'" + text[last:]
}

const quotes = `'"‘’“”„«»‹›`

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
