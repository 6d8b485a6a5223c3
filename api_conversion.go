package linktrack

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack/internal/share"
)

// The ways of a conversion to the Tracker:
//
//	GET  c.gif                   an image on the goal page
//	POST c.gif                   the beacon of c.js
//	POST api/v1_0/conversion     the owner's server
//
// The first two need no credentials, and their answer does not say whether a
// conversion was counted. Their parameters are click, link, order, value, and
// currency. Without click, the click is taken from a cookie, which browsers send
// if they allow third-party cookies: the newest click, or, if link is the path of a
// link, the newest click of that link's account. If several accounts use the
// service, goal pages should pass link, so that a conversion is not counted for a
// click of another account. No link can have these paths, because of the dot.

const (
	clickCookie = "linktrack_click_" // and the account in base 36
	clickParam  = "lt_click"         // in the query of destinations
	aMonth      = "2592000"          // seconds: conversionWindow
	pixelPath   = "c.gif"
	scriptPath  = "c.js"
)

// goalRoute is described with the calls of the API. It stands outside of "api/",
// and has no account.
var goalRoute = route{
	name: pixelPath, methods: append(getOrHead, http.MethodPost),
	params: []string{"click", clickParam, "link", "order", "value", "currency"},
}

// serveGoal answers what goal pages load. False: the path is none of it.
func (h *handler) serveGoal(w http.ResponseWriter, r *http.Request, host *servedHost, path string) bool {
	switch path {
	case pixelPath:
		h.servePixel(w, r, host)
	case scriptPath:
		serveScript(w, r)
	default:
		return false
	}
	return true
}

// servePixel counts a conversion. A GET has the image for an answer whatever
// happens, so that no page breaks.
func (h *handler) servePixel(w http.ResponseWriter, r *http.Request, host *servedHost) {
	header := w.Header()
	header["Cache-Control"] = noStore
	header["X-Robots-Tag"] = noIndex
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if r.Method == http.MethodGet {
			h.convert(w, r, host)
		}
		header.Set("Content-Type", "image/gif")
		w.Write(pixel)
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		h.convert(w, r, host)
		w.WriteHeader(http.StatusNoContent)
	default:
		methodNotAllowed(w, true)
	}
}

// convert counts the conversion that a goal page reports. Its visitor may leave
// the page at once, and is counted all the same.
func (h *handler) convert(w http.ResponseWriter, r *http.Request, host *servedHost) {
	p, err := readParams(w, r, goalRoute.params)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), apiTimeout)
	defer cancel()
	if p["click"] = cmp.Or(p["click"], p[clickParam]); p["click"] == "" {
		p["click"] = h.cookieClick(r.WithContext(ctx), host, p["link"])
	}
	c, err := p.conversion("click", "order")
	if err != nil {
		return
	}
	_, err = h.t.convert(ctx, c, share.Of(h.t.ClientOf(r), awaitedOfClient, awaitedOfSite), func(Link) bool { return true })
	h.t.outage.note(err)
}

// cookieClick returns the newest click of the cookies, "" if there is none. If
// link is not "", only the clicks of that link's account are looked at.
func (h *handler) cookieClick(r *http.Request, host *servedHost, link string) (newest string) {
	prefix, exact := clickCookie, false
	if link != "" {
		if host == nil {
			return ""
		}
		e, _, err := h.t.visited(r.Context(), host.name, link, now())
		if err != nil {
			return ""
		}
		prefix, exact = clickCookieName(e.link.Account), true
	}
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, prefix) || exact && c.Name != prefix {
			continue
		}
		if click, ok := ParseClickRef(c.Value); ok {
			newest = max(newest, click.String())
		}
	}
	return newest
}

func clickCookieName(a AccountID) string { return clickCookie + strconv.FormatInt(int64(a), 36) }

// clickCookie is what the visitor of a link carries to c.gif: the newest click
// takes the place of others on links of the same account.
func (t *Tracker) clickCookie(l *Link, click ClickID) string {
	ref := ClickRef{Link: l.ID, ID: click}
	return clickCookieName(l.Account) + "=" + ref.String() + t.hosts.of(l).cookie(pixelPath, aMonth)
}

// conversion reads a conversion; click and order are the names of the
// parameters that name them.
func (p params) conversion(click, order string) (Conversion, error) {
	c := Conversion{OrderID: p[order], Currency: p["currency"]}
	if p[click] == "" {
		return c, invalid(click, "is missing")
	}
	var ok bool
	if c.Click, ok = ParseClickRef(p[click]); !ok {
		return c, invalid(click, "must be what the destination got as "+clickParam)
	}
	if p["value"] == "" {
		if c.Currency != "" {
			return c, invalid("value", "is missing beside a currency")
		}
		return c, nil
	}
	var err error
	c.Value, err = ParseAmount(p["value"])
	if err == nil && c.Currency == "" {
		err = invalid("currency", "is missing beside a value")
	}
	return c, err
}

// conversion answers what was counted, in the format asked for.
func (h *handler) conversion(r *http.Request, p params, a Account) (any, error) {
	c, err := p.conversion("click_id", "order_id")
	if err != nil {
		return nil, err
	}
	counted, err := h.t.Convert(r.Context(), &a, c)
	model := conversionModel{
		ClickID:  text(c.Click.String()),
		OrderID:  text(c.OrderID),
		Currency: text(c.Currency),
		Counted:  flag(counted),
	}
	if c.Currency != "" {
		model.Value = text(c.Value.String())
	}
	return conversionDocument{model}, err
}

// okStatus is the status of an answer that is no error: 201 where a conversion
// was counted, which was not before.
func okStatus(document any) int {
	if d, ok := document.(conversionDocument); ok && bool(d.Conversion.Counted) {
		return http.StatusCreated
	}
	return http.StatusOK
}

// addClick adds a click to the query of a destination.
func addClick(destination string, click ClickRef) string {
	return addQuery(destination, clickParam+"="+click.String())
}

// pixel is a transparent GIF of one pixel.
var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

//go:embed c.js
var script []byte

var scriptTag = func() string {
	sum := sha256.Sum256(script)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}()

// serveScript answers the script for landing and goal pages.
func serveScript(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		methodNotAllowed(w, false)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/javascript; charset=utf-8")
	header.Set("Cache-Control", "public, max-age=3600")
	header.Set("ETag", scriptTag)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	http.ServeContent(w, r, scriptPath, time.Time{}, bytes.NewReader(script))
}
