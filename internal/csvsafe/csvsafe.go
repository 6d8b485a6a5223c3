// Package csvsafe writes texts so that spreadsheets take no part of them for a
// formula, and reads them back.
package csvsafe

import (
	"strings"
	"unicode"
)

const (
	formulaStarts = "=+-@\uFF1D\uFF0B\uFF0D\uFF20" // the last four are full-width
	cellStarts    = formulaStarts + "\t\r\n\x00"
	quoteMarks    = "\"'`\u2018\u2019\u201C\u201D\uFF02\uFF07"
	cellEnds      = ";\t\r\n"
)

// Defuse writes a text so that a spreadsheet takes no part of it for a formula:
// it puts an apostrophe before what begins with one of cellStarts, spaces
// and quotation marks before it not counted. Who exports clicks did not write
// what is in them: anyone may send a referrer or a user agent. The rule is
// OWASP's, https://owasp.org/www-community/attacks/CSV_Injection.
//
// It says, too, that a text may hold what ends a cell. Commas and line ends are
// between quotation marks, but many spreadsheets in Europe open CSV with the
// semicolon as separator, and then see no such marks. So what is behind one of
// cellEnds must not begin with one of formulaStarts either.
func Defuse(s string) string {
	var b strings.Builder
	written, begin, open, starts := 0, 0, true, cellStarts // open: since begin there were but spaces and quotation marks
	for i, r := range s {
		if open {
			switch {
			case strings.ContainsRune(starts, r):
				b.WriteString(s[written:begin])
				b.WriteByte('\'')
				written, open = begin, false
			case ignored(r):
			default:
				open = false
			}
		}
		if strings.ContainsRune(cellEnds, r) {
			begin, open, starts = i+1, true, formulaStarts
		}
	}
	if written == 0 && b.Len() == 0 {
		return s
	}
	b.WriteString(s[written:])
	return b.String()
}

// Restore returns the text that [Defuse] wrote so: it takes away the
// apostrophes that Defuse puts in, and no others. So Restore(Defuse(s)) is s.
func Restore(s string) string {
	if strings.IndexByte(s, '\'') < 0 {
		return s
	}
	var b strings.Builder
	written, begin, starts := 0, true, cellStarts
	for i, r := range s {
		if begin && r == '\'' && dangerous(s[i+1:], starts) {
			b.WriteString(s[written:i])
			written = i + 1
		}
		if begin = strings.ContainsRune(cellEnds, r); begin {
			starts = formulaStarts
		}
	}
	b.WriteString(s[written:])
	return b.String()
}

// dangerous reports whether s begins with one of starts, ignored characters not
// counted.
func dangerous(s, starts string) bool {
	for _, r := range s {
		switch {
		case strings.ContainsRune(starts, r):
			return true
		case strings.ContainsRune(cellEnds, r) || !ignored(r):
			return false
		}
	}
	return false
}

// ignored are the characters that do not keep what follows from being a formula.
func ignored(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(quoteMarks, r)
}
