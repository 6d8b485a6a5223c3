package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/mysqlstore"
)

// A config is what the flags and the environment say.
type config struct {
	addr    string
	baseURL string // "": follows from the address
	hosts   []string
	mysql   string // "": memory
	// mysqlConnections is how many connections to MySQL are opened at most.
	mysqlConnections int

	login, pass string
	accountType string

	ack             linktrack.Ack
	journal         string // folder; "": none
	admin           string // address; "": none
	conversionQuery bool

	notify  linktrack.Notifier // nil: alerts are not delivered
	privacy linktrack.Privacy
	proxies []netip.Prefix // trusted
	quick   bool           // anyone makes links at the base path
	geo     string         // file; "": none
}

var errHelp = flag.ErrHelp

// A usageError is a mistake of whoever called the program.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func refused(err error) error { return &usageError{err} }

// parseFlags reads the flags, and for those not given the environment. It
// writes the flags' descriptions to help if they are asked for.
func parseFlags(args []string, getenv func(string) string, help io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("linktrack", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its errors come with all the flags behind them
	flags.StringVar(&c.addr, "addr", ":8080", "`address` to listen on")
	flags.StringVar(&c.baseURL, "base-url", "", "`URL` that links begin with, as visitors see it (default http://localhost and -addr's port)")
	hosts := flags.String("hosts", "", "further `hosts` whose links are served, with commas between")
	flags.StringVar(&c.mysql, "mysql", "", "`DSN` of the MySQL database, user:pass@tcp(host:3306)/name (default: memory, gone at the end)")
	flags.IntVar(&c.mysqlConnections, "mysql-connections", mysqlstore.DefaultConnections, "how many `connections` to MySQL are opened at most")
	flags.StringVar(&c.login, "login", "linktrack", "`login` of the first account, made at start if it does not exist")
	flags.StringVar(&c.pass, "pass", "", "its `pass`; an account that exists gets it as its new one (default: a new account gets a generated pass, shown once)")
	flags.StringVar(&c.accountType, "type", linktrack.Professional, "its `type`, free or professional, if it is made")
	flags.TextVar(&c.ack, "ack", linktrack.AckStored, "when a visitor is answered: when the click is `stored`, journaled, or at once (buffered)")
	flags.StringVar(&c.journal, "journal", "", "`folder` of the journal of clicks, needed for -ack journaled")
	flags.TextVar(&c.privacy.IP, "privacy-ip", linktrack.CutIP, "what to keep of visitors' addresses: the network (`cut`), whole, or none")
	flags.TextVar(&c.privacy.Referrer, "keep-referrer", linktrack.WholeReferrer, "what to keep of where visitors came from: `whole`, host, or none")
	userAgent := flags.Bool("keep-user-agent", true, "keep user agents; else only the browser and the platform that they name")
	flags.BoolVar(&c.privacy.HonourGPC, "honour-gpc", false, "set no cookie and keep nothing personal of visitors who send Sec-GPC: 1 or DNT: 1")
	flags.IntVar(&c.privacy.HistoryDays, "history-days", 90, "for how many `days` clicks stay in the history, at least 30; negative: for ever")
	flags.Func("exclude", "`networks` whose clicks are redirected and not recorded, with commas between: 192.0.2.0/24 or 2001:db8::7", networks(&c.privacy.Exclude))
	flags.Func("trusted-proxies", "`networks` of the proxies whose X-Forwarded-For or Forwarded is believed, with commas between", networks(&c.proxies))
	flags.StringVar(&c.geo, "geo", "", "`file` of countries, such as GeoLite2-Country.mmdb; looked at for changes every hour (default: none)")
	flags.BoolVar(&c.conversionQuery, "conversion-query", false, "add the click to destinations as lt_click, for links with conversion tracking")
	flags.BoolVar(&c.quick, "quick-links", false, "show a front page on which anyone makes links, which end after 30 days unless they are moved into an account")
	flags.StringVar(&c.admin, "admin-addr", "", "`address` to answer /metrics and /healthz on (default: none)")
	alerts := addAlertFlags(flags)

	err := parseWithEnvironment(flags, args, getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(help, "Flags (or LINKTRACK_ADDR and so on in the environment):")
		flags.SetOutput(help)
		flags.PrintDefaults()
		return c, errHelp
	case err != nil:
		return c, fmt.Errorf("%w (-h shows the flags)", err)
	case flags.NArg() > 0:
		return c, fmt.Errorf("takes flags only, not %q (-h shows them)", flags.Arg(0))
	}
	c.privacy.DropUserAgent = !*userAgent
	if c.privacy.HistoryDays == 0 {
		return c, errors.New("-history-days is at least 30, or negative for all days, not 0")
	}
	c.hosts = listOf(*hosts)
	if _, _, err := net.SplitHostPort(c.addr); err != nil {
		return c, fmt.Errorf("-addr is host:port or :port, not %q", c.addr)
	}
	if c.accountType != linktrack.Free && c.accountType != linktrack.Professional {
		return c, fmt.Errorf("-type is %s or %s, not %q", linktrack.Free, linktrack.Professional, c.accountType)
	}
	if c.ack == linktrack.AckJournaled && c.journal == "" {
		return c, errors.New("-ack journaled needs -journal and a folder")
	}
	if c.admin != "" {
		if _, _, err := net.SplitHostPort(c.admin); err != nil {
			return c, fmt.Errorf("-admin-addr is host:port or :port, not %q", c.admin)
		}
	}
	if c.mysqlConnections < 1 {
		return c, fmt.Errorf("-mysql-connections is at least 1, not %d", c.mysqlConnections)
	}
	if c.login == "" {
		return c, errors.New("-login must not be empty")
	}
	c.notify, err = alerts.notifier()
	return c, err
}

// parseWithEnvironment reads the flags, and for those not given the
// environment.
func parseWithEnvironment(flags *flag.FlagSet, args []string, getenv func(string) string) (err error) {
	flags.VisitAll(func(f *flag.Flag) {
		name := "LINKTRACK_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value := getenv(name); value != "" && err == nil {
			if e := flags.Set(f.Name, value); e != nil {
				err = fmt.Errorf("%s: %w", name, e)
			}
		}
	})
	if err != nil {
		return err
	}
	return flags.Parse(args)
}

// listOf reads a list with commas.
func listOf(s string) (items []string) {
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// networks reads a list of networks and single addresses.
func networks(to *[]netip.Prefix) func(string) error {
	return func(list string) error {
		var all []netip.Prefix
		for item := range strings.SplitSeq(list, ",") {
			if item = strings.TrimSpace(item); item == "" {
				continue
			}
			network, err := netip.ParsePrefix(item)
			if err != nil {
				ip, err := netip.ParseAddr(item)
				if err != nil || ip.Zone() != "" {
					return fmt.Errorf("%q is no network and no address", item)
				}
				network = netip.PrefixFrom(ip, ip.BitLen())
			}
			all = append(all, network)
		}
		*to = all
		return nil
	}
}
