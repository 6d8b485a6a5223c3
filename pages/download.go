package pages

import (
	"context"
	"net/http"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/longwrite"
)

const typeCSV = "text/csv; charset=utf-8; header=present"

// sendReport sends a file: the report of a link (report.csv, report.json), or the
// clicks of the same days (history.csv, history.json). A history may be long, so
// it is sent while it is read, without a time limit. If that fails midway, the
// connection is closed, so that nobody takes a part for the whole file.
func (p *Pages) sendReport(w http.ResponseWriter, r *request) error {
	what, format, _ := strings.Cut(r.PathValue("file"), ".")
	types := map[string]string{"csv": typeCSV, "json": "application/json; charset=utf-8"}
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
	f := longwrite.New(w, r.Request, types[format], what+"-"+strings.Trim(l.Path, ".")+"."+format)
	switch {
	case r.Method == http.MethodHead:
		f.Begin()
	case what == "history":
		// This has no time limit. It ends when the browser disconnects.
		whole := context.WithoutCancel(r.Context())
		err = p.t.ExportHistory(whole, r.account, name, linktrack.ClickRange{
			Start: report.From.Start(report.TimeZone),
			End:   (report.To + 1).Start(report.TimeZone),
		}, linktrack.Format(format), f)
	case format == "json":
		err = report.WriteJSON(f)
	default:
		err = report.WriteCSV(f)
	}
	if err != nil && f.Begun() {
		if !f.Broken() {
			p.note(r, err)
		}
		panic(http.ErrAbortHandler)
	}
	return err
}
