package transfer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A jsonReader reads JSON value by value, and keeps only the value that it
// returns.
type jsonReader struct {
	in   *bufio.Reader
	line int // of the next byte
	buf  bytes.Buffer
}

// maxNesting is how deep objects and lists may be nested.
const maxNesting = 100

// peek skips white space and returns the next byte without consuming it.
func (j *jsonReader) peek() (byte, error) {
	for {
		b, err := j.in.ReadByte()
		if err != nil {
			return 0, err
		}
		switch b {
		case '\n':
			j.line++
		case ' ', '\t', '\r':
		default:
			return b, j.in.UnreadByte()
		}
	}
}

// next is peek for a place where the file must not end.
func (j *jsonReader) next() (byte, error) {
	b, err := j.peek()
	return b, j.early(err)
}

// early replaces io.EOF within a value by an error that says so.
func (j *jsonReader) early(err error) error {
	if errors.Is(err, io.EOF) {
		return &broken{j.line, "the file ends within the JSON"}
	}
	return err
}

func (j *jsonReader) unexpected(b byte, looking string) error {
	return &broken{j.line, fmt.Sprintf("this is not JSON: invalid character %q looking for %s", b, looking)}
}

// member reads up to the next member of an object or a list, or reads its closing
// bracket, which is end. first reports that no member was read before.
func (j *jsonReader) member(end byte, first bool) (more bool, err error) {
	b, err := j.next()
	if err != nil {
		return false, err
	}
	switch {
	case b == end:
		j.in.Discard(1)
		return false, nil
	case first:
		return true, nil
	case b != ',':
		return false, j.unexpected(b, "a comma or the end of an object or a list")
	}
	j.in.Discard(1)
	return true, nil
}

// name reads the name of a member of an object, and the colon after it. The
// result is valid until the next call. Escapes in a name are not decoded.
func (j *jsonReader) name() ([]byte, error) {
	b, err := j.next()
	if err != nil {
		return nil, err
	}
	if b != '"' {
		return nil, j.unexpected(b, "the name of a member")
	}
	j.buf.Reset()
	if err := j.text(&j.buf); err != nil {
		return nil, err
	}
	return bytes.Trim(j.buf.Bytes(), `"`), j.colon(nil)
}

func (j *jsonReader) colon(to *bytes.Buffer) error {
	b, err := j.next()
	if err != nil {
		return err
	}
	if b != ':' {
		return j.unexpected(b, "a colon")
	}
	j.in.Discard(1)
	return j.put(to, b)
}

// raw reads a value, and returns its text and the line in which it begins.
func (j *jsonReader) raw() ([]byte, int, error) {
	if _, err := j.next(); err != nil {
		return nil, j.line, err
	}
	line := j.line
	var to bytes.Buffer
	if err := j.value(&to, 0); err != nil {
		return nil, line, err
	}
	return to.Bytes(), line, nil
}

// skip reads a value and drops it.
func (j *jsonReader) skip() error { return j.value(nil, 0) }

// put adds a byte to a value that is kept. If to is nil, the value is not kept.
func (j *jsonReader) put(to *bytes.Buffer, b byte) error {
	if to == nil {
		return nil
	}
	if to.Len() >= maxText {
		return &broken{j.line, "a value has more than a million bytes"}
	}
	return to.WriteByte(b)
}

// value reads a value to its end.
func (j *jsonReader) value(to *bytes.Buffer, depth int) error {
	b, err := j.next()
	if err != nil {
		return err
	}
	switch {
	case depth > maxNesting:
		return &broken{j.line, fmt.Sprintf("more than %d nested objects and lists", maxNesting)}
	case b == '{' || b == '[':
		return j.members(to, depth)
	case b == '"':
		return j.text(to)
	}
	return j.word(to)
}

// members reads an object or a list.
func (j *jsonReader) members(to *bytes.Buffer, depth int) error {
	open, err := j.in.ReadByte()
	if err != nil {
		return err
	}
	end := open + 2 // } is '{' + 2, and ] is '[' + 2
	if err := j.put(to, open); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := j.member(end, first)
		if err != nil {
			return err
		}
		if !more {
			return j.put(to, end)
		}
		if !first {
			if err := j.put(to, ','); err != nil {
				return err
			}
		}
		if end == '}' {
			if b, err := j.next(); err != nil {
				return err
			} else if b != '"' {
				return j.unexpected(b, "the name of a member")
			}
			if err := j.text(to); err != nil {
				return err
			}
			if err := j.colon(to); err != nil {
				return err
			}
		}
		if err := j.value(to, depth+1); err != nil {
			return err
		}
	}
}

// text reads a string with its quotation marks.
func (j *jsonReader) text(to *bytes.Buffer) error {
	for first, escaped := true, false; ; first = false {
		b, err := j.in.ReadByte()
		if err != nil {
			return j.early(err)
		}
		if b < ' ' {
			return j.unexpected(b, "the end of a text")
		}
		if err := j.put(to, b); err != nil {
			return err
		}
		switch {
		case escaped:
			escaped = false
		case b == '\\':
			escaped = true
		case b == '"' && !first:
			return nil
		}
	}
}

// word reads a number, true, false, or null.
func (j *jsonReader) word(to *bytes.Buffer) error {
	var room [101]byte
	word := room[:0]
	for {
		b, err := j.in.ReadByte()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || bytes.IndexByte([]byte(" \t\r\n,:{}[]\""), b) >= 0 {
			if err == nil {
				j.in.UnreadByte()
			}
			break
		}
		if word = append(word, b); len(word) > 100 {
			break
		}
	}
	if !json.Valid(word) {
		if len(word) == 0 {
			b, err := j.next()
			if err != nil {
				return err
			}
			return j.unexpected(b, "beginning of value")
		}
		return j.unexpected(word[0], "beginning of value")
	}
	for _, b := range word {
		if err := j.put(to, b); err != nil {
			return err
		}
	}
	return nil
}
