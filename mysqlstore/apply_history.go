package mysqlstore

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"

	"github.com/linktrackhq/linktrack"
)

// statementSize is where a statement of many rows ends and the next begins, in bytes.
// Servers take statements of 16 MB (MariaDB) or 64 MB (MySQL) unless they are configured
// otherwise; those of a megabyte were a fifth slower than these.
const statementSize = 256 << 10

// writeHistory writes the clicks. An id that is in the history already does not fail the
// step, which could never be applied then.
func (w *work) writeHistory(ctx context.Context, tx *sqlx.Tx) error {
	slices.SortFunc(w.clicks, func(x, y linktrack.Click) int {
		return cmp.Or(cmp.Compare(x.Link, y.Link), slices.Compare(x.ID[:], y.ID[:]))
	})
	const head = `INSERT INTO lt_click (link_id, id, ip, referrer, referrer_host, user_agent, browser, platform, country, query, is_unique, is_bot) VALUES `
	const tail = ` ON DUPLICATE KEY UPDATE link_id = VALUES(link_id)`
	var b []byte
	for i := range w.clicks {
		c := &w.clicks[i]
		if len(b) == 0 {
			b = append(b, head...)
		} else {
			b = append(b, ',')
		}
		b = append(b, '(')
		b = strconv.AppendInt(b, c.Link, 10)
		b = literal(append(b, ','), string(c.ID[:]))
		b = literal(append(b, ','), string(c.IP.AsSlice()))
		for _, s := range [...]string{c.Referrer, c.ReferrerHost, c.UserAgent, c.Browser, c.Platform, c.Country, c.Query} {
			b = literal(append(b, ','), s)
		}
		b = appendBool(append(b, ','), c.Unique)
		b = appendBool(append(b, ','), c.Bot)
		b = append(b, ')')
		if len(b) >= statementSize || i == len(w.clicks)-1 {
			if _, err := tx.ExecContext(ctx, string(append(b, tail...))); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	return nil
}

// fitClick truncates the texts of a click to their columns.
func fitClick(c *linktrack.Click) {
	c.Referrer = truncate(c.Referrer, 8192)
	c.ReferrerHost = truncate(c.ReferrerHost, 1020)
	c.UserAgent = truncate(c.UserAgent, 4096)
	c.Browser = truncate(c.Browser, 1020)
	c.Platform = truncate(c.Platform, 1020)
	c.Country = truncate(c.Country, 8)
	c.Query = truncate(c.Query, 8192)
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

// truncate returns the first bytes of s, at most that many, without a broken character at
// their end.
func truncate(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
