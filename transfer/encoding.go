package transfer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/linktrackhq/linktrack"
)

// A cancelable reader ends with its context. Every file is read through one, so
// that no content can keep the import running for long after that.
type cancelable struct {
	ctx context.Context
	in  io.Reader
}

func (c cancelable) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.in.Read(b)
}

// An encoded file has a character encoding that was detected.
type encoded struct {
	as   encoding.Encoding // nil: UTF-8
	note string            // for Result.Notes; "" if there is none
}

// encodingOf detects the encoding of a file, which it reads to its end:
//   - UTF-16 has a byte order mark, or every other byte is 0.
//   - Windows-1252, which spreadsheets in Europe and America write, has more
//     bytes that are invalid in UTF-8 than valid characters beyond ASCII.
//   - Everything else is UTF-8. Errors in it are reported where they are used.
func encodingOf(in io.Reader) (encoded, error) {
	file := bufio.NewReaderSize(in, 64<<10)
	head, err := file.Peek(256)
	if err != nil && !errors.Is(err, io.EOF) {
		return encoded{}, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(head, []byte{0, 0, 0xfe, 0xff}):
		return encoded{}, &linktrack.InvalidError{Param: "the file", Reason: "must be UTF-8, UTF-16, or Windows-1252"}
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), alternates(head, 1):
		return encoded{as: unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)}, nil
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}), alternates(head, 0):
		return encoded{as: unicode.UTF16(unicode.BigEndian, unicode.UseBOM)}, nil
	}
	right, wrong, err := countUTF8(file)
	if err != nil || wrong == 0 || right >= wrong {
		return encoded{}, err
	}
	return encoded{as: charmap.Windows1252, note: "the file is not UTF-8, and is read as Windows-1252"}, nil
}

// alternates reports whether, at the beginning of a text, every other byte from
// index at on is 0, and the bytes between are not.
func alternates(head []byte, at int) bool {
	pairs := min(len(head)/2, 8) // a header begins with ASCII
	for i := range pairs {
		if head[2*i+at] != 0 || head[2*i+1-at] == 0 {
			return false
		}
	}
	return pairs > 1
}

// countUTF8 counts the valid characters beyond ASCII, and the invalid bytes.
func countUTF8(file *bufio.Reader) (right, wrong int64, err error) {
	for {
		part, err := file.Peek(32 << 10)
		if len(part) == 0 || err != nil && !errors.Is(err, io.EOF) {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return right, wrong, err
		}
		i := 0
		for i < len(part) && (err != nil || utf8.FullRune(part[i:])) {
			if part[i] < utf8.RuneSelf {
				i++
				continue
			}
			r, size := utf8.DecodeRune(part[i:])
			if r == utf8.RuneError && size == 1 {
				wrong++
			} else {
				right++
			}
			i += size
		}
		file.Discard(i)
	}
}

// reader returns the file's text as UTF-8 without a byte order mark.
func (e encoded) reader(in io.Reader) *bufio.Reader {
	if e.as != nil {
		in = e.as.NewDecoder().Reader(in)
	}
	out := bufio.NewReaderSize(in, 64<<10)
	if head, _ := out.Peek(3); bytes.Equal(head, []byte("\ufeff")) {
		out.Discard(3)
	}
	return out
}
