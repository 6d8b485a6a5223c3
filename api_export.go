package linktrack

import (
	"context"
	"net/http"
	"strings"

	"github.com/linktrackhq/linktrack/internal/longwrite"
)

// exportHistory answers with the history of a link as a file of any length. An error before
// the file has begun is answered in the requested format, or as text for csv. After that,
// the connection is closed without an end of the answer, so that no client takes a part
// for the whole.
func (h *handler) exportHistory(w http.ResponseWriter, r *http.Request, c *route) {
	ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
	defer cancel()
	p, account, format, err := h.begin(w, r.WithContext(ctx), c)
	contentType := typeCSV
	if format == FormatJSON {
		contentType = typeJSON
	}
	file := longwrite.New(w, r, contentType, h.historyName(p["redirect_hash"], format))
	if err == nil {
		err = h.exportTo(r.Context(), account, p, format, file, r.Method == http.MethodHead)
	}
	switch {
	case err == nil:
	case file.Begun():
		h.failed(w, err)
		panic(http.ErrAbortHandler)
	default:
		h.writeError(w, format, err)
	}
}

func (h *handler) exportTo(ctx context.Context, a Account, p params, f Format, file *longwrite.File, head bool) error {
	hash := p["redirect_hash"]
	if hash == "" {
		return invalid("redirect_hash", "is missing")
	}
	q, err := p.exportQuery(h.t.opts.TimeZone)
	if err != nil {
		return err
	}
	if head {
		if _, err = h.t.Link(ctx, a, hash); err == nil {
			_, err = file.Write(nil)
		}
		return err
	}
	return h.t.ExportHistory(ctx, a, hash, q, f, file)
}

// historyName is the name of the file with the history of a link.
func (h *handler) historyName(hash string, f Format) string {
	if names := h.t.linkNames(hash); len(names) > 0 {
		return "history-" + strings.TrimPrefix(names[0].Key, ".") + "." + string(f)
	}
	return "history." + string(f)
}
