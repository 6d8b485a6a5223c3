package sqlitestore

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"

	"github.com/linktrackhq/linktrack/internal/sqlstore"
)

var dialect = &sqlstore.Dialect{
	Name:       "sqlitestore",
	Join:       " CROSS JOIN ",
	Now:        "unixepoch()",
	Index:      index,
	OnConflict: func(key string) string { return " ON CONFLICT (" + key + ") DO UPDATE SET " },
	Inserted:   func(column string) string { return "excluded." + column },
	Lowered:    func(text string) string { return "lt_lower(" + text + ")" },
	Literal:    literal,
	PartSizes:  []int{64, 8, 1},
	StepTime:   200 * time.Millisecond,
	Is:         isClass,
	Explain:    explain,
	CheckFile:  checkFile,

	Snapshot:    []string{"BEGIN DEFERRED", "SELECT 1 FROM lt_migration"}, // it begins with the first read
	RowValues:   true,
	InsertRows:  50,
	LastID:      lastID,
	RaiseLastID: raiseLastID,
}

// index needs no hint for a primary key.
func index(name string) string {
	if name == "PRIMARY" {
		return ""
	}
	return " INDEXED BY " + name
}

// literal appends bytes. A text in quotes would not be equal to the same bytes.
func literal(b []byte, s string) []byte {
	b = append(b, "x'"...)
	b = hex.AppendEncode(b, []byte(s))
	return append(b, '\'')
}

// checkFile returns the first findings of SQLite. It does not compare the indexes with their
// tables, which would take several times as long.
func checkFile(ctx context.Context, db *sqlx.DB) (findings []string, err error) {
	err = db.SelectContext(ctx, &findings, `PRAGMA quick_check(20)`)
	if plain, _ := code(err); plain == codeCorrupt || plain == codeNotADB {
		return []string{"SQLite cannot read the file: " + explain(err) + "."}, nil
	}
	if err != nil || len(findings) == 1 && findings[0] == "ok" {
		return nil, err
	}
	for i := range findings {
		findings[i] = "SQLite found in the file: " + findings[i]
	}
	return findings, nil
}

// driverName is the name under which the driver is registered.
const driverName = "sqlite"

// engine is a driver with the function lt_lower: SQLite's own lower changes the letters of
// English only.
var engine = new(sqlite.Driver)

// The function is also registered with the driver that the pools of programs use, see New.
func init() {
	engine.MustRegisterDeterministicScalarFunction("lt_lower", 1, lower)
	sqlite.MustRegisterDeterministicScalarFunction("lt_lower", 1, lower)
}

func lower(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	switch text := args[0].(type) {
	case []byte:
		return strings.ToLower(string(text)), nil
	case string:
		return strings.ToLower(text), nil
	}
	return nil, nil
}
