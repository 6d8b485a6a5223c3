package linktrack

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// A ClickID identifies a click. It is a UUID of version 7 (RFC 9562, section 5.7): its
// first 48 bits are the click's time in Unix milliseconds, the 12 bits after the version
// are the microseconds within that millisecond (section 6.2, method 3), and 62 bits are
// random, from crypto/rand, so that it cannot be guessed. Ids sort by time, both byte by
// byte and as text.
type ClickID [16]byte

// NewClickID returns a new id for a click at the time at, which is truncated to
// microseconds.
func NewClickID(at time.Time) ClickID {
	id := FirstClickID(at)
	rand.Read(id[8:]) // never fails, see its documentation
	id[6] |= 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// FirstClickID returns the lowest id that a click at that time can have. The ids of all
// earlier clicks are lower. Stores use it to turn a range of time into a range of ids.
// Years before 1970 and after 10889 do not fit; for them it returns the nearest id that
// does.
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

// ParseClickID reads the text form. ok is false for any other text.
func ParseClickID(s string) (id ClickID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ClickID{}, false
	}
	if _, err := hex.Decode(id[:], []byte(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:])); err != nil {
		return ClickID{}, false
	}
	return id, true
}

// A ClickRef identifies a click to goal pages: by its id, and by its link, because a
// history is found only by its link. Anyone who has it may report a conversion. It cannot
// be guessed, because the id has 62 random bits.
type ClickRef struct {
	Link int64
	ID   ClickID
}

// String returns the ref as text: the id as 32 hex digits, and the link's ID in base 36,
// all in lower case. As text, refs sort by time.
func (r ClickRef) String() string {
	return hex.EncodeToString(r.ID[:]) + strconv.FormatInt(r.Link, 36)
}

// ParseClickRef reads the text form, in any case. ok is false for any other text.
func ParseClickRef(s string) (r ClickRef, ok bool) {
	const digits = 2 * len(r.ID)
	if len(s) <= digits || len(s) > digits+13 { // an int64 has at most 13
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
