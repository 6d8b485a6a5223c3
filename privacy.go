package linktrack

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/linktrackhq/linktrack/internal/clientip"
)

// Privacy says what is kept of visitors. What is not kept comes into no store
// and no [Journal]; while a click waits in memory all of it is there. What is
// derived from a text (browser, platform, country, referring host, bot or not)
// is derived before the text goes.
//
// Throttling and [VisitorOptions.Cookieless] use whole addresses, in memory only.
type Privacy struct {
	// IP is what is kept of addresses. Default: KeepIPNetwork.
	IP KeepIP

	// Referrer is what is kept of Referer headers. Default: KeepReferrerWhole.
	Referrer KeepReferrer

	// DropUserAgent keeps no user agents, only what they name.
	DropUserAgent bool

	// HonorGPC heeds visitors who ask not to be tracked, by Sec-GPC: 1 (Global
	// Privacy Control) or DNT: 1. Their clicks count as any, as new or known
	// visitors by what Options.Visitors.Cookieless describes, and are in the history
	// with browser, platform, country and referring host, but without address,
	// user agent, referrer and query string. They get no cookie.
	HonorGPC bool

	// Exclude are the networks of the links' owners. Clicks from there are
	// redirected and not recorded; they pass a link with a limit, as long as
	// it is not used up, without using it up; passwords they need like
	// anybody. An address of TrustedProxies is never one of these: somebody is
	// behind it. For owners without a network see [Tracker.OptOutURL].
	Exclude []netip.Prefix

	// HistoryDays is for how many days before today clicks stay in the
	// history; the totals and the sums by day stay. At least 30, which the API
	// may be asked for; negative: for ever. Default: 90.
	HistoryDays int
}

// KeepIP is what is kept of a visitor's address.
type KeepIP int

const (
	KeepIPNetwork KeepIP = iota // the network: /24 of version 4, /48 of version 6; the rest is zeros
	KeepIPWhole                 // all of it
	KeepIPNone                  // nothing
)

// KeepReferrer is what is kept of where a visitor came from.
type KeepReferrer int

const (
	KeepReferrerWhole KeepReferrer = iota // the whole URL, and its host
	KeepReferrerHost                      // the host, which is counted
	KeepReferrerNone                      // nothing, and nothing is counted
)

var (
	keepIPNames       = []string{KeepIPNetwork: "cut", KeepIPWhole: "whole", KeepIPNone: "none"}
	keepReferrerNames = []string{KeepReferrerWhole: "whole", KeepReferrerHost: "host", KeepReferrerNone: "none"}
)

// String returns "cut", "whole" or "none".
func (k KeepIP) String() string { return nameOf(keepIPNames, k) }

// MarshalText writes a KeepIP as String does.
func (k KeepIP) MarshalText() ([]byte, error) { return marshalName(keepIPNames, k) }

// UnmarshalText reads what MarshalText writes.
func (k *KeepIP) UnmarshalText(text []byte) error { return unmarshalName(keepIPNames, k, text) }

// String returns "whole", "host" or "none".
func (k KeepReferrer) String() string { return nameOf(keepReferrerNames, k) }

// MarshalText writes a KeepReferrer as String does.
func (k KeepReferrer) MarshalText() ([]byte, error) { return marshalName(keepReferrerNames, k) }

// UnmarshalText reads what MarshalText writes.
func (k *KeepReferrer) UnmarshalText(text []byte) error {
	return unmarshalName(keepReferrerNames, k, text)
}

func nameOf[T ~int](names []string, v T) string {
	if int(v) < 0 || int(v) >= len(names) {
		return fmt.Sprintf("%T(%d)", v, int(v))
	}
	return names[v]
}

func marshalName[T ~int](names []string, v T) ([]byte, error) {
	name := nameOf(names, v)
	if !slices.Contains(names, name) {
		return nil, fmt.Errorf("linktrack: there is no %s", name)
	}
	return []byte(name), nil
}

func unmarshalName[T ~int](names []string, v *T, text []byte) error {
	i := slices.Index(names, string(text))
	if i < 0 {
		return fmt.Errorf("must be %s, %s or %s, not %q", names[0], names[1], names[2], text)
	}
	*v = T(i)
	return nil
}

// check returns p with its defaults, or an *InvalidError.
func (p Privacy) check() (Privacy, error) {
	switch {
	case p.IP < KeepIPNetwork || p.IP > KeepIPNone:
		return p, invalid("Privacy.IP", "must be CutIP, WholeIP or NoIP")
	case p.Referrer < KeepReferrerWhole || p.Referrer > KeepReferrerNone:
		return p, invalid("Privacy.Referrer", "must be WholeReferrer, ReferrerHost or NoReferrer")
	case p.HistoryDays > 0 && p.HistoryDays < historyDays:
		return p, invalid("Privacy.HistoryDays", "must be at least %d, or negative for all days", historyDays)
	case p.HistoryDays == 0:
		p.HistoryDays = 90
	}
	var err error
	p.Exclude, err = networksOf("Privacy.Exclude", p.Exclude)
	return p, err
}

// cut takes from a click what is not kept.
func (p *Privacy) redact(c *Click) {
	switch p.IP {
	case KeepIPNetwork:
		c.IP = truncateIP(c.IP)
	case KeepIPNone:
		c.IP = netip.Addr{}
	}
	if p.DropUserAgent {
		c.UserAgent = ""
	}
	if p.Referrer != KeepReferrerWhole {
		c.Referrer = ""
	}
	if p.Referrer == KeepReferrerNone {
		c.ReferrerHost = ""
	}
}

func truncateIP(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	network, err := ip.Prefix(bits)
	if err != nil { // not known
		return netip.Addr{}
	}
	return network.Addr()
}

// asksForPrivacy reports whether a browser says that its user is not to be
// tracked.
func asksForPrivacy(h http.Header) bool {
	return first(h["Sec-Gpc"]) == "1" || first(h["Dnt"]) == "1"
}

// anonymize removes everything from a click that may be personal data, before the
// click waits anywhere.
func (t *Tracker) anonymize(c *Click) {
	newCompleter(&t.opts, &t.locator).complete(c)
	c.IP, c.UserAgent, c.Referrer, c.Query = netip.Addr{}, "", "", ""
}

// isExcluded reports whether a visit is known to be the link owner's own: it comes
// from one of [Privacy.Exclude] or has the account's opt-out cookie.
func (t *Tracker) isExcluded(l *Link, v *Visit) bool {
	if networks := t.opts.Privacy.Exclude; len(networks) > 0 {
		if ip := v.IP.Unmap().WithZone(""); clientip.Contains(networks, ip) && !clientip.Contains(t.proxies, ip) {
			return true
		}
	}
	return v.OptOut != "" && t.optOuts.holds(optOutByCookie, l.Account, v.OptOut)
}
