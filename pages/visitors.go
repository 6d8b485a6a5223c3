package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/pages/view"
)

// Visitors are the pages that visitors of links see: a [linktrack.VisitorPages].
// Make them with [ForVisitors].
type Visitors struct {
	theme  *theme
	plain  sheet
	report sheet // for pages with a report
	log    *slog.Logger
}

// A sheet is a style, with a policy that allows this style and nothing else.
type sheet struct {
	style  template.CSS
	policy string
}

var _ linktrack.VisitorPages = (*Visitors)(nil)

// ForVisitors returns pages for [linktrack.VisitorOptions.Pages]. It uses the
// options Name, Accent, Templates, Texts, and Logger, and returns the errors of
// [New]. The pages load nothing, so that they work on any host and at any path.
func ForVisitors(o Options) (*Visitors, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	t, err := newTheme(o, time.UTC, true)
	if err != nil {
		return nil, err
	}
	return &Visitors{
		theme:  t,
		plain:  t.sheet("brand.css", "visitor.css"),
		report: t.sheet("brand.css", "visitor.css", "report.css"),
		log:    o.Logger,
	}, nil
}

func (t *theme) sheet(names ...string) sheet {
	style := ""
	for _, name := range append(names, extraStyle) { // the last one is empty if the host has none
		style += string(t.static[t.hashed[name]].content)
	}
	sum := sha256.Sum256([]byte(style))
	return sheet{
		style: template.CSS(style),
		// No form-action: browsers also apply it to the redirect after a form, and
		// the right password redirects to another site.
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; frame-ancestors 'none'",
	}
}

// ServePage implements linktrack.VisitorPages.
func (v *Visitors) ServePage(w http.ResponseWriter, r *http.Request, p linktrack.Page) {
	if p.Kind == linktrack.PageQR {
		writeRequestedQR(w, r, p.URL)
		return
	}
	page, sheet := v.page(p), v.plain
	if page.Report != nil {
		sheet = v.report
	}
	page.Style = sheet.style
	var b bytes.Buffer
	if err := v.theme.templates["visitor"].Execute(&b, page); err != nil {
		v.log.Error("linktrack: a page for a visitor could not be rendered", "error", err)
		http.Error(w, page.Heading, p.Status)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", sheet.policy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.theme.text("lang"))
	w.WriteHeader(p.Status)
	w.Write(b.Bytes())
}

// page returns the data that the template gets for a page.
func (v *Visitors) page(p linktrack.Page) view.Visitor {
	key := "visitor.notfound"
	page := view.Visitor{Name: v.theme.o.Name, URL: p.URL, Title: p.Link.Title, Location: p.TimeZone}
	if page.Location == nil {
		page.Location = time.UTC
	}
	switch p.Kind {
	case linktrack.PageGone:
		switch {
		case errors.Is(p.Err, linktrack.ErrExpired):
			key = "visitor.expired"
		case errors.Is(p.Err, linktrack.ErrUsedUp):
			key = "visitor.usedup"
		case errors.Is(p.Err, linktrack.ErrDeleted):
			key = "visitor.deleted"
		default:
			key = "visitor.inactive"
		}
	case linktrack.PagePassword:
		key, page.AsksPassword = "visitor.password", true
		if p.Err != nil {
			page.Error = v.theme.text("visitor.password.wrong")
		}
	case linktrack.PagePreview:
		key, page.AsksToContinue = "visitor.preview", true
	case linktrack.PageSummary:
		key, page.Summary = "visitor.summary", &p.Link
	case linktrack.PageReport:
		key, page.Summary = "visitor.report", &p.Link
		if p.Report != nil {
			page.Report = v.theme.counts(*p.Report, false)
		}
	case linktrack.PageThrottled:
		key = "visitor.throttled"
	case linktrack.PageNotYet:
		key = "visitor.notyet"
	case linktrack.PageUnavailable:
		key = "visitor.unavailable"
	}
	if page.Summary != nil {
		page.Zone = v.theme.zoneLine(page.Location, time.Now())
	}
	page.Heading, page.Text = v.theme.text(key+".title"), v.theme.text(key+".text")
	if p.Kind != linktrack.PagePreview && page.Summary == nil {
		page.Title = ""
	} else if page.Title != "" {
		page.Heading = page.Title
	}
	if p.Kind == linktrack.PageThrottled && p.RetryAfter > 0 {
		page.Text = v.theme.text("visitor.throttled.seconds", int64((p.RetryAfter+time.Second-1)/time.Second))
	}
	return page
}
