package program

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/journal"
	"github.com/linktrackhq/linktrack/mysqlstore"
	"github.com/linktrackhq/linktrack/pages"
)

// A config has the values of the flags and of the environment.
type config struct {
	addr    string
	baseURL string // "" means the address of the listener
	hosts   []string
	place   place // of the database
	// mysqlConnections is the maximum number of connections to MySQL.
	mysqlConnections int
	mysqlPartitions  bool

	login, pass, email string
	accountType        string
	tlsCert, tlsKey    string // files; "" means HTTP
	logJSON            bool

	ack             linktrack.Ack
	journal         string // folder; "" means none
	admin           string // address; "" means none
	conversionQuery bool

	notify         linktrack.Notifier // nil if alerts are not delivered
	privacy        linktrack.Privacy
	proxies        []netip.Prefix // trusted
	anonymousLinks bool           // anyone can make links
	geo            string         // file; "" means none

	zone           *time.Location
	zoneFrom       string // the flag or the variable that named it; "" for the default
	home, notFound string // where / and unknown paths redirect to; "" means the pages, and a 404 page

	// Options that the flags set directly.
	options        linktrack.Options
	pageOptions    pages.Options
	journalOptions journal.Options
}

var errHelp = flag.ErrHelp

// A usageError is a mistake in the arguments of the program.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func refused(err error) error { return &usageError{err} }

// inFlags has the flag for each option that an error of the library may name.
var inFlags = map[string]string{
	"BaseURL": "-base-url", "Hosts": "-hosts", "Links.Schemes": "-schemes", "Links.PathLength": "-path-length", "Accounts.Types": "-account-types",
	"Privacy.HistoryDays": "-history-days", "Privacy.Exclude": "-exclude", "Proxies.Trusted": "-trusted-proxies", "Accent": "-accent",
}

// refusedOption makes a usageError of an error of New that names an option, and
// names the flag in it. It returns other errors unchanged.
func refusedOption(err error) error {
	var invalid *linktrack.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	if name := inFlags[invalid.Param]; name != "" {
		return refused(fmt.Errorf("%s: %w", name, err))
	}
	return refused(err)
}

// addFlags adds the flags of the service. Call finish after the flags are parsed.
func addFlags(flags *flag.FlagSet, c *config) (finish func(env environment) error) {
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`address` to listen on; :8080 listens on all addresses of the machine")
	flags.StringVar(&c.baseURL, "base-url", "", "`URL` that links begin with, as visitors see it (default http://localhost, or https:// with -tls-cert, and -addr's port)")
	flags.Func("hosts", "additional `hosts` whose links are served, separated by commas: names, whose links have the scheme and the path of -base-url, or URLs that links begin with, such as https://alt.example/go", list(&c.hosts))
	finishDatabase := addDatabaseFlags(flags, c)
	flags.StringVar(&c.login, "login", "linktrack", "`login` of the first account; it is made at the start if it does not exist")
	flags.StringVar(&c.pass, "pass", "", "`pass` of the first account, 8 characters or more; it also replaces the pass of an existing account. If you set it as LINKTRACK_PASS, other users of the machine cannot see it (default: a new account gets a generated pass, which is shown once)")
	flags.StringVar(&c.email, "email", "", "mail `address` of the first account, for alerts by -smtp; it also replaces the address of an existing account (default: a new account has none)")
	flags.StringVar(&c.accountType, "type", linktrack.AccountTypeProfessional, "`type` of the first account when it is made: free, professional, or one of -account-types")
	flags.StringVar(&c.home, "home", "", "`URL` that the root / redirects to, without counting (default: the pages for people, or the form of -anonymous-links)")
	flags.StringVar(&c.notFound, "not-found", "", "`URL` that unknown paths redirect to (default: a page with status 404)")
	flags.StringVar(&c.admin, "admin-addr", "", "`address` to answer /metrics, /healthz, and /readyz on (default: none)")
	addTLSFlags(flags, c)
	addLogFlag(flags, c)
	zone := addZoneFlag(flags)
	addLinkFlags(flags, c)
	addRecordingFlags(flags, c)
	finishVisitors := addVisitorFlags(flags, c)
	addPageFlags(flags, c)
	alerts := addAlertFlags(flags)
	return func(env environment) (err error) {
		finishVisitors()
		if err := finishDatabase(); err != nil {
			return err
		}
		if c.zone, c.zoneFrom, err = zone.location(env); err != nil {
			return err
		}
		alerts.zone = c.zone
		if err := c.check(); err != nil {
			return err
		}
		c.notify, err = alerts.notifier()
		return err
	}
}

