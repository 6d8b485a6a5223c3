package linktrack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// makeLink answers the tracking link and nothing else.
func (h *handler) makeLink(r *http.Request, p params, a Account) (string, error) {
	if err := h.t.allow(a, p.given()); err != nil {
		return "", err
	}
	in, err := p.newLink(h.t.opts.TimeZone)
	if err != nil {
		return "", err
	}
	link, err := h.t.MakeLink(r.Context(), a, in)
	if err != nil {
		return "", err
	}
	return h.t.TrackingURL(link), nil
}

// getLink answers one link, or, without redirect_hash, the list.
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

// ping answers the name of the service and its time.
func (h *handler) ping(w http.ResponseWriter, _ *http.Request, _ *route) {
	at := time.Now().In(h.t.opts.TimeZone)
	writeText(w, http.StatusOK, h.t.hosts.list[0].hostname+" "+at.Format("2006-01-02T15:04:05-07:00"))
}

// openAPI answers the description of the API. Programs of other sites may read
// it: it is the same for all.
func (h *handler) openAPI(w http.ResponseWriter, r *http.Request, _ *route) {
	body := h.t.openAPI()
	sum := sha256.Sum256(body)
	header := w.Header()
	header.Set("Content-Type", typeJSON)
	header.Set("Cache-Control", "public, max-age=300")
	header.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	header["Access-Control-Allow-Origin"] = anyone
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}
