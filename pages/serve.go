package pages

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/gzipped"
	"github.com/linktrackhq/linktrack/pages/view"
)

// A page answers a request. If it returns an error, it has written nothing, and
// an error page is shown.
type page func(w http.ResponseWriter, r *request) error

// A request for a page.
type request struct {
	*http.Request
	account  linktrack.Account // the signed-in account, if signedIn
	signedIn bool
	asked    bool // identify was called
	read     bool // the form was read; readErr is the error
	readErr  error
	resumed  bool // the form was kept while its sender signed in: it is shown again, and does nothing
}

const (
	basePolicy  = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	pageTimeout = 10 * time.Second // time limit of a page
	maxForm     = 512 << 10        // in bytes
)

// policy lets the pages load their own files and no others.
func (t *theme) policy() string {
	if t.own { // they may include fonts
		return basePolicy + "; font-src 'self'"
	}
	return basePolicy
}

// protect sets the headers of all answers, and refuses forms that other sites
// send.
func (p *Pages) protect(next http.Handler) http.Handler {
	origins := http.NewCrossOriginProtection()
	for _, host := range p.t.HostsOf(linktrack.Account{}) {
		// Otherwise the origin is compared with the Host header, which a proxy may have changed.
		if base, err := url.Parse(p.t.TrackingURL(linktrack.Link{Host: host})); err == nil {
			_ = origins.AddTrustedOrigin(base.Scheme + "://" + base.Host)
		}
	}
	origins.SetDenyHandler(p.public(func(http.ResponseWriter, *request) error { return errCrossOrigin }))
	next = origins.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", p.theme.policy())
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Robots-Tag", "noindex")
		// With no-referrer, the origin of forms would be "null".
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "private, no-store")
		ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, p.maxBody(r))
		kind := gzipped.Private
		if strings.HasPrefix(r.URL.Path, p.o.Prefix+"static/") {
			kind = gzipped.Public
		}
		gzipped.Serve(w, r, kind, func(w http.ResponseWriter) { next.ServeHTTP(w, r) })
	})
}

var errCrossOrigin = errors.New("a form was sent from another site")

// public serves a page to anyone. The account is identified only if the page
// fails, for the menu of the error page.
func (p *Pages) public(serve page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		r := &request{Request: hr}
		if a, ok := hr.Context().Value(resumedBy{}).(linktrack.Account); ok {
			r.account, r.signedIn, r.resumed = a, true, true
		}
		if err := serve(w, r); err != nil {
			p.fail(w, r, err)
		}
	})
}

// private serves a page to signed-in accounts, and sends others to sign in.
func (p *Pages) private(serve page) http.Handler {
	return p.public(func(w http.ResponseWriter, r *request) error {
		err := p.identify(r)
		if errors.Is(err, linktrack.ErrUnauthorized) {
			if kept := r.keptForm(); len(kept) > 0 {
				return p.keepForm(w, r, kept)
			}
			if to := p.signIn(r); to != "" {
				http.Redirect(w, r.Request, to, http.StatusSeeOther)
				return nil
			}
		}
		if err != nil {
			return err
		}
		if values := kept(r.keptForm()); values != nil && p.sessions == nil {
			r.PostForm, r.resumed = values, true // the page of view.Ended has kept them
		}
		return serve(w, r)
	})
}

// identify finds the signed-in account. It returns [linktrack.ErrUnauthorized] if
// there is none.
func (p *Pages) identify(r *request) error {
	r.asked = true
	if r.signedIn { // the sender of a kept form
		return nil
	}
	var err error
	if p.sessions != nil {
		r.account, err = p.sessions.account(r.Request)
	} else {
		r.account, err = p.o.Session(r.Request)
	}
	if err != nil {
		r.account = linktrack.Account{}
		return err
	}
	if r.account.Disabled || r.account.ID == linktrack.AnonymousAccount {
		return linktrack.ErrForbidden
	}
	r.signedIn = true
	return nil
}

