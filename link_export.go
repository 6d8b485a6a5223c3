package linktrack

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"time"
)

// A ClickRange says which clicks [Tracker.Clicks] and [Tracker.ExportHistory] read.
// The zero value is all clicks that the store still has.
type ClickRange struct {
	Start time.Time // inclusive; zero: no bound
	End   time.Time // exclusive; zero: when the reading begins
	After ClickID   // only clicks with a higher id, to continue after an interruption; zero: no bound
}

// Clicks returns clicks of a link of the account, oldest first; name is as in
// [Tracker.Link]. It reads from the store page by page while the loop goes on, so
// that a history of any length can be read, as far back as the store keeps clicks.
// The errors, after which the loop ends: an [*InvalidError], [ErrNotFound],
// [ErrUnavailable].
func (t *Tracker) Clicks(ctx context.Context, a Account, name string, q ClickRange) iter.Seq2[Click, error] {
	return func(yield func(Click, error) bool) {
		if q.End.IsZero() {
			q.End = now()
		}
		l, err := t.Link(ctx, a, name)
		if err != nil {
			yield(Click{}, err)
			return
		}
		page := ClickFilter{Link: l.ID, From: q.Start.UTC(), To: q.End.UTC(), After: q.After, Ascending: true, Limit: exportPage}
		for {
			clicks, err := t.exportPage(ctx, page)
			if err != nil {
				yield(Click{}, err)
				return
			}
			for _, c := range clicks {
				if !yield(c, nil) {
					return
				}
			}
			if len(clicks) < exportPage {
				return
			}
			page.After = clicks[len(clicks)-1].ID
		}
	}
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
// fields of getLinkHistory; name is as in [Tracker.Link]. It reads and writes page by
// page, so that the history may have any length.
//
// The errors: an [*InvalidError], [ErrNotFound], [ErrUnavailable], and those of w. If
// it fails before it has read the first page, nothing is written. After that, the
// output ends early; in JSON the document is then incomplete.
func (t *Tracker) ExportHistory(ctx context.Context, a Account, name string, q ClickRange, f Format, w io.Writer) error {
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
	begun := false
	begin := func() error {
		if begun {
			return nil
		}
		begun = true
		return rows.begin()
	}
	for c, err := range t.Clicks(ctx, a, name, q) {
		if err != nil {
			return err
		}
		if err := begin(); err != nil {
			return err
		}
		if err := rows.click(t.clickModel(c)); err != nil {
			return err
		}
	}
	if err := begin(); err != nil { // without clicks
		return err
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
