package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// The limits of a CSV file. No link needs more, and without limits a missing
// quotation mark would fill the memory.
const (
	maxText    = 1 << 20 // bytes in a text, or in a row
	maxColumns = 1000    // fields in a row
)

var tooManyFields = fmt.Sprintf("a row has more than %d fields", maxColumns)

// A csvReader reads CSV exactly: it returns quoted text unchanged, with its line
// ends. A line ends with LF, CRLF, or CR.
type csvReader struct {
	in    *bufio.Reader
	comma byte
	line  int // of the next byte

	text  []byte // all fields of the current row
	ends  []int  // where each field ends in text
	wrong string // the first problem of the row; "" if there is none
}

// A badRow is the error of a row that cannot be used. The rows after it can be
// read.
type badRow struct{ reason string }

func (b *badRow) Error() string { return b.reason }

func newCSVReader(in *bufio.Reader) *csvReader {
	c := &csvReader{in: in, line: 1}
	line, until := firstLine(in)
	if sep, ok := separatorLine(line); ok {
		c.comma = sep
		for range until {
			if b, err := in.ReadByte(); err == nil && isLineEnd(b) {
				c.lineEnd(b)
			}
		}
	} else {
		c.comma = separator(line)
	}
	return c
}

func isLineEnd(b byte) bool { return b == '\n' || b == '\r' }

// firstLine returns the first line that is not empty, or the part of it that the
// buffer holds, and the number of bytes up to its end. It consumes nothing.
func firstLine(in *bufio.Reader) (line []byte, until int) {
	head, _ := in.Peek(in.Size())
	begin := 0
	for begin < len(head) && (isLineEnd(head[begin]) || head[begin] == ' ') {
		begin++
	}
	end := begin
	for end < len(head) && !isLineEnd(head[end]) {
		end++
	}
	return head[begin:end], end
}

// separatorLine reads a first line such as "sep=;", which names the separator for
// spreadsheets.
func separatorLine(line []byte) (sep byte, ok bool) {
	line = bytes.Trim(line, `"`)
	if len(line) < 5 || !bytes.EqualFold(line[:4], []byte("sep=")) {
		return 0, false
	}
	sep = line[4]
	rest := bytes.Trim(line[5:], "\",;\t| ") // a spreadsheet may have added empty fields
	return sep, len(rest) == 0 && bytes.IndexByte([]byte(",;\t|:^~ "), sep) >= 0
}

// separator returns the separator that the line has most of, outside quotation
// marks.
func separator(line []byte) byte {
	var counts [256]int
	quoted := false
	for _, c := range line {
		if c == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t', '|'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// read returns the next row that is not empty, and the line in which it begins.
// The errors are io.EOF, a *badRow, a *broken, and those of the file. With a
// *badRow, read also returns the fields that it has read.
func (c *csvReader) read() (fields []string, line int, err error) {
	for {
		line = c.line
		if err := c.row(); err != nil {
			return nil, line, err
		}
		if c.wrong == "" && len(bytes.TrimSpace(c.text)) == 0 {
			continue
		}
		fields, text, begin := make([]string, len(c.ends)), string(c.text), 0
		for i, end := range c.ends {
			fields[i], begin = text[begin:end], end
		}
		if c.wrong != "" {
			return fields, line, &badRow{c.wrong}
		}
		return fields, line, nil
	}
}

func (c *csvReader) row() error {
	c.text, c.ends, c.wrong = c.text[:0], c.ends[:0], ""
	for fields := 0; ; fields++ {
		last, err := c.field()
		if err != nil && (fields == 0 || !errors.Is(err, io.EOF)) {
			return err
		}
		if fields <= maxColumns { // one more is allowed for problemColumn
			c.ends = append(c.ends, len(c.text))
		} else {
			c.bad(tooManyFields)
		}
		if last || err != nil { // a file may end after a separator
			return nil
		}
	}
}

// bad keeps the first problem of the row.
func (c *csvReader) bad(reason string) {
	if c.wrong == "" {
		c.wrong = reason
	}
}

// add adds a byte to the row's text.
func (c *csvReader) add(b byte) {
	switch {
	case len(c.text) < maxText:
		c.text = append(c.text, b)
	case len(c.ends) == 0:
		c.bad("a text has more than a million bytes")
	default:
		c.bad("a row has more than a million bytes; is a quotation mark missing?")
	}
}

// lineEnd counts a line end that begins with b, and reads the rest of it.
func (c *csvReader) lineEnd(b byte) {
	c.line++
	if b == '\r' {
		if next, err := c.in.Peek(1); err == nil && next[0] == '\n' {
			c.in.Discard(1)
		}
	}
}

// field reads a field. last reports whether it is the last one of its row. The
// error is io.EOF if nothing is left.
func (c *csvReader) field() (last bool, err error) {
	b, err := c.in.ReadByte()
	if err != nil {
		return false, err
	}
	quoted := b == '"'
	if quoted {
		if err := c.quoted(); err != nil {
			return false, err
		}
		b, err = c.in.ReadByte()
	}
	for ; err == nil; b, err = c.in.ReadByte() {
		switch {
		case b == c.comma:
			return false, nil
		case isLineEnd(b):
			c.lineEnd(b)
			return true, nil
		case !quoted:
			c.add(b)
		case b != ' ' && b != '\t':
			c.bad("there is text after a closing quotation mark")
		}
	}
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}

// quoted reads up to the closing quotation mark.
func (c *csvReader) quoted() error {
	began := c.line
	for size := 0; ; size++ {
		b, err := c.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF), size >= maxText:
			return &broken{began, "a quotation mark is not closed"}
		case err != nil:
			return err
		case b == '"':
			if next, err := c.in.Peek(1); err != nil || next[0] != '"' {
				return nil
			}
			c.in.Discard(1)
		case b == '\n':
			c.line++
		case b == '\r':
			if next, err := c.in.Peek(1); err != nil || next[0] != '\n' {
				c.line++
			}
		}
		c.add(b)
	}
}
