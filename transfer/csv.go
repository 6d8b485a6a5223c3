package transfer

import (
	"bufio"
	"errors"
	"io"
)

// maxText is how long a text of a file may be, or a row of CSV: more than any
// link has, so that a quotation mark that is missing does not read all the rest
// into memory.
const maxText = 1 << 20 // bytes

// A csvReader reads CSV exactly: what stands between quotation marks is returned
// as it is, line ends too.
type csvReader struct {
	in    *bufio.Reader
	comma byte
	line  int // of the next byte
	buf   []byte
}

func newCSVReader(in *bufio.Reader) *csvReader {
	return &csvReader{in: in, comma: separator(firstLine(in)), line: 1}
}

// firstLine returns the first line of what is to be read, at most 4,096 bytes
// of it, and leaves it there.
func firstLine(in *bufio.Reader) []byte {
	head, _ := in.Peek(4096)
	for i, c := range head {
		if c == '\n' {
			return head[:i]
		}
	}
	return head
}

// separator is what the first line has most of, outside quotes.
func separator(line []byte) byte {
	counts, quoted := map[byte]int{}, false
	for _, c := range line {
		if c == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// read returns the next row that is not empty and the line that it begins in.
// The errors are io.EOF, a *broken, and those of the file.
func (c *csvReader) read() (fields []string, line int, err error) {
	for {
		line = c.line
		if fields, err = c.row(); err != nil || len(fields) > 1 || fields[0] != "" {
			return fields, line, err
		}
	}
}

func (c *csvReader) row() ([]string, error) {
	var fields []string
	size := 0
	for {
		end, err := c.field()
		if err != nil {
			if errors.Is(err, io.EOF) && fields != nil { // behind a comma at the end of the file
				return append(fields, ""), nil
			}
			return nil, err
		}
		if size += len(c.buf) + 1; size > maxText {
			return nil, &broken{c.line, "a row has more than a million bytes; is a quotation mark missing?"}
		}
		fields = append(fields, string(c.buf))
		if end {
			return fields, nil
		}
	}
}

// field reads a field into buf; end says whether it is the row's last. io.EOF
// if there is nothing any more.
func (c *csvReader) field() (end bool, err error) {
	c.buf = c.buf[:0]
	first, err := c.in.ReadByte()
	if err != nil {
		return false, err
	}
	if first == '"' {
		if err := c.quoted(); err != nil {
			return false, err
		}
	} else if err := c.in.UnreadByte(); err != nil {
		return false, err
	}
	quoted := first == '"'
	for {
		b, err := c.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		case b == c.comma:
			return false, nil
		case b == '\n':
			c.line++
			if n := len(c.buf); !quoted && n > 0 && c.buf[n-1] == '\r' {
				c.buf = c.buf[:n-1]
			}
			return true, nil
		case quoted && b == '\r':
		case quoted:
			return false, &broken{c.line, "there is text behind a closing quotation mark"}
		case len(c.buf) >= maxText:
			return false, &broken{c.line, "a text has more than a million bytes"}
		default:
			c.buf = append(c.buf, b)
		}
	}
}

// quoted reads what stands before the closing quotation mark.
func (c *csvReader) quoted() error {
	began := c.line
	for {
		b, err := c.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF), len(c.buf) >= maxText:
			return &broken{began, "a quotation mark is never closed"}
		case err != nil:
			return err
		case b == '"':
			if next, err := c.in.Peek(1); err != nil || next[0] != '"' {
				return nil
			}
			c.in.Discard(1)
		case b == '\n':
			c.line++
		}
		c.buf = append(c.buf, b)
	}
}
