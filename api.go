package linktrack

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack/internal/gzipped"
)

// API serves the calls of the API in the name of an account, at the paths of
// [Tracker.Handler], and answers 404 to all else. It does not look at login and
// pass: it is for a host that knows already who asks. Where a browser's cookie
// says so, the host must refuse what other sites make the browser send.
func (t *Tracker) API(a Account) http.Handler {
	h := &handler{t: t, account: &a}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, _ := t.hosts.below(r.URL.Path)
		name, ok := strings.CutPrefix(path, "api/")
		if !ok {
			h.notFound(w, r)
			return
		}
		h.serveAPI(w, r, name)
	})
}

// serveAPI answers the calls of the API; name is the path behind "api/".
func (h *handler) serveAPI(w http.ResponseWriter, r *http.Request, name string) {
	whole := r.Context()
	ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
	defer cancel()
	r = r.WithContext(ctx)
	methods := []string{http.MethodGet, http.MethodPost}
	reading := []string{http.MethodGet, http.MethodHead}
	var call func(http.ResponseWriter, *http.Request)
	switch name {
	case "v1_0/makeLink":
		call = h.makeLink
	case "v1_0/getLink":
		call = func(w http.ResponseWriter, r *http.Request) { h.get(w, r, h.getLink) }
	case "v1_0/getLinks":
		call = func(w http.ResponseWriter, r *http.Request) { h.get(w, r, h.getLinks) }
	case "v1_0/getLinkHistory":
		call = func(w http.ResponseWriter, r *http.Request) { h.get(w, r, h.getLinkHistory, "csv") }
	case "v1_0/getReport":
		call = func(w http.ResponseWriter, r *http.Request) { h.get(w, r, h.getReport, "csv") }
	case "v1_0/exportHistory":
		methods = append(reading, http.MethodPost)
		call = func(w http.ResponseWriter, r *http.Request) { h.exportHistory(w, r, whole) }
	case "v1_0/conversion":
		methods = methods[1:]
		call = func(w http.ResponseWriter, r *http.Request) { h.get(w, r, h.conversion) }
	case "v1_0/getOptOutLink":
		call = h.getOptOutLink
	case "optout":
		methods, call = methods[:1], h.optOut
	case "ping":
		methods, call = reading, h.ping
	case "openapi.json":
		methods, call = reading, h.openAPI
	default:
		h.notFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if !slices.Contains(methods, r.Method) {
		header.Set("Allow", strings.Join(methods, ", "))
		if strings.HasPrefix(name, "v1_0/get") {
			call(w, r) // which says it in the format asked for
		} else {
			writeText(w, http.StatusMethodNotAllowed, "Error: "+errMethod.Error())
		}
		return
	}
	gzipped.Serve(w, r, gzipped.Private, func(w http.ResponseWriter) { call(w, r) })
}

// apiTimeout is how long a call waits for the store at most.
const apiTimeout = 10 * time.Second

var errMethod = errors.New("method not allowed")

// ping answers the name of the service and its time.
func (h *handler) ping(w http.ResponseWriter, _ *http.Request) {
	at := time.Now().In(h.t.opts.TimeZone)
	writeText(w, http.StatusOK, h.t.hosts.list[0].hostname+" "+at.Format("2006-01-02T15:04:05-07:00"))
}

// makeLink answers 201 and the tracking link and nothing else, or an error
// whose text does not begin with http.
func (h *handler) makeLink(w http.ResponseWriter, r *http.Request) {
	link, err := h.makeLinkFrom(w, r)
	if err != nil {
		h.failed(w, err)
		writeText(w, statusOf(err), "Error: "+messageOf(err))
		return
	}
	writeText(w, http.StatusCreated, h.t.TrackingURL(link))
}

func (h *handler) makeLinkFrom(w http.ResponseWriter, r *http.Request) (Link, error) {
	p, account, err := h.authenticate(w, r, true)
	if err != nil {
		return Link{}, err
	}
	given := p.given()
	if r.Method == http.MethodGet && len(given) > 0 {
		return Link{}, invalid(given[0], "is taken with POST only")
	}
	if err := h.t.allow(account, given); err != nil {
		return Link{}, err
	}
	in, err := p.newLink(h.t.opts.TimeZone)
	if err != nil {
		return Link{}, err
	}
	return h.t.MakeLink(r.Context(), account, in)
}

const (
	typeJSON = "application/json; charset=utf-8"
	typeCSV  = "text/csv; charset=utf-8; header=present"
)

// get answers one of the get calls in the format asked for, errors too; more
// are the formats it has beside xml and json. An error in csv is a line of text.
func (h *handler) get(w http.ResponseWriter, r *http.Request, call func(*http.Request, params, Account) (any, error), more ...string) {
	var p params
	var account Account
	err := errMethod
	if r.Method == http.MethodGet || r.Method == http.MethodPost {
		p, account, err = h.authenticate(w, r, false)
	} else {
		p = make(params)
		p.parse(r.URL.RawQuery, true)
	}
	encode, contentType := encodeXML, "application/xml; charset=utf-8"
	switch format := strings.ToLower(p["format"]); {
	case format == "" || format == "xml":
	case format == "json":
		encode, contentType = encodeJSON, typeJSON
	case slices.Contains(more, format):
		encode, contentType = encodeCSV, typeCSV
	case err == nil:
		err = invalid("format", "must be %s", strings.Join(append([]string{"xml", "json"}, more...), " or "))
	}
	var document any
	if err == nil {
		document, err = call(r, p, account)
	}
	status := okStatus(document)
	if err != nil {
		h.failed(w, err)
		status = statusOf(err)
		if contentType == typeCSV {
			writeText(w, status, "Error: "+messageOf(err))
			return
		}
		document = errorDocument{errorModel{Code: status, Message: text(messageOf(err))}}
	}
	body, err := encode(document)
	if err != nil { // the models can be encoded, whatever they hold
		h.t.log.Error("linktrack: an answer could not be encoded", "error", err)
		writeText(w, http.StatusInternalServerError, "Error: internal error")
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	w.Write(body)
}

func (h *handler) getLink(r *http.Request, p params, a Account) (any, error) {
	if p["redirect_hash"] == "" {
		return h.getLinks(r, p, a)
	}
	l, err := h.t.Link(r.Context(), a, p["redirect_hash"])
	return linkDocument{h.t.linkModel(l)}, err
}

func (h *handler) getLinks(r *http.Request, p params, a Account) (any, error) {
	q, err := p.linksQuery()
	if err != nil {
		return nil, err
	}
	links, err := h.t.Links(r.Context(), a, q)
	document := linksDocument{Links: make([]linkModel, len(links))}
	for i, l := range links {
		document.Links[i] = h.t.linkModel(l)
	}
	return document, err
}

func (h *handler) getLinkHistory(r *http.Request, p params, a Account) (any, error) {
	if p["redirect_hash"] == "" {
		return nil, invalid("redirect_hash", "is missing")
	}
	q, err := p.historyQuery(h.t.opts.TimeZone)
	if err != nil {
		return nil, err
	}
	clicks, err := h.t.History(r.Context(), a, p["redirect_hash"], q)
	document := historyDocument{Items: make([]clickModel, len(clicks))}
	for i, c := range clicks {
		document.Items[i] = h.t.clickModel(c)
	}
	return document, err
}

func (h *handler) getReport(r *http.Request, p params, a Account) (any, error) {
	if p["redirect_hash"] == "" {
		return nil, invalid("redirect_hash", "is missing")
	}
	q, err := p.reportQuery()
	if err != nil {
		return nil, err
	}
	report, err := h.t.Report(r.Context(), a, p["redirect_hash"], q)
	if err != nil {
		return nil, err
	}
	return report.document(), nil
}

// authenticate reads the parameters and finds the account by login and pass
// among them, or by HTTP Basic if neither is there; Basic is refused where
// another site made a browser send it, see checkOrigin. The parameters are
// returned with an error, too, as far as they could be read.
func (h *handler) authenticate(w http.ResponseWriter, r *http.Request, makes bool) (params, Account, error) {
	p, err := readParams(w, r)
	if err != nil {
		return p, Account{}, err
	}
	if h.account != nil {
		return p, *h.account, h.account.refuse()
	}
	login, pass, basic := p["login"], p["pass"], false
	if login == "" && pass == "" {
		login, pass, basic = r.BasicAuth()
	}
	if login == "" {
		return p, Account{}, invalid("login", "is missing")
	}
	if pass == "" {
		return p, Account{}, invalid("pass", "is missing")
	}
	if basic {
		if err := checkOrigin(r, makes); err != nil {
			return p, Account{}, err
		}
	}
	a, err := h.t.Authenticate(r.Context(), login, pass, h.t.ClientOf(r))
	return p, a, err
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
