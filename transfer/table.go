package transfer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/csvsafe"
)

// A table is CSV with a header row.
type table struct {
	rows    *csvReader
	names   []string        // of the columns, as in the file
	index   map[string]int  // of each column, by its key; if several have a key, the first
	twice   map[string]bool // keys that several columns have
	drop    bool            // the first column is problemColumn
	restore bool            // csvsafe.Defuse was applied to the texts
}

// problemColumn is the first column of ImportOptions.Rejected.
const problemColumn = "problem"

// key returns a column's name without case, spaces, and signs, because programs
// write External_URL, external url, and externalUrl.
func key(name string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '_', '-', '.', '\u00a0', '\ufeff':
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// newTable reads the header. The errors are a *broken and those of the file. An
// empty file has an empty header.
func newTable(in *bufio.Reader) (*table, error) {
	t := &table{rows: newCSVReader(in)}
	header, line, err := t.rows.read()
	if bad := new(badRow); errors.As(err, &bad) {
		err = &broken{line, bad.reason}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if t.name(header); len(t.names) > maxColumns {
		return nil, &broken{line, tooManyFields}
	}
	return t, nil
}

// name sets the names of the columns.
func (t *table) name(header []string) {
	if len(header) > 1 && key(header[0]) == problemColumn {
		t.drop, t.restore = true, true
		header = header[1:]
	}
	t.index, t.twice = make(map[string]int, len(header)), map[string]bool{}
	for i, name := range header {
		t.names = append(t.names, strings.TrimSpace(name))
		k := key(name)
		if _, ok := t.index[k]; ok {
			t.twice[k] = true
		} else {
			t.index[k] = i
		}
	}
}

func (t *table) header() []string { return t.names }

// has reports whether the table has one of the columns.
func (t *table) has(keys ...string) bool {
	for _, k := range keys {
		if _, ok := t.index[k]; ok {
			return true
		}
	}
	return false
}

// called returns the name of the first of these columns that the table has.
func (t *table) called(keys ...string) string {
	for _, k := range keys {
		if i, ok := t.index[k]; ok {
			return t.names[i]
		}
	}
	return ""
}

// next reads a row. The row has as many fields as the header, unless the entry
// has a problem.
func (t *table) next() (row []string, e entry, err error) {
	row, e.line, err = t.rows.read()
	bad := new(badRow)
	if err != nil && !errors.As(err, &bad) {
		return nil, e, err
	}
	if t.drop && len(row) > 0 {
		row = row[1:]
	}
	if t.restore {
		for i := range row {
			row[i] = csvsafe.Restore(row[i])
		}
	}
	e.raw = row
	if err != nil {
		e.wrong("", bad.reason)
		return row, e, nil
	}
	for len(row) > len(t.names) && strings.TrimSpace(row[len(row)-1]) == "" {
		row = row[:len(row)-1]
	}
	if len(row) != len(t.names) {
		e.wrong("", fmt.Sprintf("it has %d fields, but the header has %d", len(row), len(t.names)))
	}
	return row, e, nil
}

// field returns the first of the columns' fields that is not empty.
func (t *table) field(row []string, keys ...string) string {
	for _, k := range keys {
		if i, ok := t.index[k]; ok && row[i] != "" {
			return row[i]
		}
	}
	return ""
}

// unknown returns notes about the columns that are not used.
func (t *table) unknown(used func(key string) bool) []string {
	var notes []string
	more := 0
	for _, name := range t.names {
		switch {
		case name == "" || used(key(name)):
		case len(notes) < maxNotes:
			notes = append(notes, fmt.Sprintf("the column %q is unknown and ignored", brief(name)))
		default:
			more++
		}
	}
	if more > 0 {
		notes = append(notes, fmt.Sprintf("%d more columns are unknown and ignored", more))
	}
	return notes
}

// maxNotes is the number of columns that are named in notes.
const maxNotes = 20

// brief truncates a long text.
func brief(s string) string {
	const limit = 80 // bytes
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// twiceError returns an error if several columns have the same key and it is
// used.
func (t *table) twiceError(used func(key string) bool) error {
	for _, name := range t.names {
		if k := key(name); k != "" && t.twice[k] && used(k) {
			return &linktrack.InvalidError{Param: "the header", Reason: fmt.Sprintf("has the column %q twice", brief(strings.ToLower(name)))}
		}
	}
	return nil
}
