package mysqlstore

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/linktrackhq/linktrack"
)

// appendClaim writes the statement that makes a batch the source's last one. If
// that or a later one has been applied before, it fails with errOutOfRange,
// since no number is that large; all that stands behind it in the packet is
// then left undone. It waits while another session applies the same batch.
func appendClaim(b []byte, batch linktrack.Batch) []byte {
	b = append(b, `INSERT INTO lt_source (source, seq) VALUES (`...)
	b = literal(b, string(batch.Source[:]))
	b = append(b, ',')
	b = strconv.AppendInt(b, batch.Seq, 10)
	return append(b, `) ON DUPLICATE KEY UPDATE seq = IF(VALUES(seq) > seq, VALUES(seq), 9223372036854775807 + seq)`...)
}

// appendHistory writes the clicks. An id that is in the history already does
// not fail the batch, which could never be applied then.
func appendHistory(stmts []string, clicks []*linktrack.Click) []string {
	const head = `INSERT INTO lt_click (link_id, id, ip, referrer, referrer_host, user_agent, browser, platform, country, query, is_unique, is_bot) VALUES `
	const tail = ` ON DUPLICATE KEY UPDATE link_id = VALUES(link_id)`
	var b []byte
	for _, c := range clicks {
		if len(b) >= packetSize {
			stmts, b = append(stmts, string(append(b, tail...))), b[:0]
		}
		if len(b) == 0 {
			b = append(b, head...)
		} else {
			b = append(b, ',')
		}
		b = append(b, '(')
		b = strconv.AppendInt(b, c.Link, 10)
		b = literal(append(b, ','), string(c.ID[:]))
		b = literal(append(b, ','), string(c.IP.AsSlice()))
		b = literal(append(b, ','), truncate(c.Referrer, 8192))
		b = literal(append(b, ','), truncate(c.ReferrerHost, 1020))
		b = literal(append(b, ','), truncate(c.UserAgent, 4096))
		b = literal(append(b, ','), truncate(c.Browser, 1020))
		b = literal(append(b, ','), truncate(c.Platform, 1020))
		b = literal(append(b, ','), truncate(c.Country, 8))
		b = literal(append(b, ','), truncate(c.Query, 8192))
		b = appendBool(append(b, ','), c.Unique)
		b = appendBool(append(b, ','), c.Bot)
		b = append(b, ')')
	}
	return append(stmts, string(append(b, tail...)))
}

// The counts travel as a table of literals that is joined. So links that do not
// exist drop out of the join instead of being made, as an upsert would. For a
// few rows the table costs more than it saves, and they have a statement each.
// Many rows take several statements, since servers are slow with long unions.
const (
	fewRows   = 2
	unionRows = 200
)

// A sum is what some clicks on one link add up to.
type sum struct {
	link                  int64
	people, uniques, bots int64
	last                  int64 // click, in microseconds
}

// appendCounts writes the sums per link. The clicks are sorted by link and id.
func appendCounts(stmts []string, clicks []*linktrack.Click) []string {
	sums := sumsOf(clicks)
	if len(sums) <= fewRows {
		for _, s := range sums {
			stmts = append(stmts, fmt.Sprintf(`UPDATE lt_count SET total = total + %d, added = %d, uniques = uniques + %d, bots = bots + %d, last_click = GREATEST(last_click, %d) WHERE link_id = %d`,
				s.people, s.people, s.uniques, s.bots, s.last, s.link))
		}
		return stmts
	}
	const head = `UPDATE (SELECT %d AS link_id, %d AS total, %d AS uniques, %d AS bots, %d AS last_click`
	const next = ` UNION ALL SELECT %d, %d, %d, %d, %d`
	const tail = `) d STRAIGHT_JOIN lt_count c ON c.link_id = d.link_id` +
		` SET c.total = c.total + d.total, c.added = d.total, c.uniques = c.uniques + d.uniques, c.bots = c.bots + d.bots, c.last_click = GREATEST(c.last_click, d.last_click)`
	for part := range slices.Chunk(sums, unionRows) {
		var b []byte
		for i, s := range part {
			row := next
			if i == 0 {
				row = head
			}
			b = fmt.Appendf(b, row, s.link, s.people, s.uniques, s.bots, s.last)
		}
		stmts = append(stmts, string(append(b, tail...)))
	}
	return stmts
}

// sumsOf sums up clicks, sorted by link and id, per link.
func sumsOf(clicks []*linktrack.Click) []sum {
	var sums []sum
	for _, c := range clicks {
		if n := len(sums); n == 0 || sums[n-1].link != c.Link {
			sums = append(sums, sum{link: c.Link})
		}
		s := &sums[len(sums)-1]
		s.last = micros(c.ID.Time())
		switch {
		case c.Bot:
			s.bots++
		case c.Unique:
			s.uniques++
			fallthrough
		default:
			s.people++
		}
	}
	return sums
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, '1')
	}
	return append(b, '0')
}

// literal appends s as an SQL literal that means the same bytes in every SQL
// mode and character set: plain ASCII in quotes, all else in hex.
func literal(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '\'' || c == '\\' {
			b = append(b, "x'"...)
			const digits = "0123456789abcdef"
			for i := range len(s) {
				b = append(b, digits[s[i]>>4], digits[s[i]&15])
			}
			return append(b, '\'')
		}
	}
	b = append(b, '\'')
	b = append(b, s...)
	return append(b, '\'')
}

// cut returns as many of the first bytes of s as the column takes, and no
// broken character at their end.
func truncate(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
