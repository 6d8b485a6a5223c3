// Package pages contains linktrack's web pages: those on which the owner of an
// account makes, finds, and edits links, and those that visitors see where a link
// does not simply redirect. The pages have no rules of their own; they use the
// methods of [linktrack.Tracker].
//
//	visitors, err := pages.ForVisitors(pages.Options{Name: "Example Links"})
//	t, err := linktrack.New(store, linktrack.Options{VisitorPages: visitors})
//	account, err := pages.New(t, pages.Options{Name: "Example Links", Prefix: "/account/"})
//	mux.Handle("/account/", account)
//	mux.Handle("/", account.QR(t.Handler()))
//
// With [linktrack.Tracker.Middleware], mount the pages in the application, and do
// not use [VisitorPages.QR]:
//
//	app.Handle("/account/", account)
//	http.ListenAndServe(addr, t.Middleware(app))
//
// All pages work without JavaScript, load nothing from other sites, and have a
// strict Content-Security-Policy. No page contains a style or a script, except
// that the pages for visitors contain one style, which is allowed by its hash.
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

// Options are the choices of a host. The zero value works; each field says
// what it means when left out.
type Options struct {
	// Prefix is the path below which the pages are served, with a slash at
	// both ends, as the visitor's browser sees it. It must not lie where links
	// do, unless it begins with a reserved word. Default: /account/.
	Prefix string

	// Session returns the account whose pages a request may see, for a host with
	// its own login. It returns [linktrack.ErrUnauthorized] if nobody is signed
	// in; any other error means that this could not be checked. The account need
	// not be in the store; [linktrack.AnonymousAccount] is refused. Default: a login form
	// for the accounts of the store, with a signed cookie. Its session ends after
	// 30 days, at the sign-out, and when the account gets another pass or is
	// switched off. A host with a Session ends its sessions itself.
	Session func(*http.Request) (linktrack.Account, error)

	// SignIn is the address to which visitors are sent if Session returns
	// [linktrack.ErrUnauthorized]. It does not receive the address of the page
	// that they asked for. Default: a page asks them to sign in.
	SignIn string

	// Quick lets anyone make links without an account, at Prefix + "quick" and
	// wherever the host shows [VisitorPages.Quick]. The links end after
	// [linktrack.AnonymousLinkLife], and the pages say so. The page after the form
	// has a signed address; anyone who opens it and signs in can move the link
	// into an account. Abuse is limited by [linktrack.Tracker.MakeAnonymousLink], by
	// a field that only programs fill in, and because forms from other sites are
	// refused. [linktrack.Options.CheckDestination] can refuse destinations.
	// Default: off.
	Quick bool

	// Name is the brand that the pages show. Default: Linktrack.
	Name string

	// Accent is the color of buttons and links, as #rrggbb. If text in this color
	// would be hard to read, a lighter or darker color is used for it. Default:
	// #1f5fd0.
	Accent string

	// Templates replaces templates and static files: a file such as links.html
	// or style.css at its root replaces the file of that name in templates or
	// static. Default: none is replaced.
	Templates fs.FS

	// Texts replaces texts by their keys, see [Texts]: to translate the pages,
	// or to word them otherwise. A reason of a [linktrack.InvalidError] is a
	// key, too. Default: English.
	Texts map[string]string

	// Logger is told what goes wrong, once and not per request. Never
	// credentials. Default: slog.Default().
	Logger *slog.Logger
}

// VisitorPages serves the pages of accounts. Make one with [New].
type Pages struct {
	t        *linktrack.Tracker
	o        Options
	look     *look
	sessions *sessions       // nil: the host's own
	mux      *http.ServeMux  // the pages without what protects them
	keeping  map[string]bool // patterns of mux whose forms are kept while their senders sign in
	handler  http.Handler
	failing  incident.Incident
	imports  clients.Pool // a place for each file that is being read
}

// New returns the pages of accounts over t. The errors are an
// [*linktrack.InvalidError] that names the option, or say which template cannot
// be parsed.
func New(t *linktrack.Tracker, o Options) (*Pages, error) {
	if o.Prefix == "" {
		o.Prefix = "/account/"
	}
	if err := checkPrefix(o.Prefix); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	p := &Pages{t: t, o: o, failing: incident.Incident{
		Log:   o.Logger,
		Began: "linktrack: pages fail; the first of them",
		Quiet: time.Minute, // the outage is over when a minute has passed without a failure
	}}
	if o.Session == nil {
		p.sessions = newSessions(t, o.Prefix)
	}
	var err error
	if p.look, err = newLook(o, t.TimeZone()); err != nil {
		return nil, err
	}
	p.mux = p.routes()
	p.handler = p.protect(p.mux)
	return p, nil
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// routes is the table of pages, below the prefix. A link stands in a path as
// its host and its path.
func (p *Pages) routes() *http.ServeMux {
	mux := http.NewServeMux()
	p.keeping = make(map[string]bool)
	public := func(method, path string, serve page) { mux.Handle(method+" "+p.o.Prefix+path, p.public(serve)) }
	private := func(method, path string, serve page) {
		pattern := method + " " + p.o.Prefix + path
		mux.Handle(pattern, p.private(serve))
		p.keeping[pattern] = method == http.MethodPost
	}

	mux.HandleFunc("GET "+p.o.Prefix+"static/{file}", p.look.serveStatic)
	if p.sessions != nil {
		public("GET", "login", p.showLogin)
		public("POST", "login", p.login)
		public("POST", "logout", p.logout)
		public("POST", "logout/everywhere", p.logoutEverywhere)
	}
	if p.o.Quick {
		public("GET", "quick", p.showQuick)
		public("POST", "quick", p.makeQuick)
		public("GET", "quick/{host}/{path}/{signature}", p.showQuickLink)
		private("POST", "quick/{host}/{path}/{signature}", p.claimQuickLink)
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
	private("GET", "mark", p.showMark)
	private("POST", "mark", p.makeMark)
	private("GET", "import", p.showImport)
	private("POST", "import", p.importLinks)
	private("GET", "export", p.exportLinks)
	public("GET", "", notFound)
	return mux
}

// menu is what stands at the head of every page of one who is signed in.
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

// errBadForm is a form that could not be read.
var errBadForm = errors.New("the form could not be read")
