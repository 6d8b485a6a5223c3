package mysqlstore

import (
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// The numbers of the servers' errors that are told apart. MySQL and MariaDB
// share them.
const (
	errTooMany         = 1040 // connections to the server
	errTooManyOfUser   = 1203 // connections of the user, by the server's setting
	errUserLimit       = 1226 // what the user is granted
	errDBAccessDenied  = 1044
	errAccessDenied    = 1045
	errUnknownDB       = 1049
	errDuplicateColumn = 1060
	errDuplicateKey    = 1061 // its name
	errNoSuchColumn    = 1091 // or key, to be dropped
	errDuplicate       = 1062
	errTableDenied     = 1142
	errDeadlock        = 1213
	errSpecificDenied  = 1227
	errNoSuchTable     = 1146
	errOutOfRange      = 1690
	errDeniedNoPass    = 1698
)

// number returns the server's number of an error, 0 if it is not the server's.
func number(err error) uint16 {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// failed says what was being done when the database failed. err must not be
// nil.
func failed(doing string, err error) error { return &failure{doing, err} }

// rejected reports whether the server refused a statement for what is in it or
// because the schema is another one. To send it again is of no use then.
func rejected(err error) bool {
	switch number(err) {
	case 1048, // a column cannot be null
		1054, // unknown column
		errDuplicate,
		1064, // syntax
		1136, // column count
		errNoSuchTable,
		1153, // packet too large
		1264, // out of range
		1292, // incorrect value
		1364, // no default value
		1366, // incorrect string
		1406, // data too long
		1526, // no partition for a value
		3140, // invalid JSON (MySQL)
		4038: // invalid JSON (MariaDB)
		return true
	}
	return false
}

// mayRepeat reports whether a transaction changed nothing because another one
// interfered, so that it can be repeated.
func mayRepeat(err error) bool {
	switch number(err) {
	case errDeadlock, // also from clusters, for a conflict at the commit
		3101: // the same from Group Replication
		return true
	}
	return errors.Is(err, errLogChanged)
}

type failure struct {
	op  string
	err error
}

func (f *failure) Unwrap() error { return f.err }

// Error holds the server's own text without what it quotes: that may be
// anybody's, and errors end up in logs.
func (f *failure) Error() string {
	var e *mysql.MySQLError
	if !errors.As(f.err, &e) {
		return fmt.Sprintf("mysqlstore: %s: %v", f.op, f.err)
	}
	return fmt.Sprintf("mysqlstore: %s: %s", f.op, explain(e))
}
