package pages

import (
	"context"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
)

// sendReport answers report.csv, report.json, history.csv or history.json: the
// report of a link, or the clicks of the same days, as a file. A history may be
// long, so it is sent while it is read, for as long as that takes. If it fails
// on the way the connection is broken off, so that nobody takes a part for the
// whole.
func (p *Pages) sendReport(w http.ResponseWriter, r *request) error {
	what, format, _ := strings.Cut(r.PathValue("file"), ".")
	types := map[string]string{"csv": "text/csv; charset=utf-8; header=present", "json": "application/json; charset=utf-8"}
	if types[format] == "" || what != "report" && what != "history" {
		return linktrack.ErrNotFound
	}
	l, name, err := p.find(r.Context(), r.account, r.PathValue("host"), r.PathValue("path"))
	if err != nil {
		return err
	}
	q, err := p.reportQuery(r, r.URL.Query())
	if err != nil {
		return err
	}
	report, err := p.t.Report(r.Context(), r.account, name, q)
	if err != nil {
		return err
	}
	f := &file{w: w, contentType: types[format], name: what + "-" + strings.Trim(l.Path, ".") + "." + format}
	switch {
	case r.Method == http.MethodHead:
		f.begin()
	case what == "history":
		if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok {
			f.patience = server.WriteTimeout
		}
		// Not the time limit of a page: who goes away cannot be written to.
		whole := context.WithoutCancel(r.Context())
		err = p.t.ExportHistory(whole, r.account, name, linktrack.ExportQuery{
			Start: report.From.Start(report.Zone),
			End:   (report.To + 1).Start(report.Zone),
		}, linktrack.Format(format), f)
	case format == "json":
		err = report.WriteJSON(f)
	default:
		err = report.WriteCSV(f)
	}
	if err != nil && f.begun {
		if !f.broken {
			p.note(r, err)
		}
		panic(http.ErrAbortHandler)
	}
	return err
}

// A file is the body of an answer that may take longer than the server's limit
// for a whole answer: each write gets as much time as that.
type file struct {
	w           http.ResponseWriter
	contentType string
	name        string
	patience    time.Duration // 0: the server has no limit
	begun       bool
	broken      bool // it could not be written to
}

func (f *file) begin() {
	f.begun = true
	f.w.Header().Set("Content-Type", f.contentType)
	f.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.name}))
}

// Write writes the headers first.
func (f *file) Write(b []byte) (int, error) {
	if !f.begun {
		f.begin()
	}
	if f.patience > 0 {
		// The server sets the deadline anew for the next request. Where a host
		// has wrapped the ResponseWriter for good, the limit stays.
		_ = http.NewResponseController(f.w).SetWriteDeadline(time.Now().Add(f.patience))
	}
	n, err := f.w.Write(b)
	f.broken = f.broken || err != nil
	return n, err
}
