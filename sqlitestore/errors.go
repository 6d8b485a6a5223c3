package sqlitestore

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"

	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

// The result codes of SQLite that the Store treats in different ways.
const (
	codeError      = 1
	codeBusy       = 5
	codeLocked     = 6
	codeReadOnly   = 8
	codeIO         = 10
	codeCorrupt    = 11
	codeFull       = 13
	codeCannotOpen = 14
	codeTooBig     = 18
	codeConstraint = 19
	codeMismatch   = 20
	codeRange      = 25
	codeNotADB     = 26

	// Extended codes, which have one of the others in their lowest byte.
	codeNotNull    = 1299
	codePrimaryKey = 1555
	codeUnique     = 2067
	codeDatatype   = 3091
)

// code returns the result code of an error and the extended one; 0 if the error is not from
// SQLite.
func code(err error) (plain, extended int) {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0, 0
	}
	return e.Code() & 0xff, e.Code()
}

func failed(op string, err error) error { return dialect.Failed(op, err) }

// isClass reports whether an error is of a class.
func isClass(err error, c sqlstore.Class) bool {
	plain, extended := code(err)
	switch c {
	case sqlstore.Duplicate:
		return extended == codeUnique || extended == codePrimaryKey
	case sqlstore.Conflict:
		return plain == codeBusy || plain == codeLocked
	case sqlstore.Rejected:
		return plain == codeError || plain == codeTooBig || plain == codeConstraint || plain == codeMismatch || plain == codeRange
	case sqlstore.BadValue:
		return plain == codeTooBig || plain == codeMismatch || extended == codeNotNull || extended == codeDatatype
	}
	return false
}

// explain returns the text of an error. It leaves out that of SQLite, which may have parts
// of a statement.
func explain(err error) string {
	plain, extended := code(err)
	if plain == 0 {
		return err.Error()
	}
	text, ok := texts[plain]
	if !ok {
		text = "SQLite could not run a statement: see its documentation"
	}
	return fmt.Sprintf("%s (error %d)", text, extended)
}

var texts = map[int]string{
	codeError:      "SQLite refused a statement: make sure that this version has called Migrate",
	codeBusy:       "another process is writing to the database: try again",
	codeLocked:     "another process is writing to the database: try again",
	codeReadOnly:   "the database, or its folder, is read-only: let the program write to both",
	codeIO:         "the database cannot be read or written: check the disk",
	codeCorrupt:    "the database is damaged: restore a backup",
	codeFull:       "the disk is full: free space on it",
	codeCannotOpen: "the database cannot be opened: check that its folder exists and that the program may write to it",
	codeTooBig:     "a value is too large",
	codeConstraint: "a value does not fit its column, or a row with this key exists",
	codeNotADB:     "the file is not an SQLite database: name another one",
}
