package sqlstore

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/linktrackhq/linktrack"
)

// A fact is one entry in a row of lt_log of kind 2. It describes one conversion that is to
// be added to the roll-ups of a link, or to be subtracted from them. Rows that come from
// lt_pending also have facts for clicks: a process of the previous version has added these
// to the counts and to the history already.
type fact struct {
	link  int64
	at    int64 // microseconds since 1970
	day   linktrack.Day
	of    int             // the hour of the day, 0 to 23
	click linktrack.Click // only ReferrerHost, Browser, Platform, Country, Unique, and Bot are set

	isConversion bool
	isTakenBack  bool                 // the conversion is to be subtracted
	conversion   linktrack.Conversion // only Value and Currency are set
}

// The data of a row begins with a version, and facts follow it.
//   - Version 1 has whole hours since 1970 where the others have microseconds.
//   - Version 2 is written for a conversion that is added.
//   - Version 3 is written for a conversion that is subtracted. Processes that know
//     version 2 only skip these rows and still read all others.
const (
	factsVersion = 3 // the newest one
	plainVersion = 2
)

var errFacts = errors.New("a row of lt_log is damaged or was written by a newer version")

// selectFacts reads the rows of the click log that have facts: they have no clicks.
const selectFacts = `SELECT data FROM lt_log WHERE clicks = 0 AND kind = 2`

const (
	factUnique = 1 << iota
	factBot
	factConversion
	factTakenBack
)

func appendConversion(b []byte, c *linktrack.Conversion, zone *time.Location) []byte {
	day, hour := linktrack.DayAndHour(c.Time, zone)
	return appendValue(appendWhen(append(b, factConversion), c.Click.Link, c.Time, day, hour), c)
}

// appendTakenBack appends a fact that subtracts a conversion which a fact of
// appendConversion has added.
func appendTakenBack(b []byte, k *conversion) []byte {
	return appendValue(appendWhen(append(b, factConversion|factTakenBack), k.Click.Link, k.Time, k.day, k.hour), &k.Conversion)
}

func appendValue(b []byte, c *linktrack.Conversion) []byte {
	return appendText(binary.AppendVarint(b, int64(c.Value)), c.Currency)
}

func appendWhen(b []byte, link int64, at time.Time, day linktrack.Day, hour int) []byte {
	for _, n := range [...]int64{link, micros(at), int64(day), int64(hour)} {
		b = binary.AppendVarint(b, n)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// readFacts calls take for each fact in the data of a row. If it returns an error, it may
// have called take for some of them.
func readFacts(b []byte, take func(*fact)) error {
	if len(b) == 0 || b[0] < 1 || b[0] > factsVersion {
		return errFacts
	}
	unit := int64(1) // microseconds
	if b[0] == 1 {
		unit = time.Hour.Microseconds()
	}
	r := reader{rest: b[1:]}
	for len(r.rest) > 0 {
		flags := r.rest[0]
		r.rest = r.rest[1:]
		f := fact{isConversion: flags&factConversion != 0, isTakenBack: flags&factConversion != 0 && flags&factTakenBack != 0}
		f.link, f.at, f.day, f.of = r.number(), r.number()*unit, linktrack.Day(r.number()), int(r.number())
		if f.isConversion {
			f.conversion.Value, f.conversion.Currency = linktrack.Amount(r.number()), r.text()
		} else {
			f.click.Unique, f.click.Bot = flags&factUnique != 0, flags&factBot != 0
			f.click.ReferrerHost, f.click.Browser, f.click.Platform, f.click.Country = r.text(), r.text(), r.text(), r.text()
		}
		if r.bad {
			return errFacts
		}
		take(&f)
	}
	return nil
}

// A reader decodes the data of a row.
type reader struct {
	rest []byte // not decoded yet
	bad  bool   // something could not be decoded
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.rest, r.bad = nil, true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) text() string {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > uint64(len(r.rest)-size) {
		r.rest, r.bad = nil, true
		return ""
	}
	s := string(r.rest[size : size+int(n)])
	r.rest = r.rest[size+int(n):]
	return s
}