// addRuleFlags adds the flags for the rules of links, which import also has.
func addRuleFlags(flags *flag.FlagSet, c *config) {
	o := &c.options
	flags.Func("reserved", "`words` that vanity links may not use, in addition to api, account, and the like, separated by commas", words(&o.Links.Reserved))
	flags.Func("schemes", "`schemes` that destinations may have in addition to http and https, such as mailto, separated by commas", list(&o.Links.Schemes))
	flags.Func("account-types", "additional account `types` with the parameters of makeLink that each may use: team=title,vanity_link;guest=", accountTypes(&o.Accounts.Types))
}

func addMySQLFlags(flags *flag.FlagSet, c *config) {
	c.mysqlConnections = mysqlstore.DefaultConnections
	flags.Var(&checked{strconv.Itoa(c.mysqlConnections), func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fmt.Errorf("-mysql-connections must be at least 1, not %s", s)
		}
		c.mysqlConnections = n
		return nil
	}}, "mysql-connections", "maximum `number` of connections to MySQL")
	flags.BoolVar(&c.mysqlPartitions, "mysql-partitions", true, "the history on MySQL has a partition for each day; =false makes or rewrites its tables without, for a server on which processes may not change tables every day")
}

func (c *config) mysqlOptions() []mysqlstore.Option {
	options := []mysqlstore.Option{mysqlstore.MaxConnections(c.mysqlConnections)}
	if !c.mysqlPartitions {
		options = append(options, mysqlstore.WithoutPartitions())
	}
	return options
}

func addLinkFlags(flags *flag.FlagSet, c *config) {
	addRuleFlags(flags, c)
	o := &c.options
	number(flags, &o.Links.PathLength, "path-length", 7, "`number` of random characters in the path of a link, 5 to 32")
	flags.BoolVar(&o.Links.ForwardQuery, "forward-query", false, "add the query string of the tracking link to the destination for every link (default: only for links with forward_query)")
	flags.BoolVar(&c.conversionQuery, "conversion-query", false, "add the click's id to the query of the destination, as lt_click, for links with conversion tracking")
	duration(flags, &o.Links.CacheTTL, "cache-ttl", 5*time.Second, "`time` after which a link is looked up again; edits by other processes are seen sooner, unless the database cannot be read")
}

func addRecordingFlags(flags *flag.FlagSet, c *config) {
	o := &c.options
	flags.TextVar(&c.ack, "ack", linktrack.AckStored, "when a visitor is redirected: after the click is `stored`, after it is journaled, or at once (buffered)")
	duration(flags, &o.Recording.AckTimeout, "ack-timeout", 2*time.Second, "longest `time` that a visitor waits for the click to be stored or journaled")
	duration(flags, &o.Recording.FlushInterval, "flush-interval", 200*time.Millisecond, "`time` for which clicks are gathered with -ack buffered, or before they go from the journal to the store")
	number(flags, &o.Recording.MaxPending, "max-pending", 100_000, "`number` of clicks that may wait in memory for the store, within -max-pending-bytes; more are dropped and counted")
	number(flags, &o.Recording.MaxPendingBytes, "max-pending-bytes", 16<<20, "approximate `bytes` of memory that clicks may take while they wait for the store")
	number(flags, &o.Recording.MaxLogBytes, "max-log-bytes", 1<<30, "approximate `bytes` that the clicks in the database may take before they are in the history and counts; more are dropped and counted, or wait in the journal")
	flags.StringVar(&c.journal, "journal", "", "`folder` of the journal of clicks, needed for -ack journaled")
	flags.BoolVar(&c.journalOptions.OSBuffered, "journal-os-buffered", false, "do not wait for the disk: clicks in the journal survive a crash of the program, but not of the machine")
	number(flags, &c.journalOptions.MaxBytes, "journal-max-bytes", maxJournal, "maximum `bytes` of clicks in the journal")
}

const maxJournal = 1 << 30 // bytes

