package linktrack

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack/internal/gzipped"
)

// API serves the calls of the API for an account, and answers 404 to other requests. It
// ignores login and pass: it is for a host that has identified the user already. If the host
// did so by a cookie, it must refuse requests that other sites made the browser send, see
// [http.CrossOriginProtection].
//
// The calls are at the paths of [Tracker.Handler]: at /go/api/v1_0/getLinks if the path of
// Options.BaseURL is /go. To serve both, mount this one below another path and strip only
// that: with http.StripPrefix("/mine", t.API(a)) at /mine/, the same call is at
// /mine/go/api/v1_0/getLinks.
func (t *Tracker) API(a Account) http.Handler {
	h := &handler{t: t, account: &a}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, path, _ := t.hosts.mounted(r)
		name, ok := strings.CutPrefix(path, "api/")
		if !ok {
			h.notFound(w, r)
			return
		}
		h.serveAPI(w, r, name)
	})
}

// A route is a call of the API. internal/apispec/openapi.json describes the
// same calls to programs.
type route struct {
	name    string   // the path behind "api/"
	methods []string // others are answered with 405
	params  []string // read beside login and pass; all others are ignored
	posted  []string // read as well, and refused with GET
	formats []Format // of the answer, the default first; nil: text
	scope   KeyScope // that the key must have; beyond ScopeRead, the call changes something, also with GET
	long    bool     // the answer may take longer than apiTimeout
	serve   func(*handler, http.ResponseWriter, *http.Request, *route)
}

var (
	getOrHead = []string{http.MethodGet, http.MethodHead}
	getOrPost = []string{http.MethodGet, http.MethodPost}

	listParams = []string{"sort", "order", "limit", "links", "groups", "format"}
)

var apiRoutes = []route{
	{
		name: "v1_0/makeLink", methods: getOrPost, scope: ScopeCreate, serve: line(http.StatusCreated, (*handler).makeLink),
		params: []string{"external_url"}, posted: linkParams,
	},
	{
		name: "v1_0/getLink", methods: getOrPost, scope: ScopeRead, serve: document((*handler).getLink),
		params: append([]string{"redirect_hash"}, listParams...), formats: []Format{formatXML, FormatJSON},
	},
	{
		name: "v1_0/getLinks", methods: getOrPost, scope: ScopeRead, serve: document((*handler).getLinks),
		params: listParams, formats: []Format{formatXML, FormatJSON},
	},
	{
		name: "v1_0/getLinkHistory", methods: getOrPost, scope: ScopeRead, serve: document((*handler).getLinkHistory),
		params:  []string{"redirect_hash", "sort", "order", "limit", "start_date", "end_date", "before", "after", "format"},
		formats: []Format{formatXML, FormatJSON, FormatCSV},
	},
	{
		name: "v1_0/getReport", methods: getOrPost, scope: ScopeRead, serve: document((*handler).getReport),
		params: []string{"redirect_hash", "from", "to", "by", "format"}, formats: []Format{formatXML, FormatJSON, FormatCSV},
	},
	{
		name: "v1_0/exportHistory", methods: append(getOrHead, http.MethodPost), scope: ScopeRead, long: true, serve: (*handler).exportHistory,
		params: []string{"redirect_hash", "start_date", "end_date", "after", "format"}, formats: []Format{FormatCSV, FormatJSON},
	},
	{
		name: "v1_0/conversion", methods: []string{http.MethodPost}, scope: ScopeCreate, serve: document((*handler).conversion),
		params: []string{"click_id", "order_id", "value", "currency", "format"}, formats: []Format{formatXML, FormatJSON},
	},
	{
		name: "v1_0/getOptOutLink", methods: getOrPost, scope: ScopeCreate, serve: line(http.StatusOK, (*handler).getOptOutLink),
		params: []string{"host"},
	},
	{
		name: "optout", methods: []string{http.MethodGet}, serve: (*handler).optOut,
		params: []string{"account", "token", "undo"},
	},
	{name: "ping", methods: getOrHead, serve: (*handler).ping},
	{name: "openapi.json", methods: getOrHead, serve: (*handler).openAPI},
}

// serveAPI answers the calls of the API; name is the path behind "api/".
func (h *handler) serveAPI(w http.ResponseWriter, r *http.Request, name string) {
	i := slices.IndexFunc(apiRoutes, func(c route) bool { return c.name == name })
	if i < 0 {
		h.notFound(w, r)
		return
	}
	c := &apiRoutes[i]
	h.t.observer.call(c.name, w, r, func(w http.ResponseWriter, r *http.Request) { h.serveCall(w, r, c) })
}

func (h *handler) serveCall(w http.ResponseWriter, r *http.Request, c *route) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if !slices.Contains(c.methods, r.Method) {
		header.Set("Allow", strings.Join(c.methods, ", "))
		p := newParams("format")
		p.parse(r.URL.RawQuery, true)
		format, _ := c.format(p)
		h.writeError(w, format, errMethod)
		return
	}
	if !c.long {
		ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
		defer cancel()
		r = r.WithContext(ctx)
	}
	gzipped.Serve(w, r, gzipped.Private, func(w http.ResponseWriter) { c.serve(h, w, r, c) })
}

