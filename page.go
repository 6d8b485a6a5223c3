package linktrack

import (
	"html/template"
	"net/http"
	"time"
)

// VisitorPages writes the pages that visitors see when a link does not simply redirect.
// The headers for caching, for robots, and for what a page may load are set before, and
// may be changed.
type VisitorPages interface {
	ServePage(w http.ResponseWriter, r *http.Request, p Page)
}

// A Page is the content of a page for a visitor.
type Page struct {
	Kind       PageKind
	Status     int    // the status to write
	Link       Link   // what the public may know of the link, never the destination; zero if no link is known
	URL        string // the tracking link
	Err        error  // the reason, for PageGone (an ErrGone) and PagePassword (ErrWrongPassword or nil)
	RetryAfter time.Duration
	TimeZone   *time.Location // the zone of times on the page
	Report     *Report        // for PageReport; else nil
}

// A PageKind says which page it is.
type PageKind int

const (
	PageNotFound    PageKind = iota
	PageGone                 // the link does not redirect any more, for the reason in Page.Err
	PagePassword             // a form that posts "password" to its own address
	PagePreview              // for bots, instead of a redirect, with a form for people that posts to its own address
	PageSummary              // the plus-tracking page
	PageThrottled            // too many wrong passwords
	PageUnavailable          // try again after Page.RetryAfter
	PageReport               // the plus-tracking page with Page.Report
	PageQR                   // the QR code of a public link, at its address with ".qr" behind it (owners: see package pages)
	PageNotYet               // the link does not redirect before its StartsAt, which is not in Page.Link
)

// public returns what anyone may know of a link that has a public page.
func (l Link) public() Link {
	return Link{
		ID:   l.ID,
		Host: l.Host,
		Path: l.Path,
		LinkSettings: LinkSettings{
			Title:        l.Title,
			Disabled:     l.Disabled,
			IsPublic:     l.IsPublic,
			DeactivateAt: l.DeactivateAt,
			ExpiresAt:    l.ExpiresAt,
		},
		CreatedAt: l.CreatedAt,
		Counts:    l.Counts,
	}
}

// plainPages are plain pages in English that load nothing else.
type plainPages struct{}

// ServePage implements VisitorPages.
func (plainPages) ServePage(w http.ResponseWriter, _ *http.Request, p Page) {
	if p.Kind == PageQR { // plain pages have no QR code
		p = Page{Status: http.StatusNotFound}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	plainTemplate.Execute(w, plainPage{p}) // an error can only be one of the connection
}

type plainPage struct{ Page }

// Heading says what the page is about.
func (p plainPage) Heading() string {
	switch p.Kind {
	case PageGone:
		return "This link is no longer active"
	case PagePassword:
		return "This link needs a password"
	case PagePreview, PageSummary, PageReport:
		if p.Link.Title != "" {
			return p.Link.Title
		}
		return p.URL
	case PageThrottled:
		return "Too many attempts"
	case PageUnavailable:
		return "Please try again in a moment"
	case PageNotYet:
		return "This link does not work yet"
	}
	return "This link does not exist"
}

// Text says why.
func (p plainPage) Text() string {
	switch {
	case p.Kind == PageGone && p.Err == ErrExpired:
		return "It has expired."
	case p.Kind == PageGone && p.Err == ErrUsedUp:
		return "The number of visits that it was made for has been reached."
	case p.Kind == PageGone && p.Err == ErrDeleted:
		return "It was deleted."
	case p.Kind == PageGone:
		return "Its owner has switched it off."
	case p.Kind == PagePassword && p.Err != nil:
		return "The password is wrong."
	case p.Kind == PagePreview:
		return "This link lets a limited number of people through. Press Continue to open it."
	case p.Kind == PageNotFound:
		return "Please check the address for typing errors."
	case p.Kind == PageThrottled:
		return "Please wait a minute, then try again."
	case p.Kind == PageNotYet:
		return "Its owner has set a time from which it will work. Please try again later."
	case p.Kind == PageUnavailable:
		return "The service cannot answer just now."
	}
	return ""
}

// IsPassword and IsSummary choose a part of the page.
func (p plainPage) IsPassword() bool { return p.Kind == PagePassword }
func (p plainPage) IsPreview() bool  { return p.Kind == PagePreview }
func (p plainPage) IsSummary() bool  { return p.Kind == PageSummary || p.Kind == PageReport }

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
	return at.In(p.TimeZone).Format(timeLayout + " MST")
}

// Zone says in which zone the page shows its times.
func (p plainPage) Zone() string {
	return "Times are in the time zone " + p.TimeZone.String() + time.Now().In(p.TimeZone).Format(" (now MST, UTC-07:00).")
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
<dt>Clicks</dt><dd>{{.Link.Counts.People}}</dd>
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
