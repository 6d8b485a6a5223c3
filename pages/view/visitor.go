package view

import (
	"html/template"
	"time"

	"github.com/linktrackhq/linktrack"
)

// An AnonymousForm is the form that makes a link without an account.
type AnonymousForm struct {
	ExternalURL string // as it was entered
	Days        int    // how long the link will work
	Error       string
	AtField     bool // the error is about ExternalURL
}

// An AnonymousLink is the page of a link that was made without an account.
type AnonymousLink struct {
	Link   *Link  // nil if it has expired, or is in an account
	Ended  bool   // it has expired
	Own    bool   // it is in the account that is signed in
	Login  string // of that account; "" if nobody is signed in, or it has none
	May    bool   // the account that is signed in may claim it
	Page   string // the address of this page
	SignIn string // the address to sign in; "" if the host names none
}

// A Visitor is a page that visitors of a link see.
type Visitor struct {
	Style          template.CSS // the whole style, because the page may load nothing
	Name           string       // pages.Options.Name
	Heading, Text  string       // the texts of the page
	Title          string       // of the link, on the pages that may show it; else ""
	URL            string       // the tracking URL
	AsksPassword   bool         // the page is the form for the password
	AsksToContinue bool         // the page is a button that leads to the destination
	Error          string       // the error about the password; "" if there is none
	Summary        *linktrack.Link
	Report         *Counts
	Zone           string         // a sentence that names the time zone, if the page shows times
	Location       *time.Location // the time zone
}

// When returns a time in the time zone of the service, to the minute.
func (v Visitor) When(at time.Time) string { return at.In(v.Location).Format("2006-01-02 15:04 MST") }
