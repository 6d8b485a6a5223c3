package pages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"rsc.io/qr"

	"github.com/linktrackhq/linktrack"
)

// quietZone is the width of the white margin around a code, in modules. Readers
// need it.
const quietZone = 4

// showQR sends the QR code of a link, as qr.svg or qr.png, to the link's owner
// and, if the link is public, to anyone. The parameter scale sets the pixels for
// each module of a PNG: 1 to 40, 10 by default.
func (p *Pages) showQR(w http.ResponseWriter, r *request) error {
	kind, ok := strings.CutPrefix(r.PathValue("qr"), "qr.")
	if !ok || kind != "svg" && kind != "png" {
		return linktrack.ErrNotFound
	}
	scale, err := scaleOf(r.Request)
	if err != nil {
		return err
	}
	l, err := p.visible(r)
	if err != nil {
		return err
	}
	if r.URL.Query().Has("download") {
		w.Header().Set("Content-Disposition", `attachment; filename="`+strings.Trim(l.Path, ".")+"."+kind+`"`)
	}
	return writeQR(w, p.t.TrackingURL(l), kind, scale)
}

func scaleOf(r *http.Request) (int, error) {
	s := r.URL.Query().Get("scale")
	if s == "" {
		return 10, nil
	}
	scale, err := strconv.Atoi(s)
	if err != nil || scale < 1 || scale > 40 {
		return 0, &linktrack.InvalidError{Param: "scale", Reason: "must be from 1 to 40"}
	}
	return scale, nil
}

// writeQR writes the code of an address as "svg" or "png".
func writeQR(w http.ResponseWriter, address, kind string, scale int) error {
	code, err := qr.Encode(address, qr.M)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "private, max-age=86400")
	if kind == "png" {
		code.Scale = scale
		h.Set("Content-Type", "image/png")
		w.Write(code.PNG())
		return nil
	}
	h.Set("Content-Type", "image/svg+xml")
	w.Write(drawSVG(code))
	return nil
}

// QR wraps the Tracker's Handler. The address of a link followed by ".qr" shows
// the link's QR code to its owner, if the browser is signed in and the pages are
// on the link's host. All other requests go to links, which shows the codes of
// public links to anyone:
//
//	mux.Handle("/", account.QR(t.Handler()))
//
// Do not use QR with [linktrack.Tracker.Middleware]: there, other pages of the
// host are below the same path, and they would get the cookie. Call it before the
// pages serve requests: after the call, browsers send the session's cookie to all
// addresses below the Tracker's mount, and not only to those below Prefix.
func (p *Pages) QR(links http.Handler) http.Handler {
	if p.sessions != nil {
		p.sessions.links = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, ".qr") || r.Method != http.MethodGet && r.Method != http.MethodHead {
			links.ServeHTTP(w, r)
			return
		}
		l, err := p.ownLink(r)
		if err != nil { // the request is not from the link's owner
			links.ServeHTTP(w, r)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("X-Robots-Tag", "noindex")
		writeRequestedQR(w, r, p.t.TrackingURL(l))
	})
}

// ownLink returns the link whose QR code is requested, if it belongs to the account
// that is signed in.
func (p *Pages) ownLink(hr *http.Request) (linktrack.Link, error) {
	host, path, ok := p.t.Locate(hr)
	path, isCode := strings.CutSuffix(path, ".qr")
	if !ok || !isCode || strings.Contains(path, "+") { // x+.qr is the code of the summary of x
		return linktrack.Link{}, linktrack.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(hr.Context(), pageTimeout)
	defer cancel()
	r := &request{Request: hr.WithContext(ctx)}
	if err := p.identify(r); err != nil {
		return linktrack.Link{}, err
	}
	l, _, err := p.find(ctx, r.account, host, path)
	if err == nil && !strings.EqualFold(l.Path, path) { // find also finds .x if x does not exist
		err = linktrack.ErrNotFound
	}
	return l, err
}

// writeRequestedQR writes an SVG, or a PNG if the parameter format is png. The
// parameter scale is that of showQR.
func writeRequestedQR(w http.ResponseWriter, r *http.Request, address string) {
	kind := "svg"
	if r.URL.Query().Get("format") == "png" {
		kind = "png"
	}
	scale, err := scaleOf(r)
	if err == nil {
		err = writeQR(w, address, kind, scale)
	}
	if err != nil {
		http.Error(w, "Error: "+err.Error(), http.StatusBadRequest)
	}
}

// visible returns the link of the request's path if it is public, or belongs to the
// account that is signed in.
func (p *Pages) visible(r *request) (linktrack.Link, error) {
	host, path := r.PathValue("host"), r.PathValue("path")
	public, err := p.t.Public(r.Context(), host, path, linktrack.PageQR)
	if !errors.Is(err, linktrack.ErrNotFound) {
		return public.Link, err
	}
	if err := p.identify(r); errors.Is(err, linktrack.ErrUnauthorized) {
		return linktrack.Link{}, linktrack.ErrNotFound // do not reveal whether there is such a link
	} else if err != nil {
		return linktrack.Link{}, err
	}
	l, _, err := p.find(r.Context(), r.account, host, path)
	return l, err
}

// drawSVG returns the SVG of a code: one path, with a rectangle for each run of
// dark modules.
func drawSVG(code *qr.Code) []byte {
	var b []byte
	size := code.Size + 2*quietZone
	b = fmt.Appendf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`, size, size)
	b = append(b, `<path fill="#fff" d="M0 0h`...)
	b = fmt.Appendf(b, `%dv%dH0z"/><path fill="#000" d="`, size, size)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				b = fmt.Appendf(b, "M%d %dh%dv1h-%dz", from+quietZone, y+quietZone, x-from, x-from)
			}
		}
	}
	return append(b, `"/></svg>`...)
}
