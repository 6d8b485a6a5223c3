package mysqlstore

import (
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// The numbers of the server errors that the Store treats in different ways. They are the
// same on MySQL and MariaDB.
const (
	errTooMany         = 1040 // too many connections to the server
	errTooManyOfUser   = 1203 // too many connections of the user, by the server's setting
	errUserLimit       = 1226 // one of the user's own limits is exceeded
	errDBAccessDenied  = 1044
	errAccessDenied    = 1045
	errUnknownDB       = 1049
	errDuplicateColumn = 1060
	errDuplicateKey    = 1061 // an index of this name exists
	errNoSuchColumn    = 1091 // the column or index to be dropped does not exist
	errDuplicate       = 1062
	errTableDenied     = 1142
	errDeadlock        = 1213
	errSpecificDenied  = 1227
	errNoSuchTable     = 1146
	errOutOfRange      = 1690
	errDeniedNoPass    = 1698
)

// number returns the number of a server error, or 0 if the error is not from the server.
func number(err error) uint16 {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// failed returns an error that names the operation which failed. err must not be nil.
func failed(op string, err error) error { return &failure{op, err} }

// rejected reports whether the server refused a statement because of its content or
// because the schema is not the expected one. The same statement would be refused again.
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

// mayRepeat reports whether a transaction was rolled back because it conflicted with
// another one, so that it can be run again.
func mayRepeat(err error) bool {
	switch number(err) {
	case errDeadlock, // Galera also uses it for a conflict at the commit
		3101: // Group Replication's number for a conflict at the commit
		return true
	}
	return errors.Is(err, errLogChanged)
}

type failure struct {
	op  string
	err error
}

func (f *failure) Unwrap() error { return f.err }

// Error includes the server's text without the parts that it quotes: these may be private
// data, and errors end up in logs.
func (f *failure) Error() string {
	var e *mysql.MySQLError
	if !errors.As(f.err, &e) {
		return fmt.Sprintf("mysqlstore: %s: %v", f.op, f.err)
	}
	return fmt.Sprintf("mysqlstore: %s: %s", f.op, explain(e))
}