// signIn returns the address at which to sign in, "" if the host has set none.
// The address of our own login form includes the page to return to.
func (p *Pages) signIn(r *request) string {
	if p.sessions == nil {
		return p.o.SignIn
	}
	to := p.o.Prefix + "login"
	if r.Method == http.MethodGet && r.URL.Path != p.o.Prefix {
		to += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	return to
}

// maxMediaType limits the bytes of a Content-Type and of a Content-Disposition,
// because each of their parameters takes microseconds to parse.
const maxMediaType = 4 << 10

// form returns the values of a form that was posted.
func (r *request) form() (url.Values, error) {
	if !r.read {
		r.read, r.readErr = true, errBadForm
		if len(r.Header.Get("Content-Type")) <= maxMediaType {
			r.readErr = r.ParseForm() // a second call would return nil
		}
	}
	if r.readErr != nil {
		var large *http.MaxBytesError
		if errors.As(r.readErr, &large) {
			return nil, errTooLarge
		}
		return nil, errBadForm
	}
	return r.PostForm, nil
}

var errTooLarge = errors.New("the form is too large")

// render writes a page. name is the name of its template, without .html.
func (p *Pages) render(w http.ResponseWriter, r *request, status int, name, title string, data any) error {
	b, err := p.draw(r, name, title, data)
	if err != nil {
		return err
	}
	p.sendHead(w, status)
	w.Write(b)
	return nil
}

func (p *Pages) draw(r *request, name, title string, data any) ([]byte, error) {
	f := view.Frame{Title: title, Page: data}
	if r.signedIn {
		f.SignedIn, f.Login, f.SignsOut = true, r.account.Login, p.sessions != nil
		for _, m := range menu {
			to := p.o.Prefix + m.path
			f.Menu = append(f.Menu, view.MenuItem{URL: to, Text: p.theme.text(m.text), Current: r.URL.Path == to})
		}
		for _, m := range p.o.Menu {
			f.Menu = append(f.Menu, view.MenuItem{URL: m.URL, Text: m.Text, Current: r.URL.Path == m.URL})
		}
	}
	var b bytes.Buffer
	err := p.theme.templates[name].Execute(&b, f)
	return b.Bytes(), err
}

// sendHead sends the status of a page.
func (p *Pages) sendHead(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.theme.text("lang"))
	w.WriteHeader(status)
}

// fail answers an error with a page.
func (p *Pages) fail(w http.ResponseWriter, r *request, err error) {
	status, key := problem(err)
	if status >= 500 {
		p.note(r, err)
	} else if !r.asked {
		_ = p.identify(r) // for the menu
	}
	retryAfter(w, err)
	if p.render(w, r, status, "error", p.theme.text(key+".title"), view.Error{Text: p.theme.text(key + ".text")}) != nil {
		http.Error(w, p.theme.text(key+".title"), status)
	}
}

// problem returns the status of an error and the key of its texts.
func problem(err error) (status int, key string) {
	if inv := (*linktrack.InvalidError)(nil); errors.As(err, &inv) {
		return http.StatusBadRequest, "error.invalid"
	}
	for _, row := range []struct {
		err    error
		status int
		key    string
	}{
		{linktrack.ErrNotFound, http.StatusNotFound, "error.notfound"},
		{linktrack.ErrUnauthorized, http.StatusUnauthorized, "error.unauthorized"},
		{linktrack.ErrForbidden, http.StatusForbidden, "error.forbidden"},
		{linktrack.ErrThrottled, http.StatusTooManyRequests, "error.throttled"},
		{linktrack.ErrUnavailable, http.StatusServiceUnavailable, "error.unavailable"},
		{errCrossOrigin, http.StatusForbidden, "error.crossorigin"},
		{errBadForm, http.StatusBadRequest, "error.badform"},
		{errTooLarge, http.StatusRequestEntityTooLarge, "error.toolarge"},
	} {
		if errors.Is(err, row.err) {
			return row.status, row.key
		}
	}
	return http.StatusInternalServerError, "error.internal"
}

// note logs a failure once when an outage begins, not per request. A request that
// the browser has canceled is not a failure.
func (p *Pages) note(r *request, err error) {
	if !errors.Is(err, context.Canceled) {
		p.failing.Report(err, "page", r.Pattern)
	}
}

// retryAfter sets Retry-After if the error says when to try again.
func retryAfter(w http.ResponseWriter, err error) {
	var throttled *linktrack.ThrottledError
	if errors.As(err, &throttled) {
		w.Header().Set("Retry-After", strconv.FormatInt(int64((throttled.RetryAfter+time.Second-1)/time.Second), 10))
	} else if errors.Is(err, linktrack.ErrUnavailable) {
		w.Header().Set("Retry-After", "1")
	}
}
