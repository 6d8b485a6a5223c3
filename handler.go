package linktrack

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack/internal/gzipped"
)

// Handler serves the API and the redirects, and answers 404 to all else. On each
// host it serves the paths below the path of [Options.BaseURL], or of the host's
// own URL in [Options.Hosts], wherever the host's mux mounts it; a mux may also
// have stripped that path (http.StripPrefix). If the
// Tracker serves one host, requests under any name are taken to be for it;
// with several, a link is found by the name only.
func (t *Tracker) Handler() http.Handler { return &handler{t: t} }

// Middleware serves the API, the redirects, and the files that goal pages load
// (c.gif and c.js) on the Tracker's hosts, and passes all other requests to next.
// A link comes before a path of next: [LinkOptions.CheckPath], with [AvoidRoutes] if
// next is a mux, and [LinkOptions.Reserved] keep such paths from being used for
// links.
func (t *Tracker) Middleware(next http.Handler) http.Handler { return &handler{t: t, next: next} }

type handler struct {
	t       *Tracker
	next    http.Handler // nil: 404
	account *Account     // for which the API is called; nil: login and pass say it
}

// ServeHTTP answers a request, or passes it on to next.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.t.noteProxy(r)
	host, path, ok := h.locate(r)
	known := host != nil
	if !ok || !known && h.next != nil {
		h.notFound(w, r)
		return
	}
	if name, isAPI := strings.CutPrefix(path, "api/"); isAPI {
		h.serveAPI(w, r, name)
		return
	}
	p, isLink := parseLinkPath(path)
	switch {
	case !isLink && h.serveGoal(w, r, host, path):
	case !isLink || !known:
		h.notFound(w, r)
	case p.view == summaryView:
		h.serveSummary(w, r, host, path)
	case p.view == codeView:
		h.serveQR(w, r, host, path)
	default:
		h.serveLink(w, r, host, path, p)
	}
}

// locate returns the host that a request is for, nil if there is none, and the path
// below the mount. A Handler, which cannot pass requests on, is less strict than a
// Middleware.
func (h *handler) locate(r *http.Request) (host *servedHost, path string, ok bool) {
	host, path, ok = h.t.hosts.mounted(r)
	if h.next != nil {
		return host, path, ok
	}
	if host == nil && len(h.t.hosts.list) == 1 {
		host = h.t.hosts.list[0]
	}
	if !ok {
		path, ok = strings.TrimPrefix(r.URL.Path, "/"), true
	}
	return host, path, ok
}

// mounted returns the host that a request names, nil if the Tracker does not serve it,
// and the path below the mount. ok is false if the path is not below it.
func (hs *hosts) mounted(r *http.Request) (host *servedHost, path string, ok bool) {
	if h, found := hs.find(r.Host); found {
		path, ok = h.below(r.URL.Path)
		return h, path, ok
	}
	path, ok = hs.below(r.URL.Path)
	return nil, path, ok
}

// Locate returns the host and path of a link that [Tracker.Handler] looks up for a
// request, whether or not there is such a link. It is for handlers in front of it, not
// in front of [Tracker.Middleware], which is stricter. Characters that mail programs
// and people add around a link's path are removed; "+" and ".qr" behind it stay. ok is
// false if the host is not one of the Tracker's.
func (t *Tracker) Locate(r *http.Request) (host, path string, ok bool) {
	h, path, ok := (&handler{t: t}).locate(r)
	if !ok || h == nil {
		return "", "", false
	}
	if p, isLink := parseLinkPath(path); isLink && !isLinkPath(path) {
		path = p.key + viewSuffix[p.view]
	}
	return h.name, path, true
}

func (h *handler) notFound(w http.ResponseWriter, r *http.Request) {
	if h.next != nil {
		h.next.ServeHTTP(w, r)
		return
	}
	h.page(w, r, Page{Kind: PageNotFound, Status: http.StatusNotFound})
}

// ---- links ----

// Header values that never change.
var (
	noStore = []string{"private, no-store"}
	noIndex = []string{"noindex"}
	anyone  = []string{"*"} // a cross-site XHR may follow the redirect
)

const (
	visitCookie = "linktrack_visit"
	aYear       = "31536000" // seconds
	maxForm     = 8 << 10    // bytes of a password form
)