func addVisitorFlags(flags *flag.FlagSet, c *config) (finish func()) {
	o := &c.options
	flags.TextVar(&c.privacy.IP, "privacy-ip", linktrack.KeepIPNetwork, "what to keep of visitors' addresses: the network (`cut`), whole, or none")
	flags.TextVar(&c.privacy.Referrer, "keep-referrer", linktrack.KeepReferrerWhole, "what to keep of the referrers: `whole`, host, or none")
	userAgent := flags.Bool("keep-user-agent", true, "keep complete user agents; if false, keep only the browser and the platform")
	flags.BoolVar(&c.privacy.HonorGPC, "honor-gpc", false, "set no cookie and keep no personal data for visitors who send Sec-GPC: 1 or DNT: 1")
	flags.BoolVar(&c.privacy.HonorGPC, "honour-gpc", false, "the same as -honor-gpc")
	flags.IntVar(&c.privacy.HistoryDays, "history-days", 90, "number of `days` that clicks stay in the history, at least 30; a negative number keeps them forever")
	flags.Func("exclude", "`networks` whose clicks are redirected but not recorded, separated by commas, such as 192.0.2.0/24 or 2001:db8::7", networks(&c.privacy.Exclude))
	flags.Func("trusted-proxies", "`networks` of the proxies whose X-Forwarded-For or Forwarded is used, separated by commas; unix means proxies that connect by a Unix socket", func(list string) error {
		items := listOf(list)
		others := slices.DeleteFunc(slices.Clone(items), func(item string) bool { return item == "unix" })
		o.Proxies.TrustUnixSocket = len(others) < len(items)
		return networks(&c.proxies)(strings.Join(others, ","))
	})
	flags.StringVar(&c.geo, "geo", "", "`file` of countries, such as GeoLite2-Country.mmdb, checked for changes every hour (default: none)")
	flags.BoolVar(&o.Visitors.Cookieless, "cookieless", false, "recognize returning visitors without a cookie, by a hash that is deleted every day")
	flags.BoolVar(&o.Visitors.BotsAsPeople, "bots-as-people", false, "count bots as people")
	return func() { c.privacy.DropUserAgent = !*userAgent }
}

func addPageFlags(flags *flag.FlagSet, c *config) {
	flags.BoolVar(&c.anonymousLinks, "anonymous-links", false, "show a front page on which anyone can make links, which end after 30 days unless they are moved to an account")
	flags.BoolVar(&c.anonymousLinks, "quick-links", false, "the same as -anonymous-links")
	flags.StringVar(&c.pageOptions.Name, "name", "Linktrack", "`name` of the service, which the pages show")
	flags.StringVar(&c.pageOptions.Accent, "accent", "#1f5fd0", "`color` of buttons and links on the pages, as #rrggbb")
	flags.Func("templates", "`folder` of files for the pages: templates and static files replace those with the same name, extra.css is added to the style, and the files in static/ are served", folder(&c.pageOptions.Templates))
	flags.Func("texts", "JSON `file` of texts by key that replace those of the pages, for example to translate them", texts(&c.pageOptions.Texts))
}

// parseFlags reads the flags, and the environment for flags that are not given.
// With -h, it writes the descriptions of the flags to help.
func parseFlags(args []string, env environment, help io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("linktrack", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // package flag would print all flags after an error
	finish := addFlags(flags, &c)
	err := parseWithEnvironment(flags, args, env)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(help, "linktrack [serve] [flags]\n"+
			"Each flag can also be set in the environment: -base-url as LINKTRACK_BASE_URL. A flag overrides the environment. Flags:")
		flags.SetOutput(help)
		flags.PrintDefaults()
		return c, errHelp
	case err != nil:
		return c, fmt.Errorf("%w (-h shows the flags)", err)
	case flags.NArg() > 0:
		return c, fmt.Errorf("takes only flags, not %q (-h shows them)", flags.Arg(0))
	}
	return c, finish(env)
}

// check checks the values of the flags after all are read.
func (c *config) check() error {
	if c.privacy.HistoryDays == 0 {
		return errors.New("-history-days must be at least 30, or negative to keep all days, not 0")
	}
	if _, _, err := net.SplitHostPort(c.addr); err != nil {
		return fmt.Errorf("-addr must be host:port or :port, not %q", c.addr)
	}
	types := []string{linktrack.AccountTypeFree, linktrack.AccountTypeProfessional}
	for name := range c.options.Accounts.Types {
		if !slices.Contains(types, name) {
			types = append(types, name)
		}
	}
	if !slices.Contains(types, c.accountType) {
		slices.Sort(types[2:])
		return fmt.Errorf("-type must be %s, not %q", listed(types, "or"), c.accountType)
	}
	if c.ack == linktrack.AckJournaled && c.journal == "" {
		return errors.New("-ack journaled requires -journal with a folder")
	}
	if c.journal == "" && (c.journalOptions.OSBuffered || c.journalOptions.MaxBytes != maxJournal) {
		return errors.New("-journal-os-buffered and -journal-max-bytes require -journal")
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	if c.admin != "" {
		if _, _, err := net.SplitHostPort(c.admin); err != nil {
			return fmt.Errorf("-admin-addr must be host:port or :port, not %q", c.admin)
		}
	}
	if c.login == "" {
		return errors.New("-login must not be empty")
	}
	return nil
}
