package transfer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/csvsafe"
)

// ExportOptions are the choices for [Export]. The zero value works.
type ExportOptions struct {
	// PasswordHashes adds the column password_hash. Keep such a file as you
	// keep the database.
	PasswordHashes bool

	// BOM begins the file with a byte order mark. Without it, Excel reads the
	// file in the machine's code page.
	BOM bool

	// Progress is called after every thousand links with the number written.
	Progress func(links int64)
}

// columns are the columns of every export, in this order.
var columns = func() (names []string) {
	for _, f := range fieldsOf(linktrack.Link{}, "") {
		names = append(names, f.column)
	}
	return names
}()

const hashColumn = "password_hash"

// Export writes all links of the account as CSV, in the order in which they were
// added to the store, and returns their number. It reads a part at a time, so the
// number of links is not limited. The errors are those of
// [linktrack.Tracker.AllLinks] and of w; after an error, the output is
// incomplete.
func Export(ctx context.Context, t *linktrack.Tracker, a linktrack.Account, w io.Writer, o ExportOptions) (links int64, err error) {
	out := bufio.NewWriterSize(w, 32<<10)
	head := columns
	if o.PasswordHashes {
		head = append(head[:len(head):len(head)], hashColumn)
	}
	begun := false
	begin := func() error {
		begun = true
		if o.BOM {
			out.WriteString("\ufeff")
		}
		return writeRow(out, head)
	}
	for l, err := range t.AllLinks(ctx, a) {
		if err != nil {
			return links, err
		}
		if !begun {
			if err := begin(); err != nil {
				return links, err
			}
		}
		row := rowOf(l, t.TrackingURL(l))
		if o.PasswordHashes {
			row = append(row, string(l.PasswordHash))
		}
		if err := writeRow(out, row); err != nil {
			return links, err
		}
		if links++; links%1000 == 0 && o.Progress != nil {
			o.Progress(links)
		}
	}
	if !begun {
		if err := begin(); err != nil {
			return links, err
		}
	}
	return links, out.Flush()
}

// A field is the value of a link in a column of an export.
type field struct {
	column string
	value  any // a string, a bool, an int64, or a time.Time
}

// fieldsOf returns the settings of a link and its other exported values, in an
// order that never changes. Columns of new settings come last.
func fieldsOf(l linktrack.Link, url string) []field {
	used := int64(0)
	if l.DeactivateAt > 0 {
		used = max(l.Counts.Used, l.Counts.People)
	}
	fields := []field{{"link", url}, {"redirect_hash", l.Path}, {"host", l.Host}}
	for name, value := range l.Properties() {
		switch name {
		case "alert_at":
			fields = append(fields, field{"has_password", l.HasPassword()})
		case "expires_at":
			fields = append(fields, field{"count_used", used})
		}
		fields = append(fields, field{name, value})
		if name == "expires_at" {
			fields = append(fields, field{"created_at", l.CreatedAt})
		}
	}
	return fields
}

func rowOf(l linktrack.Link, url string) []string {
	row := make([]string, 0, len(columns)+1)
	for _, f := range fieldsOf(l, url) {
		row = append(row, csvsafe.Defuse(textOf(f.value)))
	}
	return row
}

// textOf returns the text of a field's value.
func textOf(value any) string {
	switch v := value.(type) {
	case bool:
		if v {
			return "1"
		}
		return "0"
	case time.Time:
		return moment(v)
	default:
		return fmt.Sprint(v)
	}
}

func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// writeRow writes fields unchanged. (encoding/csv would change the line ends
// within a text.)
func writeRow(w *bufio.Writer, fields []string) error {
	for i, f := range fields {
		if i > 0 {
			w.WriteByte(',')
		}
		if strings.ContainsAny(f, "\",;|\t\r\n") || strings.HasPrefix(f, " ") || strings.HasSuffix(f, " ") {
			w.WriteByte('"')
			w.WriteString(strings.ReplaceAll(f, `"`, `""`))
			w.WriteByte('"')
		} else {
			w.WriteString(f)
		}
	}
	_, err := w.WriteString("\r\n") // it also returns an error of the writes before
	return err
}