// serveLink answers a visit of a link as the rule decides.
func (h *handler) serveLink(w http.ResponseWriter, r *http.Request, host *servedHost, path string, p linkPath) {
	at, start := now(), h.t.observer.begin()
	e, err := h.t.find(r.Context(), host, p, at)
	if err != nil {
		if h.next != nil && (errors.Is(err, ErrNotFound) || !strings.HasPrefix(p.key, ".")) {
			h.notFound(w, r) // the application's own pages work while the store is down
			return
		}
		h.t.observer.redirect(r.Context(), start, nil, nil, err)
		if errors.Is(err, ErrNotFound) {
			h.notFound(w, r)
			return
		}
		h.refuse(w, r, Link{}, err)
		return
	}
	v := Visit{
		IP:        h.t.proxies.Client(r),
		Referrer:  first(r.Header["Referer"]),
		UserAgent: first(r.Header["User-Agent"]),
		Query:     joinQuery(p.queryOf(r.URL), r.URL.RawQuery),
		Peek:      r.Method == http.MethodHead,
		Prefetch:  isPrefetch(r.Header),
		OptOut:    optOutOf(r, e.link.Account),
		Private:   h.t.opts.Privacy.HonorGPC && asksForPrivacy(r.Header),
	}
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead || e.link.IsDeleted():
	case r.Method == http.MethodPost && e.link.HasPassword():
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		p := newParams("password")
		if err := p.readBody(w, r); err != nil {
			h.t.observer.redirect(r.Context(), start, e, nil, err)
			h.refuse(w, r, e.link, err)
			return
		}
		v.Password, v.HasPassword = p["password"], true
	case r.Method == http.MethodPost && e.link.DeactivateAt > 0:
		v.Confirmed = true
	default:
		h.t.observer.redirect(r.Context(), start, e, nil, errMethod)
		methodNotAllowed(w, e.link.HasPassword() || e.link.DeactivateAt > 0)
		return
	}
	if cookies := r.CookiesNamed(visitCookie); len(cookies) > 0 {
		v.Visitor = cookies[0].Value
	}
	out, err := h.t.follow(r.Context(), e, &v, at)
	h.t.observer.redirect(r.Context(), start, e, &out, err)
	if err != nil {
		h.refuse(w, r, e.link, err)
		return
	}
	header := w.Header()
	if !e.link.IsPublic {
		header["X-Robots-Tag"] = noIndex
	}
	switch out.action {
	case ActionAskPassword:
		h.page(w, r, Page{Kind: PagePassword, Status: http.StatusOK, Link: e.link})
		return
	case ActionPreview:
		h.page(w, r, Page{Kind: PagePreview, Status: http.StatusOK, Link: e.link})
		return
	}
	header["Cache-Control"] = noStore
	header["Access-Control-Allow-Origin"] = anyone
	if header["Location"] = e.location; out.location != e.location[0] {
		header["Location"] = []string{out.location}
	}
	if out.visitor != "" {
		tail := e.cookieTail
		if path != e.link.Path || host.name != e.link.Host {
			tail = host.cookie(host.cookiePathOf(r, path, p, e.link.Path), aYear)
		}
		header["Set-Cookie"] = append(header["Set-Cookie"], visitCookie+"="+out.visitor+tail)
	}
	if e.clickCookie && out.visitor != "" {
		header["Set-Cookie"] = append(header["Set-Cookie"], h.t.clickCookie(&e.link, out.click))
	}
	if v.HasPassword || v.Confirmed {
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusFound)
}

// cookie returns the attributes of a cookie for a path below the mount, with an age in
// seconds.
func (h *servedHost) cookie(path, age string) string {
	attributes := "; HttpOnly; SameSite=Lax"
	if h.scheme == "https" {
		attributes = "; HttpOnly; SameSite=None; Secure"
	}
	return "; Path=" + h.cookiePath + path + "; Max-Age=" + age + attributes
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// isPrefetch reports whether a browser says that it loads the page before its user
// follows the link, or for a preview.
func isPrefetch(h http.Header) bool {
	for _, name := range [...]string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, value := range h[name] {
			value = strings.ToLower(value)
			for _, word := range [...]string{"prefetch", "preview", "prerender", "instant"} {
				if strings.Contains(value, word) {
					return true
				}
			}
		}
	}
	return false
}

