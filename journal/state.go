package journal

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/linktrackhq/linktrack"
)

// The file has three buckets. stateBucket holds one value, the state; it sorts
// first, for the others cannot be checked without it. They hold records under
// numbers that have no gaps.
const (
	stateBucket = "about"
	asideBucket = "aside"
	clickBucket = "clicks"
)

var stateKey = []byte("state")

// A queue is the records from head to before tail.
type queue struct {
	head, tail uint64
	clicks     int64
	bytes      int64 // of the records, with what they take beside their clicks
}

func (q *queue) empty() bool { return q.head == q.tail }

// push counts a record that was put at the tail.
func (q *queue) push(clicks int64, record []byte) {
	q.tail++
	q.clicks += clicks
	q.bytes += int64(len(record) + inLeaf)
}

// shift uncounts the record at the head.
func (q *queue) shift(clicks int64, record []byte) {
	q.head++
	q.clicks -= clicks
	q.bytes -= int64(len(record) + inLeaf)
}

// pop uncounts the record at the tail.
func (q *queue) pop(clicks int64, record []byte) {
	q.tail--
	q.clicks -= clicks
	q.bytes -= int64(len(record) + inLeaf)
}

// state is what the journal knows beside its records. Every transaction writes
// it, so it is as old as they are.
type state struct {
	source  linktrack.Source
	seq     int64 // of the batch in flight, or of the last one that was
	loose   bool  // the file is written without fsync
	leap    bool  // the next seq is far above this one; not in the file
	flight  queue // in clickBucket: the batch that Next returns
	waiting queue // in clickBucket, behind flight
	aside   queue // in asideBucket
}

const (
	stateVersion = 1
	stateSize    = 1 + 16 + 8 + 1 + 3*4*8 + 4
)

func (s *state) encode() []byte {
	b := make([]byte, 0, stateSize)
	b = append(b, stateVersion)
	b = append(b, s.source[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.seq))
	if s.loose {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	for _, q := range [...]*queue{&s.flight, &s.waiting, &s.aside} {
		b = binary.BigEndian.AppendUint64(b, q.head)
		b = binary.BigEndian.AppendUint64(b, q.tail)
		b = binary.BigEndian.AppendUint64(b, uint64(q.clicks))
		b = binary.BigEndian.AppendUint64(b, uint64(q.bytes))
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decodeState returns errDamaged or errOtherVersion if b is not a state of this
// version.
func decodeState(b []byte) (state, error) {
	var s state
	end := len(b) - 4
	if end < 1 || binary.BigEndian.Uint32(b[end:]) != crc32.Checksum(b[:end], castagnoli) {
		return s, damaged("its state cannot be read")
	}
	if b[0] != stateVersion {
		return s, otherVersion("its state", uint32(b[0]))
	}
	if len(b) != stateSize {
		return s, damaged("its state has %d bytes", len(b))
	}
	b = b[1:]
	b = b[copy(s.source[:], b):]
	s.seq = int64(binary.BigEndian.Uint64(b))
	s.loose = b[8] == 1
	b = b[9:]
	for _, q := range [...]*queue{&s.flight, &s.waiting, &s.aside} {
		q.head = binary.BigEndian.Uint64(b)
		q.tail = binary.BigEndian.Uint64(b[8:])
		q.clicks = int64(binary.BigEndian.Uint64(b[16:]))
		q.bytes = int64(binary.BigEndian.Uint64(b[24:]))
		b = b[32:]
	}
	if s.flight.tail != s.waiting.head {
		return s, damaged("its state contradicts itself")
	}
	return s, nil
}
