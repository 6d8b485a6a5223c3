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
	// next returns the next link. The error is io.EOF at the end, a *broken if
	// the rest of the file cannot be read, or an error of the file.
	next() (entry, error)
	// column returns the file's name for a parameter of the API.
	column(param string) string
	// notes returns remarks about the file for Result.Notes, after the last
	// link.
	notes() []string
	// header returns the columns of entry.raw.
	header() []string
}

// An entry is a link of a file.
type entry struct {
	line     int
	link     linktrack.ImportedLink
	raw      []string  // its fields in the file; as many as in the header, unless a problem says otherwise
	second   bool      // the entry before came from the same row: this is the link's other path
	problems []Problem // why it cannot be imported
}

// wrong adds a problem.
func (e *entry) wrong(column, reason string) {
	e.problems = append(e.problems, Problem{Line: e.line, Column: column, Reason: reason})
}

// refused adds the problem for an error of a Tracker. column returns the name of
// the column.
func (e *entry) refused(err error, column func(string) string) {
	var inv *linktrack.InvalidError
	if errors.As(err, &inv) {
		e.wrong(column(inv.Param), inv.Reason)
	} else {
		e.wrong("", err.Error())
	}
}

// open begins to read a file, in the format f, or if f is "" in the format that
// it detects. The error is an [*linktrack.InvalidError] or an error of the file.
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
	header, _, _ := newCSVReader(in).read() // if the header is too long, its beginning
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

// oneLine makes a title that the rules allow: control characters and line ends
// become spaces, and a long title is truncated.
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
