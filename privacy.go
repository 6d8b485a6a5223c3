package linktrack

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/linktrackhq/linktrack/internal/clientip"
)

// Privacy says which data of visitors is kept.
//   - Data that is not kept reaches neither the store nor the [Journal]. It is in
//     memory while a click waits there.
//   - What is derived from it (browser, platform, country, referring host, whether
//     it is a bot) is derived before it is dropped, and kept.
//
// Throttling and [VisitorOptions.Cookieless] use whole addresses, in memory only.
type Privacy struct {
	// IP is what is kept of addresses. Default: KeepIPNetwork.
	IP KeepIP

	// Referrer is what is kept of Referer headers. Default: KeepReferrerWhole.
	Referrer KeepReferrer

	// DropUserAgent drops user agents, after browser and platform are known.
	DropUserAgent bool

	// HonorGPC keeps less of visitors who ask not to be tracked, by Sec-GPC: 1
	// (Global Privacy Control) or DNT: 1. Their clicks are counted. Whether they
	// are new is decided as [VisitorOptions.Cookieless] describes, and they get no
	// cookie. The history has their browser, platform, country and referring host,
	// but not their address, user agent, referrer and query string.
	HonorGPC bool

	// Exclude are the networks of the links' owners. Clicks from there are
	// redirected but not recorded. They do not use up the limit of a link, but
	// cannot pass when it is used up, and they need a link's password. Addresses of
	// trusted proxies are not excluded, because the visitor is behind them. Owners
	// without a network of their own use [Tracker.OptOutURL].
	Exclude []netip.Prefix

	// HistoryDays is how many days before today clicks stay in the history, at
	// least 30, for which the API may be asked. Totals and sums by day stay
	// forever. Negative: clicks stay forever, too. Default: 90.
	HistoryDays int
}

// KeepIP says how much of a visitor's address is kept.
type KeepIP int

const (
	KeepIPNetwork KeepIP = iota // the network: /24 of IPv4, /48 of IPv6; the other bits are zero
	KeepIPWhole                 // the whole address
	KeepIPNone                  // nothing
)

// KeepReferrer says how much of the Referer header is kept.
type KeepReferrer int

const (
	KeepReferrerWhole KeepReferrer = iota // the whole URL, and its host
	KeepReferrerHost                      // the host only, which is counted
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

func nameOf[T ~int | ~uint8](names []string, v T) string {
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
		return p, invalid("Privacy.IP", "must be KeepIPNetwork, KeepIPWhole or KeepIPNone")
	case p.Referrer < KeepReferrerWhole || p.Referrer > KeepReferrerNone:
		return p, invalid("Privacy.Referrer", "must be KeepReferrerWhole, KeepReferrerHost or KeepReferrerNone")
	case p.HistoryDays > 0 && p.HistoryDays < historyDays:
		return p, invalid("Privacy.HistoryDays", "must be at least %d, or negative for all days", historyDays)
	case p.HistoryDays == 0:
		p.HistoryDays = 90
	}
	var err error
	p.Exclude, err = networksOf("Privacy.Exclude", p.Exclude)
	return p, err
}

// redact removes the data from a click that is not kept.
func (p *Privacy) redact(c *Click) {
	switch p.IP {
	case KeepIPNetwork:
		c.IP = clientip.Network(c.IP)
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

// asksForPrivacy reports whether the browser says that its user does not want to be
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
