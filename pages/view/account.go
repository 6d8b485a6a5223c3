package view

import (
	"html/template"

	"github.com/linktrackhq/linktrack/transfer"
)

// A Login is the form to sign in.
type Login struct {
	Login string // as it was entered
	Next  string // the path of the page to go to after the sign-in; "" for the first page
	Error string
	Ended bool   // a form was sent after the session had ended
	Kept  []Kept // the values of that form
}

// Ended is the page that keeps a form while its sender signs in with the host.
type Ended struct {
	SignIn string // the address of the host's login; "" if it names none
	Action string // the address to which the form is sent again
	Kept   []Kept // the values of the form
}

// A Kept value of a form is in a hidden field.
type Kept struct {
	Name, Value string
}

// An Account is the page with the settings of the account itself.
type Account struct {
	Login, Type string
	Email       string // the address to which alerts are mailed; "" if none is set
	EmailError  string // the error about Email; "" if there is none
	MailNote    string // the reason why no alerts are mailed; "" if they are
	Keeps       bool   // the account is in the store: its address can be set
	Renews      bool   // its pass can be renewed, and its session ended, on these pages
	Saved       bool   // the address was saved just before
	Browsers    []Browser
}

// A Browser says whether the clicks that this browser makes on the links of a host
// count.
type Browser struct {
	Host  string
	Here  bool   // the page itself is on that host
	Out   bool   // the clicks do not count; known only if Here
	Leave string // the address that leaves them out; only if not Here
	Undo  string // the address that lets them count again; only if not Here
}

// A NewPass is the form that renews the pass, or shows the new one.
type NewPass struct {
	Hash  string // a hash of the pass to be renewed: the form sends it back
	Pass  string // the new pass; "" if the form is shown
	Stale bool   // nothing was done: the pass was renewed after the form was shown
}

// An Import is the page that imports and exports links.
type Import struct {
	Formats, Hosts     []Option
	Format, Host, Skip string        // as chosen; Skip is 1 or ""
	SkipBad            string        // as chosen: 1 or ""; it includes Skip
	MaxMegabytes       int64         // the maximum size of a file
	Progress           template.HTML // the place where the progress of an import is shown

	Error    string
	Good     string           // a message of success; "" if there is none
	Result   *transfer.Result // nil if no file was read
	Made     bool             // the file was imported, or a part of it
	Problems []transfer.Problem
	More     int64  // the number of problems that are not in Problems
	Checked  string // the hash of a file that was checked and can be imported; else ""
}
