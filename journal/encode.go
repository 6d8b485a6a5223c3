package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"

	"github.com/linktrackhq/linktrack"
)

// A record is some clicks under one key:
//
//	crc32c  4 bytes, big endian, of the journal's source, the bucket's name,
//	        the key and all that follows
//	version 1 byte
//	count   uvarint
//	clicks  one after the other
//
// A click is a byte of flags, its id, its link as a varint, the address as the
// flags say, and seven texts, each after its length as a uvarint. There is one
// way to write a click, and decoding takes no other. Records of version 1, which
// a file may hold from before, have no text for the country.
const (
	version        = 2
	withoutCountry = 1
)

const (
	flagUnique = 1 << iota
	flagBot
	flagIPv4
	flagIPv6
	flagZone // after the IPv6 address, as a text
	flagPerson
	flagsEnd
)

const (
	sealed     = 4                   // bytes of the checksum
	leastClick = 1 + 16 + 1 + 6      // bytes, in any version
	fullRecord = 16 << 10            // bytes: a commit rewrites the last leaf, so records are not large
	mostClicks = 128                 // in a record, so that Next can keep near what it is asked for
	perRecord  = sealed + 1 + 2 + 24 // bytes at most beside the clicks, with the key and what bbolt adds
	keySize    = 8                   // the record's number, big endian
	inLeaf     = keySize + 16        // bytes that a record takes in a leaf beside its value
	pageSize   = 4 << 10             // of the file, wherever it is made
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errRecord: a record is not as it was written.
var errRecord = errors.New("a record of clicks is damaged")

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendClick(b []byte, c *linktrack.Click) []byte {
	at := len(b)
	b = append(b, 0)
	b = append(b, c.ID[:]...)
	b = binary.AppendVarint(b, c.Link)
	var flags byte
	switch {
	case c.IP.Is4():
		flags = flagIPv4
		a := c.IP.As4()
		b = append(b, a[:]...)
	case c.IP.Is6():
		flags = flagIPv6
		a := c.IP.As16()
		b = append(b, a[:]...)
		if zone := c.IP.Zone(); zone != "" {
			flags |= flagZone
			b = appendText(b, zone)
		}
	}
	if c.Unique {
		flags |= flagUnique
	}
	if c.Bot {
		flags |= flagBot
	}
	if c.Person {
		flags |= flagPerson
	}
	b[at] = flags
	for _, s := range [...]string{c.Referrer, c.ReferrerHost, c.UserAgent, c.Browser, c.Platform, c.Query, c.Country} {
		b = appendText(b, s)
	}
	return b
}

// A cut is what is left to decode; bad once anything was wrong.
type cut struct {
	rest string
	bad  bool
}

func (c *cut) take(n int) string {
	if n > len(c.rest) {
		c.bad = true
		c.rest = ""
		return ""
	}
	s := c.rest[:n]
	c.rest = c.rest[n:]
	return s
}

// uvarint takes a number in its shortest form only.
func (c *cut) uvarint() uint64 {
	var n uint64
	for i := range min(len(c.rest), binary.MaxVarintLen64) {
		b := c.rest[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			c.bad = c.bad || i > 0 && b == 0 || i == binary.MaxVarintLen64-1 && b > 1
			c.rest = c.rest[i+1:]
			return n
		}
	}
	c.bad = true
	return 0
}

func (c *cut) text() string {
	n := c.uvarint()
	if n > uint64(len(c.rest)) {
		c.bad = true
		return ""
	}
	return c.take(int(n))
}

func (c *cut) click(to *linktrack.Click, version byte) {
	head := c.take(1 + len(to.ID))
	if c.bad {
		return
	}
	flags := head[0]
	copy(to.ID[:], head[1:])
	link := c.uvarint()
	to.Link = int64(link>>1) ^ -int64(link&1)
	switch flags & (flagIPv4 | flagIPv6 | flagZone) {
	case 0:
	case flagIPv4:
		var a [4]byte
		copy(a[:], c.take(len(a)))
		to.IP = netip.AddrFrom4(a)
	case flagIPv6:
		var a [16]byte
		copy(a[:], c.take(len(a)))
		to.IP = netip.AddrFrom16(a)
	case flagIPv6 | flagZone:
		var a [16]byte
		copy(a[:], c.take(len(a)))
		zone := c.text()
		c.bad = c.bad || zone == ""
		to.IP = netip.AddrFrom16(a).WithZone(zone)
	default:
		c.bad = true
	}
	c.bad = c.bad || flags >= flagsEnd
	to.Unique = flags&flagUnique != 0
	to.Bot = flags&flagBot != 0
	to.Person = flags&flagPerson != 0
	for _, s := range [...]*string{&to.Referrer, &to.ReferrerHost, &to.UserAgent, &to.Browser, &to.Platform, &to.Query} {
		*s = c.text()
	}
	if version != withoutCountry {
		to.Country = c.text()
	}
}

// decode appends the clicks of a record without its checksum. Their texts share
// the memory of body.
func decode(to []linktrack.Click, body string) ([]linktrack.Click, error) {
	c := cut{rest: body}
	v := c.take(1)
	n := c.uvarint()
	if c.bad || v[0] != version && v[0] != withoutCountry || n == 0 || n > uint64(len(c.rest)/leastClick) {
		return to, errRecord
	}
	for range n {
		to = append(to, linktrack.Click{})
		c.click(&to[len(to)-1], v[0])
		if c.bad {
			return to, errRecord
		}
	}
	if c.rest != "" {
		return to, errRecord
	}
	return to, nil
}

// count returns how many clicks a sealed record says it has.
func count(record []byte) (int64, error) {
	if len(record) < sealed+1 {
		return 0, errRecord
	}
	n, size := binary.Uvarint(record[sealed+1:])
	if size <= 0 || n == 0 || n > uint64(len(record)) {
		return 0, errRecord
	}
	return int64(n), nil
}

// A place is where a record stands. Its checksum covers it, so that a record
// that turns up elsewhere is not taken for one of there.
type place struct {
	source linktrack.Source
	bucket string
	number uint64
}

func key(number uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 0, keySize), number)
}

func (p place) sum(body []byte) uint32 {
	crc := crc32.Update(0, castagnoli, p.source[:])
	crc = crc32.Update(crc, castagnoli, []byte(p.bucket))
	crc = crc32.Update(crc, castagnoli, key(p.number))
	return crc32.Update(crc, castagnoli, body)
}

// seal writes the checksum into the first bytes of a record.
func (p place) seal(record []byte) {
	binary.BigEndian.PutUint32(record, p.sum(record[sealed:]))
}

// open checks a record and appends its clicks.
func (p place) open(to []linktrack.Click, record []byte) ([]linktrack.Click, error) {
	if len(record) < sealed || binary.BigEndian.Uint32(record) != p.sum(record[sealed:]) {
		return to, errRecord
	}
	if body := record[sealed:]; len(body) > 0 && body[0] != version && body[0] != withoutCountry {
		return to, otherVersion("a record of clicks", uint32(body[0])) // its checksum says that it is as it was written
	}
	return decode(to, string(record[sealed:]))
}