// apiTimeout is the longest time that a call waits for the store.
const apiTimeout = 10 * time.Second

var errMethod = errors.New("method not allowed")

// line returns a handler that answers with one line of text and that status.
func line(status int, call func(*handler, *http.Request, params, Account) (string, error)) func(*handler, http.ResponseWriter, *http.Request, *route) {
	return func(h *handler, w http.ResponseWriter, r *http.Request, c *route) {
		p, a, format, err := h.begin(w, r, c)
		var answer string
		if err == nil {
			answer, err = call(h, r, p, a)
		}
		if err != nil {
			h.writeError(w, format, err)
			return
		}
		writeText(w, status, answer)
	}
}

// document returns a handler that answers with a document in one of the route's formats.
func document(call func(*handler, *http.Request, params, Account) (any, error)) func(*handler, http.ResponseWriter, *http.Request, *route) {
	return func(h *handler, w http.ResponseWriter, r *http.Request, c *route) {
		p, a, format, err := h.begin(w, r, c)
		var answer any
		if err == nil {
			answer, err = call(h, r, p, a)
		}
		if err != nil {
			h.writeError(w, format, err)
			return
		}
		h.writeDocument(w, okStatus(answer), format, answer)
	}
}

// begin reads the parameters and finds the account: by login and pass among them, or by
// HTTP Basic if both are absent. Basic is refused if another site made a browser send it,
// see checkOrigin. The format, and the parameters that could be read, are also returned
// with an error.
func (h *handler) begin(w http.ResponseWriter, r *http.Request, c *route) (params, Account, Format, error) {
	p, err := readParams(w, r, slices.Concat([]string{"login", "pass"}, c.params, c.posted))
	var a Account
	if err == nil {
		a, err = h.authenticate(r, p, c.scope)
	}
	format, formatErr := c.format(p)
	if err == nil {
		err = formatErr
	}
	if err == nil && r.Method == http.MethodGet {
		for _, name := range c.posted {
			if p[name] != "" {
				return p, a, format, invalid(name, "is taken with POST only")
			}
		}
	}
	return p, a, format, err
}

func (h *handler) authenticate(r *http.Request, p params, needed KeyScope) (Account, error) {
	if h.account != nil {
		return *h.account, h.account.refuse()
	}
	login, pass, basic := p["login"], p["pass"], false
	if login == "" && pass == "" {
		login, pass, basic = r.BasicAuth()
	}
	if login == "" {
		return Account{}, invalid("login", "is missing")
	}
	if pass == "" {
		return Account{}, invalid("pass", "is missing")
	}
	if basic {
		if err := checkOrigin(r, needed != ScopeRead); err != nil {
			return Account{}, err
		}
	}
	return h.t.authenticate(r.Context(), login, pass, h.t.ClientOf(r), needed)
}

// formatXML is the default of most documents; files have no such format.
const formatXML Format = "xml"

// format returns the requested format, or the default with an error.
func (c *route) format(p params) (Format, error) {
	if c.formats == nil {
		return "", nil
	}
	asked := Format(strings.ToLower(p["format"]))
	if asked == "" || slices.Contains(c.formats, asked) {
		return cmp.Or(asked, c.formats[0]), nil
	}
	names := make([]string, len(c.formats))
	for i, f := range c.formats {
		names[i] = string(f)
	}
	return c.formats[0], invalid("format", "must be %s", strings.Join(names, " or "))
}

const (
	typeJSON = "application/json; charset=utf-8"
	typeCSV  = "text/csv; charset=utf-8; header=present"
)

func (h *handler) writeDocument(w http.ResponseWriter, status int, format Format, document any) {
	encode, contentType := encodeXML, "application/xml; charset=utf-8"
	switch format {
	case FormatJSON:
		encode, contentType = encodeJSON, typeJSON
	case FormatCSV:
		encode, contentType = encodeCSV, typeCSV
	}
	body, err := encode(document)
	if err != nil { // the models can always be encoded
		h.t.log.Error("linktrack: an API response could not be encoded", "error", err)
		writeText(w, http.StatusInternalServerError, "Error: internal error")
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	w.Write(body)
}

// writeError answers with an error in a format: as a document, or as a line of text that
// does not begin with http.
func (h *handler) writeError(w http.ResponseWriter, format Format, err error) {
	h.failed(w, err)
	status := statusOf(err)
	switch format {
	case formatXML, FormatJSON:
		h.writeDocument(w, status, format, errorDocument{errorModel{Code: status, Message: text(messageOf(err))}})
	default:
		writeText(w, status, "Error: "+messageOf(err))
	}
}

// failed sets the headers that go with some errors.
func (h *handler) failed(w http.ResponseWriter, err error) {
	h.t.outage.note(err)
	var throttled *ThrottledError
	switch {
	case errors.As(err, &throttled):
		w.Header().Set("Retry-After", strconv.FormatInt(seconds(throttled.RetryAfter), 10))
	case errors.Is(err, ErrUnavailable):
		w.Header().Set("Retry-After", "1")
	case errors.Is(err, ErrUnauthorized):
		w.Header().Set("WWW-Authenticate", `Basic realm="linktrack", charset="UTF-8"`)
	}
}

func writeText(w http.ResponseWriter, status int, s string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	w.Write([]byte(s))
}
