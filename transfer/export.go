package transfer

import (
	"bufio"
	"context"
	"io"
	"strconv"
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

// columns are those that every export has, in this order.
var columns = []string{
	"link", "redirect_hash", "host", "external_url", "title", "description", "notes", "group",
	"is_active", "is_public", "has_plus_tracking", "has_public_tracking", "has_conversion_tracking",
	"has_alert_email", "forward_query", "has_password", "alert_at", "deactivate_at", "count_used",
	"expires_at", "created_at", "has_public_revenue",
}

const hashColumn = "password_hash"

// Export writes all links of the account as CSV, in the order in which they came
// into the store, and returns how many. It reads a part at a time, so they may
// be any number. The errors are those of [linktrack.Tracker.AllLinks] and of w;
// what is written then breaks off.
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

func rowOf(l linktrack.Link, url string) []string {
	used := int64(0)
	if l.DeactivateAt > 0 {
		used = max(l.Counts.Used, l.Counts.People)
	}
	text, number := csvsafe.Defuse, func(n int64) string { return strconv.FormatInt(n, 10) }
	return []string{
		text(url), text(l.Path), text(l.Host), text(l.ExternalURL), text(l.Title), text(l.Description), text(l.Notes), text(l.Group),
		flag(l.IsActive), flag(l.IsPublic), flag(l.HasPlusTracking), flag(l.HasPublicTracking), flag(l.HasConversionTracking),
		flag(l.HasAlertEmail), flag(l.ForwardQuery), flag(l.HasPassword()), number(l.AlertAt), number(l.DeactivateAt), number(used),
		moment(l.ExpiresAt), moment(l.CreatedAt), flag(l.HasPublicRevenue),
	}
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// writeRow writes fields exactly as they are. encoding/csv makes every line end
// within a text the same.
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
	_, err := w.WriteString("\r\n") // which returns an error of the writes before, too
	return err
}
