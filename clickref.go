package linktrack

import (
	"encoding/hex"
	"strconv"
	"strings"
)

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
