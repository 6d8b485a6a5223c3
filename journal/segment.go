package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/linktrackhq/linktrack"
)

// A segment is a file of a log. It begins with its head, twice, so that the damage
// of a sector does not make the whole segment unreadable:
//
//	prelude  16 bytes: what the file is, and the version of its form
//	source   16 bytes
//	id       8 bytes, as in the file's name
//	base     8 bytes, the number that its first click has
//	checksum 4 bytes
//
// A segment is written by one process. Records in it with the number of the next
// segment's base or a higher one are invalid: they are from an Append that failed, but
// whose bytes may have reached the disk.
const (
	headSize    = 16 + 16 + 8 + 8 + 4
	headCopy    = 512  // offset of the second head
	segmentHead = 1024 // bytes before the first record
)

type segment struct {
	id      uint64
	base    uint64
	size    int64 // bytes in use
	damaged bool  // clicks are missing: the file is kept when it is drained

	unsynced bool // written without fsync
}

// errDamaged means that a file is not as the journal wrote it. An error that is
// not errDamaged says nothing about the file: it could not be read.
var errDamaged = errors.New("damaged")

// errOtherVersion means that another version wrote a file, and the clicks in it
// are safe.
var errOtherVersion = errors.New("the journal has a version that this program cannot read; let the program that wrote it move its clicks to the store, or move the folder away")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDamaged, fmt.Sprintf(format, args...))
}

func otherVersion(of string, version uint32) error {
	return fmt.Errorf("%w (version %d of %s)", errOtherVersion, version, of)
}

// Every file of the journal begins with 16 bytes that are the same in all versions:
// 8 bytes that name the kind of file, 4 bytes with the version, and 4 bytes with
// the checksum of these.
const (
	preludeSize   = 16
	formVersion   = 1
	segmentKind   = "ltclicks"
	positionKind  = "ltmarker"
	maxUint64     = ^uint64(0)
	segmentSuffix = ".seg"
)

func appendPrelude(b []byte, kind string, version uint32) []byte {
	from := len(b)
	b = append(b, kind...)
	b = binary.BigEndian.AppendUint32(b, version)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

// checkPrelude returns errDamaged or errOtherVersion.
func checkPrelude(b []byte, kind, name string) error {
	if len(b) < preludeSize || string(b[:8]) != kind || binary.BigEndian.Uint32(b[12:]) != crc32.Checksum(b[:12], castagnoli) {
		return damaged("%s does not begin as the journal writes it", name)
	}
	if v := binary.BigEndian.Uint32(b[8:]); v != formVersion {
		return otherVersion(name, v)
	}
	return nil
}

// appendHead appends all that stands before the first record.
func (s *segment) appendHead(b []byte, source linktrack.Source) []byte {
	h := appendPrelude(make([]byte, 0, headCopy), segmentKind, formVersion)
	h = append(h, source[:]...)
	h = binary.BigEndian.AppendUint64(h, s.id)
	h = binary.BigEndian.AppendUint64(h, s.base)
	h = binary.BigEndian.AppendUint32(h, crc32.Checksum(h, castagnoli))
	h = h[:headCopy]
	return append(append(b, h...), h...)
}

// readSegment returns the segment that a file's head describes. The error is
// errDamaged or errOtherVersion, or the file could not be read.
func readSegment(f io.ReaderAt, name string, source linktrack.Source, id uint64) (segment, error) {
	b := make([]byte, segmentHead)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return segment{}, err
	}
	b = b[:n]
	var why error
	for at := 0; at+headSize <= len(b); at += headCopy {
		h := b[at : at+headSize]
		err := checkPrelude(h, segmentKind, name)
		if errors.Is(err, errOtherVersion) {
			return segment{}, err
		}
		if err != nil || binary.BigEndian.Uint32(h[headSize-4:]) != crc32.Checksum(h[:headSize-4], castagnoli) {
			continue
		}
		if linktrack.Source(h[16:32]) != source || binary.BigEndian.Uint64(h[32:]) != id {
			why = damaged("%s belongs to another journal", name)
			continue
		}
		return segment{id: id, base: binary.BigEndian.Uint64(h[40:])}, nil
	}
	if why == nil {
		why = damaged("the head of %s cannot be read", name)
	}
	return segment{}, why
}

// seedOf returns the initial value of the checksums of heads in a segment.
func seedOf(source linktrack.Source, log string, id uint64) uint32 {
	b := append(source[:], log...)
	b = binary.BigEndian.AppendUint64(b, id)
	return crc32.Checksum(b, castagnoli)
}