// refuse writes the page of an error of the rule.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, l Link, err error) {
	p := Page{Status: statusOf(err), Link: l, Err: err}
	var throttled *ThrottledError
	switch {
	case errors.Is(err, ErrGone):
		p.Kind = PageGone
	case errors.Is(err, ErrNotYet):
		p.Kind = PageNotYet
	case errors.Is(err, ErrWrongPassword):
		p.Kind = PagePassword
	case errors.As(err, &throttled):
		p.Kind, p.RetryAfter = PageThrottled, throttled.RetryAfter
	case p.Status >= 500:
		p.Kind, p.RetryAfter = PageUnavailable, time.Second
	default: // a form that could not be read
		writeText(w, p.Status, "Error: "+messageOf(err))
		return
	}
	h.page(w, r, p)
}

// page writes a page, with the headers that every page has.
func (h *handler) page(w http.ResponseWriter, r *http.Request, p Page) {
	header := w.Header()
	header["Cache-Control"] = noStore
	if !p.Link.IsPublic || p.Kind != PageSummary && p.Kind != PageReport && p.Kind != PagePreview {
		header["X-Robots-Tag"] = noIndex
	}
	// There is no form-action, because browsers apply it to the redirect after a
	// form, too, and the correct password leads to another site.
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	if p.RetryAfter > 0 {
		header.Set("Retry-After", strconv.FormatInt(seconds(p.RetryAfter), 10))
	}
	if p.Link.ID != 0 {
		p.URL = h.t.TrackingURL(p.Link)
		p.Link = p.Link.public()
	}
	p.TimeZone = h.t.opts.TimeZone
	gzipped.Serve(w, r, gzipped.Public, func(w http.ResponseWriter) { h.t.opts.Visitors.Pages.ServePage(w, r, p) })
}

// serveSummary answers with the plus-tracking page: the report if it is public, else
// the summary.
func (h *handler) serveSummary(w http.ResponseWriter, r *http.Request, host *servedHost, path string) {
	p := Page{Kind: PageReport, Status: http.StatusOK}
	report, err := h.t.Public(r.Context(), host.name, path, PageReport)
	if p.Report = &report; errors.Is(err, ErrNotFound) {
		p.Kind, p.Report = PageSummary, nil
		report, err = h.t.Public(r.Context(), host.name, path, PageSummary)
	}
	p.Link = report.Link
	switch {
	case errors.Is(err, ErrNotFound):
		h.notFound(w, r)
	case err != nil:
		h.t.reading.note(err)
		h.refuse(w, r, Link{}, err)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		methodNotAllowed(w, false)
	default:
		h.page(w, r, p)
	}
}

// serveQR answers with the QR code of a link, if the link is public.
func (h *handler) serveQR(w http.ResponseWriter, r *http.Request, host *servedHost, path string) {
	public, err := h.t.Public(r.Context(), host.name, path, PageQR)
	switch {
	case errors.Is(err, ErrNotFound):
		h.notFound(w, r)
	case err != nil:
		h.refuse(w, r, Link{}, err)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		methodNotAllowed(w, false)
	default:
		h.page(w, r, Page{Kind: PageQR, Status: http.StatusOK, Link: public.Link})
	}
}

func methodNotAllowed(w http.ResponseWriter, post bool) {
	allow := "GET, HEAD"
	if post {
		allow += ", POST"
	}
	w.Header().Set("Allow", allow)
	writeText(w, http.StatusMethodNotAllowed, "Error: "+errMethod.Error())
}

// statusOf returns the status for an error.
func statusOf(err error) int {
	var inv *InvalidError
	if errors.As(err, &inv) {
		return http.StatusBadRequest
	}
	for _, row := range []struct {
		err    error
		status int
	}{
		{ErrUnauthorized, http.StatusUnauthorized},
		{ErrForbidden, http.StatusForbidden},
		{ErrWrongPassword, http.StatusForbidden},
		{ErrNotFound, http.StatusNotFound},
		{ErrTaken, http.StatusConflict},
		{ErrGone, http.StatusGone},
		{errMethod, http.StatusMethodNotAllowed},
		{errTooLarge, http.StatusRequestEntityTooLarge},
		{errMediaType, http.StatusUnsupportedMediaType},
		{ErrThrottled, http.StatusTooManyRequests},
		{ErrUnavailable, http.StatusServiceUnavailable},
	} {
		if errors.Is(err, row.err) {
			return row.status
		}
	}
	return http.StatusInternalServerError
}

// messageOf returns what the text of an error may tell a client. Of an internal failure
// it tells only that there was one.
func messageOf(err error) string {
	switch statusOf(err) {
	case http.StatusServiceUnavailable:
		return ErrUnavailable.Error()
	case http.StatusInternalServerError:
		return "internal error"
	}
	return strings.Join(strings.Fields(err.Error()), " ") // a text of the host may have several lines
}
