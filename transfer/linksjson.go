package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"

	"github.com/linktrackhq/linktrack"
)

// A jsonLinks reads the answers of an API, one after the other. Each has a list
// of links: the member "data" of an object or of its "shortUrls", or only the
// list.
type jsonLinks struct {
	json  jsonReader
	open  []jsonFrame
	found bool // a list of links was found
	kind  jsonKind
}

// A jsonKind reads the links of one program's API.
type jsonKind interface {
	// link fills e from an object of the list. The errors are those of
	// json.Unmarshal.
	link(e *entry, raw []byte) error
	// other reads a member that is not the list, such as the number of pages.
	other(name string, raw []byte) error
	column(param string) string
	notes() []string
}

// A jsonFrame is an object or a list that is not closed yet.
type jsonFrame struct {
	name  string // the name of the member whose value it is
	end   byte   // the closing bracket
	begun bool   // its first member was read
}

func (s *jsonLinks) header() []string           { return linkColumns }
func (s *jsonLinks) column(param string) string { return s.kind.column(param) }
func (s *jsonLinks) notes() []string            { return s.kind.notes() }

func (s *jsonLinks) next() (entry, error) {
	for {
		if len(s.open) == 0 {
			b, err := s.json.peek()
			switch {
			case errors.Is(err, io.EOF) && !s.found:
				return entry{}, &broken{s.json.line, "there is no list of short URLs in the file"}
			case err != nil:
				return entry{}, err
			case b != '{' && b != '[':
				return entry{}, s.json.unexpected(b, "beginning of value")
			}
			s.enter("", b)
			continue
		}
		frame := &s.open[len(s.open)-1]
		more, err := s.json.member(frame.end, !frame.begun)
		if err != nil {
			return entry{}, err
		}
		frame.begun = true
		switch {
		case !more:
			s.open = s.open[:len(s.open)-1]
		case frame.end == ']':
			return s.link()
		default:
			if err := s.member(frame.name); err != nil {
				return entry{}, err
			}
		}
	}
}

// enter reads the opening bracket of an object or a list.
func (s *jsonLinks) enter(name string, begin byte) {
	s.json.in.Discard(1)
	s.found = s.found || begin == '['
	s.open = append(s.open, jsonFrame{name: name, end: begin + 2})
}

// member reads a member of the innermost object, whose own name is in. It stops
// before a value that may contain links.
func (s *jsonLinks) member(in string) error {
	written, err := s.json.name()
	if err != nil {
		return err
	}
	name := ""
	switch string(written) {
	case "shortUrls", "data", "pagination", "total":
		name = string(written)
	}
	b, err := s.json.next()
	switch {
	case err != nil:
		return err
	case name == "shortUrls" && b == '{' && len(s.open) == 1, name == "data" && b == '[' && (len(s.open) == 1 || in == "shortUrls"):
		s.enter(name, b)
		return nil
	case name != "pagination" && name != "total":
		return s.json.skip()
	}
	raw, _, err := s.json.raw()
	if err != nil {
		return err
	}
	if s.kind.other(name, raw) != nil {
		return &broken{s.json.line, name + " has an unexpected type"}
	}
	return nil
}

func (s *jsonLinks) link() (entry, error) {
	raw, line, err := s.json.raw()
	if err != nil {
		return entry{}, err
	}
	e := entry{line: line}
	var wrong *json.UnmarshalTypeError
	switch err := s.kind.link(&e, raw); {
	case errors.As(err, &wrong):
		e.wrong(wrong.Field, "has an unexpected type")
	case err != nil:
		e.wrong("", err.Error())
	}
	e.raw = linkFields(e.link)
	return e, nil
}

// isSet reports whether a member of an unknown type has a value.
func isSet(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", "false", "0", `""`, "[]", "{}":
		return false
	}
	return true
}

// linkColumns are the columns of Export that a link of another program can have.
var linkColumns = []string{
	"redirect_hash", "host", "external_url", "title", "description", "notes", "group", "is_active", "forward_query",
	"deactivate_at", "expires_at", "created_at", hashColumn,
}

func linkFields(l linktrack.ImportedLink) []string {
	values := map[string]any{"redirect_hash": l.VanityLink, "host": l.Host, "created_at": l.CreatedAt, hashColumn: string(l.PasswordHash)}
	maps.Insert(values, l.Properties())
	fields := make([]string, len(linkColumns))
	for i, name := range linkColumns {
		fields[i] = textOf(values[name])
	}
	return fields
}
