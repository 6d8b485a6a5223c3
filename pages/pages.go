// Package pages contains linktrack's web pages: those on which the owner of an
// account makes, finds, and edits links, and those that visitors see where a link
// does not simply redirect. The pages have no rules of their own; they use the
// methods of [linktrack.Tracker].
//
//	visitors, err := pages.ForVisitors(pages.Options{Name: "Example Links"})
//	t, err := linktrack.New(store, linktrack.Options{
//		Visitors: linktrack.VisitorOptions{Pages: visitors},
//	})
//	account, err := pages.New(t, pages.Options{Name: "Example Links", Prefix: "/account/"})
//	mux.Handle("/account/", account)
//	mux.Handle("/", account.QR(t.Handler()))
//
// With [linktrack.Tracker.Middleware], mount the pages in the application, and do
// not use [Pages.QR]:
//
//	app.Handle("/account/", account)
//	http.ListenAndServe(addr, t.Middleware(app))
//
// All pages work without JavaScript, load nothing from other sites, and have a
// strict Content-Security-Policy. No page contains a style or a script, except
// that the pages for visitors contain one style, which is allowed by its hash.
//
// A host can change how the pages look and what they say: [Options] has a name, a
// color, texts, entries of the menu, and files that replace templates or add a
// style sheet. The package [github.com/linktrackhq/linktrack/pages/view] documents
// the data that templates get. [New] and [ForVisitors] check all of it, so that
// nothing fails on the first visit.
//
// Each page has a file in this package, a template of the same name in templates,
// and a line in the table of routes. All visible texts are in the files whose
// names begin with texts.
package pages

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/incident"
	clients "github.com/linktrackhq/linktrack/internal/share"
)

// Options configures the pages. The zero value works; each field states its default.
type Options struct {
	// Prefix is the path below which the pages are served, with a slash at
	// both ends, as the visitor's browser sees it. It must not lie where links
	// do, unless it begins with a reserved word. Default: /account/.
	Prefix string

	// Session returns the account whose pages a request may see, for a host with
	// its own login. It returns [linktrack.ErrUnauthorized] if nobody is signed
	// in; any other error means that this could not be checked. The account need
	// not be in the store; [linktrack.AnonymousAccount] is refused. Default: a login form
	// for the accounts of the store, with a signed cookie. Such a session ends after
	// 30 days, at the sign-out, and when the account gets another pass or is
	// switched off. A host that sets Session ends its sessions itself.
	Session func(*http.Request) (linktrack.Account, error)

	// SignIn is the address to which visitors are sent if Session returns
	// [linktrack.ErrUnauthorized]. It does not receive the address of the page
	// that they asked for. Default: a page asks them to sign in.
	SignIn string

	// AnonymousLinks lets anyone make links without an account: at
	// Prefix + "quick", and wherever the host shows [Pages.AnonymousForm]. The links
	// end after [linktrack.AnonymousLinkLife], and the pages say so. The form leads
	// to a page with a signed address; anyone who opens it and signs in can move the
	// link to an account. To limit abuse, [linktrack.Tracker.MakeAnonymousLink]
	// makes a limited number of links for each client, forms of other sites are
	// refused, and so are programs that fill in a hidden field. The host can refuse
	// destinations, see [linktrack.LinkOptions.CheckDestination]. Default: off.
	AnonymousLinks bool

	// Name is the brand that the pages show. Default: Linktrack.
	Name string

	// Accent is the color of buttons and links, as #rrggbb. If text in this color
	// would be hard to read, a lighter or darker color is used for it. Default:
	// #1f5fd0.
	Accent string

	// Menu has additional entries for the menu, after those of the pages. They
	// lead to pages of the host or to other sites. Default: none.
	Menu []MenuEntry

	// Templates replaces and adds files. They are read once.
	//   - A file at the root with the name of a file in templates or static,
	//     such as links.html or style.css, replaces that file. Package view
	//     documents the data that templates get.
	//   - extra.css is a style sheet that is applied after those of the pages.
	//     It also applies to the pages for visitors; the class of the body
	//     element is owner, anonymous, or visitor.
	//   - The files in the folder static are served below Prefix + "static/". In
	//     extra.css, url(logo.svg) is the address of static/logo.svg; in a
	//     template, {{asset "logo.svg"}} is an address that browsers cache. The
	//     pages for visitors load nothing, so they cannot show these files.
	// Default: nothing is replaced or added.
	Templates fs.FS

	// Texts replaces texts by their keys, to translate the pages or to change
	// their wording; see [Texts]. A reason of a [linktrack.InvalidError] is also
	// a key. Default: English.
	Texts map[string]string

	// Logger receives failures: one line when they begin, not one per request,
	// and never credentials. Default: slog.Default().
	Logger *slog.Logger
}

