package linktrack

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"time"
)

// ExportQuery says which clicks [Tracker.ExportHistory] writes. The zero value
// is all that the store still has.
type ExportQuery struct {
	Start time.Time // inclusive; zero: no bound
	End   time.Time // exclusive; zero: when the export begins
	After ClickID   // only clicks above that id: to go on with an export that broke off; zero: no bound
}

// A Format is a form of an export.
type Format string

const (
	// FormatCSV is RFC 4180 in UTF-8 without a byte order mark, with a header row.
	// Texts are written so that no spreadsheet takes them for formulas: where
	// one begins like a formula, an apostrophe stands before it.
	FormatCSV Format = "csv"
	// FormatJSON is the document of getLinkHistory, exact, a click to a line.
	FormatJSON Format = "json"
)

// ExportHistory writes clicks of a link of the account, oldest first, with the
// fields of getLinkHistory; name is as in [Tracker.Link]. It reads and writes a
// part at a time, so it may be large, and goes as far back as the store keeps
// clicks. The errors: an [*InvalidError], [ErrNotFound], [ErrUnavailable], and
// those of w. Where it fails before it has read a first part, nothing is
// written; after that, what is written breaks off, in FormatJSON before the document
// is complete.
func (t *Tracker) ExportHistory(ctx context.Context, a Account, name string, q ExportQuery, f Format, w io.Writer) error {
	out := bufio.NewWriterSize(w, exportBuffer)
	var rows clickWriter
	switch f {
	case FormatCSV:
		rows = &csvClicks{newCSV(out)}
	case FormatJSON:
		rows = newJSONClicks(out)
	default:
		return invalid("format", "must be csv or json")
	}
	if q.End.IsZero() {
		q.End = now()
	}
	l, err := t.Link(ctx, a, name)
	if err != nil {
		return err
	}
	page := ClickFilter{Link: l.ID, From: q.Start.UTC(), To: q.End.UTC(), After: q.After, Ascending: true, Limit: exportPage}
	if err := rows.begin(); err != nil {
		return err
	}
	for {
		clicks, err := t.exportPage(ctx, page)
		if err != nil {
			return err
		}
		for _, c := range clicks {
			if err := rows.click(t.clickModel(c)); err != nil {
				return err
			}
		}
		if len(clicks) < exportPage {
			break
		}
		page.After = clicks[len(clicks)-1].ID
	}
	if err := rows.end(); err != nil {
		return err
	}
	return out.Flush()
}

const (
	exportPage   = 1000     // clicks
	exportBuffer = 32 << 10 // bytes
)

// exportPage reads a part of an export, which as a whole may take any time.
func (t *Tracker) exportPage(ctx context.Context, q ClickFilter) ([]Click, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	clicks, err := t.store.Clicks(ctx, q)
	return clicks, unavailable(err)
}

// A clickWriter writes clicks in a format.
type clickWriter interface {
	begin() error
	click(clickModel) error
	end() error
}

type csvClicks struct{ w *csv.Writer }

func (c *csvClicks) begin() error             { return c.w.Write(clickColumns) }
func (c *csvClicks) click(m clickModel) error { return c.w.Write(m.record()) }
func (c *csvClicks) end() error {
	c.w.Flush()
	return c.w.Error()
}

type jsonClicks struct {
	w         *bufio.Writer
	e         *json.Encoder
	separator string
}

func newJSONClicks(w *bufio.Writer) *jsonClicks {
	e := json.NewEncoder(w) // ends each value with a line
	e.SetEscapeHTML(false)
	return &jsonClicks{w: w, e: e}
}

func (j *jsonClicks) begin() error {
	_, err := j.w.WriteString("{\"history\":[\n")
	return err
}

func (j *jsonClicks) click(m clickModel) error {
	if _, err := j.w.WriteString(j.separator); err != nil {
		return err
	}
	j.separator = ","
	return j.e.Encode(m)
}

func (j *jsonClicks) end() error {
	_, err := j.w.WriteString("]}\n")
	return err
}
