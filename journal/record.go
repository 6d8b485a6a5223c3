package journal

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/linktrackhq/linktrack"
)

// A segment is a sequence of records. A record has clicks that were appended together:
//
//	length   4 bytes, of the clicks
//	count    4 bytes, of the clicks
//	number   8 bytes, of the first click
//	origin   8 bytes; see part
//	checksum of the clicks  4 bytes
//	checksum of the head    4 bytes; it also covers the place of the record
//	clicks   as linktrack.AppendClicks writes them
//
// All numbers are big endian, and all checksums are CRC-32C. Every click has a
// number, which is one higher than that of the click before it.
//
// The checksum of the head makes it cheap to look for the next record behind a
// damaged one. It covers the journal's Source, the segment, and the offset. So a record is
// only valid in its own place, and a visitor, who does not know the Source, cannot
// send texts that look like a record.
const recordHead = 32

// fullRecord is about the maximum number of bytes of a record with more than one click. A
// single damaged byte makes a whole record unreadable, so records are small.
const fullRecord = 32 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A part is a record that is not written yet, so it has no place.
type part struct {
	count int
	// origin is 0 for clicks of Append. For clicks that were requeued, it is one
	// more than the first click's number in the quarantine.
	origin uint64
	record []byte // with room for the head
}

// split divides clicks into records. size is the number of bytes of these.
func split(clicks []linktrack.Click) (parts []part, size int64) {
	for len(clicks) > 0 {
		n, guess := 0, 0
		for n < len(clicks) {
			c := &clicks[n]
			guess += 48 + len(c.Referrer) + len(c.ReferrerHost) + len(c.UserAgent) + len(c.Browser) + len(c.Platform) + len(c.Query) + len(c.Country)
			if n > 0 && guess > fullRecord {
				break
			}
			n++
		}
		record := make([]byte, recordHead, recordHead+8+min(guess, fullRecord+1<<10))
		record = linktrack.AppendClicks(record, clicks[:n])
		parts = append(parts, part{count: n, record: record})
		size += int64(len(record))
		clicks = clicks[n:]
	}
	return parts, size
}

// seal writes the head of a record that will be written at an offset.
func (p *part) seal(seed uint32, offset int64, number uint64) {
	head, clicks := p.record[:recordHead], p.record[recordHead:]
	binary.BigEndian.PutUint32(head, uint32(len(clicks)))
	binary.BigEndian.PutUint32(head[4:], uint32(p.count))
	binary.BigEndian.PutUint64(head[8:], number)
	binary.BigEndian.PutUint64(head[16:], p.origin)
	binary.BigEndian.PutUint32(head[24:], crc32.Checksum(clicks, castagnoli))
	binary.BigEndian.PutUint32(head[28:], headSum(seed, offset, head))
}

func headSum(seed uint32, offset int64, head []byte) uint32 {
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(offset))
	sum := crc32.Update(seed, castagnoli, at[:])
	return crc32.Update(sum, castagnoli, head[:28])
}

// A record is a record that was read from a segment.
type record struct {
	number uint64 // of its first click
	count  uint64
	origin uint64
	length int64 // of the clicks
	sum    uint32
	clicks string
}

func (r *record) end() uint64 { return r.number + r.count }

// readHead returns false if head is not the head of a record at that offset.
func readHead(seed uint32, offset int64, head []byte) (r record, ok bool) {
	if binary.BigEndian.Uint32(head[28:]) != headSum(seed, offset, head) {
		return r, false
	}
	r = record{
		length: int64(binary.BigEndian.Uint32(head)),
		count:  uint64(binary.BigEndian.Uint32(head[4:])),
		number: binary.BigEndian.Uint64(head[8:]),
		origin: binary.BigEndian.Uint64(head[16:]),
		sum:    binary.BigEndian.Uint32(head[24:]),
	}
	return r, r.count > 0 && r.number+r.count > r.number
}
