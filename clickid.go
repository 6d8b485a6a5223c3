package linktrack

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// A ClickID names one click for ever. It is a UUID of version 7 (RFC 9562,
// section 5.7): its first 48 bits are the click's time in Unix milliseconds,
// the next 12 after the version are the microseconds within that millisecond
// (section 6.2, method 3), and 62 bits are from crypto/rand, so that it can be
// given away without being guessed. Ids sort by time, byte by byte and as text.
type ClickID [16]byte

// NewClickID returns a new id for a click at time at, whose precision beyond
// the microsecond is lost.
func NewClickID(at time.Time) ClickID {
	id := FirstClickID(at)
	rand.Read(id[8:]) // never fails, see its documentation
	id[6] |= 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// FirstClickID returns the lowest id that a click at that time can have: the
// ids of all earlier clicks are below it. Stores turn a range of time into a
// range of ids with it. Years before 1970 and after 10889 do not fit and are
// taken as the nearest that does.
func FirstClickID(at time.Time) ClickID {
	var id ClickID
	micro := min(max(at.UnixMicro(), 0), (1<<48)*1000-1)
	ms, us := uint64(micro)/1000, uint64(micro)%1000
	binary.BigEndian.PutUint64(id[:8], ms<<16|us)
	id[6] |= 0x70
	return id
}

// Time returns the time of the click, in UTC.
func (id ClickID) Time() time.Time {
	v := binary.BigEndian.Uint64(id[:8])
	return time.UnixMicro(int64(v>>16)*1000 + int64(v&0x0fff)).UTC()
}

// IsZero reports whether id is the zero value, which names no click.
func (id ClickID) IsZero() bool { return id == ClickID{} }

// String returns the id in the text form of a UUID, 36 characters.
func (id ClickID) String() string {
	var b [36]byte
	hex.Encode(b[:], id[:4])
	b[8] = '-'
	hex.Encode(b[9:], id[4:6])
	b[13] = '-'
	hex.Encode(b[14:], id[6:8])
	b[18] = '-'
	hex.Encode(b[19:], id[8:10])
	b[23] = '-'
	hex.Encode(b[24:], id[10:])
	return string(b[:])
}

// ParseClickID reads the text form; ok is false for anything else.
func ParseClickID(s string) (id ClickID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ClickID{}, false
	}
	if _, err := hex.Decode(id[:], []byte(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:])); err != nil {
		return ClickID{}, false
	}
	return id, true
}

// A ClickRef is what is given away of a click, so that what it led to can be
// told: its id, and its link, since a history is found by its link only. Who
// has it may report a conversion; nobody guesses it, because of the id's 62
// random bits.
type ClickRef struct {
	Link int64
	ID   ClickID
}

// String returns the ref as text: 32 hex digits, the id, and the link's number
// in base 36, all in lower case. Refs sort by time as text, too.
func (r ClickRef) String() string {
	return hex.EncodeToString(r.ID[:]) + strconv.FormatInt(r.Link, 36)
}

// ParseClickRef reads the text form, in any case; ok is false for anything
// else.
func ParseClickRef(s string) (r ClickRef, ok bool) {
	const digits = 2 * len(r.ID)
	if len(s) <= digits || len(s) > digits+13 { // 13 are the most of an int64
		return ClickRef{}, false
	}
	s = strings.ToLower(s)
	_, err := hex.Decode(r.ID[:], []byte(s[:digits]))
	if err == nil {
		r.Link, err = strconv.ParseInt(s[digits:], 36, 64)
	}
	if err != nil || r.Link < 1 || r.String() != s {
		return ClickRef{}, false
	}
	return r, true
}
