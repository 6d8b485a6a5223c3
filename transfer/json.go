package transfer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A jsonReader reads JSON value by value, and keeps no more of it than the value
// that it returns.
type jsonReader struct {
	in   *bufio.Reader
	line int // of the next byte
	buf  bytes.Buffer
}

// maxNesting is how many objects and lists may stand in one another.
const maxNesting = 100

// peek reads over white space and returns the byte behind it, which is not read.
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

// next is peek where a value, or the end of one, must follow.
func (j *jsonReader) next() (byte, error) {
	b, err := j.peek()
	return b, j.early(err)
}

// early is what the end of the file means within a value.
func (j *jsonReader) early(err error) error {
	if errors.Is(err, io.EOF) {
		return &broken{j.line, "the file ends within the JSON"}
	}
	return err
}

func (j *jsonReader) unexpected(b byte, looking string) error {
	return &broken{j.line, fmt.Sprintf("this is not JSON: invalid character %q looking for %s", b, looking)}
}

// member begins with the next member of an object or a list whose closing sign
// is end, or ends it. first says whether it would be the first.
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

// name reads the name of a member of an object, and the colon behind it. It
// holds until the next is read. A name with escapes is returned as it is
// written.
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

// raw reads a value and returns its text and the line that it begins in.
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

// skip reads over a value.
func (j *jsonReader) skip() error { return j.value(nil, 0) }

// put adds a byte to what is kept of a value; nil keeps nothing.
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
	end := open + 2 // of { and of [
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

// text reads a text with its quotation marks.
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

// word reads a number, true, false or null.
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
