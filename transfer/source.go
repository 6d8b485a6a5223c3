package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/linktrackhq/linktrack"
)

// A source reads the links of a file, one after the other.
type source interface {
	// next returns the next link; io.EOF at the end, a *broken where the file
	// cannot be read any further, or an error of the file.
	next() (entry, error)
	// column is what the file calls a parameter of the API.
	column(param string) string
	// notes are what its reader should know, once it is read to its end.
	notes() []string
	// header are the columns of entry.raw.
	header() []string
}

// An entry is a link as a file has it.
type entry struct {
	line     int
	link     linktrack.ImportedLink
	raw      []string  // its fields as the file has them; more or fewer than the header's if a problem says so
	second   bool      // the row before was of the same fields, and of the link's other path
	problems []Problem // what could not be read of it
}

// wrong adds a problem.
func (e *entry) wrong(column, reason string) {
	e.problems = append(e.problems, Problem{Line: e.line, Column: column, Reason: reason})
}

// refused adds the problem of an error of a Tracker; column finds its column.
func (e *entry) refused(err error, column func(string) string) {
	var inv *linktrack.InvalidError
	if errors.As(err, &inv) {
		e.wrong(column(inv.Param), inv.Reason)
	} else {
		e.wrong("", err.Error())
	}
}

// open finds out which format a text has, unless f says so, and begins to read.
// The error is an [*linktrack.InvalidError] or the file's.
func open(in *bufio.Reader, f Format, t *linktrack.Tracker) (source, Format, error) {
	head, err := in.Peek(in.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, f, err
	}
	err = nil // a file may be shorter
	isSQL, isJSON := looksLikeSQL(head), looksLikeJSON(head)
	if f == "" {
		f = detect(head, isSQL, isJSON)
	}
	var s source
	switch {
	case f == CSV:
		s, err = newOwnCSV(in, t)
	case f == YOURLS && isSQL:
		s = newYOURLSDump(in, t)
	case f == YOURLS:
		s, err = newYOURLSTable(in, t)
	case f == Shlink && isJSON:
		s = &jsonLinks{json: jsonReader{in: in, line: 1}, kind: &shlink{t: t, seen: map[int]bool{}}}
	case f == Kutt && isJSON:
		s = &jsonLinks{json: jsonReader{in: in, line: 1}, kind: &kutt{t: t}}
	case f == "":
		err = &linktrack.InvalidError{Param: "the file", Reason: "has an unknown format: it needs a header row with external_url, or must come from " + programs}
	default:
		shape := shapeOf(f)
		if shape == nil {
			return nil, f, &linktrack.InvalidError{Param: "format", Reason: "must be one of " + formatNames()}
		}
		s, err = newForeignCSV(in, t, shape)
	}
	if err != nil {
		return nil, f, err
	}
	return s, f, nil
}

func formatNames() string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

func looksLikeJSON(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	return len(head) > 0 && (head[0] == '{' || head[0] == '[')
}

func detect(head []byte, isSQL, isJSON bool) Format {
	if isSQL {
		return YOURLS
	}
	if isJSON {
		if bytes.Contains(head, []byte(`"target"`)) && bytes.Contains(head, []byte(`"address"`)) {
			return Kutt
		}
		return Shlink
	}
	in := bufio.NewReaderSize(bytes.NewReader(head), max(len(head), 16))
	header, _, _ := newCSVReader(in).read() // of a header that is too long, its beginning
	t := new(table)
	t.name(header)
	switch {
	case t.has("externalurl"):
		return CSV
	case t.has("keyword") && t.has("url"):
		return YOURLS
	}
	for i := range shapes {
		if shapes[i].fits(t) {
			return shapes[i].format
		}
	}
	return ""
}

// oneLine makes a title of what other programs take for one: control characters
// and line ends become spaces, and it is cut to the characters that a title may
// have.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > 255 {
		s = string([]rune(s)[:255])
	}
	return s
}
