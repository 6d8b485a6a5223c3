package mysqlstore

import (
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"github.com/linktrackhq/linktrack"
)

// A fact is what one click adds to the roll-ups of its link.
type fact struct {
	hour  int64 // whole hours since 1970, UTC
	day   linktrack.Day
	of    int             // the hour of the day
	click linktrack.Click // its Link, ReferrerHost, Browser, Platform, Country, Unique and Bot
}

// factsVersion begins every lt_pending.facts.
const factsVersion = 1

var errFacts = errors.New("a row of lt_pending cannot be read: it is damaged or a newer linktrack's")

const (
	factUnique = 1 << iota
	factBot
)

// appendPending writes what the clicks, sorted by link, add to the roll-ups, as
// few rows.
func appendPending(stmts []string, clicks []*linktrack.Click, zone *time.Location) []string {
	b := []byte{factsVersion}
	for i, c := range clicks {
		b = appendFact(b, c, zone)
		if len(b) >= packetSize/2 || i == len(clicks)-1 { // in hex they take twice the room
			stmts = append(stmts, `INSERT INTO lt_pending (last_link, facts) VALUES (`+strconv.FormatInt(c.Link, 10)+`, `+string(literal(nil, string(b)))+`)`)
			b = b[:1]
		}
	}
	return stmts
}

func appendFact(b []byte, c *linktrack.Click, zone *time.Location) []byte {
	at := c.ID.Time()
	day, hour := linktrack.DayAndHour(at, zone)
	var flags byte
	if c.Unique {
		flags |= factUnique
	}
	if c.Bot {
		flags |= factBot
	}
	b = append(b, flags)
	for _, n := range [...]int64{c.Link, hourOf(at), int64(day), int64(hour)} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range [...]string{c.ReferrerHost, c.Browser, c.Platform, c.Country} {
		s = cut(s, 1020)
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

// readFacts calls take for each fact, which take must not keep.
func readFacts(b []byte, take func(*fact)) error {
	if len(b) == 0 || b[0] != factsVersion {
		return errFacts
	}
	b = b[1:]
	for len(b) > 0 {
		var f fact
		flags := b[0]
		b = b[1:]
		var day, of int64
		for _, to := range [...]*int64{&f.click.Link, &f.hour, &day, &of} {
			n, size := binary.Varint(b)
			if size <= 0 {
				return errFacts
			}
			*to, b = n, b[size:]
		}
		for _, to := range [...]*string{&f.click.ReferrerHost, &f.click.Browser, &f.click.Platform, &f.click.Country} {
			n, size := binary.Uvarint(b)
			if size <= 0 || n > uint64(len(b)-size) {
				return errFacts
			}
			*to, b = string(b[size:size+int(n)]), b[size+int(n):]
		}
		f.day, f.of = linktrack.Day(day), int(of)
		f.click.Unique, f.click.Bot = flags&factUnique != 0, flags&factBot != 0
		take(&f)
	}
	return nil
}
