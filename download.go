package linktrack

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// exportHistory answers the history of a link as a file, however long it is:
// csv, or json. An error that comes before the file has begun is answered in
// the format asked for, csv as text; after that the connection is broken off,
// so that nobody takes a part for the whole. whole is the context of the
// request without the time limit of the other calls.
func (h *handler) exportHistory(w http.ResponseWriter, r *http.Request, whole context.Context) {
	p, account, err := h.authenticate(w, r, false)
	format := Format(strings.ToLower(p["format"]))
	d := download{w: w, contentType: typeCSV}
	switch format {
	case "":
		format = CSV
	case JSON:
		d.contentType = typeJSON
	}
	if server, ok := whole.Value(http.ServerContextKey).(*http.Server); ok {
		d.patience = server.WriteTimeout
	}
	if err == nil {
		err = h.exportTo(whole, account, p, format, &d, r.Method == http.MethodHead)
	}
	if err == nil {
		return
	}
	h.failed(w, err)
	switch status := statusOf(err); {
	case d.begun:
		panic(http.ErrAbortHandler)
	case format == JSON:
		body, _ := encodeJSON(errorDocument{errorModel{Code: status, Message: text(messageOf(err))}})
		w.Header().Set("Content-Type", typeJSON)
		w.WriteHeader(status)
		w.Write(body)
	default:
		writeText(w, status, "Error: "+messageOf(err))
	}
}

func (h *handler) exportTo(ctx context.Context, a Account, p params, f Format, d *download, head bool) error {
	hash := p["redirect_hash"]
	if hash == "" {
		return invalid("redirect_hash", "is missing")
	}
	q, err := p.exportQuery(h.t.opts.Location)
	if err != nil {
		return err
	}
	if names := h.t.linkNames(hash); len(names) > 0 {
		d.name = "history-" + strings.TrimPrefix(names[0].Key, ".") + "." + string(f)
	}
	if head {
		if _, err = h.t.Link(ctx, a, hash); err == nil {
			_, err = d.Write(nil)
		}
		return err
	}
	return h.t.ExportHistory(ctx, a, hash, q, f, d)
}

// A download is the body of an answer that may take longer than the server's
// limit for a whole answer: each write gets as much time as that.
type download struct {
	w           http.ResponseWriter
	contentType string
	name        string        // of the file; letters, digits, "_", "-" and "."
	patience    time.Duration // 0: the server has no limit
	begun       bool
}

// Write writes the headers first.
func (d *download) Write(b []byte) (int, error) {
	if !d.begun {
		d.begun = true
		d.w.Header().Set("Content-Type", d.contentType)
		d.w.Header().Set("Content-Disposition", `attachment; filename="`+d.name+`"`)
	}
	if d.patience > 0 {
		// The server sets the deadline anew for the next request. Where a host
		// has wrapped the ResponseWriter for good, the limit stays.
		_ = http.NewResponseController(d.w).SetWriteDeadline(time.Now().Add(d.patience))
	}
	return d.w.Write(b)
}
