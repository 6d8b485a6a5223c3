// Package view contains the data that the templates of package pages get. A host
// that replaces a template finds the fields here that its template can show.
//
// The templates of the pages of accounts and of links without an account begin
// with layout.html and public.html, which get a [Frame]. They pass Frame.Page on
// to the template "main", which the file of the page defines:
//
//	file                   Frame.Page
//	account.html           Account
//	api.html               API
//	apitry.html            Try
//	bookmarklet.html       Bookmarklet
//	bookmarkletform.html   BookmarkletForm
//	ended.html             Ended
//	error.html             Error
//	import.html            Import
//	linkform.html          LinkForm
//	links.html             Links
//	login.html             Login
//	anonymous.html         AnonymousForm
//	anonymouslink.html     AnonymousLink
//	renewpass.html         NewPass
//	report.html            Report
//
// The file visitor.html uses no layout and gets a [Visitor]. Other templates use
// field.html, which gets a [Field], and counts.html, which gets a [Counts].
// layout.html and public.html use head.html, which gets a Frame.
//
// If there is nothing to show, a pointer is nil, and a slice, a map, or a text is
// empty. A template must work with a value of its type in which everything is
// empty, and with one in which nothing is: pages.New and pages.ForVisitors
// execute it with both, and return an error if it fails.
//
// These functions can be called:
//
//	text KEY [VALUE …]   the text with that key, see pages.Texts
//	brand                pages.Options.Name
//	to PART …            the address of a page: {{to "links" .Host .Path "edit"}}
//	asset NAME           the address of a static file: {{asset "style.css"}}
//	when TIME            a time in the time zone of the service, to the minute
//	iso TIME             the same in UTC, as RFC 3339 has it, for datetime attributes
//	zone                 a sentence that names the time zone of the service
//	count NUMBER         a whole number with thin spaces between its thousands
package view

import (
	"html/template"

	"github.com/linktrackhq/linktrack"
)

// A Frame is the data of every page that begins with layout.html or public.html.
type Frame struct {
	Title    string     // the heading of the page
	Login    string     // of the account that is signed in; "" if none is, or it has no login
	SignedIn bool       // somebody is signed in
	SignsOut bool       // the session belongs to these pages, so there is a button to sign out
	Menu     []MenuItem // empty if nobody is signed in
	Page     any        // a value of the type that belongs to the page's file
}

// A MenuItem is a link at the top of each page.
type MenuItem struct {
	URL, Text string
	Current   bool // it leads to the page that is shown
}

// An Error says what went wrong. Frame.Title says it in short.
type Error struct {
	Text string
}

// An Option is a choice of a select element, or a suggestion of a text field.
type Option struct {
	Value  string // the value that is sent
	Text   string // the text that is shown; "" in a suggestion
	Chosen bool   // it is selected
}

// A Link is a link of the account, with the data that pages show about it.
type Link struct {
	linktrack.Link
	URL       string // the tracking URL
	State     string // the key of a text: state.active, state.inactive, state.expired, state.usedup, or state.notyet
	MaySwitch bool   // the account may switch it on and off
	Row       string // the id of its element on the list
	Leads     string // the destination, if it is http or https, so that a page may link to it; otherwise ""
	Saved     bool   // its settings were saved just before
	Spark     *Spark // nil if there were no clicks in the last 24 hours, or if they are unknown
}

// A Spark is a small drawing of the clicks of the last 24 hours.
type Spark struct {
	Label string // what it shows, in words
	Width int    // of the view box, which is 1000 high
	Path  string // the d attribute of a path
}

// Links is the page with the links of the account.
type Links struct {
	Search, Group string // the search and the group that were asked for; "" for none
	Sort, Order   string // the order of the links: a sort key of the API; asc or desc
	Groups        []string
	Sorts         []Option
	Filtered      bool   // Search or Group is not empty
	Depth         int64  // the number of links that a search covers, the newest first
	Error         string // why no links are shown; "" if nothing is wrong
	SearchError   bool   // the error is about Search

	Links []Link
	Made  *Link // the link that was made just before
	Saved *Link // the link whose settings were saved just before, if it is not one of Links

	First, Last int64  // the numbers of the first and the last link shown, from 1
	Prev, Next  string // addresses of the pages before and after this one; "" if there is none

	// Query is the query of this page's address. Back is the query of a form's
	// address that makes the form return here: "?back=" and Query, escaped.
	Query, Back string
}

// A LinkForm is the form that makes or edits a link.
type LinkForm struct {
	Link     *Link     // the link to be edited; nil for a new link
	Action   string    // the address to which the form is sent
	Back     string    // the query of the list to come back to
	FromList bool      // the form was opened from that list
	List     string    // the address of that list
	Resumed  bool      // the entries were kept while their sender signed in again
	Sections []Section // the fields
	Reached  string    // a warning that the click limit is reached; "" if it is not
	Limited  string    // the account's type, if it does not allow all fields; otherwise ""
	Error    string    // the error, if it belongs to no field
}

// A Section is a part of a form.
type Section struct {
	Title  string
	Fields []Field
}

// A Field of a form.
type Field struct {
	Name  string // a parameter of the API
	Kind  string // box, choice, line, lines, number, password, suggest, time, url, or word
	Label string
	Hint  string // "" if there is none
	Error string // the error of the value; "" if there is none
	Value string // of a box: 1 if it is checked

	Options  []Option // of a choice, or suggested
	Disabled bool     // the account may not set it
}

// Checked reports whether a box is checked.
func (f Field) Checked() bool { return f.Value == "1" }

// About returns the ids of the elements that describe the field, for
// aria-describedby.
func (f Field) About() string {
	ids := ""
	if f.Error != "" {
		ids = "f-" + f.Name + "-error"
	}
	if f.Hint != "" {
		if ids != "" {
			ids += " "
		}
		ids += "f-" + f.Name + "-hint"
	}
	return ids
}

// A Bookmarklet is the page with the bookmarklet.
type Bookmarklet struct {
	Name string       // of the bookmark
	Code template.URL // the bookmarklet
	Text string       // the same as Code, as text
}

// A BookmarkletForm is the window that the bookmarklet opens.
type BookmarkletForm struct {
	Fields []Field
	Error  string // the error, if it belongs to no field
	More   string // the address of the form with all fields
	Made   *Link  // the link that was made; nil if the form is shown
}
