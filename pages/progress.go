package pages

import (
	"bytes"
	"errors"
	"html"
	"html/template"
	"net/http"
	"time"

	"github.com/linktrackhq/linktrack/transfer"

	"github.com/linktrackhq/linktrack/pages/view"
)

// A progress shows how far an import has come, without a script. It sends the head
// of the page, then a line from time to time, and the rest of the page at the end.
// The style sheet shows only the last line. An import that is done quickly gets an
// ordinary page.
type progress struct {
	p     *Pages
	w     http.ResponseWriter
	r     *request
	begun bool // the head is sent, and with it the status 200
	gone  bool // nobody reads it
	last  time.Time
}

const (
	progressEvery = 500 * time.Millisecond
	progressPlace = "<!-- progress -->" // where the template has the lines, by {{.Progress}}
	progressWrite = 5 * time.Second     // the import does not wait longer for its visitor
)

// told is [transfer.ImportOptions].Progress.
func (g *progress) told(now transfer.Progress) {
	at := time.Now()
	if g.gone || at.Sub(g.last) < progressEvery {
		return
	}
	g.last = at
	var b []byte
	if !g.begun {
		head, _, ok, err := g.cut(view.Import{})
		if err != nil || !ok {
			return // the host's template has no place for it, or the end of the page shows the error
		}
		b = head
	}
	b = append(b, `<p class="progress" role="status">`+
		html.EscapeString(g.p.theme.text("import.progress", count(now.Checked), count(now.Done)))+"</p>\n"...)
	control := http.NewResponseController(g.w)
	_ = control.SetWriteDeadline(at.Add(progressWrite))
	if !g.begun {
		g.begun = true
		g.p.sendHead(g.w, http.StatusOK)
	}
	_, err := g.w.Write(b)
	if flushed := control.Flush(); !errors.Is(flushed, http.ErrNotSupported) { // else it comes later
		err = errors.Join(err, flushed)
	}
	g.gone = err != nil
}

// end sends the page, or the rest of it.
func (g *progress) end(status int, page view.Import) error {
	_ = http.NewResponseController(g.w).SetWriteDeadline(time.Now().Add(pageTimeout))
	if !g.begun {
		return g.p.renderImport(g.w, g.r, status, page)
	}
	_, rest, _, err := g.cut(page)
	if err != nil {
		g.p.note(g.r, err)
		panic(http.ErrAbortHandler)
	}
	g.w.Write(rest)
	return nil
}

// fail answers an error, as the end of the page if that has begun.
func (g *progress) fail(page view.Import, err error) error {
	if !g.begun {
		return err
	}
	status, key := problem(err)
	if status >= 500 {
		g.p.note(g.r, err)
	}
	page.Result, page.Error = nil, g.p.theme.text(key+".text")
	return g.end(status, page)
}

func (g *progress) cut(page view.Import) (head, rest []byte, ok bool, err error) {
	page.Progress = template.HTML(progressPlace)
	b, err := g.p.drawImport(g.r, page)
	head, rest, ok = bytes.Cut(b, []byte(progressPlace))
	return head, rest, ok, err
}
