package journal

import (
	"errors"
	"hash/crc32"
	"io"
	"os"

	"github.com/linktrackhq/linktrack"
)

// A scanner reads the records of a segment in order, and skips damaged data.
type scanner struct {
	file io.ReaderAt
	size int64 // of the file, or of its part in use
	seed uint32
	at   int64 // where the next record is looked for

	window []byte // of the file, from the offset start
	start  int64
}

// bytes returns n bytes of the file at an offset, or fewer at its end.
func (s *scanner) bytes(at int64, n int) ([]byte, error) {
	if at < s.start || at+int64(n) > s.start+int64(len(s.window)) {
		want := min(int64(max(n, 64<<10)), s.size-at)
		if int64(cap(s.window)) < want {
			s.window = make([]byte, want)
		}
		s.start = at
		got, err := s.file.ReadAt(s.window[:want], at)
		s.window = s.window[:got]
		if err != nil && !errors.Is(err, io.EOF) {
			s.window = s.window[:0]
			return nil, err
		}
	}
	b := s.window[at-s.start:]
	return b[:min(n, len(b))], nil
}

// next returns the next intact record and its offset. The error is
// io.EOF at the end, or the file could not be read.
func (s *scanner) next() (record, int64, error) {
	for ; s.at+recordHead <= s.size; s.at++ {
		head, err := s.bytes(s.at, recordHead)
		if err != nil {
			return record{}, 0, err
		}
		if len(head) < recordHead {
			break // the file is shorter than it should be
		}
		r, ok := readHead(s.seed, s.at, head)
		if !ok || r.length > s.size-s.at-recordHead {
			continue
		}
		clicks, err := s.bytes(s.at+recordHead, int(r.length))
		if err != nil {
			return record{}, 0, err
		}
		if int64(len(clicks)) == r.length && crc32.Checksum(clicks, castagnoli) == r.sum {
			r.clicks = string(clicks)
			at := s.at
			s.at += recordHead + r.length
			return r, at, nil
		}
	}
	return record{}, 0, io.EOF
}

// decode returns the clicks of a record. The error is errDamaged or
// errOtherVersion.
func (r *record) decode(name string) ([]linktrack.Click, error) {
	clicks, err := linktrack.DecodeClicks(r.clicks)
	switch {
	case errors.Is(err, linktrack.ErrClicksVersion):
		return nil, otherVersion("the clicks in "+name, uint32(r.clicks[0]))
	case err != nil:
		return nil, damaged("%s: %v", name, err)
	case uint64(len(clicks)) != r.count:
		return nil, damaged("a record of %s has another number of clicks than it says", name)
	}
	return clicks, nil
}

// openRead opens a file that must be a regular one.
func openRead(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New(path + " is not a file")
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}
