package transfer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/linktrackhq/linktrack"
)

// yourlsColumns are the columns of yourls_url, in its order.
var yourlsColumns = []string{"keyword", "url", "title", "timestamp", "ip", "clicks"}

// yourls is the common part of the two forms.
type yourls struct{ t *linktrack.Tracker }

func (yourls) column(param string) string {
	if name, ok := map[string]string{
		"external_url": "url", "vanity_link": "keyword", "redirect_hash": "keyword", "created_at": "timestamp",
	}[param]; ok {
		return name
	}
	return param
}

// entry fills e from a row. get returns the field of a column.
func (y yourls) entry(e *entry, get func(name string) string) {
	e.link.VanityLink, e.link.ExternalURL, e.link.Title = get("keyword"), get("url"), oneLine(get("title"))
	if e.link.VanityLink == "" {
		e.wrong("keyword", "is missing")
	}
	var ok bool
	if e.link.CreatedAt, ok = parseTime(get("timestamp"), y.t.TimeZone()); !ok {
		e.wrong("timestamp", timeReason)
	}
}

// A yourlsTable reads yourls_url as CSV, with or without a header.
type yourlsTable struct {
	yourls
	*table
	first []string // the first row, if it is not a header
}

func newYOURLSTable(in *bufio.Reader, t *linktrack.Tracker) (*yourlsTable, error) {
	table, err := newTable(in)
	if err != nil {
		return nil, err
	}
	y := &yourlsTable{yourls: yourls{t}, table: table}
	if !table.has("keyword") || !table.has("url") {
		y.first, table.names = table.names, nil
		table.name(yourlsColumns)
	}
	return y, table.twiceError(func(k string) bool { return slices.Contains(yourlsColumns, k) })
}

func (y *yourlsTable) notes() []string { return nil }

func (y *yourlsTable) next() (e entry, err error) {
	row := y.first
	if y.first = nil; len(row) > 0 {
		e = entry{line: 1, raw: row}
		if len(row) != len(y.names) {
			e.wrong("", fmt.Sprintf("it has %d fields, but %d are expected", len(row), len(y.names)))
		}
	} else if row, e, err = y.table.next(); err != nil {
		return e, err
	}
	if len(e.problems) == 0 {
		null(row)
		y.entry(&e, func(name string) string { return y.field(row, name) })
	}
	return e, nil
}

// null clears the fields in which phpMyAdmin writes NULL for a missing value. It
// skips the keyword, which is never missing.
func null(fields []string) {
	for i := 1; i < len(fields); i++ {
		if fields[i] == "NULL" {
			fields[i] = ""
		}
	}
}

// A yourlsDump reads the table yourls_url in an SQL dump.
type yourlsDump struct {
	yourls
	sql    *sqlReader
	names  []string // the columns of the current statement
	inRows bool
	found  bool // a statement with rows was found
}

func newYOURLSDump(in *bufio.Reader, t *linktrack.Tracker) *yourlsDump {
	return &yourlsDump{yourls: yourls{t}, sql: &sqlReader{in: in, line: 1}}
}

func (y *yourlsDump) notes() []string  { return nil }
func (y *yourlsDump) header() []string { return yourlsColumns }

func (y *yourlsDump) next() (entry, error) {
	for !y.inRows {
		if err := y.statement(); err != nil {
			if errors.Is(err, io.EOF) && !y.found {
				return entry{}, &broken{y.sql.line, "there is no INSERT INTO a table whose name ends with _url in the file"}
			}
			return entry{}, err
		}
	}
	fields, line, more, err := y.sql.tuple()
	if err != nil {
		return entry{}, err
	}
	y.inRows = more
	e := entry{line: line}
	if len(fields) != len(y.names) {
		e.raw = fields
		e.wrong("", fmt.Sprintf("it has %d fields, but %d are expected", len(fields), len(y.names)))
		return e, nil
	}
	get := func(name string) string {
		if i := slices.Index(y.names, name); i >= 0 {
			return fields[i]
		}
		return ""
	}
	for _, name := range yourlsColumns {
		e.raw = append(e.raw, get(name))
	}
	y.entry(&e, get)
	return e, nil
}

// statement reads up to the rows of an INSERT into the table, or skips another
// statement. The error is io.EOF at the end of the file.
func (y *yourlsDump) statement() error {
	first, err := y.sql.token()
	if err != nil || first.is(";") {
		return err
	}
	if !first.word("INSERT") && !first.word("REPLACE") {
		return y.sql.skip(first)
	}
	table, names := "", []string(nil)
	for {
		tok, err := y.sql.token()
		switch {
		case err != nil:
			return y.sql.early(err)
		case tok.is(";"):
			return nil
		case tok.is("("):
			if names, err = y.sql.names(); err != nil {
				return err
			}
		case tok.word("VALUES"), tok.word("VALUE"):
			if table != "url" && !strings.HasSuffix(table, "_url") {
				return y.sql.skip(tok)
			}
			if names == nil {
				names = yourlsColumns
			}
			y.names, y.inRows, y.found = names, true, true
			return nil
		default:
			table = tok.text // the last word before is its name
		}
	}
}
