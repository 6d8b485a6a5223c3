package linktrack

import (
	"html/template"
	"net/http"
	"time"
)

// Pages writes what visitors see where a link does not simply redirect. The
// headers about caching, robots and what a page may load are set before; a
// Pages may change them.
type Pages interface {
	ServePage(w http.ResponseWriter, r *http.Request, p Page)
}

// A Page is what a visitor is told.
type Page struct {
	Kind       PageKind
	Status     int    // to be written
	Link       Link   // what the public may know of it, never the destination; zero where no link is known
	URL        string // of the link
	Err        error  // why, for GonePage (an ErrGone) and PasswordPage (ErrWrongPassword or nil)
	RetryAfter time.Duration
	Location   *time.Location // the zone to show times in
	Report     *Report        // for ReportPage; else nil
}

// A PageKind is what a page is about.
type PageKind int

const (
	NotFoundPage    PageKind = iota
	GonePage                 // the link lets nobody through: Page.Err says why
	PasswordPage             // a form that posts "password" to its own address
	PreviewPage              // for bots, instead of a redirect, with a form for people that posts to its own address
	SummaryPage              // the plus-tracking page
	ThrottledPage            // too many wrong passwords
	UnavailablePage          // come back in Page.RetryAfter
	ReportPage               // the plus-tracking page with Page.Report
	QRPage                   // the QR code of a public link, at its address with ".qr" behind it (owners: see package pages)
)

// public is what anyone may know of a link that has a page.
func (l Link) public() Link {
	return Link{
		ID:           l.ID,
		Host:         l.Host,
		Path:         l.Path,
		Title:        l.Title,
		IsActive:     l.IsActive,
		IsPublic:     l.IsPublic,
		DeactivateAt: l.DeactivateAt,
		ExpiresAt:    l.ExpiresAt,
		CreatedAt:    l.CreatedAt,
		Counts:       l.Counts,
	}
}

// plainPages are plain, in English, and need nothing but themselves.
type plainPages struct{}

// ServePage implements Pages.
func (plainPages) ServePage(w http.ResponseWriter, _ *http.Request, p Page) {
	if p.Kind == QRPage { // they draw none
		p = Page{Status: http.StatusNotFound}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	plainTemplate.Execute(w, plainPage{p}) // the connection's own affair
}

type plainPage struct{ Page }

// Heading says what the page is about.
func (p plainPage) Heading() string {
	switch p.Kind {
	case GonePage:
		return "This link is no longer active"
	case PasswordPage:
		return "This link needs a password"
	case PreviewPage, SummaryPage, ReportPage:
		if p.Link.Title != "" {
			return p.Link.Title
		}
		return p.URL
	case ThrottledPage:
		return "Too many attempts"
	case UnavailablePage:
		return "Please try again in a moment"
	}
	return "This link does not exist"
}

// Text says why.
func (p plainPage) Text() string {
	switch {
	case p.Kind == GonePage && p.Err == ErrExpired:
		return "It has expired."
	case p.Kind == GonePage && p.Err == ErrUsedUp:
		return "The number of visits that it was made for has been reached."
	case p.Kind == GonePage:
		return "Its owner has switched it off."
	case p.Kind == PasswordPage && p.Err != nil:
		return "The password is wrong."
	case p.Kind == PreviewPage:
		return "This link lets a limited number of people through. Press Continue to open it."
	case p.Kind == NotFoundPage:
		return "Please check the address for typing errors."
	case p.Kind == ThrottledPage:
		return "Please wait a minute, then try again."
	case p.Kind == UnavailablePage:
		return "The service cannot answer just now."
	}
	return ""
}

// IsPassword and IsSummary choose a part of the page.
func (p plainPage) IsPassword() bool { return p.Kind == PasswordPage }
func (p plainPage) IsPreview() bool  { return p.Kind == PreviewPage }
func (p plainPage) IsSummary() bool  { return p.Kind == SummaryPage || p.Kind == ReportPage }

// Breakdown is a part of a report under its heading.
func (p plainPage) Breakdown(heading string, b Breakdown) any {
	return struct {
		Heading string
		Breakdown
	}{heading, b}
}

// Time shows a time in the service zone.
func (p plainPage) Time(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.In(p.Location).Format(timeLayout + " MST")
}

// Zone says in which zone the page shows its times.
func (p plainPage) Zone() string {
	return "Times are in the time zone " + p.Location.String() + time.Now().In(p.Location).Format(" (now MST, UTC-07:00).")
}

var plainTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Heading}}</title>
</head>
<body>
<main>
<h1 dir="auto">{{.Heading}}</h1>
{{with .Text}}<p>{{.}}</p>
{{end -}}
{{if .IsPassword -}}
<form method="post">
<p><label for="password">Password</label>
<input id="password" name="password" type="password" required autofocus autocomplete="off"></p>
<p><button>Continue</button></p>
</form>
{{end -}}
{{if .IsPreview -}}
<form method="post">
<p><button>Continue</button></p>
</form>
{{end -}}
{{if .IsSummary -}}
<dl>
<dt>Link</dt><dd>{{.URL}}</dd>
<dt>Created</dt><dd>{{.Time .Link.CreatedAt}}</dd>
<dt>Clicks</dt><dd>{{.Link.Counts.Total}}</dd>
<dt>Unique visitors</dt><dd>{{.Link.Counts.Unique}}</dd>
<dt>Clicks in the last 24 hours</dt><dd>{{.Link.Counts.Day}}</dd>
<dt>Last click</dt><dd>{{.Time .Link.Counts.LastClick}}</dd>
{{if not .Link.ExpiresAt.IsZero}}<dt>Expires</dt><dd>{{.Time .Link.ExpiresAt}}</dd>
{{end -}}
</dl>
<p>{{.Zone}}</p>
{{end -}}
{{with .Report -}}
<h2>Clicks by {{.By}}</h2>
<table>
<tr><th>Begins</th><th>Clicks</th><th>Unique visitors</th><th>Bots</th><th>Conversions</th></tr>
{{range .Periods}}<tr><td>{{$.Time .Start}}</td><td>{{.People}}</td><td>{{.Unique}}</td><td>{{.Bots}}</td><td>{{.Conversions}}</td></tr>
{{end -}}
<tr><th>All</th><td>{{.Total.People}}</td><td>{{.Total.Unique}}</td><td>{{.Total.Bots}}</td><td>{{.Total.Conversions}}</td></tr>
</table>
{{template "breakdown" $.Breakdown "Referrers" .Referrers -}}
{{template "breakdown" $.Breakdown "Browsers" .Browsers -}}
{{template "breakdown" $.Breakdown "Platforms" .Platforms -}}
{{template "breakdown" $.Breakdown "Countries" .Countries -}}
{{end -}}
</main>
</body>
</html>
{{define "breakdown"}}<h2>{{.Heading}}</h2>
<table>
{{range .Top}}<tr><td dir="auto">{{or .Value "(none)"}}</td><td>{{.Clicks}}</td></tr>
{{end}}{{with .Other}}<tr><td>(others)</td><td>{{.}}</td></tr>
{{end}}</table>
{{end}}`))
