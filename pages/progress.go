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

// A progress shows the progress of an import without a script. It sends the head
// of the page, then a line every half second, and at the end the rest of the
// page. The style sheet shows only the last line. If the import ends before the
// first line is due, the visitor gets an ordinary page.
type progress struct {
	p     *Pages
	w     http.ResponseWriter
	r     *request
	begun bool // the head is sent, and with it the status 200
	gone  bool // the browser has disconnected
	last  time.Time
}

const (
	progressEvery = 500 * time.Millisecond
	progressPlace = "<!-- progress -->" // stands where the template shows {{.Progress}}
	progressWrite = 5 * time.Second     // the longest time that the import waits for the browser
)

// show is [transfer.ImportOptions].Progress.
func (g *progress) show(now transfer.Progress) {
	at := time.Now()
	if g.gone || at.Sub(g.last) < progressEvery {
		return
	}
	g.last = at
	var b []byte
	if !g.begun {
		head, _, ok, err := g.split(view.Import{})
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
	if flushed := control.Flush(); !errors.Is(flushed, http.ErrNotSupported) { // without support, the line is sent later
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
	_, rest, _, err := g.split(page)
	if err != nil {
		g.p.note(g.r, err)
		panic(http.ErrAbortHandler)
	}
	g.w.Write(rest)
	return nil
}

// fail answers an error: at the end of the page if its head was sent.
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

// split renders the page and splits it where the progress is shown. ok is false if
// the template does not show it.
func (g *progress) split(page view.Import) (head, rest []byte, ok bool, err error) {
	page.Progress = template.HTML(progressPlace)
	b, err := g.p.drawImport(g.r, page)
	head, rest, ok = bytes.Cut(b, []byte(progressPlace))
	return head, rest, ok, err
}
