package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
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
}

// An entry is a link as a file has it.
type entry struct {
	line     int
	link     linktrack.ImportedLink
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

// open finds out which format a file has, unless f says so, and begins to read.
// The error is an [*linktrack.InvalidError] or the file's.
func open(file io.Reader, f Format, t *linktrack.Tracker) (source, Format, error) {
	in := bufio.NewReaderSize(file, 64<<10)
	head, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, f, err
	}
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		in.Discard(3)
		head = head[3:]
	}
	if isUTF16(head) {
		return nil, f, &linktrack.InvalidError{Param: "the file", Reason: "must be UTF-8"}
	}
	isSQL := looksLikeSQL(head)
	if f == "" {
		f = detect(head, isSQL)
	}
	switch f {
	case CSV:
		s, err := newOwnCSV(in, t)
		return s, f, err
	case YOURLS:
		if isSQL {
			return newYOURLSDump(in, t), f, nil
		}
		s, err := newYOURLSTable(in, t)
		return s, f, err
	case Shlink:
		return newShlink(in), f, nil
	case "":
		return nil, f, &linktrack.InvalidError{Param: "the file", Reason: "is in no format that is known: it needs a header row with external_url, or must come from YOURLS or Shlink"}
	}
	return nil, f, &linktrack.InvalidError{Param: "format", Reason: "must be csv, yourls or shlink"}
}

func isUTF16(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff})
}

func detect(head []byte, isSQL bool) Format {
	trimmed := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case isSQL:
		return YOURLS
	case len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '['):
		return Shlink
	}
	names := headerOf(head)
	switch {
	case slices.Contains(names, "external_url"):
		return CSV
	case slices.Contains(names, "keyword") && slices.Contains(names, "url"):
		return YOURLS
	}
	return ""
}

func headerOf(head []byte) []string {
	fields, _, err := newCSVReader(bufio.NewReader(bytes.NewReader(head))).read()
	if err != nil {
		return nil
	}
	return normalized(fields)
}

func normalized(names []string) []string {
	for i, n := range names {
		names[i] = strings.ToLower(strings.TrimSpace(n))
	}
	return names
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

const (
	plainTime  = "2006-01-02 15:04:05"
	timeReason = "must be a time such as 2024-11-24T16:35:16Z or 2024-11-24 10:35:16"
)

// parseTime reads a time with its zone, or one in a zone; "" is the zero time.
func parseTime(s string, zone *time.Location) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, true
	}
	for _, layout := range []string{plainTime, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, s, zone); err == nil && len(s) == len(layout) {
			return at, true
		}
	}
	return time.Time{}, false
}
