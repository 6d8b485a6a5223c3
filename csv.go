package linktrack

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// A table is a document that can be written as CSV, header first. What fails
// stays in the writer.
type table interface{ writeCSV(w *csv.Writer) }

// newCSV returns a writer of CSV as RFC 4180 has it: lines end with CRLF, also
// within a text.
func newCSV(w io.Writer) *csv.Writer {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	return c
}

func encodeCSV(document any) ([]byte, error) {
	d, ok := document.(table)
	if !ok {
		return nil, fmt.Errorf("linktrack: %T is no table", document)
	}
	var b bytes.Buffer
	c := newCSV(&b)
	d.writeCSV(c)
	c.Flush()
	return b.Bytes(), c.Error()
}

const (
	formulaStarts = "=+-@\uFF1D\uFF0B\uFF0D\uFF20" // the last four are full-width
	cellStarts    = formulaStarts + "\t\r\n\x00"
	quoteMarks    = "\"'`\u2018\u2019\u201C\u201D\uFF02\uFF07"
	cellEnds      = ";\t\r\n"
)

// cell writes a text so that a spreadsheet takes no part of it for a formula:
// it puts an apostrophe before what begins with one of cellStarts, spaces
// and quotation marks before it not counted. Who exports clicks did not write
// what is in them: anyone may send a referrer or a user agent. The rule is
// OWASP's, https://owasp.org/www-community/attacks/CSV_Injection.
//
// It says, too, that a text may hold what ends a cell. Commas and line ends are
// between quotation marks, but many spreadsheets in Europe open CSV with the
// semicolon as separator, and then see no such marks. So what is behind one of
// cellEnds must not begin with one of formulaStarts either.
func cell(s string) string {
	var b strings.Builder
	written, begin, open, starts := 0, 0, true, cellStarts // open: since begin there were but spaces and quotation marks
	for i, r := range s {
		if open {
			switch {
			case strings.ContainsRune(starts, r):
				b.WriteString(s[written:begin])
				b.WriteByte('\'')
				written, open = begin, false
			case unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Cf, r), strings.ContainsRune(quoteMarks, r):
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

// clickColumns are the fields of clickModel, in order.
var clickColumns = []string{
	"id", "created_at", "ip_address", "referrer", "referrer_host", "user_agent",
	"browser", "platform", "is_unique", "is_bot", "query",
}

func (m clickModel) record() []string {
	number := map[flag]string{false: "0", true: "1"}
	return []string{
		string(m.ID), string(m.CreatedAt), string(m.IPAddress), cell(string(m.Referrer)), cell(string(m.ReferrerHost)), cell(string(m.UserAgent)),
		cell(string(m.Browser)), cell(string(m.Platform)), number[m.IsUnique], number[m.IsBot], cell(string(m.Query)),
	}
}

func (d historyDocument) writeCSV(w *csv.Writer) {
	w.Write(clickColumns)
	for _, m := range d.Items {
		w.Write(m.record())
	}
}
