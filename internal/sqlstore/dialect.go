package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// A Dialect has what differs among SQL engines. All other SQL of this package is understood
// by each of them: texts are bound as bytes, a text in a statement is a literal of bytes in
// hexadecimal, and all else is integers.
//
// A Dialect must not change after it was given to [New].
type Dialect struct {
	// Name is the name of the store's package. Errors begin with it.
	Name string

	// ForUpdate is the end of a SELECT that locks its rows until the transaction ends. It
	// is empty where a transaction that writes excludes all others from its beginning. On a
	// Galera cluster, it locks them on one node only: transactions that must exclude each
	// other also write a row in common.
	ForUpdate string
	// Join joins two tables in the order in which they are written.
	Join string
	// Now is the time of the database in seconds since 1970.
	Now string
	// Index makes the engine use the index with this name, or [primary] key, of the table
	// before it.
	Index func(name string) string
	// OnConflict begins the end of an INSERT that changes the rows whose key, a list of
	// columns, exists. Inserted is the value that the INSERT has for a column.
	OnConflict func(key string) string
	Inserted   func(column string) string
	// Lowered is a text in lower case, for every letter of Unicode. The text is a column, a
	// placeholder, or an expression of them.
	Lowered func(text string) string
	// Literal appends a literal of the bytes of s.
	Literal func(b []byte, s string) []byte

	// Reserve is a single statement that makes a reservation, which saves round trips. It does
	// so only if the source has reserved clicks of the link before, and the limit is not
	// reached by it. If it changes no row, it says nothing. Its arguments are the source, the
	// people, the seq, the people, the link, the seq, and the people. Empty: there is none.
	Reserve string

	// PartSizes are the numbers of rows with which a step's statements are fast, the largest
	// first, and 1 last; nil: a statement has as many rows as there are. With PartSizes, the
	// statements are prepared once.
	PartSizes []int
	// StepTime is how long a step of ApplyClicks is to take. Larger steps are cheaper per
	// click, but where writes exclude each other, visitors wait for them.
	StepTime time.Duration

	// Is reports whether an error of the engine is of a class.
	Is func(err error, c Class) bool
	// Explain returns the text of an error without data of visitors and credentials.
	Explain func(err error) string

	// CheckFile returns what the engine finds to be damaged in the database's files, in
	// sentences. It is nil where a server checks its own files.
	CheckFile func(ctx context.Context, db *sqlx.DB) (findings []string, err error)

	// CatchUp waits until the server has what was committed on the other nodes of its cluster
	// before the call. It returns false at once if there are none, and is nil where there
	// never are.
	CatchUp func(ctx context.Context, db *sqlx.DB) (others bool, err error)

	// Snapshot begins a transaction that reads all tables as they are now, whatever others
	// write meanwhile.
	Snapshot []string
	// RowValues says that an index finds the rows behind (a, b). Else it finds those with a
	// higher a, or the same a and a higher b.
	RowValues bool
	// InsertRows is the number of rows with which an INSERT is fast.
	InsertRows int
	// LastID returns the highest id that the database gave to a row of a table, and
	// RaiseLastID raises it.
	LastID      func(ctx context.Context, db *sqlx.DB, table string) (int64, error)
	RaiseLastID func(ctx context.Context, db *sqlx.DB, table string, last int64) error

	// OldTables says that the database may have rows in lt_click and lt_pending, where
	// versions before the click log kept the history and what was not applied.
	OldTables bool
}

// A Class is one of the kinds of errors that the Store treats in different ways.
type Class int

const (
	// Duplicate: a row with this key exists.
	Duplicate Class = iota
	// Conflict: the transaction was rolled back because of another one, and can be run again.
	Conflict
	// Refused: the server did not run the statement, and another connection may be to a server
	// that runs it.
	Refused
	// Unknown: the connection was lost, or the server cannot say whether the transaction was
	// committed.
	Unknown
	// Rejected: the statement was refused because of its content, or because the schema is not
	// the expected one. It would be refused again.
	Rejected
	// BadValue: a value does not fit its column.
	BadValue
)

// primary is the name of a table's primary key as an index.
const primary = "PRIMARY"

// A change is what an upsert does with a column of a row that exists.
type change struct{ column, format string }

// add adds the value of the INSERT to the column.
func add(column string) change { return change{column, `%[1]s = %[2]s.%[1]s + %[3]s`} }

// replace sets the column to the value of the INSERT.
func replace(column string) change { return change{column, `%[1]s = %[3]s`} }

// raise sets the column to the value of the INSERT if that is higher.
func raise(column string) change {
	return change{column, `%[1]s = CASE WHEN %[3]s > %[2]s.%[1]s THEN %[3]s ELSE %[2]s.%[1]s END`}
}

// upsert returns the end of an INSERT into a table, which makes the changes in rows whose
// key exists. The key is a list of columns.
func (d *Dialect) upsert(table, key string, changes ...change) string {
	var b strings.Builder
	b.WriteString(d.OnConflict(key))
	for i, c := range changes {
		if i > 0 {
			b.WriteString(`, `)
		}
		fmt.Fprintf(&b, c.format, c.column, table, d.Inserted(c.column))
	}
	return b.String()
}

// Failed returns an error that names the operation which failed. err must not be nil.
func (d *Dialect) Failed(op string, err error) error { return &failure{d, op, err} }

type failure struct {
	dialect *Dialect
	op      string
	err     error
}

func (f *failure) Unwrap() error { return f.err }

// Error has the text of Explain, because errors end up in logs.
func (f *failure) Error() string {
	return fmt.Sprintf("%s: %s: %s", f.dialect.Name, f.op, f.dialect.Explain(f.err))
}
