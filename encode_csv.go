package linktrack

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"

	"github.com/linktrackhq/linktrack/internal/csvsafe"
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

// cell writes a text so that a spreadsheet takes no part of it for a formula.
func cell(s string) string { return csvsafe.Defuse(s) }

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
