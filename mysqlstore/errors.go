package mysqlstore

import (
	"database/sql/driver"
	"errors"
	"slices"

	"github.com/go-sql-driver/mysql"
	"github.com/linktrackhq/linktrack/internal/sqlstore"
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

	errLockTimeout         = 1205
	errDuringCommit        = 1180 // Galera: the server cannot say whether the others have the transaction
	errNotReady            = 1047 // Galera: the node is not part of the cluster's majority
	errOption              = 1290 // an option forbids it; see isReadOnly
	errReadOnlyTransaction = 1792
	errReadOnlyMode        = 1836
	errGroupHook           = 3100 // Group Replication: a hook failed
	errGroupConflict       = 3101 // Group Replication: a conflict at the commit
)

// number returns the number of a server error, or 0 if the error is not from the server.
func number(err error) uint16 {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// noServer reports whether the error is that of a connection which could not be made.
func noServer(err error) bool { return errors.As(err, new(*unavailable)) }

// failed returns an error that names the operation which failed. err must not be nil.
func failed(op string, err error) error { return dialect.Failed(op, err) }

// isClass reports whether an error is of a class.
func isClass(err error, c sqlstore.Class) bool {
	n := number(err)
	switch c {
	case sqlstore.Duplicate:
		return n == errDuplicate
	case sqlstore.Conflict:
		return n == errDeadlock || // Galera also uses it for a conflict at the commit
			n == errLockTimeout ||
			n == 1412 || // a partition was dropped since the transaction began
			n == errGroupConflict
	case sqlstore.Refused:
		return !noServer(err) && (isRefused(err) || n == 0 && errors.Is(err, driver.ErrBadConn)) // the driver sent nothing
	case sqlstore.Unknown:
		return n == errDuringCommit || n == errGroupHook || errors.Is(err, mysql.ErrInvalidConn) && !noServer(err)
	case sqlstore.Rejected:
		return slices.Contains(rejected, n)
	case sqlstore.BadValue:
		return slices.Contains(badValues, n)
	}
	return false
}

var (
	rejected = []uint16{
		1048, // a column cannot be null
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
		4038, // invalid JSON (MariaDB)
	}
	badValues = []uint16{
		errOutOfRange,
		1264, // out of range
		1366, // incorrect string
		1406, // data too long
	}
)