// Pages serves the pages of accounts. Make one with [New].
type Pages struct {
	t        *linktrack.Tracker
	o        Options
	theme    *theme
	sessions *sessions       // nil if Options.Session is set
	mux      *http.ServeMux  // the pages, without protect
	keeping  map[string]bool // patterns of mux whose forms are kept while their senders sign in
	handler  http.Handler
	failing  incident.Incident
	imports  clients.Pool // limits how many files are read at a time
}

// A MenuEntry leads to a page of the host or to another site.
type MenuEntry struct {
	Text string // the text of the entry
	URL  string // a path that begins with a slash, or an address with http:// or https://
}

// New returns the pages of accounts for t. It checks the options:
//   - A wrong option is an [*linktrack.InvalidError] that names it. Also wrong
//     are a key of Texts that no text has, a text whose verbs do not fit, and a
//     file of Templates that replaces nothing.
//   - A template that cannot be parsed, or that in any branch asks for a field
//     that its data does not have, is an error that names the file and the line.
func New(t *linktrack.Tracker, o Options) (*Pages, error) {
	if o.Prefix == "" {
		o.Prefix = "/account/"
	}
	if err := checkPrefix(o.Prefix); err != nil {
		return nil, err
	}
	if err := checkMenu(o.Menu); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	p := &Pages{t: t, o: o, failing: incident.Incident{
		Log:   o.Logger,
		Began: "linktrack: pages fail; this is the first error",
		Quiet: time.Minute, // the outage is over when a minute has passed without a failure
	}}
	if o.Session == nil {
		p.sessions = newSessions(t, o.Prefix)
	}
	var err error
	if p.theme, err = newTheme(o, t.TimeZone(), false); err != nil {
		return nil, err
	}
	p.mux = p.routes()
	p.handler = p.protect(p.mux)
	return p, nil
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// routes returns the table of pages, all below the prefix. In a route, a link is
// named by its host and its path.
func (p *Pages) routes() *http.ServeMux {
	mux := http.NewServeMux()
	p.keeping = make(map[string]bool)
	public := func(method, path string, serve page) { mux.Handle(method+" "+p.o.Prefix+path, p.public(serve)) }
	private := func(method, path string, serve page) {
		pattern := method + " " + p.o.Prefix + path
		mux.Handle(pattern, p.private(serve))
		p.keeping[pattern] = method == http.MethodPost
	}

	mux.HandleFunc("GET "+p.o.Prefix+"static/{file...}", p.theme.serveStatic)
	if p.sessions != nil {
		public("GET", "login", p.showLogin)
		public("POST", "login", p.login)
		public("POST", "logout", p.logout)
		public("POST", "logout/everywhere", p.logoutEverywhere)
	}
	if p.o.AnonymousLinks { // people have saved these addresses, so they must not change
		public("GET", "quick", p.showAnonymousForm)
		public("POST", "quick", p.makeAnonymous)
		public("GET", "quick/{host}/{path}/{signature}", p.showAnonymousLink)
		private("POST", "quick/{host}/{path}/{signature}", p.claimAnonymousLink)
	}
	private("GET", "{$}", p.showHome)
	private("GET", "links", p.showLinks)
	private("GET", "links/new", p.showNewLink)
	private("POST", "links/new", p.makeLink)
	private("GET", "links/{host}/{path}/edit", p.showEditLink)
	private("POST", "links/{host}/{path}/edit", p.editLink)
	private("POST", "links/{host}/{path}/active", p.switchLink)
	private("GET", "links/{host}/{path}/report", p.showReport)
	private("GET", "links/{host}/{path}/report/{file}", p.sendReport)
	public("GET", "links/{host}/{path}/{qr}", p.showQR)
	private("GET", "api", p.showAPI)
	private("GET", "api/{call}", p.showTry)
	private("POST", "api/{call}", p.try)
	private("GET", "account", p.showAccount)
	private("POST", "account", p.setEmail)
	private("POST", "account/optout", p.optOut)
	if p.sessions != nil {
		private("GET", "pass", p.showRenewPass)
		private("POST", "pass", p.renewPass)
	}
	private("GET", "bookmarklet", p.showBookmarklet)
	private("GET", "mark", p.showBookmarkletForm) // this address is in people's bookmarks, so it must not change
	private("POST", "mark", p.makeBookmarked)
	private("GET", "import", p.showImport)
	private("POST", "import", p.importLinks)
	private("GET", "export", p.exportLinks)
	public("GET", "", notFound)
	return mux
}

// menu has the entries at the top of every page for signed-in accounts.
var menu = []struct{ path, text string }{
	{"links", "menu.links"},
	{"links/new", "menu.new"},
	{"import", "menu.import"},
	{"api", "menu.api"},
	{"bookmarklet", "menu.bookmarklet"},
	{"account", "menu.account"},
}

func (p *Pages) showHome(w http.ResponseWriter, r *request) error {
	http.Redirect(w, r.Request, p.o.Prefix+"links", http.StatusSeeOther)
	return nil
}

// errBadForm means that a form could not be read.
var errBadForm = errors.New("the form could not be read")
